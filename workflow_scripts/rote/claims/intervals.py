"""From numbers to an estimate with its interval of confidence, and the effects that it finds."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

from rote.claims.quantiles import of_mean

# A standard deviation below is rounding, of numbers of the order of 1 in single precision.
ROUNDING = float(np.finfo(np.float32).eps)
POWER = 0.8  # with which a detectable effect is found: four times in five


class Inconclusive(Exception):
    """Why a part of a claim cannot be decided, in words for the reader."""


class NotTested(Inconclusive):
    """The study lacks what the part compares, which says nothing about the part."""


class Interval(NamedTuple):
    """An estimate with its confidence interval; an end is infinite where data sets no bound.

    Without a standard error, and what reaches from it to the ends, it has no ends at another
    confidence: a part may then be supported, but is never contradicted.
    """

    estimate: float
    lower: float
    upper: float
    based_on: str  # what the interval is over, for people: "3 seeds"
    caveat: str = ""
    standard_error: float = np.nan  # of the estimate
    degrees: int = 0  # degrees of freedom of the standard error
    # Of a confidence, how many standard errors the interval reaches to either side.
    reach: Callable[[float], float] | None = None
    values: tuple[float, ...] = ()  # of each seed, NaN for one without the number
    # Of a confidence, how far out the ends lie at least; NaN where the reach says it.
    further: Callable[[float], tuple[float, float]] | None = None
    unsure: tuple[str, str] = ("", "")  # why that makes the lower, or the upper end infinite

    def at(self, confidence: float) -> tuple[float, float]:
        """Return the ends at another confidence; those without a bound have none there either."""
        if self.reach is None:
            return -np.inf, np.inf
        lower, upper = self._ends(confidence)
        return (
            lower if np.isfinite(self.lower) else -np.inf,
            upper if np.isfinite(self.upper) else np.inf,
        )

    def _ends(self, confidence: float) -> tuple[float, float]:
        half = self.reach(confidence) * self.standard_error
        lower, upper = self.further(confidence) if self.further else (np.nan, np.nan)
        return (
            float(np.fmin(self.estimate - half, lower)),
            float(np.fmax(self.estimate + half, upper)),
        )

    def detectable(self, holds: tuple[float, float], confidence: float) -> float:
        """Return how far within ``holds`` a true value lies that is supported 4 times in 5.

        The distance is that from the end of ``holds`` that is nearer to the estimate. It is
        infinite where no effect is found as often: an end that must be bounded is not, all seeds
        have the same value, or ``holds`` has two ends that are too close for it. It is NaN where
        the ends do not follow from the standard error alone.

        Args:
            holds: where the part holds, an open interval.
            confidence: that of the interval which must lie there.
        """
        if self.further is not None:
            return np.nan
        low, high = holds
        unbounded = (np.isfinite(low) and np.isinf(self.lower)) or (
            np.isfinite(high) and np.isinf(self.upper)
        )
        if self.reach is None or unbounded:
            return np.inf
        half = noncentrality(self.reach(confidence), self.degrees) * self.standard_error
        nearer, other = sorted(holds, key=lambda end: abs(end - self.estimate))
        found = nearer + (half if nearer == low else -half)
        # So far from the other end, that one is not missed.
        return half if 2 * half <= abs(found - other) else np.inf

    def bounded(self, at_least: bool, at_most: bool, caveat: str) -> "Interval":
        """Return the interval if the true value may lie further up, further down, or both.

        Args:
            at_least: values in the estimate are bounds from below.
            at_most: values in the estimate are bounds from above.
            caveat: why, for the reader.
        """
        if not (at_least or at_most):
            return self
        return self._replace(
            upper=np.inf if at_least else self.upper,
            lower=-np.inf if at_most else self.lower,
            caveat="; ".join(filter(None, (self.caveat, caveat))),
        )

    def widened(
        self,
        further: Callable[[float], tuple[float, float]],
        confidence: float,
        unsure: tuple[str, str] = ("", ""),
    ) -> "Interval":
        """Return the interval with ends that lie at least as far out as others.

        Args:
            further: of a confidence, these others; NaN where there is none.
            confidence: of the interval.
            unsure: why they may make the lower, or the upper end infinite, for the reader.
        """
        interval = self._replace(further=further, unsure=unsure)
        ends = interval.at(confidence)
        caveat = "; ".join(filter(None, (self.caveat, *interval.why_open(*ends))))
        return interval._replace(lower=ends[0], upper=ends[1], caveat=caveat)

    def why_open(self, lower: float, upper: float) -> list[str]:
        """Return why ends are infinite, of those that are so and whose own one is not."""
        opened = np.isinf([lower, upper]) & np.isfinite([self.lower, self.upper])
        return [why for why, so in zip(self.unsure, opened, strict=True) if so]

    def if_fitted(self, reached: Mapping[str, float], criteria: dict) -> "Interval":
        """Return the interval, or one without bounds if models have not fitted their data.

        Args:
            reached: training accuracies, by what the models were trained on, in words.
            criteria: ``fitted``.
        """
        least = criteria["fitted"]
        unfitted = {name: value for name, value in reached.items() if not value >= least}
        accuracies = " and ".join(f"{value:.2f}" for value in unfitted.values())
        return self.bounded(
            at_least=bool(unfitted),
            at_most=bool(unfitted),
            caveat=f"an unfinished training is no evidence, and that of {' and '.join(unfitted)} "
            f"ended at a training accuracy of {accuracies}",
        )


def over_seeds(
    values: np.ndarray,
    criteria: dict,
    quantile: Callable[[int, float], float] = of_mean,
) -> Interval:
    """Return the mean of a number measured once a seed, with its interval.

    The bootstrap over seeds would be too narrow: with three seeds its 95 % interval holds the truth
    in about three of four studies (``tests/claims`` measures it). Where all values are the same, up
    to rounding, there is no bound to either side.

    Args:
        values: (seeds,), NaN for a seed without the number.
        criteria: ``minimum_seeds`` and ``confidence``.
        quantile: of the number of seeds and the confidence, how many standard errors the interval
            reaches to either side.

    Raises:
        Inconclusive: fewer seeds have the number than ``minimum_seeds``.
    """
    there = np.asarray(values, float)
    there = there[np.isfinite(there)]
    count, wanted = len(there), criteria["minimum_seeds"]
    if count < wanted:
        raise Inconclusive(f"{count} of {len(values)} seeds have a value, and {wanted} are needed")
    mean, deviation = float(there.mean()), float(there.std(ddof=1))
    error, lost = deviation / np.sqrt(count), len(values) - count
    half = quantile(count, criteria["confidence"]) * error
    interval = Interval(
        mean,
        mean - half,
        mean + half,
        f"{count} seeds",
        f"{lost} of {len(values)} seeds have no value and are left out" if lost else "",
        error,
        count - 1,
        partial(quantile, count),
        tuple(np.asarray(values, float).tolist()),
    )
    if deviation > ROUNDING * max(1.0, abs(mean)):
        return interval
    same = f"all {count} seeds have the same value, so that nothing tells how far others would lie"
    return interval._replace(standard_error=0.0).bounded(True, True, same)


def slope_weights(at: np.ndarray) -> np.ndarray:
    """Return w with Σ w·y the least-squares slope of y over ``at``.

    Raises:
        NotTested: all of ``at`` are the same.
    """
    centred = np.asarray(at, float) - np.mean(at)
    if not centred.any():
        raise NotTested("there is only one level of noise or size of data to compare")
    weights = centred / (centred**2).sum()
    # The middle one of evenly spaced values has none, whatever the rounding says.
    return np.where(np.abs(weights) < 1e-9 * np.abs(weights).max(), 0.0, weights)


@cache
def noncentrality(quantile: float, degrees: int) -> float:
    """Return how many standard errors beyond its criterion an effect is found with ``POWER``.

    A part is supported if T, the distance of the estimate beyond the criterion over its standard
    error, exceeds ``quantile``. Where the true value lies λ true standard errors beyond, T has a
    noncentral t distribution with the noncentrality λ, which is solved for.

    Args:
        quantile: how many standard errors the interval of confidence reaches to either side.
        degrees: the degrees of freedom of the standard error.
    """

    def missing(shift: float) -> float:
        return stats.nct.sf(quantile, degrees, shift) - POWER

    return optimize.brentq(missing, 0, 3 * quantile + 5, xtol=1e-10)
