"""Verdicts of several studies beside each other: what holds where."""

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

from rote.claims.tables import number
from rote.claims.verdicts import CORE, NOT_TESTED, SUPPORTED, SYMBOLS, combined
from rote.files.text import plain

LEGEND = f"{', '.join(f'{symbol} {verdict}' for verdict, symbol in SYMBOLS.items())}."


def of_variant(table: xr.Dataset, name: str) -> xr.Dataset:
    """Return the parts of one variant of ``docs/stability/verdicts.nc``, along ``test``.

    Raises:
        KeyError: the table does not hold it.
    """
    one = table.sel(variant=name)
    return one.sel(test=one["verdict"].values != "")


def markdown(studies: Mapping[str, xr.Dataset]) -> str:
    """Return a table with a row a claim, and one with a row a core part, in Markdown.

    Args:
        studies: by their names, in the order of the columns: what ``claims.nc`` holds, or
            :func:`of_variant`; one of them at least with the texts of the claims.
    """
    columns = [_core(claims) for claims in studies.values()]
    head = ["| | {} | " + " | ".join(studies) + " |", "|" + "-|" * (2 + len(studies))]
    lines = [
        f"{LEGEND} A claim is supported if all of its core parts are, and contradicted if one is; "
        "behind the sign, how many are supported, of those that are tested.",
        "",
        head[0].format("claim"),
        head[1],
    ]
    for claim, text in _texts(studies.values()).items():
        own = ([p["verdict"] for p in parts if p["claim"] == claim] for parts in columns)
        lines.append(_row(claim, text, map(_decided, own)))
    lines += ["", "Each core part, with its estimate:", "", head[0].format("part"), head[1]]
    by_name = [{part["test"]: part for part in parts} for parts in columns]
    known = {name: part for parts in reversed(by_name) for name, part in parts.items()}
    names = dict.fromkeys(name for parts in by_name for name in parts)
    tested = [name for name in names if any(_tested(parts.get(name)) for parts in by_name)]
    for name in sorted(tested, key=lambda name: known[name]["claim"]):  # stable
        cells = (_estimate(parts.get(name)) for parts in by_name)
        lines.append(_row(known[name]["claim"], known[name]["description"], cells))
    return "\n".join([*lines, ""])


def _core(claims: xr.Dataset) -> list[dict]:
    """Return the core parts of the claims of a study."""
    names = "test", "claim", "description", "stated_by", "verdict", "estimate"
    columns = zip(*(claims[name].values.tolist() for name in names), strict=True)
    parts = (dict(zip(names, values, strict=True)) for values in columns)
    return [part for part in parts if part["stated_by"] in CORE]


def _texts(studies: Iterable[xr.Dataset]) -> dict[int, str]:
    """Return the claims of all studies by their numbers, in their order."""
    texts = {}
    for claims in studies:
        if "claim_text" in claims.coords:
            pairs = zip(claims["conclusion"].values, claims["claim_text"].values, strict=True)
            texts |= {int(claim): str(text) for claim, text in pairs}
    return dict(sorted(texts.items()))


def _decided(verdicts: list[str]) -> str:
    """Return the verdict on a claim by those of its core parts, and how many are supported."""
    tested = [verdict for verdict in verdicts if verdict != NOT_TESTED]
    if not tested:
        return SYMBOLS[NOT_TESTED]
    return f"{SYMBOLS[combined(verdicts)]} {tested.count(SUPPORTED)}/{len(tested)}"


def _tested(part: dict | None) -> bool:
    return part is not None and part["verdict"] != NOT_TESTED


def _estimate(part: dict | None) -> str:
    """Return the verdict on a part with its estimate, where there is one."""
    if part is None:
        return SYMBOLS[NOT_TESTED]
    sign = SYMBOLS[part["verdict"]]
    return sign if np.isnan(part["estimate"]) else f"{sign} {number(part['estimate'])}"


def _row(claim: int, text: str, cells: Iterable[str]) -> str:
    return f"| {claim} | {plain(text)} | {' | '.join(cells)} |"
