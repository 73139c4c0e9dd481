"""What verdicts hang on: those of many variants of a study, beside each other."""

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

from rote.claims.verdicts import CONTRADICTED, CORE, INCONCLUSIVE, SUPPORTED
from rote.files.text import plain
from rote.study.plan import each

NUMBERS = "estimate", "lower", "upper", "standard_error", "holds_from", "holds_to"
WORDS = "claim", "description", "stated_by"
FAR = 3.8  # standard errors: so far beyond its criterion, a part should keep its verdict
LETTERS = {SUPPORTED: "S", INCONCLUSIVE: "i", CONTRADICTED: "C"}
SETTINGS = {
    "first_seed": "seeds",
    "learning_rate": "learning rate",
    "width": "width",
    "products": "products",
}
LONG_NAMES = {
    "first_seed": "first seed",
    "learning_rate": "times that of each experiment",
    "width": "times that of each model",
    "products": "library of matrix products",
    "vary": "what replicates draw anew",
    "made_by": "digest of what the verdicts were made by",
}


def row(claims: xr.Dataset, name: str, variant: Mapping[str, object], made_by: str) -> xr.Dataset:
    """Return what the table of all variants holds of one: along ``variant`` and ``test``.

    Args:
        claims: what its ``claims.nc`` holds.
        name: that of the variant.
        variant: its settings.
        made_by: the digest of what ``claims`` was made by.
    """
    kept = claims[["verdict", *NUMBERS]].reset_coords(drop=True)
    kept["based_on"] = claims["based_on"].variable
    kept = kept.assign_coords({word: claims[word].variable for word in WORDS})
    kept = kept.expand_dims(variant=[name])
    about = {key: ", ".join(map(str, each(value))) for key, value in variant.items()}
    about["made_by"] = made_by
    kept["variant"].attrs = {"long_name": "variant of the study"}
    return kept.assign_coords(
        {key: ("variant", [value], {"long_name": LONG_NAMES[key]}) for key, value in about.items()}
    )


def joined(rows: Iterable[xr.Dataset]) -> xr.Dataset:
    """Return the table of several variants; parts that one lacks are empty there."""
    rows = list(rows)
    parts = list(dict.fromkeys(test for one in rows for test in one["test"].values))
    bare = (one.reset_coords(WORDS, drop=True) for one in rows)
    aligned = [one.reindex(test=parts, fill_value={"verdict": "", "based_on": ""}) for one in bare]
    whole = xr.concat(aligned, "variant", combine_attrs="override")
    known = {test: (one, i) for one in reversed(rows) for i, test in enumerate(one["test"].values)}
    columns = {
        word: (
            "test",
            [known[test][0][word].values[known[test][1]] for test in parts],
            rows[0][word].attrs,
        )
        for word in WORDS
    }
    return whole.assign_coords(columns)


def dependence(table: xr.Dataset, settings: Iterable[str]) -> dict[str, list[str]]:
    """Return, by part, the settings that decide about it.

    A part depends on a setting if, all others being equal, it is supported with one of its values
    and contradicted with another.
    """
    settings, found = list(settings), {}
    for test in table["test"].values:
        verdicts = table["verdict"].sel(test=test).values
        on = [s for s in settings if _flips(verdicts, table, s, settings)]
        if on:
            found[str(test)] = on
    return found


def recorded(known: Mapping[str, list[str]], table: xr.Dataset) -> dict[str, list[str]]:
    """Return, by part, the settings that decide about it, as all pages tell.

    Args:
        known: what was known before. It stays where the table does not vary a setting.
        table: of the variants that are finished.
    """
    varied = {name for name in SETTINGS if len(np.unique(table[name].values)) > 1}
    found = dependence(table, SETTINGS)
    kept = {test: [name for name in on if name not in varied] for test, on in known.items()}
    each = {test: [*kept.get(test, ()), *found.get(test, ())] for test in {**kept, **found}}
    return {test: on for test, on in each.items() if on}


def _flips(verdicts: np.ndarray, table: xr.Dataset, setting: str, settings: list[str]) -> bool:
    groups: dict[tuple, set] = {}
    others = [table[name].values for name in settings if name != setting]
    for verdict, *key in zip(verdicts, *others, strict=True):
        groups.setdefault(tuple(key), set()).add(verdict)
    return any({SUPPORTED, CONTRADICTED} <= group for group in groups.values())


def far_beyond(one: xr.Dataset) -> np.ndarray:
    """Return which parts of a variant lie ``FAR`` standard errors on one side of a criterion."""
    low, high = (one["estimate"] - one["holds_from"]), (one["holds_to"] - one["estimate"])
    nearest = np.minimum(np.abs(low), np.abs(high))
    decided = one["verdict"].isin([SUPPORTED, CONTRADICTED])
    return (decided & (nearest >= FAR * one["standard_error"])).values


def kept(table: xr.Dataset) -> tuple[list[str], dict[str, float]]:
    """Return the parts that are far beyond their criterion in the first variant, and of each the
    share of the variants with other seeds alone that give the same verdict."""
    first = table.isel(variant=0)
    same = [name for name in SETTINGS if name != "first_seed"]
    others = table.sel(
        variant=np.logical_and.reduce([table[name].values == first[name].item() for name in same])
    ).isel(variant=slice(1, None))
    parts = first["test"].values[far_beyond(first)].tolist()
    if not others.sizes["variant"]:
        return parts, {}
    verdicts = others["verdict"].sel(test=parts) == first["verdict"].sel(test=parts)
    return parts, dict(zip(parts, verdicts.mean("variant").values.tolist(), strict=True))


def markdown(table: xr.Dataset, preset: str, planned: int) -> str:
    """Return the page about a table, for people.

    Args:
        table: of the variants that are finished, the preset as it is first.
        preset: its name.
        planned: the number of variants in all.
    """
    on, columns = dependence(table, SETTINGS), _columns(table)
    head = ["claim", "part", *columns, "dependent on"]
    lines = [
        f"# Do the verdicts hang on a setting? {preset}",
        "",
        f"Written by `make stability`, from the verdicts of {table.sizes['variant']} of {planned} "
        "variants of the study, which [variants.yaml](variants.yaml) names; numbers: "
        "[verdicts.nc](verdicts.nc). A letter is a variant: S supported, i inconclusive, C "
        "contradicted, – not tested. A part that is supported with one value of a setting and "
        "contradicted with another, all else being equal, is *dependent on* it, here and on every "
        "other page.",
        "",
        f"| {' | '.join(head)} |",
        "|" + "-|" * len(head),
    ]
    for i, test in enumerate(table["test"].values):
        stated = table["stated_by"].values[i]
        part = plain(table["description"].values[i])
        letters = [
            "".join(LETTERS.get(verdict, "–") for verdict in table["verdict"].values[chosen, i])
            for chosen in columns.values()
        ]
        cells = [
            str(table["claim"].values[i]),
            part if stated in CORE else f"{part} ({stated})",
            *letters,
            ", ".join(SETTINGS[setting] for setting in on.get(str(test), [])),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    parts, share = kept(table)
    sentence = (
        f"{len(parts)} of {table.sizes['test']} parts lie at least {FAR:g} standard errors beyond "
        "their criterion in the first variant."
    )
    if share:
        most = sum(value >= 0.9 for value in share.values())
        sentence += (
            f" With other seeds, and nothing else changed, {most} of these keep their verdict in "
            "at least 90 % of the variants, and all together in "
            f"{np.mean(list(share.values())):.0%}."
        )
    return "\n".join([*lines, "", sentence, ""])


def spread_markdown(table: xr.Dataset, preset: str, seeds: int) -> str:
    """Return the page about what replicates differ by, for people.

    Args:
        table: of variants that differ in ``vary``, all factors first.
        preset: its name.
        seeds: the number of replicates of each.
    """
    columns = ["everything", *(f"{vary} alone" for vary in table["vary"].values[1:])]
    lines = [
        f"# What replicates differ by: {preset}",
        "",
        f"Written by `make variance`: the standard deviation, over {seeds} replicates, of what a "
        "part of the claims estimates, where everything is drawn anew and where one of the factors "
        "is, the others being those of the first replicate ([variants.yaml](variants.yaml)). In "
        "front, the mean. Experiments that cost little alone; numbers: [verdicts.nc](verdicts.nc).",
        "",
        f"| claim | part | mean | {' | '.join(columns)} |",
        "|" + "-|" * (3 + len(columns)),
    ]
    # Of so many seeds as have a value: "24 seeds".
    there = [
        [int(n.split()[0]) if "seed" in n else 0 for n in one] for one in table["based_on"].values
    ]
    deviations = table["standard_error"].values * np.sqrt(there)
    for i in np.flatnonzero(np.isfinite(deviations).any(0)):
        numbers = [table["estimate"].values[0, i], *deviations[:, i]]
        cells = ["–" if np.isnan(value) else f"{value:.3f}".replace("-", "−") for value in numbers]
        part = plain(table["description"].values[i])
        lines.append(f"| {table['claim'].values[i]} | {part} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _columns(table: xr.Dataset) -> dict[str, np.ndarray]:
    """Return, by their headings, which variants stand in a column, in their order."""
    first = {name: table[name].values[0] for name in SETTINGS}
    equal = {name: table[name].values == first[name] for name in SETTINGS}

    def alone(*names: str) -> np.ndarray:
        return np.logical_and.reduce([equal[name] for name in SETTINGS if name not in names])

    rates = [str(rate) for rate in dict.fromkeys(table["learning_rate"].values)]
    columns = {
        f"seeds, learning rate × {rate}": np.flatnonzero(
            alone("first_seed", "learning_rate") & (table["learning_rate"].values == rate)
        )
        for rate in rates
    }
    for name in ("width", "products"):
        values = table[name].values
        if len(set(values)) > 1:
            chosen = np.flatnonzero(alone(name) & (values != first[name]))
            columns[f"{SETTINGS[name]} {', '.join(values[chosen])}"] = chosen
    return columns
