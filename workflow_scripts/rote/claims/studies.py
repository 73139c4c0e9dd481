"""Verdicts of several studies beside each other: what holds where."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.tables import NONE, conclusions, parts_of, row
from rote.claims.verdicts import CORE, LACKING, NOT_TESTED, SUPPORTED, SYMBOLS
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
    told = [{one["number"]: one for one in conclusions(claims)} for claims in studies.values()]
    # Parts by what they are of: two studies may measure one at other widths or levels.
    tested = [
        {(part["claim"], part["description"]): part for part in parts_of(claims) if _counts(part)}
        for claims in studies.values()
    ]
    names, rule = [*map(plain, studies)], "|" + "-|" * (2 + len(studies))
    lines = [LEGEND, "", row(["", "claim", *names]), rule]
    texts = {claim: one["text"] for own in told for claim, one in own.items()}
    for claim in sorted(texts):
        cells = map(partial(_decided, claim), told, tested)
        lines.append(row([str(claim), plain(texts[claim]), *cells]))
    lines += ["", "Each core part, with its estimate:", "", row(["", "part", *names]), rule]
    known = dict.fromkeys(key for parts in tested for key in parts)
    for claim, text in sorted(known, key=lambda key: key[0]):  # within a claim their order stays
        cells = (_estimate(parts.get((claim, text))) for parts in tested)
        lines.append(row([str(claim), plain(text), *cells]))
    return "\n".join([*lines, ""])


def _counts(part: dict) -> bool:
    """Return whether a part has a say in the verdict on its claim, and is tested."""
    return part["stated_by"] in CORE and part["verdict"] != NOT_TESTED


def _decided(claim: int, told: Mapping[int, dict], tested: Mapping[tuple, dict]) -> str:
    """Return a study's verdict on a claim, and how many of its core parts are supported."""
    verdicts = [part["verdict"] for part in tested.values() if part["claim"] == claim]
    if not verdicts:
        return SYMBOLS[NOT_TESTED]
    decided = told[claim]
    sign = SYMBOLS[decided["verdict"]] + DEPENDENT * bool(decided["dependent_on"])
    return f"{sign} {verdicts.count(SUPPORTED)}/{len(verdicts)}"


def _estimate(part: dict | None) -> str:
    """Return the verdict on a part with its estimate, where there is one."""
    if part is None:
        return SYMBOLS[NOT_TESTED]
    sign = SYMBOLS[part["verdict"]] + DEPENDENT * bool(part["dependent_on"])
    return sign if part["estimate"] == NONE else f"{sign} {part['estimate']}"
