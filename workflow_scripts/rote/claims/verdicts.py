"""What an interval of confidence says about a part of a claim, and its parts about a claim."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from rote.claims.intervals import (
    Inconclusive,
    Interval,
    NotTested,
    over_seeds,
    slope_weights,
)

# All that a claim is written in.
__all__ = [
    "CONTRADICTED",
    "CORE",
    "INCONCLUSIVE",
    "LACKING",
    "NOT_TESTED",
    "SUPPORTED",
    "SYMBOLS",
    "Inconclusive",
    "Interval",
    "NotTested",
    "Part",
    "adjusted_confidence",
    "at_level",
    "combined",
    "comparisons",
    "comparisons_beside",
    "more_than",
    "over_seeds",
    "slope_weights",
    "up_to",
    "verdict",
]

CORE = "poster", "rote"  # who states the core parts of a claim: of the poster's, of our own
SUPPORTED, CONTRADICTED, INCONCLUSIVE = "supported", "contradicted", "inconclusive"
NOT_TESTED = "not tested"  # the study lacks what is compared
LACKING = "there are no metrics of"  # begins the reason
SYMBOLS = {SUPPORTED: "✓", CONTRADICTED: "✗", INCONCLUSIVE: "?", NOT_TESTED: "–"}


@dataclass(frozen=True)
class Part:
    """One part of a claim: a number, and where it must lie for the part to hold."""

    name: str
    figure: str
    description: str  # what the number is
    criterion: str  # where it must lie, in words
    holds: tuple[float, float]  # the same as an open interval
    interval: Callable[[], Interval]  # computes it; may raise Inconclusive
    stated_by: str = "poster"  # only core parts, of ``CORE``, make the verdict on a claim
    definition: str = ""  # how anybody computes the estimate from the figure's metrics alone

    @property
    def core(self) -> bool:
        """Whether the part has a say in the verdict on its claim."""
        return self.stated_by in CORE


def more_than(criteria: dict, name: str, why: str = "") -> tuple[str, tuple[float, float]]:
    """Return ``criterion`` and ``holds`` of a part that holds above one of the criteria."""
    words = f"more than {criteria[name]:g} ({name})"
    return f"{why}: {words}" if why else words, (criteria[name], np.inf)


def up_to(level: float) -> str:
    """Return the highest of several noise levels, in words."""
    return "all noise" if level == 1 else f"noise level {level:g}"


def at_level(metrics: Mapping[str, xr.Dataset], figure: str) -> str:
    """Return the noise level of a figure that has only one, in words, unless all is noise."""
    level = metrics[figure].attrs.get("noise_level", 1) if figure in metrics else 1
    return f", at noise level {level:g}" if level != 1 else ""


def verdict(
    interval: Interval,
    holds: tuple[float, float],
    adjusted: tuple[float, float] | None = None,
) -> str:
    """Return what an interval of confidence says about a part that holds in ``holds``.

    Supported if the whole interval lies there, contradicted if none of the adjusted one does;
    otherwise the data cannot decide.

    Args:
        interval: at the confidence of the criteria.
        holds: an open interval.
        adjusted: the ends at the confidence of :func:`adjusted_confidence`; where nothing is said
            those of ``interval``, as for a claim of one part.
    """
    low, high = holds
    above, below = low < interval.lower, interval.upper < high
    if (above or low == -np.inf) and (below or high == np.inf):
        return SUPPORTED
    lower, upper = adjusted or (interval.lower, interval.upper)
    return CONTRADICTED if upper <= low or lower >= high else INCONCLUSIVE


def comparisons(parts: Sequence[Part]) -> int:
    """Return how many ends the criteria of parts have: as many ways to be contradicted."""
    return sum(int(np.isfinite(end)) for part in parts for end in part.holds)


def adjusted_confidence(confidence: float, count: int) -> float:
    """Return the confidence at which a part is contradicted, one of ``count`` ways to be so.

    A claim is contradicted by any of its core parts. Where all of them hold, that happens in at
    most (1 − ``confidence``)/2 of studies if each end of an interval is wrong in a ``count``-th of
    that (Bonferroni).
    """
    return 1 - (1 - confidence) / max(count, 1)


def comparisons_beside(parts: Sequence[Part]) -> dict[bool, int]:
    """Return the :func:`comparisons` of a claim's core parts, True, and of its others, False."""
    return {core: comparisons([p for p in parts if p.core == core]) for core in (True, False)}


def combined(verdicts: list[str]) -> str:
    """Return the verdict on a claim that holds if all of its core parts do.

    It is not tested if none of them is.

    As every part must be supported, testing several does not raise the rate of false support
    (an intersection-union test; Berger 1982), and needs no correction.
    """
    if CONTRADICTED in verdicts:
        return CONTRADICTED
    alike = set(verdicts)
    return alike.pop() if alike in ({SUPPORTED}, {NOT_TESTED}) else INCONCLUSIVE
