"""Letters of any script: the system's fonts where they have them, and a word where none has.

The font of the figures, DejaVu Sans, comes with matplotlib and lacks Chinese, Japanese, Korean,
Devanagari and most emoji. matplotlib takes a letter that its first font lacks from the next family
of a text's list, and draws a box if none of them has it.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

logger = logging.getLogger(__name__)
# They warn of every family without a regular weight, and of what a PDF leaves out of a font.
for name in ("matplotlib.font_manager", "fontTools.subset"):
    logging.getLogger(name).setLevel(logging.ERROR)

OWN = "DejaVu Sans"
LACKING = "[see caption]"
# It has a box for every letter.
_LAST_RESORT = "Last Resort High-Efficiency"


def families(text: str) -> list[str]:
    """Return the families of fonts that a text needs beside the figures' own: as few as can be."""
    return _found(_foreign(text))[0]


def lacking(text: str) -> frozenset[str]:
    """Return the characters of a text that no font of the system has."""
    return _found(_foreign(text))[1]


@lru_cache(10_000)
def width(text: str, size: float) -> float:
    """Return the width of a line of text at a size, both in points."""
    drawn = _drawn(text)
    font = FontProperties(family=[OWN, *families(drawn)], size=size)
    return text_to_path.get_text_width_height_descent(drawn, font, ismath=False)[0]


def wrapped(text: str, size: float, widest: float) -> str:
    """Return text in lines of at most a width, at a size; both in points.

    matplotlib's own wrapping takes ``$`` for a formula, and breaks only at spaces, which Chinese
    has none of. A word that is too long for a line is broken anywhere, a number is not broken from
    its ± or its %.
    """
    lines = []
    for line in text.split("\n"):
        lines.append("")
        for part in _parts(line):
            pieces = part if width(part, size) > widest else [part]
            for piece in pieces:
                if lines[-1] and width(lines[-1] + piece, size) > widest:
                    lines.append("")
                lines[-1] += piece
    return "\n".join(line.strip(" ") for line in lines)


def balanced(text: str, size: float, widest: float) -> str:
    """Return text :func:`wrapped` in as few lines, of which none is left with a word or two."""
    return "\n".join(_balanced(line, size, widest) for line in text.split("\n"))


def _balanced(line: str, size: float, widest: float) -> str:
    count = wrapped(line, size, widest).count("\n")
    narrow, wide = min(max(width(part, size) for part in _parts(line)), widest), widest
    while wide - narrow > size / 2:  # the least width that needs no line more
        middle = (narrow + wide) / 2
        if wrapped(line, size, middle).count("\n") > count:
            narrow = middle
        else:
            wide = middle
    return wrapped(line, size, wide)


def _parts(line: str) -> list[str]:
    """Return what a line may be broken between, and the spaces."""
    return re.split("(?<![±≤≥≈])( )(?![±%])", line)


def shortened(text: str, size: float, widest: float, most: int = 1) -> list[str]:
    """Return text in ``most`` lines or fewer, each :func:`wrapped` at a width. The rest is cut."""
    lines = wrapped(" ".join(text.split()), size, widest).split("\n")
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"{lines[most - 1][:-1]}…"]


def make_readable(figure: Figure, remedy: str) -> None:
    r"""Let every text of a figure be drawn as it is written: in fonts that have its letters.

    What no font has is replaced by a word, and said in the log with the ``remedy``; the label of
    the figure, which is its caption, keeps it. ``$`` and ``\`` begin no formula, but for the
    numbers of the axes, which matplotlib writes as formulas itself.
    """
    numbers = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for label in (*axis.get_ticklabels(which="both"), axis.get_offset_text())
    }
    texts = [text for text in figure.findobj(Text) if text not in numbers]
    missing = lacking(figure.get_label() + "".join(text.get_text() for text in texts))
    for text in texts:
        text.set_parse_math(False)
        text.set_text(_drawn(text.get_text()))
        if needed := families(text.get_text()):
            text.set_fontfamily([*text.get_fontfamily(), *needed])
    if missing:
        some = sorted(missing)
        logger.warning(
            "No font of this system has %s%s: the figure shows numbers or %s instead, and the "
            "caption has the names; %s.",
            " ".join(some[:5]),
            f" and {len(some) - 5} more" if len(some) > 5 else "",
            LACKING,
            remedy,
        )


def _drawn(text: str) -> str:
    """Return a text with a word in the place of what no font has."""
    if not (without := lacking(text)):
        return text
    letters = re.escape("".join(without))
    return re.sub(rf"[{letters}]([{letters}\s]*[{letters}])?", LACKING, text)


def _foreign(text: str) -> frozenset[str]:
    """Return the characters that the figures' own font lacks; the end of a line is none."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return frozenset()
    return frozenset(set(text) - {"\n"} - _drawn_by(OWN, frozenset(text)))


@cache
def _found(characters: frozenset[str]) -> tuple[list[str], frozenset[str]]:
    """Return the families that have the characters, and the characters that none of them has."""
    chosen = []
    while characters:
        covered = {family: _drawn_by(family, characters) for family in _families()}
        # One font for a whole name looks better than two, and one without serifs beside our own.
        best = max(covered, key=lambda family: len(covered[family]), default=None)
        if best is None or not covered[best]:
            break
        chosen.append(best)
        characters -= covered[best]
    return chosen, characters


@cache
def _families() -> list[str]:
    """Return the names of all families of the system, those without serifs and short ones first."""
    known = {entry.fname for entry in fontManager.ttflist}
    # matplotlib remembers the fonts that were there when it was first used.
    for path in set(findSystemFonts()) - known:
        try:
            fontManager.addfont(path)
        except (OSError, RuntimeError):  # no font, or none that can be drawn
            continue
    names = {entry.name for entry in fontManager.ttflist} - {OWN, _LAST_RESORT}
    return sorted(names, key=lambda name: ("Sans" not in name, len(name), name))


def _drawn_by(family: str, characters: Iterable[str]) -> set[str]:
    """Return those characters that a family has and matplotlib can draw: no coloured bitmaps."""
    font = _font(family)
    if font is None:
        return set()
    charmap = _charmap(family)
    return {c for c in characters if ord(c) in charmap and _is_drawn(font, c)}


@cache
def _font(family: str) -> FT2Font | None:
    """Return the font that matplotlib takes for a family."""
    try:
        path = fontManager.findfont(FontProperties(family=[family]), fallback_to_default=False)
        font = FT2Font(path.path, face_index=path.face_index)
        font.set_size(12, 72)
    except (OSError, RuntimeError, ValueError):  # deleted, damaged, without outlines, unknown
        return None
    return font


@cache
def _charmap(family: str) -> frozenset[int]:
    return frozenset(_font(family).get_charmap())


def _is_drawn(font: FT2Font, character: str) -> bool:
    """Tell whether a character of a font leaves a mark, unless it is one that leaves none.

    In a coloured font its outline may be empty. Tabs and the like belong to no line of text.
    """
    category = unicodedata.category(character)
    if category in {"Cf", "Mn", "Zs"}:
        return True
    left, bottom, right, top = font.load_char(ord(character)).bbox
    return category != "Cc" and right > left and top > bottom
