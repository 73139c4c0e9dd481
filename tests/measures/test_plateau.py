"""The end of a training, on accuracies that are written by hand: a score every fifth epoch."""

import numpy as np
import pytest

from rote.measures.plateau import levelled_off


def ends(*accuracy, window=10, gain=0.01):
    """Return the first epoch at which a training with these scores has levelled off, or None."""
    epochs = 5 * np.arange(1, len(accuracy) + 1)
    for last in range(1, len(accuracy) + 1):
        if levelled_off(np.array(accuracy[:last]), epochs[:last], window, gain):
            return epochs[last - 1]
    return None


@pytest.mark.parametrize(
    ("accuracy", "epoch"),
    [
        ([0.5] * 6, 20),  # not before twice the window
        ([0.5] * 3, None),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], None),
        ([0.1, 0.2, 0.3, 0.4, 0.4, 0.4], 30),  # the rise to 0.4 has left the window
        # Rises by exactly the gain in every window, and by less.
        ([0.5, 0.5, 0.505, 0.51, 0.515, 0.52], None),
        ([0.5, 0.5, 0.504, 0.508, 0.512, 0.516], 20),
        # The best counts: means of the two windows fall, while the accuracy still rises.
        ([0.5, 0.8, 0.3, 0.9, 0.3, 1.0], None),
        # No end in a dip: the best of 0.8 is not beaten, but the last score is the worst.
        ([0.5, 0.8, 0.8, 0.2, 0.8], 25),
    ],
)
def test_a_training_ends_once_its_best_no_longer_rises(accuracy, epoch):
    assert ends(*accuracy) == epoch


def test_the_window_counts_epochs_not_scores():
    accuracy = [0.1, 0.2, 0.3, 0.4] + [0.4] * 6
    assert [ends(*accuracy, window=window) for window in (5, 10, 15, 20, 25)] == [
        25,
        30,
        35,
        40,
        50,
    ]


def test_scores_rarer_than_the_window_are_compared_with_those_before():
    assert not levelled_off(np.array([0.5]), np.array([60]), 25, 0.01)  # nothing before
    assert levelled_off(np.array([0.5, 0.5]), np.array([30, 60]), 25, 0.01)
    assert not levelled_off(np.array([0.5, 0.6]), np.array([30, 60]), 25, 0.01)


@pytest.mark.parametrize("examples", [1000, 700, 333])
def test_a_rise_by_exactly_the_gain_is_a_rise_however_it_is_rounded(examples):
    for errors in range(10, 300, 7):
        before, after = 1 - errors / examples, 1 - (errors - 5) / examples
        scores, epochs = np.array([before, before, after, after]), np.arange(5, 25, 5)
        assert not levelled_off(scores, epochs, 10, 5 / examples)
        assert levelled_off(scores, epochs, 10, 6 / examples)
