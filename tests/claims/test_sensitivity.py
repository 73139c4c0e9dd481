"""Claim 3, second half: verdicts on sensitivity hang on no threshold, and on no unfitted model."""

import numpy as np
import pytest
import xarray as xr

from made_up_metrics import CRITERIA, study
from made_up_runs import made_up_sensitivity
from rote import claims
from rote.claims import sensitivity
from rote.claims.verdicts import INCONCLUSIVE, SUPPORTED
from rote.metrics import fig3_2, fig3_3


def made_up(effect: float = 1) -> dict:
    return study(effect, seeds=6, noise=0.005, rng=np.random.default_rng(32))


def decided(metrics: dict, part: str) -> xr.Dataset:
    return claims.test_claims(metrics, CRITERIA).sel(test=part)


@pytest.mark.parametrize("times", [1e4, 1e30])
def test_an_update_that_explodes_weighs_no_more_than_another(times):
    run = made_up_sensitivity("class")
    before = fig3_2.metrics([run])
    run["sensitivity"][3, :, 2] *= times  # real, seed 1
    after = fig3_2.metrics([run])
    np.testing.assert_allclose(after["share_gini"], before["share_gini"], rtol=1e-12)
    exploded = {"condition": "real", "seed": 1, "update": 10}
    assert not np.isclose(after["gini"].sel(exploded), before["gini"].sel(exploded)).any()
    before = fig3_3.metrics([run])
    run["class_sensitivity"][3, :, 1] *= times
    after = fig3_3.metrics([run])
    for name in ("class_share", "diagonal_share", "off_diagonal_gini"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-12)


@pytest.mark.parametrize(
    ("figure", "part"), [("fig3_2", "gini_class"), ("fig3_2", "gini_class_l2"),
                         ("fig3_3", "diagonal_share"), ("fig3_3", "off_diagonal_gini")],
)  # fmt: skip
@pytest.mark.parametrize("condition", ["real", "randX"])
def test_models_must_have_fitted(figure, part, condition):
    metrics = made_up()
    assert decided(metrics, part)["verdict"] == SUPPORTED
    accuracy = metrics[figure]["train_accuracy"]
    if figure == "fig3_2":
        accuracy[..., :-1, :] = 0.1  # before the last update it does not count
    assert decided(metrics, part)["verdict"] == SUPPORTED
    accuracy.loc[{"condition": condition}] = 0.85
    one = decided(metrics, part)
    assert one["verdict"] == INCONCLUSIVE
    assert f"that of {condition} ended at a training accuracy of 0.85" in one["reason"].item()


def test_a_seed_without_a_value_is_named():
    metrics = made_up()
    lost = {"labelling": "unique", "condition": "randX", "seed": 2, "update": 2}
    metrics["fig3_2"]["share_gini"].loc[lost] = np.nan
    one = decided(metrics, "gini_unique")
    assert one["verdict"] == SUPPORTED
    assert one["reason"] == "1 of 6 seeds have no value and are left out"


def test_the_last_update_counts_though_all_sensitivities_have_overflowed():
    metrics = made_up()
    metrics["fig3_2"]["share_gini"][..., -1, :] = np.nan
    assert decided(metrics, "gini_class")["verdict"] == INCONCLUSIVE


def test_other_norms_are_compared_on_both_sides():
    metrics = made_up()
    gini, margin = metrics["fig3_2"]["share_gini"], CRITERIA["margin"]
    place = {"labelling": "class", "condition": "real", "norm": "linf"}
    for moved in (2 * margin, -2 * margin):
        gini.loc[place] += moved
        one = decided(metrics, "gini_class_linf")
        assert one["verdict"].item() not in (SUPPORTED, INCONCLUSIVE)
        assert one["estimate"] == pytest.approx(moved, abs=0.003)
        gini.loc[place] -= moved
    assert decided(metrics, "gini_class_linf")["verdict"] == SUPPORTED


def test_every_part_is_defined():
    for part in sensitivity.parts(made_up(), CRITERIA):
        assert len(part.definition.split()) > 20, part.name
        assert "  " not in part.definition
