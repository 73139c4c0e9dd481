"""Correlations of two measures of the same examples, where some may be missing or all alike."""

import numpy as np
from scipy import stats


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Return the correlation, NaN where one of both does not vary, is missing, or is empty."""
    if not x.size:
        return np.nan
    x, y = x - x.mean(), y - y.mean()
    norm = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / norm) if norm > 1e-12 else np.nan


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Return the correlation of the ranks of what is finite in both.

    NaN where that does not vary in one of them, or is fewer than 3, whose ranks say nothing.
    """
    there = np.isfinite(x + y)
    if there.sum() < 3:
        return np.nan
    return pearson(stats.rankdata(x[there]), stats.rankdata(y[there]))
