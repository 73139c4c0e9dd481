"""On which side of an estimate the truth may lie, and which of equal maxima is the peak."""

import numpy as np
import pytest
import xarray as xr

from made_up_metrics import CRITERIA
from rote.claims import capacity, complexity, convergence
from rote.claims.verdicts import Inconclusive

WIDTHS = [16, 32, 64, 128]
# The smallest sufficient width is inside, it is the smallest one, accuracy still grows.
INSIDE, SMALLEST, GROWING = [0.5, 0.7, 0.9, 0.9], [0.9, 0.9, 0.9, 0.9], [0.5, 0.6, 0.7, 0.9]


def growth(*curves, last_seed=None):
    """Return the interval of claim 1 for these accuracies at the levels 0, 0.4 and 0.8.

    The last of three seeds may have curves of its own.
    """
    accuracy = np.array(curves)[None, :, :, None] * np.ones(3)
    # Seeds of the same growth would bound nothing.
    accuracy[0, 0] *= [1, 0.998, 0.999]
    accuracy[0, -1] *= [1, 0.999, 0.998]
    if last_seed is not None:
        accuracy[0, :, :, -1] = last_seed
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


@pytest.mark.parametrize("middle", [SMALLEST, GROWING])
def test_the_middle_level_has_no_weight_and_bounds_nothing(middle):
    interval = growth(INSIDE, middle, INSIDE)
    assert np.isfinite([interval.lower, interval.upper]).all()
    assert not interval.caveat


def test_one_seed_at_an_end_is_enough_for_a_bound():
    interval = growth(INSIDE, INSIDE, INSIDE, last_seed=[INSIDE, INSIDE, GROWING])
    assert (np.isfinite(interval.lower), np.isposinf(interval.upper)) == (True, True)


@pytest.mark.parametrize(
    ("level", "size", "open_below", "open_above"),
    [
        (0.8, 400, False, True),  # noise at the largest size takes longer still: a steeper rise
        (0.8, 100, True, False),
        (0.0, 400, True, False),
        (0.0, 100, False, True),
        (0.4, 400, False, False),  # these have no weight
        (0.8, 200, False, False),
        (0.4, 100, False, False),
    ],
)
def test_a_time_that_is_a_limit_bounds_the_rise_on_its_side(level, size, open_below, open_above):
    dims, levels, sizes = ("noise_level", "dataset_size", "seed"), [0.0, 0.4, 0.8], [100, 200, 400]
    metrics = xr.Dataset(
        {
            "epochs_to_convergence": (dims, 5.0 + np.arange(27).reshape(3, 3, 3)),
            "converged": (dims, np.ones((3, 3, 3), bool)),
        },
        coords={"noise_level": levels, "dataset_size": sizes},
    )
    metrics["converged"].loc[{"noise_level": level, "dataset_size": size, "seed": 1}] = False
    interval = convergence._rise({"fig2": metrics}, CRITERIA)
    assert np.isneginf(interval.lower) == open_below
    assert np.isposinf(interval.upper) == open_above
    assert ("1 of the 18 models" in interval.caveat) == (open_below or open_above)


def test_the_rise_is_between_the_levels_that_were_measured():
    sizes, levels = np.array([100, 1000, 10000]), np.array([0.0, 0.5, 1.0])
    # Slopes 0.2 + (0.3 + a little) · level, but 2 at the middle level, which has no part in it.
    slope = 0.2 + 0.3 * levels[:, None] + np.array([-0.01, 0, 0.01]) * levels[:, None]
    slope[1] = 2
    times = 7 * (sizes[None, :, None] / 100) ** slope[:, None, :]
    dims = "noise_level", "dataset_size", "seed"
    metrics = xr.Dataset(
        {"epochs_to_convergence": (dims, times), "converged": (dims, np.ones((3, 3, 3), bool))},
        coords={"noise_level": levels, "dataset_size": sizes},
    )
    interval = convergence._rise({"fig2": metrics}, CRITERIA)
    assert interval.estimate == pytest.approx(0.3)
    assert interval.standard_error == pytest.approx(0.01 / np.sqrt(3))
    (part,) = convergence.parts({"fig2": metrics}, CRITERIA)
    assert part.description.endswith("from no noise to all noise")
    (part,) = convergence.parts({"fig2": metrics.isel(noise_level=[0, 1])}, CRITERIA)
    assert part.description.endswith("from no noise to noise level 0.5")
    for only in (0, 2):
        with pytest.raises(Inconclusive, match="it lacks one"):
            convergence._rise({"fig2": metrics.isel(noise_level=[only])}, CRITERIA)


@pytest.mark.parametrize(
    ("unfinished", "open_below", "open_above"),
    [(0.0, True, False), (0.4, False, False), (1.0, False, True)],
)
def test_a_level_that_is_unfinished_bounds_the_rise_on_its_side(unfinished, open_below, open_above):
    levels, seeds = [0.0, 0.4, 1.0], np.array([0, 1e-3, 2e-3])
    dims = "dataset", "noise_kind", "noise_level"
    reached = np.where(np.array(levels) == unfinished, 0.5, 1.0)[:, None, None]
    ratio = (np.array(levels)[:, None, None] * (1 + seeds))[None, None]
    metrics = xr.Dataset(
        {
            "train_accuracy": ((*dims, "epoch", "seed"), (reached + 0 * seeds)[None, None]),
            "critical_sample_ratio": ((*dims, "critical_epoch", "seed"), ratio),
            "commonest_class_share": ((*dims, "critical_epoch", "seed"), 0 * ratio),
        },
        coords={"dataset": ["digits"], "noise_kind": ["randY"], "noise_level": levels},
    )
    interval = complexity._over_level({"fig4_2": metrics}, "digits", "randY", CRITERIA)
    assert np.isneginf(interval.lower) == open_below
    assert np.isposinf(interval.upper) == open_above


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        ([0.5, 0.8, 0.7, 0.6], 0.7 - 0.2),
        ([0.5, 0.8, 0.8, 0.6], 0.7 - 0.2),  # the first of equal maxima
        ([0.8, 0.5, 0.8, 0.8], 0.7 - 0.1),
        ([0.5, 0.6, 0.7, 0.8], 0.0),
        ([0.5, 0.78, 0.8, 0.6], 0.7 - 0.4),
        ([np.nan, 0.5, 0.8, 0.6], 0.7 - 0.4),  # not evaluated after the first epoch
    ],
)
def test_what_is_gained_counts_from_the_first_peak(validation, expected):
    epochs, measured = np.array([1, 2, 4, 8]), np.array([0.1, 0.2, 0.4, 0.7])
    at_peak, last = complexity.peak_and_last(epochs, np.array(validation), epochs, measured)
    assert last - at_peak == pytest.approx(expected)
