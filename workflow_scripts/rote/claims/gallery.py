"""Every figure of a preset on one page, with its caption and the verdicts that rest on it."""

from collections.abc import Mapping

import xarray as xr

from rote.claims.tables import SMALLEST, parts_of
from rote.files.text import plain


def gallery(captions: Mapping[str, str], claims: xr.Dataset, preset: str) -> str:
    """Return ``gallery.md``: every figure with its caption and the verdicts that rest on it.

    Args:
        captions: of each figure, those of ``rote.figures.captions``.
        claims: what ``claims.nc`` holds.
        preset: whose figures these are.
    """
    parts = parts_of(claims)
    lines = [
        f"# All figures of the preset {preset}",
        "",
        "Written by `make gallery` from computed numbers. The verdicts are explained in "
        "[claims.md](claims.md).",
    ]
    for figure, text in captions.items():
        shows, *read, numbers, _ = text.strip().split("\n\n")  # the last is what it was made by
        lines += ["", f"## {shows}", "", f"![{figure}](figures/{figure}.png)", ""]
        own = [part for part in parts if part["figure"] == figure]
        lines += [
            f"- {plain(part['part'])}: {part['estimate']} {part['interval']}, criterion: "
            f"{part['criterion']}; {SMALLEST}: {part[SMALLEST]}: **{part['decided']}**"
            for part in own
        ] or ["No claim rests on this figure."]
        lines += ["", *(f"<sub>{line}</sub><br>" for line in read), f"<sub>{numbers}</sub>"]
    return "\n".join([*lines, ""])
