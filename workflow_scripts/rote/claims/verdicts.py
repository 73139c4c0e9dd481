"""From numbers to a verdict: an interval of confidence, held against where a claim holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import stats

from rote.machine.randomness import generator

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "supported", "not supported", "inconclusive"
RESAMPLES = 2000


class Inconclusive(Exception):
    """Why a part of a claim cannot be decided, in words for the reader."""


class Interval(NamedTuple):
    """An estimate with its confidence interval; an end is infinite where data sets no bound."""

    estimate: float
    lower: float
    upper: float
    based_on: str  # what the interval is over, for people: "3 seeds"
    caveat: str = ""

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


@dataclass(frozen=True)
class Part:
    """One part of a claim: a number, and where it must lie for the part to hold."""

    name: str
    figure: str
    description: str  # what the number is
    criterion: str  # where it must lie, in words
    holds: tuple[float, float]  # the same as an open interval
    interval: Callable[[], Interval]  # computes it; may raise Inconclusive
    stated_by: str = "poster"  # only the poster's parts make the verdict on a claim
    definition: str = ""  # how the number is computed from the figure's metrics, in words


def more_than(criteria: dict, name: str, why: str = "") -> tuple[str, tuple[float, float]]:
    """Return ``criterion`` and ``holds`` of a part that holds above one of the criteria."""
    words = f"more than {criteria[name]:g} ({name})"
    return f"{why}: {words}" if why else words, (criteria[name], np.inf)


def at_level(metrics: Mapping[str, xr.Dataset], figure: str) -> str:
    """Return the noise level of a figure that has only one, in words, unless all is noise."""
    level = metrics[figure].attrs.get("noise_level", 1) if figure in metrics else 1
    return f", at noise level {level:g}" if level != 1 else ""


def verdict(interval: Interval, holds: tuple[float, float]) -> str:
    """Return what an interval of confidence says about a claim that holds in ``holds``.

    Supported if the whole interval lies there, not supported if none of it does; otherwise the data
    cannot decide.
    """
    low, high = holds
    above, below = low < interval.lower, interval.upper < high
    if (above or low == -np.inf) and (below or high == np.inf):
        return SUPPORTED
    if interval.upper <= low or interval.lower >= high:
        return NOT_SUPPORTED
    return INCONCLUSIVE


def combined(verdicts: list[str]) -> str:
    """Return the verdict on a claim that holds if all of its parts do.

    As every part must be supported, testing several does not raise the rate of false support
    (an intersection-union test; Berger 1982), and needs no correction.
    """
    if NOT_SUPPORTED in verdicts:
        return NOT_SUPPORTED
    return INCONCLUSIVE if INCONCLUSIVE in verdicts else SUPPORTED


def over_seeds(
    values: np.ndarray, criteria: dict, quantile: Callable[[int], float] | None = None
) -> Interval:
    """Return the mean of a number measured once a seed, with Student's interval.

    The bootstrap over seeds would be too narrow: with three seeds its 95 % interval holds the truth
    in about three of four studies (``tests/test_claims.py`` measures it). Student's holds it as
    often as it says for normal values, however few.

    Args:
        values: (seeds,), NaN for a seed without the number.
        criteria: ``minimum_seeds`` and ``confidence``.
        quantile: of the number of seeds, how many standard errors the interval reaches to either
            side, where that is not Student's quantile.

    Raises:
        Inconclusive: fewer seeds have the number than ``minimum_seeds``.
    """
    there = np.asarray(values, float)
    there = there[np.isfinite(there)]
    count, wanted = len(there), criteria["minimum_seeds"]
    if count < wanted:
        raise Inconclusive(f"{count} of {len(values)} seeds have a value, and {wanted} are needed")
    mean, error = there.mean(), there.std(ddof=1) / np.sqrt(count)
    student = stats.t.ppf((1 + criteria["confidence"]) / 2, count - 1)
    half = (quantile(count) if quantile else student) * error
    lost = len(values) - count
    caveat = f"{lost} of {len(values)} seeds have no value and are left out" if lost else ""
    return Interval(mean, mean - half, mean + half, f"{count} seeds", caveat)


def over_examples_and_experiments(
    statistic: Callable[..., np.ndarray], wrong: Sequence[np.ndarray], criteria: dict
) -> Interval:
    """Return the exponential of a statistic of error rates, with its interval of confidence.

    The errors are those of the same models on all examples, and a model that prefers a class gets
    all of its examples right together. So the variance over experiments (jackknife; Efron & Stein
    1981) is added to that over examples (bootstrap), and Student's quantile is taken, on the
    logarithmic scale.

    Args:
        statistic: takes the rates of each of ``wrong``, (..., examples), and the number of
            experiments that they are over, and returns the logarithm of the estimate, (...).
        wrong: (examples, experiments) each, of the same examples.
        criteria: ``confidence``.

    Raises:
        Inconclusive: the statistic is not defined for these errors.
    """
    examples, experiments = wrong[0].shape
    rates = [w.mean(1) for w in wrong]
    without_one = [(w.sum(1) - w.T) / (experiments - 1) for w in wrong]
    drawn = generator("claims").integers(examples, size=(RESAMPLES, examples))
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = float(statistic(*rates, experiments))
        of_experiments = (experiments - 1) * statistic(*without_one, experiments - 1).var()
        of_examples = statistic(*(rate[drawn] for rate in rates), experiments).var(ddof=1)
    error = np.sqrt(of_experiments + of_examples)
    if not np.isfinite(estimate + error):
        raise Inconclusive("nearly all examples have the same rate, so their spread is undefined")
    half = stats.t.ppf((1 + criteria["confidence"]) / 2, experiments - 1) * error
    ends = np.exp([estimate, estimate - half, estimate + half]).tolist()
    return Interval(*ends, f"{examples:,} examples in {experiments} experiments")


def slope_weights(at: np.ndarray) -> np.ndarray:
    """Return w with Σ w·y the least-squares slope of y over ``at``.

    Raises:
        Inconclusive: all of ``at`` are the same.
    """
    centred = np.asarray(at, float) - np.mean(at)
    if not centred.any():
        raise Inconclusive("there is only one level of noise or size of data to compare")
    weights = centred / (centred**2).sum()
    # The middle one of evenly spaced values has none, whatever the rounding says.
    return np.where(np.abs(weights) < 1e-9 * np.abs(weights).max(), 0.0, weights)
