"""What a model owes to having been trained on an example, by models trained on random subsets.

The memorisation score of an example (Feldman & Zhang 2020, arXiv 2008.03703, section 2) is the
probability that a model which was trained on it classifies it as the label trained on, less the
probability for a model that was not. The latter alone is the consistency score (Jiang et al. 2021,
"Characterizing Structural Regularities of Labeled Data in Overparameterized Models", ICML).

Throughout, ``right`` and ``trained`` are booleans (models, examples): whether a model classifies
an example as the label trained on, and whether it was trained on it. Every subset must have been
drawn by itself, so that models are independent. All functions raise ``ValueError`` where shapes or
types of these do not fit. ``where`` is (examples,), the examples that count; None for all. An
example that all models were trained on, or none, has no score (NaN), and counts nowhere.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy.linalg import hadamard

from rote.measures.correlation import spearman

SPLITS = 20  # into halves of the models: their own noise is small beside that of the models


class _Counts(NamedTuple):
    """Numbers of models, all integers (..., examples)."""

    right_in: np.ndarray
    inside: np.ndarray
    right_out: np.ndarray
    outside: np.ndarray


class Share(NamedTuple):
    """The share of examples with a score above a threshold."""

    measured: float
    corrected: float  # for the noise of the scores: it may lie outside of [0, 1]


def memorization(right: np.ndarray, trained: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the memorisation score of every example and its standard error, both (examples,).

    The score is the difference of two proportions as they are: without bias, in [−1, 1]. Its usual
    standard error is zero where both are 0 or 1. So the variances are those of proportions to which
    one success and one failure are added (Agresti & Caffo 2000, "Simple and effective confidence
    intervals for proportions and differences of proportions", The American Statistician 54). They
    are divided by the true numbers of models, as the score itself is not drawn towards 0: with 15
    models outside, ±1.96 standard errors cover the true score at least 93 times in 100, not 88.
    """
    counts = _counts(*checked(right, trained))
    inside = _variance(counts.right_in, counts.inside, 1)
    outside = _variance(counts.right_out, counts.outside, 1)
    scores = _scores(counts)
    return scores, np.where(np.isnan(scores), np.nan, np.sqrt(inside + outside))


def consistency(right: np.ndarray, trained: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return P(right | not trained on it) of every example and its standard error, (examples,).

    The consistency score is this, at one size of the subsets. The standard error does not vanish at
    0 or 1: two successes and two failures are added for it (Agresti & Coull 1998, "Approximate is
    better than 'exact' for interval estimation of binomial proportions", The American Statistician
    52), and it is divided as in :func:`memorization`. NaN where all models were trained on an
    example.
    """
    counts = _counts(*checked(right, trained))
    score = _proportion(counts.right_out, counts.outside)
    error = np.sqrt(_variance(counts.right_out, counts.outside, 2))
    return score, np.where(np.isnan(score), np.nan, error)


def mean_score(right: np.ndarray, trained: np.ndarray, where: np.ndarray | None = None) -> float:
    """Return the mean memorisation score of the examples: without bias, whatever the models."""
    right, trained = checked(right, trained)
    chosen = _chosen(where, right)
    return float(_mean(_scores(_counts(right[:, chosen], trained[:, chosen]))))


def mean_consistency(right: np.ndarray, trained: np.ndarray) -> float:
    """Return the mean consistency of the examples: without bias, whatever the models."""
    counts = _counts(*checked(right, trained))
    return float(_mean(_proportion(counts.right_out, counts.outside)))


def share_above(
    right: np.ndarray, trained: np.ndarray, threshold: float, where: np.ndarray | None = None
) -> Share:
    """Return the share of examples whose score exceeds a threshold, with and without its bias.

    Measured scores scatter around the true ones, and more of them cross the threshold from the side
    where there are more. Their variance is in proportion to 1/models, and so is the bias of the
    share where true scores are spread smoothly around the threshold. Of half the models it is twice
    as large: the corrected share is 2·(share by all) − (mean share by halves), over random splits
    into halves that are the same for any study of as many models.

    The standard deviation of the corrected share is about one and a half times as large. A bias
    remains where many examples have the same true score, and it lies within two or three standard
    errors of the threshold.

    Args:
        right: (models, examples).
        trained: (models, examples).
        threshold: in [−1, 1]. Proportions lie on a lattice, so that many scores can equal it;
            these do not exceed it. They are compared as integers, the threshold being taken as the
            closest fraction with a denominator up to a million.
        where: (examples,).

    Returns:
        Both shares; NaN where there are no scores.
    """
    right, trained = checked(right, trained)
    if not -1 <= threshold <= 1:
        raise ValueError(f"A threshold of {threshold} is none: scores lie between −1 and 1.")
    chosen = _chosen(where, right)
    right, trained = right[:, chosen], trained[:, chosen]
    measured = _share(_counts(right, trained), threshold)
    halves = _share(_counts_of_parts(right, trained, SPLITS), threshold)
    return Share(float(measured), float(2 * measured - halves.mean()))


def reliability(right: np.ndarray, trained: np.ndarray, splits: int = 10) -> float:
    """Return the expected rank correlation (Spearman's) of the scores with those of another study.

    Two halves of the models are two studies of half the size; their correlation ρ is extrapolated
    to all models. The Spearman–Brown formula, 1/ρ = 1 + b/models, is that of Pearson's correlation.
    Ranks of examples with the same true score stay random however many models there are, and the
    formula is up to 0.15 too large where these are many. So 1/ρ = a + b/models is used, with a ≥ 1
    and b ≥ 0, from halves and quarters of random splits, the same for any study of as many models.
    For mixtures of zeros, ones and what is between it is at most 0.03 too low with 40 models, and
    0.015 with 150.

    Another measure of the same examples cannot be expected to correlate with the measured scores by
    more than about the root of the reliability, even if it is the true score itself; by no more
    than the root of the product of both reliabilities, if it is noisy, too (Spearman 1904, "The
    proof and measurement of association between two things", on attenuation).

    Returns:
        At most 1. Where the scores are noise alone it is about 0, and can be negative: then there
        is no ceiling. Splits with a part in which all scores are equal do not count; NaN where
        there are no others.
    """
    right, trained = checked(right, trained)
    return extrapolated(
        *(_scores(_counts_of_parts(right, trained, splits, parts)) for parts in (2, 4))
    )


def consistency_reliability(
    studies: Sequence[tuple[np.ndarray, np.ndarray]], splits: int = 10
) -> float:
    """Return the :func:`reliability` of the mean consistency over several sizes of the subsets.

    Args:
        studies: of each size ``right`` and ``trained`` of its models, all of the same examples.
        splits: random ones into halves and quarters of the models of each size.
    """
    studies = [checked(*study) for study in studies]

    def means(parts: int) -> np.ndarray:
        counts = (_counts_of_parts(*study, splits, parts) for study in studies)
        return sum(_proportion(own.right_out, own.outside) for own in counts) / len(studies)

    return extrapolated(means(2), means(4))


def extrapolated(halves: np.ndarray, quarters: np.ndarray) -> float:
    """Return the reliability of scores by that of halves and quarters of the models.

    Both are (parts, splits, examples).
    """
    half = _rank_correlation(halves[0], halves[1])
    if half <= 0:
        return half
    # Bounds: a = 1 is the Spearman–Brown formula, and b = 0 the same for any number of models.
    quarter = np.clip(_rank_correlation(quarters[::2], quarters[1::2]), half / (2 - half), half)
    return float(1 / (1.5 / half - 0.5 / quarter))


def jackknife(
    statistic: Callable[[np.ndarray, np.ndarray], object],
    right: np.ndarray,
    trained: np.ndarray,
    groups: int = 16,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a statistic of a study and its standard error, by the delete-half jackknife.

    Model m is in group m % ``groups``. The statistic is computed again from half of the groups,
    2·(groups − 1) times, balanced by a Hadamard matrix (McCarthy 1969, "Pseudo-replication: half
    samples", Review of the International Statistical Institute 37). Half the models scatter around
    all of them as all do around the truth: the standard deviation of the halves' statistics is the
    standard error. Of a mean it is exactly that of the groups' means. If one group at a time were
    left out, it would be the same for a mean, but about twice too large for a share above a
    threshold: a statistic that is not smooth needs many models to be left out (Shao & Wu 1989, "A
    general theory for jackknife variance estimation", The Annals of Statistics 17).

    The standard error is over models, drawn with subsets and seeds of their own; the examples are
    given. It has a relative standard deviation of about 1/√(2·groups − 2) itself, 18 % for 16.

    Args:
        statistic: of (right, trained), a number or an array of any shape.
        right: (models, examples).
        trained: (models, examples).
        groups: a power of 2, 2 or more, and at most half as many as models.

    Returns:
        The statistic of all models, and its standard error, each of the statistic's shape.
    """
    right, trained = checked(right, trained)
    models = len(right)
    if groups < 2 or groups & (groups - 1) or 2 * groups > models:
        raise ValueError(
            f"{groups} groups of {models} models cannot be halved evenly: give a power of 2, at "
            "most half as many as models."
        )
    group = np.arange(models) % groups
    halves = hadamard(groups)[1:] > 0  # the first row holds all groups
    found = np.array(
        [
            statistic(right[chosen[group]], trained[chosen[group]])
            for half in halves
            for chosen in (half, ~half)
        ],
        float,
    )
    return np.asarray(statistic(right, trained), float), found.std(0)


def checked(
    right: np.ndarray, trained: np.ndarray, name: str = "right"
) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays, or raise ``ValueError`` where they are not of the same models."""
    right, trained = np.asarray(right), np.asarray(trained)
    for called, values in ((name, right), ("trained", trained)):
        if values.dtype != bool:
            raise ValueError(f"'{called}' must hold booleans, but its type is {values.dtype}.")
        if values.ndim != 2 or not values.size:
            raise ValueError(
                f"'{called}' must be (models, examples), but its shape is {values.shape}."
            )
    if len(right) != len(trained):
        raise ValueError(
            f"'{name}' is of {len(right)} models, but 'trained' is of {len(trained)}: both must "
            "be of the same ones."
        )
    if name == "right" and right.shape != trained.shape:
        raise ValueError(
            f"'right' is of {right.shape[1]} examples, but 'trained' is of {trained.shape[1]}: "
            "both must be of the same ones."
        )
    return right, trained


def _chosen(where: np.ndarray | None, right: np.ndarray) -> np.ndarray:
    examples = right.shape[1]
    if where is None:
        return np.ones(examples, bool)
    where = np.asarray(where)
    if where.dtype != bool or where.shape != (examples,):
        raise ValueError(
            f"'where' must be {examples} booleans, one an example, but it is {where.dtype} of "
            f"shape {where.shape}."
        )
    return where


def _counts(right: np.ndarray, trained: np.ndarray) -> _Counts:
    """Return the numbers of models, each (examples,)."""
    inside, right_in = trained.sum(0), (right & trained).sum(0)
    return _Counts(right_in, inside, right.sum(0) - right_in, len(right) - inside)


def _counts_of_parts(
    right: np.ndarray, trained: np.ndarray, splits: int, parts: int = 2
) -> _Counts:
    """Return the numbers of models of random parts of equal size, (parts, splits, examples)."""
    models = len(right)
    shares = np.tile(np.arange(models) % parts, (splits, 1))
    part = np.random.default_rng(models).permuted(shares, axis=1)
    member = (part == np.arange(parts)[:, None, None]).reshape(-1, models).astype(np.float32)

    def of_parts(values: np.ndarray) -> np.ndarray:
        # Sums of up to 2²⁴ ones are exact in single precision.
        sums = member @ values.astype(np.float32)
        return sums.astype(np.int64).reshape(parts, splits, -1)

    inside, right_in = of_parts(trained), of_parts(right & trained)
    size = of_parts(np.ones((models, 1)))
    return _Counts(right_in, inside, of_parts(right) - right_in, size - inside)


def _scores(counts: _Counts) -> np.ndarray:
    inside = _proportion(counts.right_in, counts.inside)
    return inside - _proportion(counts.right_out, counts.outside)


def _share(counts: _Counts, threshold: float) -> np.ndarray:
    """Return the share over the last axis of scores above the threshold, of those there are."""
    bound = Fraction(float(threshold)).limit_denominator(10**6)
    # Multiplied by both numbers of models and by the denominator, all are integers.
    difference = counts.right_in * counts.outside - counts.right_out * counts.inside
    pairs = counts.inside * counts.outside
    above = difference * bound.denominator > bound.numerator * pairs
    return _mean(np.where(pairs > 0, above, np.nan))


def _proportion(successes: np.ndarray, trials: np.ndarray) -> np.ndarray:
    return np.where(trials > 0, successes / np.maximum(trials, 1), np.nan)


def _variance(successes: np.ndarray, trials: np.ndarray, added: int) -> np.ndarray:
    """Return the variance of a proportion, so many successes and as many failures added."""
    proportion = (successes + added) / (trials + 2 * added)
    return proportion * (1 - proportion) / np.maximum(trials, 1)


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis of what is not NaN; NaN where nothing is."""
    there = ~np.isnan(values)
    return _proportion(np.where(there, values, 0).sum(-1), there.sum(-1))


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return the rank correlation over the last axis, the mean over all others where it is one."""
    found = [spearman(one[index], other[index]) for index in np.ndindex(one.shape[:-1])]
    return float(_mean(np.array(found)))
