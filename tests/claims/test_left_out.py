"""What was not fitted, or diverged, is no evidence."""

import numpy as np
import pytest
import xarray as xr

from made_up_metrics import CRITERIA, study
from rote import claims
from rote.claims import complexity, verdicts
from rote.claims.verdicts import INCONCLUSIVE, SUPPORTED

pytestmark = pytest.mark.usefixtures("few_simulations")


def test_unfitted_noise_is_no_evidence():
    metrics = study(1, seeds=3, noise=0.01, rng=np.random.default_rng(10))
    unfitted = {"noise_kind": "randY", "noise_level": 1.0}
    metrics["fig4_2"]["train_accuracy"].loc[unfitted] = 0.5
    result = claims.test_claims(metrics, CRITERIA).sel(test="ratio_randX_over_randY_digits")
    assert result["verdict"] == INCONCLUSIVE
    assert "that of randY ended at a training accuracy of 0.50" in result["reason"].item()
    assert result["estimate"] == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("effect", [1, 0])
def test_what_was_not_memorised_cannot_be_reduced(effect):
    metrics = study(effect, seeds=3, noise=0.005, rng=np.random.default_rng(22))
    metrics["fig5_1"]["noise_train_accuracy"] -= 0.3
    result = claims.test_claims(metrics, CRITERIA)
    own = result.isel(test=result["figure"].values == "fig5_1")
    assert own.sizes["test"] == 8
    assert set(own["verdict"].values) == {INCONCLUSIVE}
    words = "that of random labels without a regulariser ended at a training accuracy of 0.70"
    assert all(words in reason for reason in own["reason"].values)
    assert np.isfinite(own["estimate"].sel(test="memorising_falls"))


@pytest.mark.parametrize("condition", ["real", "randY"])
def test_slower_fitting_is_no_evidence_where_nothing_was_fitted(condition):
    metrics = study(1, seeds=3, noise=0.005, rng=np.random.default_rng(23))
    before = claims.test_claims(metrics, CRITERIA).sel(test="real_stays_fast")
    last = {"regularizer": "none", "condition": condition, "epoch": 4}
    metrics["fig5_2"]["train_accuracy"].loc[last] = 0.8
    result = claims.test_claims(metrics, CRITERIA).sel(test="real_stays_fast")
    assert (before["verdict"], result["verdict"]) == (SUPPORTED, INCONCLUSIVE)
    words = f"{condition} without a regulariser ended at a training accuracy of 0.80"
    assert words in result["reason"].item()


def test_parts_on_one_level_of_noise_name_it_unless_all_is_noise():
    metrics = study(1, seeds=3, noise=0.005, rng=np.random.default_rng(24))
    of_noise = {
        "fig3_1": ["spread_randX", "spread_real_less_randY", "extremes_randY"],
        "fig4_2": ["ratio_randX_over_randY_digits", "ratio_randY_over_real_digits"],
    }
    for level, named in ((1.0, False), (0.8, True)):
        metrics["fig3_1"].attrs["noise_level"] = level
        metrics["fig4_2"] = metrics["fig4_2"].sel(noise_level=slice(0, level))
        words = claims.test_claims(metrics, CRITERIA)["description"]
        for parts in of_noise.values():
            for part in parts:
                assert (", at noise level 0.8" in words.sel(test=part).item()) == named
        for part in ("spread_real", "extremes_real"):
            assert "level" not in words.sel(test=part).item()


def test_times_that_are_limits_only_bound_the_slope():
    metrics = study(0, seeds=5, noise=0.005, rng=np.random.default_rng(11))
    limits = metrics["fig2"]["converged"].copy()
    limits.loc[{"dataset_size": 4000, "noise_level": 0.8}] = False
    metrics["fig2"]["converged"] = limits
    result = claims.test_claims(metrics, CRITERIA).sel(test="time_over_size")
    assert result["verdict"] == INCONCLUSIVE  # contradicted, were the times no limits
    assert result["upper"] == np.inf
    assert "5 of the 50 models at the two levels" in result["reason"].item()


def test_gain_after_the_peak_by_hand():
    epochs = np.array([1, 2, 4, 8])
    validation = np.array([0.5, 0.8, 0.7, 0.6])

    def gain(validation, measured):
        at_peak, last = complexity.peak_and_last(
            epochs, np.array(validation), epochs, np.array(measured)
        )
        return last - at_peak

    assert gain(validation, [0.1, 0.2, 0.4, 0.7]) == pytest.approx(0.5)
    # Not measured at the peak: a third of the way from 0.1 at epoch 1 to 0.4 at epoch 4.
    assert gain(validation, [0.1, np.nan, 0.4, 0.7]) == pytest.approx(0.5)
    assert np.isnan(gain(np.full(4, np.nan), [0.1, 0.2, 0.4, 0.7]))
    assert np.isnan(gain(validation, np.full(4, np.nan)))
    # Diverged after the second epoch.
    assert np.isnan(gain([0.5, 0.6, np.nan, np.nan], [0.1, 0.2, np.nan, 0.7]))


def test_models_that_diverged_have_no_gain_and_no_final_accuracy():
    metrics = study(1, seeds=5, noise=0.005, rng=np.random.default_rng(23))
    lost = {"noise_kind": "randY", "noise_level": 0.8}
    parts = ["memorised_after_peak_digits", "ratio_after_peak_digits"]
    parts += [f"{name}_accuracy_falls_randY_digits" for name in ("final", "best")]
    for seeds, reason in (([2], "1 of 5 seeds"), (range(5), "0 of 5 seeds have a value")):
        for seed in seeds:
            for name, along in (
                ("train_accuracy", "epoch"),
                ("validation_accuracy", "epoch"),
                ("critical_sample_ratio", "critical_epoch"),
            ):
                metrics["fig4_2"][name].loc[{**lost, "seed": seed, along: slice(10, None)}] = np.nan
        found = claims.test_claims(metrics, CRITERIA).sel(test=parts)
        for one in found["reason"].values:
            assert reason in one


def test_levels_of_all_noise_are_no_part_of_the_course():
    metrics = study(1, seeds=4, noise=0.005, rng=np.random.default_rng(15))
    parts = [f"{name}_after_peak_digits" for name in ("memorised", "ratio")]
    before = claims.test_claims(metrics, CRITERIA)["estimate"].sel(test=parts)
    for name in ("critical_sample_ratio", "train_accuracy"):
        metrics["fig4_2"][name].loc[{"noise_level": 1.0}] = 0.0
    after = claims.test_claims(metrics, CRITERIA)["estimate"].sel(test=parts)
    xr.testing.assert_equal(before, after)


def test_an_unfinished_training_only_bounds_its_course():
    metrics = study(0, seeds=4, noise=0.005, rng=np.random.default_rng(16))
    train = metrics["fig4_2"]["train_accuracy"]
    metrics["fig4_2"]["train_accuracy"] = train.where(train["noise_level"] < 0.7, 0.3 * train)
    result = claims.test_claims(metrics, CRITERIA)
    for part in ("memorised_after_peak_digits", "ratio_after_peak_digits"):
        one = result.sel(test=part)
        assert one["verdict"] == INCONCLUSIVE
        assert one["upper"] == np.inf
        assert "unfinished at level 0.8: training accuracy down to 0.30" in one["reason"].item()
    assert result["verdict"].sel(test="ratio_over_level_randY_digits") == INCONCLUSIVE


def test_seeds_and_strengths_that_diverged_are_left_out_and_named():
    metrics = study(1, seeds=5, noise=0.001, rng=np.random.default_rng(17))
    untouched = claims.test_claims(metrics, CRITERIA)
    noise = metrics["fig5_1"]["noise_train_accuracy"]
    noise.loc[{"strength_index": 0, "seed": 1}] = np.nan
    noise.loc[{"regularizer": "dropout", "strength_index": 1, "seed": 3}] = np.nan
    result = claims.test_claims(metrics, CRITERIA)
    assert result["verdict"].sel(test="memorising_falls") == SUPPORTED
    before, after = (one["estimate"].sel(test="memorising_falls") for one in (untouched, result))
    assert after == pytest.approx(before.item(), abs=0.02)
    reason = result["reason"].sel(test="memorising_falls_dropout").item()
    assert reason == "1 seeds left out: models diverged; 1 strengths left out: models diverged"
    noise.loc[{"regularizer": "dropout", "strength_index": [1, 2]}] = np.nan
    result = claims.test_claims(metrics, CRITERIA).sel(test="memorising_falls_dropout")
    assert result["verdict"] == INCONCLUSIVE
    assert "diverged" in result["reason"].item()


def test_models_that_diverge_late_do_not_pass_for_slow():
    metrics = study(0, seeds=4, noise=0.005, rng=np.random.default_rng(18))
    train = metrics["fig5_2"]["train_accuracy"]
    train.loc[{"condition": "randY", "regularizer": "dropout", "epoch": 4}] = np.nan
    result = claims.test_claims(metrics, CRITERIA).sel(test="real_stays_fast")
    assert result["verdict"] == INCONCLUSIVE


@pytest.mark.parametrize(
    ("figure", "variable", "part"),
    [
        ("fig3_2", "share_gini", "gini_class"),
        ("fig4_2", "critical_sample_ratio", "ratio_randY_over_real_digits"),
        ("fig4_2", "critical_sample_ratio", "ratio_over_level_randX_digits"),
        ("fig5_1", "noise_train_accuracy", "memorising_falls"),
    ],
)
def test_where_all_diverged_nothing_is_decided(figure, variable, part):
    metrics = study(1, seeds=3, noise=0.005, rng=np.random.default_rng(19))
    metrics[figure][variable] = metrics[figure][variable] * np.nan
    result = claims.test_claims(metrics, CRITERIA).sel(test=part)
    assert result["verdict"] == INCONCLUSIVE
    assert "diverged" in result["reason"].item()


def test_slope_weights_are_least_squares():
    x, y = np.array([0.0, 0.3, 0.4, 1.0]), np.array([1.0, 2.0, 1.5, 4.0])
    assert verdicts.slope_weights(x) @ y == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-12)
    assert verdicts.slope_weights(np.log([1000, 2000, 4000]))[1] == 0
    with pytest.raises(verdicts.Inconclusive, match="only one level"):
        verdicts.slope_weights(np.array([0.5, 0.5]))
