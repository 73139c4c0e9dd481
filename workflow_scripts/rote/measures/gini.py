"""The Gini coefficient: how unequally something is shared out."""

import numpy as np


def gini(values) -> np.ndarray:
    """Return the Gini coefficient over the last axis.

    G = Σ_i Σ_j |x_i − x_j| / (2·n·Σ_i x_i): 0 when all values are equal, zeros included, and
    1 − 1/n when one of n holds everything. It is not corrected by n/(n − 1).

    Args:
        values: numbers ≥ 0, (…, n).

    Returns:
        float64, (…); NaN where a value is NaN or infinite.

    Raises:
        ValueError: a value is negative, or there are none.
    """
    values = np.asarray(values, np.float64)
    if not values.ndim or not values.shape[-1]:
        raise ValueError(f"values of shape {values.shape} hold nothing along the last axis.")
    if (values < 0).any():
        raise ValueError(f"values must not be negative, but the smallest is {np.nanmin(values)}.")
    largest = values.max(-1, keepdims=True)
    # Of the largest value, so that no sum overflows; zeros stay zeros.
    with np.errstate(invalid="ignore"):
        share = np.sort(values / np.where(largest == 0, 1, largest), -1)
    n = values.shape[-1]
    # Sorted, the double sum is Σ (2i − n − 1)·x_i for i from 1.
    weighted = (share * np.arange(1 - n, n, 2)).sum(-1)
    total = n * share.sum(-1)
    return weighted / np.where(total == 0, 1, total)
