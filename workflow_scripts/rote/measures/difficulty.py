"""How much examples differ in how often models get them wrong, chance put aside.

The errors are 1 for wrong and 0 for right, of N models on the same n examples. A rate over N models
scatters although the examples are alike; two models that were trained independently do not scatter
together. So the variance of the *true* error rates, those of infinitely many models, is measured by
the covariance over the examples between two models, averaged over all pairs of them: without bias,
whatever N, and below zero as often as above where all examples are alike.
"""

import numpy as np
from scipy import stats


def dispersion(rate: np.ndarray, experiments: int) -> np.ndarray:
    """Return the variance of misclassification rates over examples relative to equal examples.

    Were all examples alike, the number of errors in N experiments would be binomial and the
    variance of its rate p(1 − p)/N, p being the mean rate: the ratio is then 1. It grows with N.

    Args:
        rate: (..., examples).
        experiments: N.

    Returns:
        (...,), NaN where all rates are 0, or all are 1: nothing could vary.
    """
    p = rate.mean(-1)
    with np.errstate(invalid="ignore"):
        return rate.var(-1, ddof=1) / (p * (1 - p) / experiments)


def spread(wrong: np.ndarray, groups: np.ndarray | None = None) -> float:
    """Return the standard deviation over examples of the true error rate, with a sign.

    Args:
        wrong: errors, (examples, models).
        groups: (examples,), for the spread around the mean of the examples' own group, the label
            they were trained on; None for that around the mean of all.

    Returns:
        The root of the mean covariance of two models, n − 1 examples (or n less the number of
        groups) being its divisor; that of its absolute value with a minus sign where it is below
        zero. NaN with fewer than two models, or no examples to compare.
    """
    wrong = np.asarray(wrong, float)
    examples, models = wrong.shape
    if groups is None:
        groups = np.zeros(examples, int)
    _, group, counts = np.unique(groups, return_inverse=True, return_counts=True)
    divisor = models * (models - 1) * (examples - len(counts))
    if not divisor:
        return np.nan
    means = np.zeros((len(counts), models))
    np.add.at(means, group, wrong)
    means /= counts[:, None]
    centred = wrong - means[group]
    # Over all pairs of two models: all pairs, less those of a model with itself.
    covariance = ((centred.sum(1) ** 2).sum() - (centred**2).sum()) / divisor
    return float(np.sign(covariance) * np.sqrt(abs(covariance)))


def extremes(
    wrong: np.ndarray, nearly: float, groups: np.ndarray | None = None
) -> tuple[float, float]:
    """Return the share of examples that are (nearly) always right, or always wrong.

    Args:
        wrong: errors, (examples, models).
        nearly: an example that up to this fraction of the models take otherwise counts, too.
        groups: (examples,), for examples that are alike within their group, the label they were
            trained on; None if all are.

    Returns:
        The share; and what it would be if the examples were alike: if each were wrong with the
        error rate of the model (on its group), the number of models that err on an example would be
        the sum of that many independent draws (the Poisson binomial distribution).
    """
    wrong = np.asarray(wrong, float)
    examples, models = wrong.shape
    few = np.floor(models * nearly + 1e-9)
    errors = wrong.sum(1)
    share = np.mean((errors <= few) | (errors >= models - few))
    number = np.arange(models + 1)
    extreme = (number <= few) | (number >= models - few)
    if groups is None:
        groups = np.zeros(examples, int)
    alike = sum(
        np.mean(groups == group)
        * stats.poisson_binom(wrong[groups == group].mean(0)).pmf(number)[extreme].sum()
        for group in np.unique(groups)
    )
    return float(share), float(alike)
