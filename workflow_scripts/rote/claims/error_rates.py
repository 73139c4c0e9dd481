"""How often verdicts are wrong: studies drawn from the replicates of a larger one.

The larger study stands for the truth. A study of a few replicates, drawn from its many with
replacement, goes through the same estimators, censoring included. A criterion that lies exactly at
the truth is the worst case: whatever is decided there is decided by chance.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import stats

from rote.claims import CLAIMS, OWN, Metrics
from rote.claims.intervals import Interval
from rote.claims.quantiles import SKEWNESS
from rote.claims.tables import number
from rote.claims.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    SUPPORTED,
    Inconclusive,
    Part,
    adjusted_confidence,
    comparisons_beside,
    verdict,
)
from rote.files.text import plain

VERDICTS = SUPPORTED, INCONCLUSIVE, CONTRADICTED
NOMINAL = 0.025
CRITERION = """
## What counts as nominal

Fixed on 28 November 2026, before any rate of an interval other than Student's was computed. A rate
of wrong verdicts, of a whole claim or of a part, to either side, is *above nominal* if it exceeds
2.5 % by more than twice its Monte Carlo error. Rates exactly at 2.5 % exceed that once in 44 times.

The interval was chosen by its [coverage](coverage.md) of standard populations, and not by these
rates, nor by what becomes of any verdict: of the intervals in the literature that are nominal for
the populations that are promised, the narrowest. These rates are told, whatever they are, and the
interval is not changed for them.
"""


class OfPart(NamedTuple):
    """What is counted of a part, over the studies."""

    part: Part
    truth: Interval
    supported: float  # with its criterion at the truth
    contradicted: float
    as_it_is: dict[str, float]  # how often each verdict is given, with the criterion as it is
    of_larger: str  # the verdict of the larger study


class OfClaim(NamedTuple):
    """What is counted of a claim; rates are those of wrong verdicts, the criteria at the truth."""

    number: int
    parts: list[OfPart]
    # One core part only just fails, that which does it most often; the others are as they are.
    supported: float
    contradicted: float  # all core parts hold, but only just


def count(
    metrics: Mapping[str, xr.Dataset],
    criteria: dict,
    studies: int,
    seeds: int,
    rng: np.random.Generator,
) -> list[OfClaim]:
    """Return how often studies of some replicates are wrong about the larger study.

    Args:
        metrics: of the larger study, by figure, with all that is swept.
        criteria: ``claims`` of ``config.yaml``.
        studies: how many are drawn.
        seeds: replicates of each.
        rng: draws them.
    """
    there = next(iter(metrics.values())).sizes["seed"]
    drawn = rng.integers(there, size=(studies, seeds))
    return [
        _of_claim(number, module, metrics, criteria, drawn)
        for number, (_, module) in CLAIMS.items()
    ]


def _of_claim(
    number: int,
    module: ModuleType,
    metrics: Mapping[str, xr.Dataset],
    criteria: dict,
    drawn: np.ndarray,
) -> OfClaim:
    truths = {part.name: (part, _interval(part)) for part in _parts(module, metrics, criteria)}
    known = {name: pair for name, pair in truths.items() if pair[1] is not None}
    if not known:
        return OfClaim(number, [], 0.0, 0.0)
    core = [part for part, _ in truths.values() if part.core]
    counts = comparisons_beside([part for part, _ in truths.values()])
    levels = {
        core: adjusted_confidence(criteria["confidence"], count) for core, count in counts.items()
    }
    at_truth = {name: {SUPPORTED: 0, CONTRADICTED: 0} for name in known}
    as_it_is = {name: dict.fromkeys(VERDICTS, 0) for name in known}
    whole = dict.fromkeys((part.name for part in core), 0)
    contradicted = 0
    for chosen in drawn:
        few = {
            figure: one.isel(seed=chosen).assign_coords(seed=np.arange(len(chosen)))
            for figure, one in metrics.items()
        }
        wrongly, firm, by_chance = False, set(), set()
        for part in _parts(module, few, criteria):
            if part.name not in known:
                continue
            interval = _interval(part)
            level = levels[part.core]
            verdict_here = _decided(interval, part.holds, level)
            as_it_is[part.name][verdict_here] += 1
            truth = known[part.name][1].estimate
            decided = _decided(interval, _just(part.holds, truth), level)
            if decided in at_truth[part.name]:
                at_truth[part.name][decided] += 1
            if part.core:
                firm |= {part.name} if verdict_here == SUPPORTED else set()
                by_chance |= {part.name} if decided == SUPPORTED else set()
                wrongly |= decided == CONTRADICTED
        contradicted += wrongly
        for name in by_chance:
            whole[name] += {*whole} - {name} <= firm
    studies = len(drawn)
    counted = [
        OfPart(
            part,
            truth,
            at_truth[name][SUPPORTED] / studies,
            at_truth[name][CONTRADICTED] / studies,
            {word: times / studies for word, times in as_it_is[name].items()},
            _decided(truth, part.holds, levels[part.core]),
        )
        for name, (part, truth) in known.items()
    ]
    of_whole = max(whole.values(), default=np.nan) / studies
    return OfClaim(number, counted, of_whole, contradicted / studies)


def _parts(module: ModuleType, metrics: Mapping[str, xr.Dataset], criteria: dict) -> list[Part]:
    return list(module.parts(Metrics.of(metrics), criteria))


def _interval(part: Part) -> Interval | None:
    try:
        return part.interval()
    except Inconclusive:
        return None


def _decided(interval: Interval | None, holds: tuple[float, float], confidence: float) -> str:
    return INCONCLUSIVE if interval is None else verdict(interval, holds, interval.at(confidence))


def _just(holds: tuple[float, float], truth: float) -> tuple[float, float]:
    """Return a criterion that the truth just meets, or just misses.

    Of a criterion with two ends it is the nearer one that is moved to the truth.
    """
    low, high = holds
    return (truth, np.inf) if abs(truth - low) < abs(high - truth) else (-np.inf, truth)


def skewness(interval: Interval) -> float:
    """Return the skewness of what the seeds have; NaN where all have the same."""
    values = np.array(interval.values)
    return float(stats.skew(values, nan_policy="omit")) if interval.standard_error else np.nan


def markdown(
    claims: list[OfClaim], studies: int, seeds: int, there: int, settings: str = "larger.yaml"
) -> str:
    """Return the page about the rates, for people.

    Args:
        claims: what was counted.
        studies: how many were drawn.
        seeds: replicates of each.
        there: replicates of the larger study.
        settings: the file of those of the larger study, beside the page.
    """
    most = NOMINAL + 2 * np.sqrt(NOMINAL * (1 - NOMINAL) / studies)

    def told(rate: float) -> str:
        return f"**{rate:.1%}**" if rate > most else f"{rate:.1%}"

    of_parts = [
        rate for c in claims for one in c.parts for rate in (one.supported, one.contradicted)
    ]
    above = sum(rate > most for rate in of_parts)
    without = ", ".join(str(n) for n in (*(one.number for one in claims if not one.parts), *OWN))
    lines = [
        "# How often a verdict is wrong",
        *CRITERION.split("\n"),
        "## Rates",
        "",
        f"Written by `make rates`: {studies:,} studies of {seeds} replicates each, drawn with "
        f"replacement from the {there} of a larger one ([{settings}]({settings})), which stands "
        "for the truth. Each goes through the estimators of the claims, limits and unfitted models "
        "included. Criteria are moved to the truth, the worst case: what is then decided is "
        f"decided by chance. Above nominal, in bold, are rates of more than {most:.2%}: {above} of "
        f"{len(of_parts)} of parts. The interval is nominal for smoothly distributed values with a "
        f"skewness of up to {SKEWNESS:g}; those of a part may be more skewed, or lie in few lumps. "
        "What is not of the poster, or what the larger study leaves out, has no rate here: claims "
        f"{without}, and what its settings take out of others.",
        "",
        "| claim | supported, though a part just fails | contradicted, though all just hold |",
        "|-|-|-|",
    ]
    lines += [
        f"| {one.number} | {told(one.supported)} | {told(one.contradicted)} |"
        for one in claims
        if one.parts
    ]
    lines += [
        "",
        f"Of each part the same, the skewness of its values in the {there}, and how often a study "
        "of so few replicates gives each verdict with the criterion as it is; in bold that of the "
        "larger study.",
        "",
        "| claim | part | skewness | supported at the truth | contradicted at the truth | "
        f"{' | '.join(VERDICTS)} |",
        "|-|-|-|-|-|" + "-|" * len(VERDICTS),
    ]
    for claim in claims:
        for one in claim.parts:
            shares = [
                f"**{one.as_it_is[word]:.0%}**"
                if word == one.of_larger
                else f"{one.as_it_is[word]:.0%}"
                for word in VERDICTS
            ]
            stated = "" if one.part.core else f" ({one.part.stated_by})"
            lines.append(
                f"| {claim.number} | {plain(one.part.description)}{stated} | "
                f"{number(skewness(one.truth))} | {told(one.supported)} | "
                f"{told(one.contradicted)} | {' | '.join(shares)} |"
            )
    return "\n".join([*lines, ""])
