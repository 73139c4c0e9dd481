"""Rates of wrong verdicts by resampling: on made-up studies, of which the rates are known."""

import shutil
import sys

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import measure_coverage
import measure_error_rates
from conftest import ROOT
from made_up_metrics import CRITERIA, study
from rote.claims import coverage, error_rates
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


def counted(*arguments: object) -> list[error_rates.OfClaim]:
    """Stand for what takes long."""
    return [error_rates.OfClaim(5, [], 0.25, 0.5)]


@pytest.mark.parametrize("name", ["other/mine.md", "/mine.md", "mine", "mine.txt", "..", ""])
def test_a_page_that_is_no_plain_name_is_refused_before_anything_is_counted(
    name, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "argv", ["measure_error_rates.py", "results", "--page", name])
    with pytest.raises(SystemExit) as exited:
        measure_error_rates.main()
    assert exited.value.code == 2
    assert f"{name} is no plain name of a page, such as mine.md" in capsys.readouterr().err


@pytest.mark.parametrize("script", [measure_error_rates, measure_coverage])
@pytest.mark.parametrize("number", ["0", "-5"])
def test_studies_are_at_least_one(script, number, monkeypatch, capsys):
    monkeypatch.setattr(error_rates, "count", counted)
    monkeypatch.setattr(coverage, "count", counted)
    options = ["results"] if script is measure_error_rates else []
    monkeypatch.setattr(sys, "argv", [script.__name__, *options, "--studies", number])
    with pytest.raises(SystemExit):
        script.main()
    assert f"argument --studies: {number} is less than 1" in capsys.readouterr().err


@pytest.mark.parametrize("script", [measure_error_rates, measure_coverage])
def test_rates_are_told_even_if_the_page_cannot_be_written(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(error_rates, "count", counted)
    monkeypatch.setattr(coverage, "count", counted)
    monkeypatch.setattr(coverage, "markdown", lambda *arguments: "claim 5: 0.25")
    (tmp_path / "file").touch()  # no folder
    monkeypatch.setattr(measure_error_rates, "DOCS", tmp_path / "file")
    monkeypatch.setattr(measure_coverage, "PAGE", tmp_path / "file" / "coverage.md")
    (tmp_path / "metrics").mkdir()
    shutil.copy(ROOT / "docs" / "demo" / "metrics" / "fig2.nc", tmp_path / "metrics")
    options = [str(tmp_path)] if script is measure_error_rates else []
    monkeypatch.setattr(sys, "argv", [script.__name__, *options])
    with pytest.raises(SystemExit, match=r"Error: Cannot write .*\.md \("):
        script.main()
    printed = capsys.readouterr().out
    assert "claim 5:" in printed
    assert "0.25" in printed
