"""Recompute every estimate and verdict of a study from its claims.md and metrics/*.nc alone.

``python tests/recompute/claims_from_metrics.py RESULTS`` imports nothing of the study's own code.
It prints what differs from claims.md or claims.nc, and ends with status 1 if anything does.
"""

import sys
from collections import defaultdict
from dataclasses import dataclass
from math import inf, isclose, isfinite, isnan, nan
from pathlib import Path

import seed_statistics as statistics
import xarray as xr
from families import values
from published_tables import Page, Row, number, read

OF_WIDTH = 0.01  # an end may differ by so much of its interval's width
EXACT = 1e-9
OF_QUANTILE = 1.5  # the smallest effect moves by less than so many times what q moves

Ends = tuple[float, float]


@dataclass(frozen=True)
class Recomputed:
    """What a row says, computed anew; ``slack`` is the error of the study's simulations."""

    seeds: int
    estimate: float
    interval: Ends
    adjusted: Ends
    slack: Ends
    detectable: float
    verdict: str


NOT_TESTED = Recomputed(0, nan, (nan, nan), (nan, nan), (0.0, 0.0), nan, "not tested")


def ends(rows: list[Row]) -> dict[tuple[int, bool], int]:
    """k: “the number of ends that the criteria of the claim's core parts have”, or the others."""
    found: dict[tuple[int, bool], int] = defaultdict(int)
    for row in rows:
        found[row.claim, row.is_core] += sum(isfinite(end) for end in row.holds)
    return found


def recompute(row: Row, k: int, page: Page, metrics: Path) -> Recomputed:
    """Return a part's numbers from the metrics."""
    if not (metrics / f"{row.figure}.nc").exists():
        return NOT_TESTED
    of_seeds = values(row.name, row.figure, metrics, page.criteria)
    levels = page.criteria["confidence"], 1 - (1 - page.criteria["confidence"]) / k
    interval, adjusted = (of_seeds.interval(level) for level in levels)
    slack = tuple(of_seeds.slack(level, page.simulations) for level in levels)
    if len(of_seeds.left) < page.criteria["minimum_seeds"]:
        none = nan, nan
        return Recomputed(0, nan, none, none, (0.0, 0.0), nan, "inconclusive")
    return Recomputed(
        seeds=len(of_seeds.left),
        estimate=of_seeds.estimate,
        interval=interval,
        adjusted=adjusted,
        slack=slack,
        detectable=statistics.detectable(of_seeds, row.holds, levels[0]),
        verdict=statistics.verdict(row.holds, interval, adjusted),
    )


def _apart(a: float, b: float, tolerance: float) -> bool:
    if isnan(a) or isnan(b):
        return isnan(a) != isnan(b)
    return not isclose(a, b, rel_tol=EXACT, abs_tol=tolerance)


def _rounding(printed: str) -> float:
    """Return half a unit of the last digit that is printed."""
    return 0.500001 * 10.0 ** -len(printed.partition(".")[2])


def _end_tolerance(interval: Ends, estimate: float, slack: float) -> float:
    # An interval with an infinite end is taken to be as wide as if that were as far as the other.
    halves = [abs(end - estimate) for end in interval if isfinite(end)]
    return max(OF_WIDTH * 2 * max(halves, default=0), slack)


def against_page(row: Row, new: Recomputed, k: int, page: Page) -> list[str]:
    """Return what differs from the row."""
    wrong = []
    value = row.ends_at(page.criteria)
    if value is None or any(abs(end) not in (value, inf) for end in row.holds):
        wrong.append(f"criterion {row.criterion}: the table has {value}")
    if row.adjusted_for != k and row.seeds:
        wrong.append(f"k = {row.adjusted_for}: computed {k}")
    if row.seeds != new.seeds:
        wrong.append(f"{row.seeds} seeds: computed {new.seeds}")
    numbers = [("estimate", row.estimate, new.estimate, 0.0)]
    numbers.append(("smallest effect", row.detectable, new.detectable, OF_QUANTILE * new.slack[0]))
    for name, printed, found, slack in (
        ("interval", row.interval, new.interval, new.slack[0]),
        ("adjusted interval", row.adjusted, new.adjusted, new.slack[1]),
    ):
        tolerance = _end_tolerance(found, new.estimate, slack)
        numbers += [(name, *both, tolerance) for both in zip(printed, found, strict=True)]
    for name, printed, found, tolerance in numbers:
        if _apart(number(printed), found, tolerance + _rounding(printed)):
            wrong.append(f"{name} {printed}: computed {found:.6g}")
    if row.verdict != new.verdict:
        wrong.append(f"{row.verdict}: computed {new.verdict}")
    return wrong


def against_file(file: xr.Dataset, row: Row, new: Recomputed, k: int) -> list[str]:
    """Return what differs from a part in claims.nc."""
    numbers = [
        ("estimate", new.estimate, 0.0),
        ("detectable", new.detectable, OF_QUANTILE * new.slack[0]),
        ("holds_from", row.holds[0], 0.0),
        ("holds_to", row.holds[1], 0.0),
        ("adjusted_for", k, 0.0),
    ]
    for name, interval, slack in (
        ("", new.interval, new.slack[0]),
        ("adjusted_", new.adjusted, new.slack[1]),
    ):
        tolerance = _end_tolerance(interval, new.estimate, slack)
        numbers.append((f"{name}lower", interval[0], tolerance))
        numbers.append((f"{name}upper", interval[1], tolerance))
    wrong = [
        f"claims.nc, {name} {float(file[name]):.9g}: computed {found:.9g}"
        for name, found, tolerance in numbers
        if _apart(float(file[name]), found, max(tolerance, 1e-12))
    ]
    if str(file.verdict.values) != new.verdict:
        wrong.append(f"claims.nc, {file.verdict.values}: computed {new.verdict}")
    return wrong


def differences(results: Path) -> list[str]:
    """Return what differs in a folder with claims.md, claims.nc and metrics, a line each."""
    page = read(results / "claims.md")
    with xr.open_dataset(results / "claims.nc") as opened:
        file = opened.load()
    if file.sizes["test"] != len(page.rows):
        return [f"claims.md has {len(page.rows)} parts, claims.nc {file.sizes['test']}"]
    counts, wrong, verdicts = ends(page.rows), [], defaultdict(list)
    for i, row in enumerate(page.rows):
        k = counts[row.claim, row.is_core]
        try:
            new = recompute(row, k, page, results / "metrics")
        except (KeyError, OSError, ValueError) as error:
            wrong.append(f"{row.claim}. {row.name}: {error}")
            continue
        found = against_page(row, new, k, page) + against_file(file.isel(test=i), row, new, k)
        wrong += [f"{row.claim}. {row.name}: {one}" for one in found]
        if row.is_core:
            verdicts[row.claim].append(new.verdict)
    for claim, of_parts in verdicts.items():
        new = statistics.of_claim(of_parts)
        told = {page.verdicts[claim], page.headings[claim]}
        told.add(str(file.claim_verdict.sel(conclusion=claim).values))
        if told != {new}:
            wrong.append(f"claim {claim} is {', '.join(sorted(told))}: computed {new}")
    return wrong


def main(arguments: list[str]) -> int:
    """Print the differences, and return the exit status."""
    if len(arguments) != 1 or not (Path(arguments[0]) / "claims.md").is_file():
        print("Usage: claims_from_metrics.py RESULTS, a folder with claims.md, claims.nc, metrics")
        return 2
    try:
        wrong = differences(Path(arguments[0]))
    except (OSError, ValueError) as error:
        wrong = [str(error)]
    print("\n".join(wrong) if wrong else "Every number and verdict was found again.")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
