"""What is the best of many is chosen on other seeds than those on which it is judged."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from rote.claims.intervals import ROUNDING, Inconclusive, Interval, over_seeds
from rote.claims.quantiles import of_best


class Choices(NamedTuple):
    """Strengths to choose from, against no regulariser."""

    fall: np.ndarray  # (choices, seeds), of training accuracy on random labels
    loss: np.ndarray  # (choices, seeds), of validation accuracy on real data


def fall_at_best(choices: Sequence[Choices], criteria: dict) -> Interval:
    """Return the fall at the best of some choices, or, of two, less that at the best of the others.

    Args:
        choices: one or two.
        criteria: ``margin``, the loss that counts as none, ``confidence`` and ``minimum_seeds``.

    Raises:
        Inconclusive: there are too few seeds, or every strength costs too much.
    """
    margin, quantile = criteria["margin"], partial(of_best, tuple(len(c.fall) for c in choices))
    ours, *others = (effects(one, margin)[0] for one in choices)
    interval = over_seeds(ours - others[0] if others else ours, criteria, quantile)
    further = further_out(*choices, margin=margin, reach=partial(quantile, len(ours)))
    whose = ("of the former ", "of the latter ") if others else ("", "")
    unsure = [
        f"that the strengths {of_whom}that seeds take cost at most {margin:g} (margin) is not shown"
        for of_whom in whose
    ]
    return interval.widened(further, criteria["confidence"], tuple(unsure))


def loss_at_best(choices: Choices, criteria: dict) -> Interval:
    """Return the loss at the best choice."""
    loss = effects(choices, criteria["margin"])[1]
    return over_seeds(loss, criteria, partial(of_best, (len(choices.loss),)))


def taken(choices: Choices, margin: float) -> np.ndarray:
    """Return which strength each seed takes: the one that the other seeds find best.

    It has the largest mean fall among those whose mean loss is at most ``margin``. Where losses
    differ between seeds by more than that, others than the best are often taken: the fall is
    understated.

    Returns:
        (seeds,), the number of the choice; −1 where none costs so little.

    Raises:
        Inconclusive: there is only one seed, or no seed takes any.
    """
    fall, loss = (mean_of_others(values) for values in choices)
    allowed = loss <= margin
    best = np.where(allowed, fall, -np.inf).argmax(0)
    if not allowed.any():
        # Zeros of all seeds would pass for a measurement without any spread.
        raise Inconclusive("every strength costs more validation accuracy than is allowed for")
    return np.where(allowed.any(0), best, -1)


def mean_of_others(values: np.ndarray) -> np.ndarray:
    """Return of each seed the mean over the others, (choices, seeds).

    Raises:
        Inconclusive: there is only one seed.
    """
    seeds = range(values.shape[1])
    if len(seeds) < 2:
        raise Inconclusive("strengths are chosen on other seeds, and there is only one seed")
    return np.stack([np.delete(values, seed, axis=1).mean(1) for seed in seeds], axis=1)


def effects(choices: Choices, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Return each seed's fall and loss at the strength that it takes.

    Returns:
        Fall and loss, (seeds,) each. Without a strength the fall is 0 and the loss NaN; that is
        NaN, too, where the other seeds find a fall that is not above 0.
    """
    best = taken(choices, margin)
    seeds, none = np.arange(len(best)), best < 0
    fall, loss = (values[best, seeds] for values in choices)
    unknown = none | (mean_of_others(choices.fall)[best, seeds] <= 0)
    return np.where(none, 0.0, fall), np.where(unknown, np.nan, loss)


def _affordable(choices: Choices, best: np.ndarray, margin: float, reach: float) -> bool:
    """Return whether each strength that a seed takes is shown to cost at most ``margin``."""
    mean, error = mean_and_error(choices.loss)
    return bool((mean + reach * error <= margin)[best[best >= 0]].all())


def _highest(
    choices: Choices, margin: float, reach: float, subtracted: np.ndarray | float = 0.0
) -> float:
    """Return the upper end of the largest fall of all strengths that may be the best one.

    They are those that are not shown to cost more than ``margin``. At the true best one, whichever
    that is, the fall lies above this in as many studies at most as its own interval, or that of its
    loss, misses the truth on this side.

    Args:
        choices: of which the best is unknown.
        margin: the loss that counts as none.
        reach: of an interval, in standard errors.
        subtracted: (seeds,), what is taken off each fall.
    """
    mean, error = mean_and_error(choices.loss)
    falls = choices.fall[mean - reach * error <= margin] - subtracted
    if not len(falls):
        return -np.inf
    mean, error = mean_and_error(falls)
    return float((mean + reach * error).max())


def mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means over seeds, and their standard errors, (choices,) each.

    Equal values do not tell how far others would lie: they are taken to spread as the widest do.
    """
    mean, deviation = values.mean(1), values.std(1, ddof=1)
    equal = deviation <= ROUNDING * np.maximum(1.0, np.abs(mean))
    deviation = np.where(equal, deviation.max(initial=0.0), deviation)
    return mean, deviation / np.sqrt(values.shape[1])


def further_out(
    ours: Choices,
    others: Choices | None = None,
    *,
    margin: float,
    reach: Callable[[float], float],
) -> Callable[[float], tuple[float, float]]:
    """Return how far out an interval ends at least, as the choice itself is uncertain.

    Of the best of ours, or of that less the best of others, if there are any. Which strength is
    allowed is judged by means of losses; where one is near ``margin``, all seeds may take one that
    costs more, or all leave one that is the best. The lower end is −∞ unless what is taken is shown
    to be allowed. The upper end is that of the best that may be allowed. In a difference the others
    move the ends likewise, the other way round.

    Args:
        ours: the strengths of which the best is taken.
        others: those whose best is subtracted.
        margin: the loss that counts as none.
        reach: of a confidence, how many standard errors an interval reaches to either side.

    Returns:
        Of a confidence, the ends; NaN where nothing is said of one.
    """
    best = taken(ours, margin)
    if others is not None:
        best_of_others = taken(others, margin)
        falls = [effects(one, margin)[0] for one in (ours, others)]

    def ends(confidence: float) -> tuple[float, float]:
        # An upper end is wrong if the loss of the best misses the truth, or its fall does.
        whole, half = reach(confidence), reach(1 - (1 - confidence) / 2)
        lower = np.nan if _affordable(ours, best, margin, whole) else -np.inf
        if others is None:
            return lower, _highest(ours, margin, half)
        lower = np.fmin(lower, -_highest(others, margin, half, falls[0]))
        shown = _affordable(others, best_of_others, margin, whole)
        return lower, _highest(ours, margin, half, falls[1]) if shown else np.inf

    return ends
