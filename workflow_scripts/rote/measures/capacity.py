"""How wide a model must be: to fit its training data, or to come near its best accuracy."""

from typing import NamedTuple

import numpy as np


class Width(NamedTuple):
    """log2 of the smallest width that does, and what is known if it lies at an end."""

    log2: float  # NaN without any accuracy
    at_most: bool  # a smaller one may do
    at_least: bool  # only a larger one may do


def fitting(accuracy: np.ndarray, ended: np.ndarray, widths: np.ndarray, least: float) -> Width:
    """Return the smallest width whose training accuracy is ``least``.

    Between widths the accuracy is a straight line over log2(width). Widths without an accuracy are
    skipped. If the smallest width fits, a smaller one may; if none fits, it takes more than the
    largest. A narrower model that has not fitted, and was stopped while it still learned, might
    have: then, too, the width is at most this.

    Args:
        accuracy: (widths,), on the training data.
        ended: (widths,), whether the training came to an end by itself.
        widths: (widths,), increasing.
        least: the training accuracy from which on data counts as fitted.
    """
    y, x, there = _present(accuracy, widths)
    if not len(y):
        return Width(np.nan, False, False)
    stopped = ~np.asarray(ended, bool)[there]
    if not (y >= least).any():
        return Width(x[-1], bool(stopped.any()), True)
    first = int(np.argmax(y >= least))
    return Width(_crossing(x, y, first, least), first == 0 or bool(stopped[:first].any()), False)


def sufficient(accuracy: np.ndarray, widths: np.ndarray, tolerance: float) -> Width:
    """Return the smallest width within ``tolerance`` of the curve's best accuracy.

    Between widths the accuracy is a straight line over log2(width). Widths without an accuracy are
    skipped. If only the largest width suffices, accuracy still grows there by more than
    ``tolerance``, and the best may lie beyond.

    Args:
        accuracy: (widths,).
        widths: (widths,), increasing.
        tolerance: absolute.
    """
    y, x, _ = _present(accuracy, widths)
    if not len(y):
        return Width(np.nan, False, False)
    least = y.max() - tolerance
    first = int(np.argmax(y >= least))
    return Width(_crossing(x, y, first, least), first == 0, first == len(y) - 1)


def early_share(accuracy: np.ndarray, widths: np.ndarray, tolerance: float) -> float:
    """Return the share of the gain of accuracy that the first half of the doublings brings.

    The gain is that from the smallest to the largest width; half of the doublings are made at the
    geometric mean of the two, where the accuracy is read off a straight line over log2(width).
    0.5 is a steady gain, near 1 are strongly diminishing returns.

    Args:
        accuracy: (widths,).
        widths: (widths,), increasing.
        tolerance: absolute: without a gain of more than this there is nothing to share.

    Returns:
        NaN without such a gain, or without an accuracy at one of the two ends.
    """
    y, x, there = _present(accuracy, widths)
    if not (len(y) and there[0] and there[-1]) or y[-1] - y[0] <= tolerance:
        return np.nan
    return float((np.interp((x[0] + x[-1]) / 2, x, y) - y[0]) / (y[-1] - y[0]))


def _present(accuracy: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the accuracies that are there, log2 of their widths, and where they are."""
    there = np.isfinite(accuracy)
    return np.asarray(accuracy)[there], np.log2(np.asarray(widths, float)[there]), there


def _crossing(x: np.ndarray, y: np.ndarray, first: int, least: float) -> float:
    """Return where the line that ends at ``first`` reaches ``least``, as no point before does."""
    if first == 0:
        return float(x[0])
    step = (least - y[first - 1]) / (y[first] - y[first - 1])
    return float(x[first - 1] + step * (x[first] - x[first - 1]))
