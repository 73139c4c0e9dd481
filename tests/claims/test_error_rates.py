"""Rates of wrong verdicts by resampling: on made-up studies, of which the rates are known."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from made_up_metrics import CRITERIA, study
from rote.claims import error_rates
from rote.claims.verdicts import CONTRADICTED, INCONCLUSIVE, SUPPORTED


@pytest.fixture(scope="module")
def larger() -> dict[str, xr.Dataset]:
    metrics = study(1, seeds=48, noise=0.02, rng=np.random.default_rng(1), examples=1)
    return {figure: metrics[figure] for figure in ("fig3_2", "fig3_3")}


def test_at_the_truth_verdicts_are_wrong_at_the_nominal_rate(larger):
    studies = 400
    claim = error_rates.count(larger, CRITERIA, studies, 6, np.random.default_rng(2))[2]
    assert claim.number == 3
    most = stats.binom.ppf(0.999, studies, 0.03) / studies  # normal values, of which 48 are drawn
    by_name = {one.part.name: one for one in claim.parts}
    assert {"gini_class", "diagonal_share"} <= set(by_name)
    for one in claim.parts:
        assert one.supported <= most and one.contradicted <= most
    assert by_name["gini_class"].supported > 0  # something is counted
    assert claim.contradicted <= most
    # Parts of Figure 3.1 are not there, so that the claim is never supported.
    assert claim.supported == 0


def test_a_claim_is_supported_by_chance_if_its_other_parts_are_supported():
    metrics = {
        "fig2": study(1, seeds=48, noise=0.02, rng=np.random.default_rng(5), examples=1)["fig2"]
    }
    claim = error_rates.count(metrics, CRITERIA, 300, 6, np.random.default_rng(6))[1]
    (only,) = claim.parts
    assert claim.supported == only.supported > 0
    assert claim.contradicted == only.contradicted > 0


def test_an_estimator_without_an_interval_is_found_out(larger, monkeypatch):
    # As if the estimate itself were the interval: half of all studies then decide wrongly.
    def without(part):
        interval = original(part)
        return interval and interval._replace(
            lower=interval.estimate, upper=interval.estimate, reach=lambda confidence: 0.0
        )

    original = error_rates._interval
    monkeypatch.setattr(error_rates, "_interval", without)
    claim = error_rates.count(larger, CRITERIA, 100, 6, np.random.default_rng(2))[2]
    gini = next(one for one in claim.parts if one.part.name == "gini_class")
    assert 0.3 < gini.supported < 0.7
    assert claim.contradicted > 0.7


def test_verdicts_with_the_criterion_as_it_is_are_those_of_studies(larger):
    claim = error_rates.count(larger, CRITERIA, 50, 6, np.random.default_rng(3))[2]
    gini = next(one for one in claim.parts if one.part.name == "gini_class")
    assert gini.of_larger == SUPPORTED
    assert gini.as_it_is == {SUPPORTED: 1.0, INCONCLUSIVE: 0.0, CONTRADICTED: 0.0}
    page = error_rates.markdown([claim], 50, 6, 48)
    assert "**100%**" in page and "| 3 |" in page and "[larger.yaml](larger.yaml)" in page
    empty = error_rates.OfClaim(5, [], 0.0, 0.0)
    page = error_rates.markdown([claim, empty], 50, 4, 48, "other.yaml")
    assert "50 studies of 4 replicates" in page and "one ([other.yaml](other.yaml))" in page
    assert "has no rate here: claims 5, 6, 7, and what" in page
