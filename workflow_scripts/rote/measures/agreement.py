"""How far two ways agree that estimate the same quantities of many targets, each with noise."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

from rote.measures.correlation import pearson, spearman
from rote.measures.memorization import extrapolated

SPLITS = 20  # into halves of the units
Statistic = Callable[[np.ndarray, np.ndarray], float]


class Estimate(NamedTuple):
    """What one way says of each target."""

    units: int  # how many it is based on that are independent
    of: Callable[[np.ndarray], np.ndarray]  # (targets,), by the units at these positions

    def value(self) -> np.ndarray:
        """Return the estimates by all units, (targets,)."""
        return self.of(np.arange(self.units))


def agreement(one: Estimate, other: Estimate, cluster: np.ndarray) -> dict[str, float]:
    """Return how far two estimates of the same targets agree.

    Intervals are those of 95 % by the jackknife over clusters of targets, Student's, of
    correlations after Fisher's transform. They are about other targets like these. The units are
    given, but for the noise that they add to each target.

    The noise of both lowers their correlation: it cannot be expected to exceed the root of the
    product of both reliabilities, the ceiling (Spearman 1904). The slope of one on the other is
    lowered by the noise of the other alone. It is divided by the other's reliability, and its
    interval, too: that reliability is taken as known.

    Args:
        one: ``left_out``.
        other: ``subset``.
        cluster: (targets,), equal for targets that depend on each other.

    Returns:
        ``pearson``, ``spearman`` and ``slope``, each with ``_low`` and ``_high``,
        ``pearson_ceiling``, ``spearman_ceiling``, ``left_out_reliability`` and
        ``subset_reliability``, these of Pearson's correlation. NaN is what too few targets or
        units do not tell.
    """
    y, x = one.value(), other.value()
    found = {}
    for name, statistic, reliability in (
        ("pearson", pearson, linear_reliability),
        ("spearman", spearman, rank_reliability),
    ):
        reliable = [reliability(each) for each in (one, other)]
        found |= dict(
            zip(
                (name, f"{name}_low", f"{name}_high"),
                interval(statistic, x, y, cluster),
                strict=True,
            )
        )
        found[f"{name}_ceiling"] = _root(reliable[0]) * _root(reliable[1])
        if name == "pearson":
            of_one, of_other = reliable
    bounds = np.array(interval(slope, x, y, cluster)) / (of_other if of_other > 0 else np.nan)
    found |= dict(zip(("slope", "slope_low", "slope_high"), bounds.tolist(), strict=True))
    return found | {"left_out_reliability": of_one, "subset_reliability": of_other}


def linear_reliability(estimate: Estimate) -> float:
    """Return Pearson's correlation of an estimate with that of another study like it.

    It is that of two halves of the units, the mean over random splits, stepped up by 2r/(1 + r)
    (Spearman 1910, Brown 1910). A target that a half does not tell, as NaN, does not count there.

    Returns:
        At most 1; it may be negative where all is noise. NaN where there is no correlation.
    """
    if estimate.units < 2:
        return np.nan
    found = []
    for pair in _of_parts(estimate, 2).swapaxes(0, 1):
        found.append(pearson(*pair[:, ~np.isnan(pair).any(0)]))
    there = [one for one in found if not np.isnan(one)]
    halved = float(np.mean(there)) if there else np.nan
    return -np.inf if halved == -1 else 2 * halved / (1 + halved)


def rank_reliability(estimate: Estimate) -> float:
    """Return the same for Spearman's correlation, from halves and quarters of the units.

    :func:`rote.measures.memorization.reliability` says why, and is the same for memorisation
    scores and units that are models. NaN for fewer than four units.
    """
    if estimate.units < 4:
        return np.nan
    return extrapolated(_of_parts(estimate, 2), _of_parts(estimate, 4))


def _of_parts(estimate: Estimate, parts: int) -> np.ndarray:
    """Return the estimates by random parts of the units of equal size, (parts, splits, targets)."""
    rng = np.random.default_rng(estimate.units)
    splits = [np.array_split(rng.permutation(estimate.units), parts) for _ in range(SPLITS)]
    return np.array([[estimate.of(part) for part in split] for split in splits]).swapaxes(0, 1)


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """Return the slope of y on x by least squares, NaN where x does not vary."""
    x = x - x.mean()
    return float(x @ (y - y.mean()) / (x @ x)) if x @ x > 1e-12 else np.nan


def _root(value: float) -> float:
    """Return the square root, 0 of what is negative."""
    return value if np.isnan(value) else float(np.sqrt(max(value, 0)))


def interval(
    statistic: Statistic, x: np.ndarray, y: np.ndarray, cluster: np.ndarray
) -> tuple[float, float, float]:
    """Return a statistic of targets, and the lower and upper end of its 95 % interval.

    It is by the jackknife over clusters of targets, Student's; NaN where these are fewer than 3. A
    correlation is near 1, where its distribution is skew. That of Fisher's transform is not.
    """
    there, back = (lambda r: r, lambda r: r) if statistic is slope else (np.arctanh, np.tanh)
    found, left = statistic(x, y), [cluster != each for each in np.unique(cluster)]
    if len(left) < 3 or np.isnan(found):
        return found, np.nan, np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = there(found)
        without = there(np.array([statistic(x[own], y[own]) for own in left]))
        count = len(left)
        error = np.sqrt((count - 1) * np.mean((without - without.mean()) ** 2))
        low, high = back(centre + np.array([-1, 1]) * stats.t.ppf(0.975, count - 1) * error)
    return found, float(low), float(high)
