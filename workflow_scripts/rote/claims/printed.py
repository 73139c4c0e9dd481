"""Numbers that others have printed, beside those of this study: which lie within a tolerance.

A plan, ``docs/published/lines.yaml``, holds groups of lines. Each line has its name, what it is
``of``, a ``unit``, the ``printed`` number, a ``tolerance``, why it is so large (``because``), and
how its number is taken from a file. So the tolerance is there before the number.
"""

from collections.abc import Iterable, Iterator, Mapping
from string import ascii_lowercase

import numpy as np
import xarray as xr

from rote.machine.errors import UserError

# Of each unit: by what a number of a file is multiplied, and digits behind the point.
UNITS = {"%": (100, 2), "nat": (1, 4), "1": (1, 4), "parameters": (1, 0)}
NUMBERS = {
    "ours": "mean over the models of this study",
    "deviation": "standard deviation over the models of this study",
    "printed": "number that others have printed, or that their method gives on the same models",
    "tolerance": "largest difference between the two that was expected",
}
WORDS = {
    "of": "what the number is of",
    "unit": "unit of the numbers",
    "made_by": "digest of what it was made by",
    "dataset": "images",
    "git_commit": "commit of the code that computed it",
}
NOT_YET = "not computed yet"


def lines(plan: Mapping) -> Iterator[tuple[str, dict]]:
    """Yield each line of a plan behind the name of its group."""
    for group, own in plan["groups"].items():
        for line in own["lines"]:
            yield group, line


def experiments(
    plan: Mapping, groups: Iterable[str], rows: Mapping[str, xr.Dataset] | None = None
) -> list[str]:
    """Return the other groups that hold experiments of the lines of some groups.

    Args:
        plan: the groups of lines.
        groups: names of some.
        rows: if given, experiments of those lines alone count that are in them, and lie outside.
    """
    holds = {line["name"]: group for group, line in lines(plan)}
    own = [line for group, line in lines(plan) if group in groups]
    if rows is not None:
        there = [one for one in own if one["name"] in rows]
        own = [one for one in there if not _close(one, rows[one["name"]])]
    found = dict.fromkeys(holds[name] for line in own for name in line.get("experiments", ()))
    return [group for group in found if group not in groups]


def row(line: Mapping, ours: np.ndarray, printed: float, **about: str) -> xr.Dataset:
    """Return what the table holds of a line that is computed.

    Args:
        line: of the plan.
        ours: the number of each model, in units of its file; or one of all models together.
        printed: the number that it is compared with, in units of the line.
        about: ``made_by``, ``dataset`` and ``git_commit``.
    """
    ours = UNITS[line["unit"]][0] * np.atleast_1d(ours)
    spread = ours.std(ddof=1) if len(ours) > 1 else np.nan
    values = {"ours": ours.mean(), "deviation": spread, "printed": printed}
    return xr.Dataset(
        {name: ("line", [float(value)]) for name, value in values.items()}
        | {name: ("line", [about[name]]) for name in ("made_by", "dataset", "git_commit")},
        coords={"line": [line["name"]]},
    )


def of_run(run: xr.Dataset, take: Mapping) -> np.ndarray:
    """Return a number of a run's file: of each model, or one of all.

    Args:
        run: a file of ``results/{preset}/runs``.
        take: a ``variable``, an ``epoch`` and a ``noise_kind`` (real by default): of each model the
            value at the end of that epoch. Or ``unforgettable``, the kind of noise: the share of
            the examples that all of its models have learned and never forgotten.

    Raises:
        UserError: the run does not have that, or its models were not scored at that epoch.
    """
    if "unforgettable" in take:
        own = _of_kind(run, take["unforgettable"], ["forgetting_events", "first_learned"])
        if not (own["index"] == own["index"].isel(member=0)).all():
            raise UserError(
                "A line is of examples that no model forgets, but its models were trained on "
                "different ones: leave data out of vary."
            )
        kept = (own["forgetting_events"] == 0) & (own["first_learned"] > 0)
        return kept.all("member").mean().values
    if (epoch := take["epoch"]) not in run["epoch"]:
        raise UserError(
            f"A line is of epoch {epoch}, but its models were scored at others, the last of "
            f"which is {run['epoch'].values[-1]}: set epochs and evaluate_every so that it is one, "
            "or take another epoch in lines.yaml."
        )
    variable = take["variable"]
    own = _of_kind(run, take.get("noise_kind", "real"), [variable])[variable]
    if own.dims != ("member", "epoch"):
        raise UserError(
            f"A line is of {variable}, which is no number of a model at an epoch: mend lines.yaml."
        )
    return own.sel(epoch=epoch).values


def _of_kind(run: xr.Dataset, kind: str, variables: list[str]) -> xr.Dataset:
    """Return the members of a run that were trained on a kind of noise."""
    own = run.sel(member=run["noise_kind"] == kind)
    lacking = [name for name in variables if name not in own]
    if not own.sizes["member"]:
        lacking.append(f"models trained on {kind}")
    if lacking:
        raise UserError(f"A line is of {lacking[0]}, which its run does not have: mend lines.yaml.")
    return own


def of_search(search: xr.Dataset, take: Mapping) -> float:
    """Return a ratio of ``released_lass.nc``: a ``variable``, by ``model`` and ``trained_on``.

    Raises:
        UserError: the file does not have it.
    """
    variable, model, kind = take["variable"], take["model"], take["trained_on"]
    chosen = ((search["model"] == model) & (search["trained_on"] == kind)).values
    if variable not in search or not chosen.any():
        raise UserError(
            f"A line is of {variable} of {model}, trained on {kind}, which its benchmark does not "
            "measure: mend lines.yaml."
        )
    return search[variable].values[chosen].item()


def table(plan: Mapping, rows: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Return the numbers of all lines that are computed, in the order of the plan.

    Args:
        plan: the groups of lines.
        rows: what :func:`row` returned, by the names of the lines.
    """
    known = {line["name"]: line for _, line in lines(plan) if line["name"] in rows}
    whole = xr.concat([rows[name] for name in known], "line")
    added = {name: [line[name] for line in known.values()] for name in ("tolerance", "of", "unit")}
    whole = whole.assign({name: ("line", values) for name, values in added.items()})
    whole["within"] = within(whole).astype(np.int8)
    for name, long_name in NUMBERS.items():
        whole[name].attrs = {"long_name": long_name, "units": "1", "comment": "in units of unit"}
    for name, long_name in WORDS.items():
        whole[name].attrs = {"long_name": long_name}
    whole["line"].attrs = {"long_name": "line of the plan"}
    whole["within"].attrs = {"long_name": "1: the difference is within the tolerance", "units": "1"}
    return whole


def within(whole: xr.Dataset) -> xr.DataArray:
    """Return which lines lie within their tolerance; what is not finite does not."""
    # Numbers are written with at most four digits: what they lack shall not decide.
    return np.abs(whole["ours"] - whole["printed"]) <= whole["tolerance"] + 1e-9


def rows_of(whole: xr.Dataset) -> dict[str, xr.Dataset]:
    """Return the rows of a :func:`table` by the names of their lines."""
    names = "ours", "deviation", "printed", "made_by", "dataset", "git_commit"
    each = whole[list(names)]
    return {name: each.sel(line=[name]) for name in whole["line"].values.tolist()}


def markdown(plan: Mapping, rows: Mapping[str, xr.Dataset]) -> str:
    """Return the page of all lines, for people; those that are not computed say so.

    Args:
        plan: the groups of lines.
        rows: what :func:`row` returned, by the names of the lines.
    """
    known = [line for _, line in lines(plan) if line["name"] in rows]
    close = [line["name"] for line in known if _close(line, rows[line["name"]])]
    outside = [line for line in known if line["name"] not in close]
    explained = [line for line in outside if {*line.get("experiments", ())} & {*close}]
    text = [
        "# Numbers that others have printed",
        "",
        f"{_flat(plan['about'])} Computed are {len(known)} lines: {len(close)} lie within their "
        f"tolerance, {len(explained)} outside with an experiment that is within, and "
        f"{len(outside) - len(explained)} outside without.",
    ]
    for group in plan["groups"].values():
        text += ["", f"## {group['title']}", "", _flat(group["about"]), ""]
        text += ["| | printed | rote | tolerance | |", "|-|-:|-:|-:|-|"]
        reasons = list(dict.fromkeys(_flat(line["because"]) for line in group["lines"]))
        letters = dict(zip(reasons, ascii_lowercase, strict=False))
        text += [_cells(line, plan, rows, close, letters) for line in group["lines"]]
        text += ["", *(f"({letter}) {reason}  " for reason, letter in letters.items())]
        own = [rows[line["name"]] for line in group["lines"] if line["name"] in rows]
        images = {one["dataset"].item() for one in own} - {""}
        if images:
            text += ["", f"Images: {', '.join(sorted(images))}."]
    return "\n".join([*text, ""])


def _flat(text: str) -> str:
    return " ".join(text.split())


def _close(line: Mapping, own: xr.Dataset) -> bool:
    return bool(within(own.assign(tolerance=line["tolerance"])).item())


def _cells(line: Mapping, plan: Mapping, rows: Mapping, close: list[str], letters: Mapping) -> str:
    """Return the row of a line in the table of its group; letters stand for reasons."""
    name, unit = line["name"], line["unit"]
    _, digits = UNITS[unit]

    def shown(value: float) -> str:
        return f"{value:,.{digits}f}".replace("-", "−")

    printed, ours, verdict = line["printed"], NOT_YET, ""
    if name in rows:
        own = rows[name]
        printed, ours, spread = (own[key].item() for key in ("printed", "ours", "deviation"))
        ours = shown(ours) if np.isnan(spread) else f"{shown(ours)} ± {shown(spread)}"
        verdict = (
            "within" if name in close else f"**outside**{_experiments(line, plan, rows, close)}"
        )
    printed = shown(printed) if isinstance(printed, float | int) else ""
    of = f"{line['of']}, {unit}" if unit in ("%", "nat") else line["of"]
    tolerance = f"{shown(line['tolerance'])} ({letters[_flat(line['because'])]})"
    return f"| {of} | {printed} | {ours} | {tolerance} | {verdict} |"


def _experiments(line: Mapping, plan: Mapping, rows: Mapping, close: list[str]) -> str:
    """Return what experiments say of a line that lies outside: other lines of the plan."""
    of = {other["name"]: other["of"] for _, other in lines(plan)}

    def found(name: str) -> str:
        if name not in rows:
            return f"is {NOT_YET}"
        return "is within" if name in close else "is outside, too"

    own = line.get("experiments", ())
    return "".join(f"; its experiment, *{of[name]}*, {found(name)}" for name in own)
