"""What a model owes to having been trained on an example, by leaving this example out.

All models are trained on one set of examples less one. A replicate is the models of one draw of
weights and order, each of which leaves out another example. Whoever is trained on an example, and
whoever is not, has then seen equally many. This is the definition to which random subsets are
compared (Feldman & Zhang 2020, arXiv 2008.03703, sections 2 and 4): there the difference between
both is a mean over the sets, too.
"""

import numpy as np

from rote.measures.memorization import checked


def shares(right: np.ndarray, trained: np.ndarray, replicate: np.ndarray) -> np.ndarray:
    """Return which share of the models is right in each replicate.

    Args:
        right: booleans (models, targets), whether a model is right about the target: the example
            itself for its memorisation score, another one for the influence on that.
        trained: booleans (models, targets), whether it was trained on the example of the target.
        replicate: (models,), equal for those that share their weights and order.

    Returns:
        (2, replicates, targets): of the models trained on the example, and of the others. NaN where
        a replicate has no models of either.

    Raises:
        ValueError: shapes or types do not fit.
    """
    right, trained = checked(right, trained)
    replicate = np.asarray(replicate)
    if replicate.shape != right.shape[:1]:
        raise ValueError(f"'replicate' is of shape {replicate.shape}, of {len(right)} models.")
    each = [replicate == one for one in np.unique(replicate)]
    found = np.array(
        [[_share(right[own], where[own]) for own in each] for where in (trained, ~trained)]
    )
    return np.where(np.isnan(found).any(0), np.nan, found)


def score(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the score of each target and its standard error, both (targets,).

    The score is the mean over replicates of the share of models trained on the example that are
    right, less that of the others. In a replicate both depend on each other, as these models share
    their weights and order; only replicates are independent. So the standard error is that of a
    mean of paired differences. It would be zero where all are equal. So one success and one failure
    are added for the models that leave the example out, as by Agresti & Caffo (2000, "Simple and
    effective confidence intervals for proportions and differences of proportions", The American
    Statistician 54). They are paired with the mean share of the others, which is of many more
    models. As the score is not drawn towards 0 by them, the variance is divided by the true number
    of replicates. NaN where there are none.
    """
    inside, outside = shares
    there = ~np.isnan(inside)
    count = there.sum(0)
    some = np.maximum(count, 1)
    difference = np.where(there, inside - outside, 0.0)
    mean = np.where(there, inside, 0.0).sum(0) / some
    added = np.stack([mean - 1, mean])
    square = ((difference**2).sum(0) + (added**2).sum(0)) / (count + 2)
    variance = square - ((difference.sum(0) + added.sum(0)) / (count + 2)) ** 2
    found = difference.sum(0) / some, np.sqrt(np.maximum(variance, 0) / some)
    return tuple(np.where(count > 0, values, np.nan) for values in found)


def mean_score(shares: np.ndarray) -> tuple[float, float]:
    """Return the mean score over the targets and its standard error over replicates.

    Replicates are independent; targets are given.
    """
    differences = shares[0] - shares[1]
    differences = differences[(~np.isnan(differences)).any(1)]
    if not len(differences):
        return np.nan, np.nan
    each = np.nanmean(differences, axis=1)
    error = each.std(ddof=1) / np.sqrt(len(each)) if len(each) > 1 else np.nan
    return float(each.mean()), float(error)


def _share(right: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return the share of the models at ``where`` (models, targets) that are right."""
    count = where.sum(0)
    return np.where(count > 0, (right & where).sum(0) / np.maximum(count, 1), np.nan)
