"""Claim 1, on widths and studies that are made up so that the answer is known."""

import numpy as np
import pytest
import xarray as xr

from made_up_metrics import CRITERIA, study
from rote.claims import capacity, verdicts
from rote.claims.verdicts import INCONCLUSIVE, SUPPORTED, Inconclusive

WIDTHS = [16, 32, 64, 128]
CORE = [f"{name}_width_{kind}" for kind in ("randX", "randY") for name in ("fitted", "saturation")]
OF_THE_PAPER = [
    f"{name}_{kind}"
    for kind in ("randX", "randY")
    for name in ("diminishing_returns", "validation_falls")
]
# Of accuracies at 16, 32, 64 and 128 units: 0.9 is reached inside, at the smallest width, nowhere.
INSIDE, SMALLEST, NOWHERE = [0.5, 0.8, 1.0, 1.0], [0.9, 1.0, 1.0, 1.0], [0.5, 0.6, 0.7, 0.8]


def fig1(train, validation=None, *, levels, stopped=()):
    """Return metrics of randX with three seeds that differ a little; stopped: (level, width)."""
    dims = "noise_kind", "noise_level", "hidden_units", "seed"
    # More at higher levels: seeds of the same growth would bound nothing.
    spread = np.array([0, 1e-4, -1e-4]) * np.arange(1, len(levels) + 1)[:, None, None]
    train = np.array(train)[None, :, :, None] + spread
    validation = train if validation is None else np.array(validation)[None, ..., None] + spread
    ended = np.ones(train.shape, bool)
    for level, width in stopped:
        ended[0, level, width, 1] = False  # of one seed alone
    variables = {"train_accuracy": train, "validation_accuracy": validation, "plateau": ended}
    return xr.Dataset(
        {name: (dims, values) for name, values in variables.items()},
        coords={"noise_kind": ["randX"], "noise_level": levels, "hidden_units": WIDTHS},
    )


def part(name: str, metrics: xr.Dataset) -> verdicts.Part:
    each = capacity.parts({"fig1": metrics}, CRITERIA)
    return next(one for one in each if one.name == name)


def decided(one: verdicts.Part) -> str:
    return verdicts.verdict(one.interval(), one.holds)


def open_ends(interval) -> tuple[bool, bool]:
    assert bool(interval.caveat) == (not np.isfinite([interval.lower, interval.upper]).all())
    return bool(np.isneginf(interval.lower)), bool(np.isposinf(interval.upper))


def test_the_width_that_fits_grows_from_real_data_to_all_noise_as_measured():
    # 40 units on real data, and two doublings more at level 1; what lies between has no say.
    metrics = fig1([[0.8, 1.0, 1.0, 1.0], [0.1] * 4, [0.2, 0.4, 0.8, 1.0]], levels=[0, 0.5, 1.0])
    interval = part("fitted_width_randX", metrics).interval()
    assert interval.estimate == pytest.approx(2, abs=1e-2)
    assert interval.lower == pytest.approx(2, abs=1e-2)
    assert not interval.caveat


@pytest.mark.parametrize(
    ("real", "noise", "expected"),
    [
        (INSIDE, INSIDE, (False, False)),
        (INSIDE, NOWHERE, (False, True)),  # noise may need more than the widest
        (SMALLEST, INSIDE, (False, True)),  # real data may need less than the narrowest
        (INSIDE, SMALLEST, (True, False)),
        (NOWHERE, INSIDE, (True, False)),
        (SMALLEST, NOWHERE, (False, True)),
        (SMALLEST, SMALLEST, (True, True)),
        (NOWHERE, NOWHERE, (True, True)),
    ],
)
def test_widths_at_an_end_bound_the_width_that_fits_on_their_side(real, noise, expected):
    metrics = fig1([real, noise], levels=[0, 1.0])
    assert open_ends(part("fitted_width_randX", metrics).interval()) == expected


@pytest.mark.parametrize(
    ("noise", "stopped", "expected"),
    [
        (INSIDE, [(1, 1)], (True, False)),  # noise at 32 units might have been fitted
        (INSIDE, [(0, 1)], (False, True)),  # so might real data
        (INSIDE, [(1, 2), (1, 3)], (False, False)),  # these have fitted
        (NOWHERE, [(1, 3)], (True, True)),
    ],
)
def test_a_model_that_was_stopped_while_it_learned_is_no_evidence(noise, stopped, expected):
    metrics = fig1([INSIDE, noise], levels=[0, 1.0], stopped=stopped)
    interval = part("fitted_width_randX", metrics).interval()
    assert open_ends(interval) == expected
    if any(expected):
        assert "stopped while it still learned" in interval.caveat


def test_the_width_that_fits_names_its_highest_level_unless_all_is_noise():
    for highest, words in ((1.0, "from no noise to all noise"), (0.8, "to noise level 0.8")):
        metrics = fig1([INSIDE, INSIDE], levels=[0, highest])
        assert words in part("fitted_width_randX", metrics).description


def test_validation_saturates_over_levels_below_1_and_nothing_is_extrapolated():
    # The best less the margin is at 16, 32, 64 units: two doublings in 0.8, at 1 it is anywhere.
    rises = [[0.88, 0.9, 0.9, 0.9], [0.5, 0.88, 0.9, 0.9], [0.4, 0.5, 0.88, 0.9], [0.1] * 4]
    rises[0][0] = 0.8
    metrics = fig1(np.ones((4, 4)), rises, levels=[0, 0.4, 0.8, 1.0])
    one = part("saturation_width_randX", metrics)
    at = [4 + 0.8, 5, 6]
    assert one.interval().estimate == pytest.approx(at[2] - at[0], abs=0.02)
    assert "to noise level 0.8" in one.description
    without = part("saturation_width_randX", metrics.sel(noise_level=[0, 0.4, 0.8]))
    assert without.interval()._replace(reach=None) == one.interval()._replace(reach=None)


def test_returns_diminish_where_the_first_half_of_the_doublings_brings_more():
    # Half of the doublings is at 45 units, halfway from 32 to 64.
    real, noise = [0.1, 0.8, 0.9, 0.9], [0.1, 0.3, 0.5, 0.7]
    metrics = fig1(np.ones((3, 4)), [real, noise, [0.1] * 4], levels=[0, 0.4, 1.0])
    one = part("diminishing_returns_randX", metrics)
    assert one.interval().estimate == pytest.approx(0.75 / 0.8 - 0.3 / 0.6, abs=1e-6)
    assert one.stated_by == "paper"
    flat = fig1(np.ones((3, 4)), [real, [0.5] * 4, [0.1] * 4], levels=[0, 0.4, 1.0])
    with pytest.raises(Inconclusive, match="0 of 3 seeds have a value"):
        part("diminishing_returns_randX", flat).interval()


def test_validation_falls_at_the_largest_width():
    curves = [[0.1, 0.2, 0.3, 0.9], [0.1, 0.2, 0.3, 0.8], [0.1, 0.2, 0.3, 0.4], [0.1] * 4]
    metrics = fig1(np.ones((4, 4)), curves, levels=[0, 0.4, 0.8, 1.0])
    one = part("validation_falls_randX", metrics)
    assert one.interval().estimate == pytest.approx(0.5)
    assert decided(one) == SUPPORTED
    metrics["train_accuracy"].loc[{"noise_level": 0.8, "hidden_units": 128}] = 0.5
    assert open_ends(one.interval()) == (True, True)


@pytest.mark.parametrize(("effect", "expected"), [(1, {"above"}), (0, {"below"}), (-1, {"below"})])
def test_effects_that_are_there_absent_or_reversed_are_told_apart(effect, expected):
    metrics = study(effect, seeds=6, noise=0.02, rng=np.random.default_rng(31))
    found = {}
    for one in capacity.parts(metrics, CRITERIA):
        interval = one.interval()
        assert not interval.caveat, one.name
        where = "between"
        if interval.lower > one.holds[0]:
            where = "above"
        elif interval.upper <= one.holds[0]:
            where = "below"
        found[one.name] = where
    assert sorted(found) == sorted(CORE + OF_THE_PAPER)
    assert {found[name] for name in CORE} == expected
    assert {found[name] for name in OF_THE_PAPER} == expected


def test_the_poster_states_the_two_widths_and_each_part_is_defined():
    metrics = study(1, seeds=3, noise=0.01, rng=np.random.default_rng(32))
    each = list(capacity.parts(metrics, CRITERIA))
    assert [one.name for one in each if one.stated_by == "poster"] == CORE
    for one in each:
        assert any(name in one.definition for name in metrics["fig1"].data_vars), one.name


def test_widths_that_saturate_are_unknown_where_the_widest_has_not_fitted():
    metrics = study(1, seeds=3, noise=0.005, rng=np.random.default_rng(21))
    train = metrics["fig1"]["train_accuracy"]
    # Narrow models never fit, a model may diverge, and the middle level has no weight.
    train.loc[{"noise_kind": "randY", "hidden_units": slice(None, 64)}] = 0.3
    train.loc[{"noise_kind": "randY", "hidden_units": 4096}] = np.nan
    train.loc[{"noise_kind": "randY", "noise_level": 0.4}] = 0.3
    parts = {one.name: one for one in capacity.parts(metrics, CRITERIA)}
    before = parts["saturation_width_randY"].interval()
    assert decided(parts["saturation_width_randY"]) == SUPPORTED
    train.loc[{"noise_kind": "randY", "noise_level": 0.8}] = 0.5
    after = parts["saturation_width_randY"].interval()
    assert decided(parts["saturation_width_randY"]) == INCONCLUSIVE
    assert open_ends(after) == (True, True)
    assert after.estimate == before.estimate
    assert "that of level 0.8 ended at a training accuracy of 0.50" in after.caveat
    assert decided(parts["saturation_width_randX"]) == SUPPORTED


@pytest.mark.parametrize(
    ("levels", "name", "said"),
    [
        ([0.2, 1.0], "fitted_width_randX", "no noise level 0, the real data"),
        ([0], "fitted_width_randX", "no noise level above 0"),
        ([0, 1.0], "saturation_width_randX", "no noise level between 0 and 1"),
        ([0, 1.0], "fitted_width_randY", "has no randY"),
    ],
)
def test_what_was_not_trained_is_said(levels, name, said):
    metrics = fig1([INSIDE] * len(levels), levels=levels)
    with pytest.raises(Inconclusive, match=said):
        part(name, metrics).interval()
