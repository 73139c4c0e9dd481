"""Which training example makes a difference to which validation example.

The influence of training example i on validation example j (Feldman & Zhang 2020, arXiv 2008.03703,
section 2) is the probability that a model is right on j when it was trained on i, less that when it
was not, over models trained on random subsets. There are as many pairs as the product of both
numbers of examples, nearly all without an influence, and each measured difference is noisy: only
pairs that are told from noise, as many as there are, are returned.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

from rote.measures.memorization import checked

# Of 5,000 × 5,000 pairs the first is seen, at a false discovery rate of 5 %, with a probability
# below 2·10⁻⁹ by chance, about six standard errors. With 2,000 models, 70 % of the examples in each
# subset and a validation example that is right half the time, these are 0.15: the influence from
# which Feldman & Zhang call a pair influential. With 200 models they are 0.46.
MINIMUM_MODELS = 2000
TESTED = 100_000  # pairs to which the exact test is applied, if none has an influence
BLOCK = 1000  # training examples at a time: 20 MB an array with 5,000 for validation


class Influences(NamedTuple):
    """Pairs of examples, the largest absolute influence first; all (pairs,)."""

    train: np.ndarray  # position of the training example
    validation: np.ndarray  # position of the validation example
    influence: np.ndarray  # P(right on the latter | trained on the former) − P(… | not)
    p_value: np.ndarray  # of no influence, of this pair by itself


def influence(
    right_validation: np.ndarray, trained: np.ndarray, false_discovery_rate: float = 0.05
) -> Influences:
    """Return the pairs of examples with an influence, positive or negative, that is seen.

    Without an influence, whether a model was trained on i says nothing on whether it is right on j.
    Given how many models were trained on i, and how many are right on j, the number of those that
    are both is then hypergeometric, exactly, if each subset was drawn by itself: models may differ
    as they like, and validation examples may depend on each other. The p-value is that of Fisher's
    exact test, twice the smaller tail, so that either direction is wrong in half of the cases at
    most; this holds in the far tails, which decide here, where a normal approximation does not.

    Pairs are selected by Benjamini & Hochberg (1995) over all pairs. The exact test is applied to
    those alone whose difference is larger than usual by its standard error; the others count with a
    p-value of 1, which can only reduce what is found. The measured influence of what was selected
    is too large on average, as that of any selection by size.

    Args:
        right_validation: whether a model is right on an example, (models, validation examples).
        trained: whether it was trained on an example, (models, training examples).
        false_discovery_rate: the expected share of pairs without an influence among those found.

    Raises:
        ValueError: shapes or types do not fit, or the rate is not between 0 and 1.
    """
    right, trained = checked(right_validation, trained, "right_validation")
    if not 0 < false_discovery_rate < 1:
        raise ValueError(
            f"A false discovery rate of {false_discovery_rate} is none: it lies between 0 and 1."
        )
    pairs = right.shape[1] * trained.shape[1]
    train, validation, both = _candidates(right, trained, min(1, TESTED / pairs))
    models, inside, successes = len(right), trained.sum(0)[train], right.sum(0)[validation]
    number = stats.hypergeom(models, successes, inside)
    p_value = np.minimum(1, 2 * np.minimum(number.cdf(both), number.sf(both - 1)))
    found = _discovered(p_value, pairs, false_discovery_rate)
    train, validation, both = train[found], validation[found], both[found]
    inside, successes, p_value = inside[found], successes[found], p_value[found]
    difference = both / inside - (successes - both) / (models - inside)
    order = np.lexsort((validation, train, p_value, -np.abs(difference)))
    return Influences(train[order], validation[order], difference[order], p_value[order])


def _candidates(right: np.ndarray, trained: np.ndarray, tail: float) -> tuple[np.ndarray, ...]:
    """Return the pairs whose difference is as large as only this share of all is by chance.

    Returns:
        Training example, validation example, and the number of models that were trained on the
        former and are right on the latter.
    """
    models = len(right)
    right, trained = right.astype(np.float32), trained.astype(np.float32)
    rate, fraction = right.mean(0), trained.mean(0)
    # The hypergeometric variance is that of the product of two binary variables.
    scale = stats.norm.isf(tail / 2) * np.sqrt(models**2 / max(models - 1, 1))
    deviation, spread = np.sqrt(fraction * (1 - fraction)), np.sqrt(rate * (1 - rate))
    found = []
    for start in range(0, trained.shape[1], BLOCK):
        part = slice(start, start + BLOCK)
        both = trained[:, part].T @ right
        excess = np.abs(both - models * np.outer(fraction[part], rate))
        least = np.outer(deviation[part], spread)
        # What all models, or none, are right about tells no difference.
        train, validation = np.nonzero((least > 0) & (excess >= scale * least))
        found.append((train + start, validation, both[train, validation].astype(np.int64)))
    return tuple(np.concatenate(values) for values in zip(*found, strict=True))


def _discovered(p_value: np.ndarray, tests: int, rate: float) -> np.ndarray:
    """Return which p-values are discoveries among so many tests, those not given being 1."""
    ordered = np.sort(p_value)
    passed = np.nonzero(ordered <= rate * np.arange(1, len(ordered) + 1) / tests)[0]
    return p_value <= (ordered[passed[-1]] if len(passed) else -1)
