"""Claim 4, and what the paper states beside it: which ratios are evidence, and which peak."""

import numpy as np
import pytest
import xarray as xr

from made_up_metrics import CRITERIA, most_by_chance, study
from rote import claims
from rote.claims import course, fitting_speed
from rote.claims.verdicts import INCONCLUSIVE, NOT_TESTED, SUPPORTED, Inconclusive

BETWEEN = [0.2, 0.4, 0.6, 0.8]


def made_up(effect: float = 1, seeds: int = 6) -> dict:
    return study(effect, seeds=seeds, noise=0.005, rng=np.random.default_rng(31))


def decided(metrics: dict, part: str) -> xr.Dataset:
    alone = {"fig4_2": metrics["fig4_2"]}  # the parts of other figures take most of the time
    return claims.test_claims(alone, CRITERIA).sel(test=part)


@pytest.mark.parametrize(
    ("prefix", "kind", "level", "epoch", "part", "name"),
    [
        ("", "randX", 1.0, 20, "ratio_randX_over_randY", "randX"),
        ("", "randY", 1.0, 20, "ratio_randX_over_randY", "randY"),
        ("", "randX", 0.0, 20, "ratio_randY_over_real", "real"),
        ("noise_", "randX", 1.0, 20, "own_ratio_randX_over_randY", "randX"),
        ("", "randY", 1.0, 20, "own_ratio_randX_over_randY", "randY"),
        ("", "randX", 1.0, 20, "ratio_over_level_randX", "level 1"),
        ("", "randX", 0.0, 20, "ratio_over_level_randX", "level 0"),
        ("", "randY", 0.4, 20, "ratio_after_peak", "level 0.4 at the end"),
        ("", "randY", 0.4, 2, "ratio_after_peak", "level 0.4 at the peak"),
        ("", "randX", 1.0, 1, "ratio_rises_randX", "randX at epoch 1"),
        ("", "randX", 1.0, 20, "ratio_stabilises_randX", "randX at epoch 20"),
        ("train_", "randY", 1.0, 1, "train_ratio_rise_randY", "randY at epoch 1"),
        ("train_", "randY", 1.0, 5, "train_ratio_rise_randY", "randY at the peak"),
        ("train_", "randY", 1.0, 20, "train_ratio_fall_randY", "randY at epoch 20"),
        ("", "randY", 1.0, 20, "order_randX_randY_radius_1", "randY"),
    ],
)
def test_a_model_that_predicts_one_class_for_most_inputs_is_no_evidence(
    prefix, kind, level, epoch, part, name
):
    metrics, part = with_radii(0.1), f"{part}_digits"
    before = decided(metrics, part)
    place = {"noise_kind": kind, "noise_level": level, "critical_epoch": epoch}
    share = metrics["fig4_2"][f"{prefix}commonest_class_share"]
    share.loc[place] = CRITERIA["commonest"]
    assert decided(metrics, part).equals(before)
    share.loc[{**place, "seed": [1, 4]}] = 0.64
    without = {**metrics, "fig4_2": metrics["fig4_2"].drop_sel(seed=[1, 4])}
    one, expected = decided(metrics, part), decided(without, part)
    for number in ("estimate", "lower", "upper", "adjusted_lower", "adjusted_upper"):
        assert one[number] == pytest.approx(expected[number].item(), abs=1e-12)
    words = f"more than 0.5 of the inputs are put into one class by {name} in 2 of 6 seeds"
    assert words in one["reason"].item()
    assert "class" not in expected["reason"].item()
    share.loc[place] = 0.64
    one = decided(metrics, part)
    assert one["verdict"] == INCONCLUSIVE and np.isnan(one["estimate"])
    assert f"0 of 6 seeds have a value, and {CRITERIA['minimum_seeds']}" in one["reason"].item()
    assert f"class by {name} in 6 of 6 seeds" in one["reason"].item()


def test_real_inputs_do_not_count_where_those_of_noise_were_searched():
    metrics = made_up()
    noise = {"noise_kind": "randX", "noise_level": 1.0}
    metrics["fig4_2"]["commonest_class_share"].loc[noise] = 0.9
    metrics["fig4_2"]["critical_sample_ratio"].loc[noise] = 0.0
    part = decided(metrics, "own_ratio_randX_over_randY_digits")
    assert part["verdict"] == SUPPORTED
    assert part["estimate"] == pytest.approx(0.2, abs=0.02)


def test_every_case_has_parts_of_its_own_at_its_own_last_search():
    metrics = made_up()
    other = metrics["fig4_2"].assign_coords(dataset=["cnn"])
    other["title"] = "dataset", ["Digits, CNN"]
    other = other.assign_coords(critical_epoch=[1, 2, 4, 8, 16], epoch=[1, 2, 4, 8, 16])
    other["critical_sample_ratio"] = other["critical_sample_ratio"] / 2
    metrics["fig4_2"] = xr.concat([metrics["fig4_2"], other], "dataset", join="outer")
    alone = claims.test_claims(made_up(), CRITERIA)
    result = claims.test_claims(metrics, CRITERIA)
    for name in ("ratio_randX_over_randY", "ratio_rises_randY", "train_ratio_fall_randX"):
        of_both = [result["estimate"].sel(test=f"{name}_{case}") for case in ("digits", "cnn")]
        assert of_both[0] == alone["estimate"].sel(test=f"{name}_digits")
        assert result["description"].sel(test=f"{name}_cnn").item().startswith("Digits, CNN, ")
    ratio = [result["estimate"].sel(test=f"ratio_randX_over_randY_{c}") for c in ("digits", "cnn")]
    assert ratio[1] == pytest.approx(ratio[0] / 2)


def test_the_last_third_by_hand():
    metrics = made_up(seeds=3)
    # The last third of epochs 1 to 20 begins at 13.67, between the searches at 10 and at 20.
    curve = np.array([0.1, 0.2, 0.3, 0.4, 0.7])
    kind = {"noise_kind": "randX", "noise_level": 1.0}
    jitter = np.array([0, 1e-3, 2e-3])  # of a seed, at all its epochs
    metrics["fig4_2"]["critical_sample_ratio"].loc[kind] = curve[:, None] + jitter
    at = 0.4 + (20 - 19 / 3 - 10) / 10 * 0.3
    rise, change = (
        course._third(metrics, "digits", "randX", name, CRITERIA).estimate
        for name in ("rise", "change")
    )
    assert rise == pytest.approx(at - 0.1)
    assert change == pytest.approx(0.7 - at)
    metrics["fig4_2"]["train_accuracy"].loc[kind] = 0.85
    assert decided(metrics, "ratio_rises_randX_digits")["verdict"] == INCONCLUSIVE


def test_the_peak_is_that_of_the_other_seeds_and_never_at_an_end():
    values = np.array([[9.0, 9, 9], [3, 0, 0], [1, 2, 2], [0, 0, 0.5], [9, 9, 9]])
    # Without its own 3, seed 0 peaks at the third time; that 3 outweighs the 2 of each other.
    assert course.peak_of_others(values).tolist() == [2, 1, 1]


def test_an_unfinished_training_only_bounds_the_peak():
    metrics = made_up(-1)
    metrics["fig4_2"]["train_accuracy"].loc[{"noise_kind": "randY", "noise_level": 1.0}] = 0.6
    for name in ("rise", "fall"):
        part = decided(metrics, f"train_ratio_{name}_randY_digits")
        assert part["verdict"] == INCONCLUSIVE
        assert np.isfinite(part["lower"])
        assert part["upper"] == np.inf
        assert "training accuracy of 0.60" in part["reason"].item()


def test_without_training_inputs_the_paper_is_not_tested():
    metrics = made_up()
    metrics["fig4_2"] = metrics["fig4_2"].drop_vars("train_critical_sample_ratio")
    part = decided(metrics, "train_ratio_fall_randX_digits")
    assert part["verdict"] == NOT_TESTED
    assert "no training inputs were searched" in part["reason"].item()


def with_radii(scale: float, reverse: bool = False) -> dict:
    """Return a study with a second radius, whose ratios are as many times those of the first."""
    metrics = made_up()
    of_levels = metrics["fig4_2"]
    first = of_levels["critical_sample_ratio"]
    second = scale * ((1 - first) if reverse else first)
    both = xr.concat([first, second], "radius").assign_coords(radius=[0.3, 1.0])
    metrics["fig4_2"] = of_levels.assign(critical_sample_ratio=both)
    return metrics


def test_other_radii_are_tested_for_their_order_alone():
    names = [f"order_{pair}_radius_1_digits" for pair in ("randX_randY", "randY_real")]
    assert not set(names) & {*claims.test_claims(made_up(), CRITERIA)["test"].values}
    for name in names:
        assert decided(with_radii(0.1), name)["verdict"] == SUPPORTED
        reversed_ = decided(with_radii(1, reverse=True), name)
        assert reversed_["verdict"].item() not in (SUPPORTED, INCONCLUSIVE)
        # Where nothing is critical, there is no order.
        assert decided(with_radii(0.01), name)["verdict"] == INCONCLUSIVE
    first, second = (claims.test_claims(m, CRITERIA) for m in (made_up(), with_radii(0.1)))
    assert first["estimate"].sel(test="ratio_randX_over_randY_digits") == second["estimate"].sel(
        test="ratio_randX_over_randY_digits"
    )


def test_an_order_that_is_none_is_decided_no_more_often_than_nominal():
    rng, metrics, studies = np.random.default_rng(32), with_radii(1), 600
    names = {"case": "digits", "conditions": ("randX", "randY"), "radius": 1.0}
    ratio, beyond = metrics["fig4_2"]["critical_sample_ratio"], [0, 0]
    for _ in range(studies):
        # The same at both radii, and in the mean the same of both conditions.
        ratio.values[:] = 0.5 + 0.1 * rng.normal(size=ratio.shape[1:])
        found = course._order(metrics, criteria=CRITERIA, **names)
        beyond = beyond[0] + (found.lower > 0), beyond[1] + (found.upper < 0)
    assert max(beyond) <= most_by_chance(studies, (1 - CRITERIA["confidence"]) / 2)


@pytest.mark.parametrize("part", ["ratio_rises_randY_digits", "train_ratio_rise_randY_digits"])
def test_shares_of_models_that_diverged_do_not_count(part):
    metrics = made_up(seeds=8)
    prefix = "train_" if part.startswith("train") else ""
    place, lost = {"noise_kind": "randY", "noise_level": 1.0}, [1, 5]
    for name in ("critical_sample_ratio", "commonest_class_share"):
        later = {"critical_epoch": [5, 10, 20]}
        metrics["fig4_2"][f"{prefix}{name}"].loc[{**place, **later, "seed": lost}] = np.nan
    without = decided(metrics, part)
    share = metrics["fig4_2"][f"{prefix}commonest_class_share"]
    share.loc[{**place, "critical_epoch": 1, "seed": lost}] = 1.0
    assert decided(metrics, part).equals(without)
    assert np.isfinite(without["lower"])


@pytest.mark.parametrize("name", ["final", "best"])
def test_accuracies_that_fall_are_those_below_all_noise(name):
    metrics = made_up()
    accuracy = metrics["fig4_2"]["validation_accuracy"]
    expected = decided(metrics, f"{name}_accuracy_falls_randX_digits")
    accuracy.loc[{"noise_level": 1.0}] = 0.0
    after = decided(metrics, f"{name}_accuracy_falls_randX_digits")
    assert after["estimate"] == expected["estimate"]
    accuracy.loc[{"noise_level": 0.8, "seed": 2, "epoch": [10, 20]}] = np.nan
    one = decided(metrics, f"{name}_accuracy_falls_randX_digits")
    assert "1 of 6 seeds have no value" in one["reason"].item()
    metrics["fig4_2"]["train_accuracy"].loc[{"noise_level": 0.8, "noise_kind": "randX"}] = 0.7
    one = decided(metrics, f"{name}_accuracy_falls_randX_digits")
    assert one["verdict"] == INCONCLUSIVE


def test_regularisers_swap_by_hand():
    random = np.array([[0.5, 0.5, 0.4], [0.3, 0.3, 0.3], [0.0, 0.0, 0.0]])
    real = np.array([[0.1, 0.1, 0.1], [0.2, 0.3, 0.15], [0.0, 0.0, 0.0]])
    swaps = fitting_speed.swap_of_others(random, real)
    assert swaps == pytest.approx([0.1, 0.2, 0.05])
    # What seed 0 alone swaps, and swaps most, is not chosen for it.
    alone, with_luck = random.copy(), real.copy()
    alone[2, 0], with_luck[2, 0] = 1.5, -0.7
    assert fitting_speed.swap_of_others(alone, with_luck)[0] == pytest.approx(0.1)
    # The same order leaves nothing to swap.
    assert (fitting_speed.swap_of_others(random, random) < 0).all()
    real[1, 1] = np.nan
    assert np.isnan(fitting_speed.swap_of_others(random, real)).tolist() == [False, True, False]
    with pytest.raises(Inconclusive, match="two regularisers"):
        fitting_speed.swap_of_others(random[:1], real[:1])


def test_every_part_of_these_claims_is_defined():
    metrics = with_radii(1)
    for module in (claims.CLAIMS[number][1] for number in (4, 5)):
        for part in module.parts(metrics, CRITERIA):
            assert len(part.definition.split()) > 20, part.name
            assert "  " not in part.definition
