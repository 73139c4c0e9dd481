"""On which side of an estimate the truth may lie, and which of equal maxima is the peak."""

import numpy as np
import pytest
import xarray as xr

from made_up_metrics import CRITERIA
from rote.claims import capacity, complexity

WIDTHS = [16, 32, 64, 128]
# The smallest sufficient width is inside, it is the smallest one, accuracy still grows.
INSIDE, SMALLEST, GROWING = [0.5, 0.7, 0.9, 0.9], [0.9, 0.9, 0.9, 0.9], [0.5, 0.6, 0.7, 0.9]


def growth(*curves):
    """Return the interval of claim 1 for these accuracies at the levels 0, 0.4 and 0.8."""
    accuracy = np.array(curves)[None, :, :, None] + np.array([0, 1e-4, 2e-4])
    dims = "noise_kind", "noise_level", "hidden_units", "seed"
    metrics = xr.Dataset(
        {
            "validation_accuracy": (dims, accuracy),
            "train_accuracy": (dims, np.ones(accuracy.shape)),
        },
        coords={"noise_kind": ["randX"], "noise_level": [0.0, 0.4, 0.8], "hidden_units": WIDTHS},
    )
    return capacity._growth({"fig1": metrics}, "randX", CRITERIA)


@pytest.mark.parametrize(
    ("real", "noisy", "open_below", "open_above"),
    [
        (INSIDE, INSIDE, False, False),
        # More than the widest may be needed on noise: the growth is at least this.
        (INSIDE, GROWING, False, True),
        # Less than the narrowest may do on real data: the same.
        (SMALLEST, INSIDE, False, True),
        # Less may do on noise, more may be needed on real data: the growth is at most this.
        (INSIDE, SMALLEST, True, False),
        (GROWING, INSIDE, True, False),
        (SMALLEST, SMALLEST, True, True),
        (GROWING, GROWING, True, True),
    ],
)
def test_widths_at_an_end_bound_the_growth_on_their_side(real, noisy, open_below, open_above):
    interval = growth(real, INSIDE, noisy)
    assert np.isneginf(interval.lower) == open_below
    assert np.isposinf(interval.upper) == open_above
    assert bool(interval.caveat) == (open_below or open_above)


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        ([0.5, 0.8, 0.7, 0.6], 0.7 - 0.2),
        ([0.5, 0.8, 0.8, 0.6], 0.7 - 0.2),  # the first of equal maxima
        ([0.8, 0.5, 0.8, 0.8], 0.7 - 0.1),
        ([0.5, 0.6, 0.7, 0.8], 0.0),
    ],
)
def test_what_is_gained_counts_from_the_first_peak(validation, expected):
    measured = np.array([0.1, 0.2, 0.4, 0.7])
    gained = complexity.gain(np.array([1, 2, 4, 8]), np.array(validation), measured)
    assert gained == pytest.approx(expected)
