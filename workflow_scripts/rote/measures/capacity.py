"""How wide a model must be: the smallest width that comes near the best accuracy of a curve."""

import numpy as np


def sufficient(
    accuracy: np.ndarray, widths: np.ndarray, tolerance: float
) -> tuple[float, bool, bool]:
    """Return log2 of the smallest width within ``tolerance`` of the curve's best accuracy.

    Between widths the curve is a straight line over log2(width). Widths without an accuracy are
    skipped.

    Args:
        accuracy: (widths,).
        widths: (widths,), increasing.
        tolerance: absolute.

    Returns:
        log2 of the width, NaN without any accuracy; whether it is the smallest width, so that a
        smaller one may do; whether only the largest width suffices, so that accuracy still grows
        there by more than ``tolerance``, and the best may lie beyond.
    """
    there = np.isfinite(accuracy)
    y, x = np.asarray(accuracy)[there], np.log2(np.asarray(widths, float)[there])
    if not len(y):
        return np.nan, False, False
    least = y.max() - tolerance
    first = int(np.argmax(y >= least))
    if first == 0:
        return x[0], True, len(y) == 1
    step = (least - y[first - 1]) / (y[first] - y[first - 1])
    return x[first - 1] + step * (x[first] - x[first - 1]), False, first == len(y) - 1
