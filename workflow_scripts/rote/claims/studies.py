"""Verdicts of several studies beside each other: what holds where."""

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

from rote.claims.tables import number
from rote.claims.verdicts import CORE, LACKING, NOT_TESTED, SUPPORTED, SYMBOLS, combined
from rote.files.text import plain

DEPENDENT = "\\*"  # behind a sign; alone it would be the mark of Markdown
LEGEND = (
    f"{', '.join(f'{symbol} {verdict}' for verdict, symbol in SYMBOLS.items())}; {DEPENDENT} "
    "dependent on a setting. A claim is supported if all of its core parts are, and contradicted "
    "if one is; behind the sign, how many are supported, of those that are tested. One that is not "
    "tested leaves its claim open."
)


def of_earlier_version(claims: xr.Dataset) -> bool:
    """Return whether ``claims.nc`` is from before what a study lacks was called not tested."""
    if "dependent_on" not in claims.coords:
        return True
    lacking = np.char.startswith(claims["reason"].values.astype(str), LACKING)
    known = claims["verdict"].isin([*SYMBOLS]).all().item()
    return not known or bool((claims["verdict"].values[lacking] != NOT_TESTED).any())


def markdown(studies: Mapping[str, xr.Dataset]) -> str:
    """Return a table with a row a claim, and one with a row a core part, in Markdown.

    Args:
        studies: what ``claims.nc`` holds, by their names in the order of the columns.
    """
    columns = [_core(claims) for claims in studies.values()]
    head = ["| | {} | " + " | ".join(map(plain, studies)) + " |", "|" + "-|" * (2 + len(studies))]
    lines = [LEGEND, "", head[0].format("claim"), head[1]]
    for claim, text in _texts(studies.values()).items():
        own = ([p["verdict"] for p in parts if p["claim"] == claim] for parts in columns)
        lines.append(_row(claim, text, map(_decided, own)))
    lines += ["", "Each core part, with its estimate:", "", head[0].format("part"), head[1]]
    # By what a part is of: two studies may measure it at other widths or levels.
    tested = [
        {(p["claim"], p["description"]): p for p in parts if p["verdict"] != NOT_TESTED}
        for parts in columns
    ]
    known = dict.fromkeys(key for parts in tested for key in parts)
    for claim, text in sorted(known, key=lambda key: key[0]):  # within a claim their order stays
        lines.append(_row(claim, text, (_estimate(parts.get((claim, text))) for parts in tested)))
    return "\n".join([*lines, ""])


def _core(claims: xr.Dataset) -> list[dict]:
    """Return the core parts of the claims of a study."""
    names = "claim", "description", "stated_by", "verdict", "estimate", "dependent_on"
    columns = zip(*(claims[name].values.tolist() for name in names), strict=True)
    parts = (dict(zip(names, values, strict=True)) for values in columns)
    return [part for part in parts if part["stated_by"] in CORE]


def _texts(studies: Iterable[xr.Dataset]) -> dict[int, str]:
    """Return the claims of all studies by their numbers, in their order."""
    texts = {}
    for claims in studies:
        pairs = zip(claims["conclusion"].values, claims["claim_text"].values, strict=True)
        texts |= {int(claim): str(text) for claim, text in pairs}
    return dict(sorted(texts.items()))


def _decided(verdicts: list[str]) -> str:
    """Return the verdict on a claim by those of its core parts, and how many are supported."""
    tested = [verdict for verdict in verdicts if verdict != NOT_TESTED]
    if not tested:
        return SYMBOLS[NOT_TESTED]
    return f"{SYMBOLS[combined(verdicts)]} {tested.count(SUPPORTED)}/{len(tested)}"


def _estimate(part: dict | None) -> str:
    """Return the verdict on a part with its estimate, where there is one."""
    if part is None:
        return SYMBOLS[NOT_TESTED]
    sign = SYMBOLS[part["verdict"]] + DEPENDENT * bool(part["dependent_on"])
    return sign if np.isnan(part["estimate"]) else f"{sign} {number(part['estimate'])}"


def _row(claim: int, text: str, cells: Iterable[str]) -> str:
    return f"| {claim} | {plain(text)} | {' | '.join(cells)} |"
