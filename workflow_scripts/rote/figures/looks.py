"""How each thing that a figure draws looks: one colour, marker and line, the same in all figures.

Whatever is drawn together differs in lightness, for prints in grey and the colour-blind, and in its
marker. ``tests/figures/test_looks.py`` measures it.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb

from rote.study import noises

MARKERS = "osD^vPX*"
_DASHED, _DASHDOTTED, _DOTTED = (0, (5, 1.5)), (0, (5, 1.2, 1.2, 1.2)), (0, (1.2, 1.2))


class Look(NamedTuple):
    """How the curves of one condition are drawn."""

    colour: str
    marker: str
    line: str | tuple


# Real data has the poster's blue, noise what its entry says.
CONDITIONS = {
    "real": Look("#1b3f8b", "o", "-"),
    "halfX": Look("#efb04c", "^", _DASHDOTTED),
    **{name: Look(kind.colour, kind.marker, kind.line) for name, kind in noises.KINDS.items()},
}
REGULARIZERS = {
    "none": Look("#000000", "*", _DASHED),
    "dropout": Look("#14367f", "o", "-"),
    "input_dropout": Look("#3486cc", "s", _DASHDOTTED),
    "input_noise": Look("#cf3a28", "D", "-"),
    "hidden_noise": Look("#e8a030", "^", _DASHDOTTED),
    "weight_decay": Look("#57a552", "v", _DOTTED),
    "adversarial": Look("#8f3494", "P", "-"),
    "adversarial_dropout": Look("#cfaee8", "X", _DASHDOTTED),
}
# Real data yellow, more noise redder and darker.
_LEVELS = LinearSegmentedColormap.from_list(
    "noise level", ["#f2cc1f", "#f39c1f", "#e05f28", "#b01b1b", "#4a0010"]
)
# For what has no look of its own. Five colours and four lines make twenty pairs.
_OTHER_COLOURS = "#a565c0", "#6b5a00", "#3f1a08", "#3fb0c9", "#949494"
_OTHER_LINES = (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 2.5)), (0, (8, 1, 1, 1, 1, 1))


def looks(names: Iterable[str], known: Mapping[str, Look]) -> dict[str, Look]:
    """Return the look of each name: first of those with one of their own, then of the others.

    Args:
        names: what metrics hold.
        known: the look of each name that has one, in the order in which they are drawn.
    """
    names = list(names)
    result = {name: look for name, look in known.items() if name in names}
    others = [name for name in names if name not in known]
    for i, name in enumerate(others):
        result[name] = Look(
            _OTHER_COLOURS[i % len(_OTHER_COLOURS)],
            MARKERS[(len(known) + i) % len(MARKERS)],
            _OTHER_LINES[i % len(_OTHER_LINES)],
        )
    return result


def lighter(colour: str, share: float) -> str:
    """Return a colour that is by ``share`` on the way to white."""
    red, green, blue = to_rgb(colour)
    return to_hex([part + share * (1 - part) for part in (red, green, blue)])


def of_levels(levels: Iterable[float]) -> dict[float, Look]:
    """Return the look of each noise level, from 0 to 1."""
    # An integer would be an index into the colours.
    return {
        level: Look(_LEVELS(float(level)), MARKERS[i % len(MARKERS)], "-")
        for i, level in enumerate(levels)
    }
