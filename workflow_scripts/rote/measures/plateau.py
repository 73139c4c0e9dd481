"""When a training has levelled off: its best accuracy no longer rises."""

import numpy as np


def levelled_off(accuracy: np.ndarray, epochs: np.ndarray, window: int, gain: float) -> bool:
    """Return whether a training has reached a plateau by the last of its scores.

    It has once the best accuracy of the last ``window`` epochs exceeds the best of all epochs
    before by less than ``gain``. The best is compared and not the mean: at a high learning rate
    the accuracy of a small model fluctuates by ten times ``gain``, so that means over a few scores
    fall by chance while the model still learns. For the same reason the last score must be no
    less than the median of those of the window: a training does not end in a dip.

    Args:
        accuracy: (scores,), as fractions, all that were taken so far.
        epochs: (scores,), after which they were taken, increasing.
        window: in epochs. No training has levelled off before twice as many.
        gain: absolute.
    """
    accuracy, epochs = np.asarray(accuracy, float), np.asarray(epochs)
    if epochs[-1] < 2 * window:
        return False
    recent = epochs > epochs[-1] - window
    last, before = accuracy[recent], accuracy[~recent]
    # Accuracies are rounded: a rise by exactly the gain is one.
    return bool(
        before.size and last.max() - before.max() < gain - 1e-9 and last[-1] >= np.median(last)
    )
