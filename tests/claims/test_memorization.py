"""The claims of our own, on studies made up so that the truth is known."""

import copy

import numpy as np
import pytest
import xarray as xr

from made_up_metrics import CRITERIA, study
from rote import claims
from rote.claims.verdicts import CONTRADICTED, INCONCLUSIVE, NOT_TESTED, SUPPORTED

LEVELS = [0.0, 0.4, 1.0]
SEEDS = 6


def scores(real, kept, changed, mean=0.9, noise=0.002, fitted=1.0) -> xr.Dataset:
    """Return metrics of ``memorization``: shares of real data, and of what noise left or changed.

    At the highest level nothing is kept, and ``mean`` is the mean score of randY there.
    """
    rng = np.random.default_rng(0)
    shape = 1, 1, 3, 3, 3, SEEDS  # fraction, rate, part, condition, level, seed
    share = np.full(shape, np.nan)
    share[:, :, :, 0] = real
    share[:, :, :, 1:, 0] = real
    for level, both in ((1, (kept, changed - 0.3)), (2, (np.nan, changed))):
        for part, value in enumerate(both, start=1):
            share[:, :, part, 1:, level] = value
    of_parts = "fraction", "learning_rate", "part", "condition", "noise_level", "seed"
    accuracy = np.full((1, 1, 3, 3, SEEDS), fitted)
    return xr.Dataset(
        {
            "memorized_share": (of_parts, share + noise * rng.normal(size=shape)),
            "mean_memorization": (of_parts, mean + noise * rng.normal(size=shape)),
            "train_accuracy": ([d for d in of_parts if d != "part"], accuracy),
        },
        coords={
            "fraction": [0.7],
            "learning_rate": [0.1],
            "part": ["all", "kept", "changed"],
            "condition": ["real", "randX", "randY"],
            "noise_level": LEVELS,
        },
        attrs={"classes": 10},
    )


def variants(fall, noise=0.002, taken=0.6, fitted=1.0, bend=0.0) -> xr.Dataset:
    """Return metrics of ``fair_proxy``: dropout at a strength takes ``taken`` from random labels.

    With it the share of real examples that are memorised falls by ``fall``, from 0.4; where models
    end early at the same accuracy, it falls by ``bend``.
    """
    rng = np.random.default_rng(1)
    varied = ["nothing", "width", "epochs", *["dropout"] * 3]
    noise_accuracy = np.array([1, 1, 0.9, 1, 1 - taken, 0.8 - taken]) * fitted
    share = np.array([0.4, 0.4, 0.38, 0.4, 0.4 - fall, 0.4 - 1.2 * fall])
    early = np.array([np.nan, np.nan, np.nan, 0.4, 0.4 - bend, 0.4 - bend])

    def of_seeds(values):
        return ("variant", "seed"), values[:, None] + noise * rng.normal(size=(6, SEEDS))

    return xr.Dataset(
        {
            "memorized_share": of_seeds(share),
            "noise_train_accuracy": of_seeds(noise_accuracy),
            "train_accuracy": of_seeds(np.full(6, fitted)),
            "share_of_early_end": of_seeds(early),
        },
        coords={
            "variant": [f"{name} {i}" for i, name in enumerate(varied)],
            "varied": ("variant", varied),
            "strength": ("variant", [0.0, 64, 5, 0.1, 0.5, 0.8]),
            "seed": np.arange(SEEDS),
        },
    )


def decided(**metrics) -> dict[str, str]:
    result = claims.test_claims(metrics, CRITERIA)
    own = result.isel(test=np.flatnonzero(result["claim"] > 5))
    parts = dict(zip(own["test"].values.tolist(), own["verdict"].values.tolist(), strict=True))
    of_claims = result["claim_verdict"].sel(conclusion=result["conclusion"] > 5)
    return parts | dict(zip(of_claims["conclusion"].values.tolist(), of_claims.values, strict=True))


def test_noise_that_is_memorised_and_real_data_that_is_not():
    found = decided(memorization=scores(real=0.01, kept=0.4, changed=0.99))
    assert found == {
        "memorized_real": SUPPORTED,
        "memorized_randX": SUPPORTED,
        "memorized_randY": SUPPORTED,
        "kept_less_real_randX": SUPPORTED,
        "kept_less_real_randY": SUPPORTED,
        "beyond_fitting": SUPPORTED,  # 0.9 of a training accuracy of 1 with 10 classes
        6: SUPPORTED,
    }


def test_real_data_that_is_memorised_and_noise_that_is_not():
    found = decided(memorization=scores(real=0.4, kept=0.3, changed=0.6, mean=0.6))
    assert set(found.values()) == {CONTRADICTED}


def test_only_the_core_parts_make_the_verdict():
    found = decided(memorization=scores(real=0.01, kept=0.0, changed=0.99, mean=0.5))
    assert found["kept_less_real_randX"] == found["beyond_fitting"] == CONTRADICTED
    assert found[6] == SUPPORTED
    result = claims.test_claims({"memorization": scores(0.01, 0.0, 0.99)}, CRITERIA)
    stated = dict(zip(result["test"].values, result["stated_by"].values, strict=True))
    core = {name for name, by in stated.items() if by == "rote"}
    assert core == {"memorized_real", "memorized_randX", "memorized_randY"}


@pytest.mark.parametrize("own", [{"noise": 0.5}, {"fitted": 0.8}])
def test_what_varies_or_was_not_fitted_decides_nothing(own):
    found = decided(memorization=scores(real=0.05, kept=0.2, changed=0.9, **own))
    assert set(found.values()) == {INCONCLUSIVE}


def test_a_difference_of_which_either_was_not_fitted_decides_nothing():
    for unfitted in ({"condition": "real", "noise_level": 0.0}, {"condition": "randY"}):
        metrics = scores(real=0.01, kept=0.4, changed=0.99)
        metrics["train_accuracy"].loc[unfitted] = 0.8
        assert decided(memorization=metrics)["kept_less_real_randY"] == INCONCLUSIVE


def test_levels_and_conditions_are_the_highest_the_lowest_and_those_that_there_are():
    metrics = scores(real=0.01, kept=0.4, changed=0.99)
    result = claims.test_claims({"memorization": metrics}, CRITERIA).set_index(test="test")
    estimate = result["estimate"]
    assert estimate.sel(test="memorized_randY").item() == pytest.approx(0.99, abs=0.01)
    assert estimate.sel(test="kept_less_real_randX").item() == pytest.approx(0.39, abs=0.01)
    half = decided(memorization=metrics.sel(noise_level=[0.0, 0.4]))
    assert half["memorized_randX"] == CONTRADICTED  # 0.69 are memorised there
    assert half["beyond_fitting"] == NOT_TESTED
    none = decided(memorization=metrics.sel(noise_level=[0.0]))
    assert none == {"memorized_real": SUPPORTED, 6: SUPPORTED}


def test_regularisers_that_take_from_both():
    found = decided(fair_proxy=variants(fall=0.2))
    assert found["natural_falls_dropout"] == SUPPORTED
    assert found["natural_falls_at_equal_accuracy_dropout"] == SUPPORTED
    assert found["move_together"] == SUPPORTED
    assert found[7] == SUPPORTED
    result = claims.test_claims({"fair_proxy": variants(fall=0.2)}, CRITERIA)
    # At the second strength: the first takes nothing from random labels.
    assert result["estimate"].sel(test="natural_falls_dropout").item() == pytest.approx(
        0.2, abs=0.01
    )


def test_regularisers_that_take_from_noise_alone():
    found = decided(fair_proxy=variants(fall=-0.1))
    assert found["natural_falls_dropout"] == found[7] == CONTRADICTED
    assert found["move_together"] == CONTRADICTED
    # What models that end early lose, too, is no merit of the regulariser; it is no core part.
    found = decided(fair_proxy=variants(fall=0.2, bend=0.2))
    assert found["natural_falls_at_equal_accuracy_dropout"] == CONTRADICTED
    assert found[7] == SUPPORTED


def test_regularisers_of_which_nothing_can_be_said():
    little = claims.test_claims({"fair_proxy": variants(fall=0.2, taken=-0.15)}, CRITERIA)
    one = little.sel(test="natural_falls_dropout")
    assert one["verdict"] == INCONCLUSIVE
    assert "no strength takes much from noise: 0.05 at most" in one["reason"].item()
    for own in ({"fitted": 0.8}, {"noise": 0.3}):
        assert (
            decided(fair_proxy=variants(fall=0.2, **own))["natural_falls_dropout"] == INCONCLUSIVE
        )
    alone = decided(fair_proxy=variants(fall=0.2).isel(seed=[0]))
    assert set(alone.values()) == {INCONCLUSIVE}
    constant = variants(fall=0.2)
    constant["noise_train_accuracy"][:] = 1.0
    assert decided(fair_proxy=constant)["move_together"] == INCONCLUSIVE
    missing = variants(fall=0.2)
    missing["noise_train_accuracy"][3:] = np.nan
    assert decided(fair_proxy=missing)["natural_falls_dropout"] == INCONCLUSIVE


def test_claims_of_our_own_leave_the_posters_as_they_are():
    poster = study(1, seeds=6, noise=0.005, rng=np.random.default_rng(34))
    before = claims.test_claims(poster, CRITERIA)
    own = {"memorization": scores(0.4, 0.3, 0.6), "fair_proxy": variants(-0.1)}
    for added, conclusions in (
        ({}, [1, 2, 3, 4, 5]),
        ({"memorization": own["memorization"]}, [1, 2, 3, 4, 5, 6]),
        ({"fair_proxy": own["fair_proxy"]}, [1, 2, 3, 4, 5, 7]),
        (own, [1, 2, 3, 4, 5, 6, 7]),
    ):
        found = claims.test_claims(copy.copy(poster) | added, CRITERIA)
        assert found["conclusion"].values.tolist() == conclusions
        of_poster = found.isel(test=np.flatnonzero(found["claim"] < 6))
        assert of_poster["test"].values.tolist() == before["test"].values.tolist()
        for name in ("verdict", "estimate", "adjusted_lower", "adjusted_upper", "reason"):
            xr.testing.assert_equal(
                of_poster[name].drop_vars("claim"), before[name].drop_vars("claim")
            )
        same = found["claim_verdict"].sel(conclusion=[1, 2, 3, 4, 5])
        assert same.values.tolist() == before["claim_verdict"].values.tolist()
