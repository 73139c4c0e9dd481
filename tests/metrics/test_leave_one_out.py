"""Scores by leaving one out of nearest neighbours, whose scores are known."""

import numpy as np
import pytest
from scipy import stats

from neighbour_runs import SETTINGS, SUBSET, Data, runs_of, stretch_of
from rote.files.sweeps import first_of_each
from rote.metrics import leave_one_out
from rote.study import plan


@pytest.fixture(scope="module")
def metrics():
    return first_of_each(leave_one_out.metrics(runs_of("leave_one_out")))


def of_condition(metrics, level: float, seed: int):
    kind = "randY" if level else "real"
    return metrics.sel(condition=kind, noise_level=level, seed=seed)


@pytest.mark.parametrize("level", [0.0, 0.4])
@pytest.mark.parametrize("seed", [0, 1])
def test_scores_are_those_of_the_nearest_of_the_others(metrics, level, seed):
    data, first, found = Data(seed, level), np.arange(SUBSET), of_condition(metrics, level, seed)
    members = plan.members({**SETTINGS, "experiments": SETTINGS["left_out"]})
    own = [m for m in members if (m.seed, m.noise_level) == (seed, level)]
    assert len(own) == 8
    wrong = np.array(
        [
            [not data.right(np.delete(first, i), stretch_of(member))[0][i] for i in first]
            for member in own
        ]
    )
    # Whoever is trained on an example is right about it.
    score = found["left_out_score"].values
    np.testing.assert_allclose(score[:SUBSET], wrong.mean(0), atol=1e-12)
    assert np.isnan(score[SUBSET:]).all()
    assert 0.1 < wrong.mean() < 0.9
    assert found["part_examples"].sel(part="all") == SUBSET
    assert found["part_examples"].sel(part="changed") == data.changed[:SUBSET].sum()


@pytest.mark.parametrize("level", [0.0, 0.4])
def test_influences_are_the_difference_that_an_example_makes_to_another(metrics, level):
    data, found = Data(1, level), of_condition(metrics, level, 1)
    members = plan.members({**SETTINGS, "experiments": SETTINGS["left_out_more"]["models"]})
    own = [m for m in members if (m.seed, m.noise_level) == (1, level)]
    assert len(own) == 12
    pairs = np.array(SETTINGS["left_out_more"]["pairs"])
    candidates = np.unique(pairs[:, 0])
    expected = []
    for train, validation in pairs:
        without = {
            left: np.mean(
                [
                    data.right(np.delete(np.arange(SUBSET), left), stretch_of(member))[1][
                        validation
                    ]
                    for member in own
                ]
            )
            for left in candidates
        }
        others = [value for left, value in without.items() if left != train]
        expected.append(np.mean(others) - without[train])
    np.testing.assert_allclose(found["left_out_influence"], expected, atol=1e-12)
    assert found["pair_train"].values.tolist() == pairs[:, 0].tolist()
    assert found["pair_validation"].values.tolist() == pairs[:, 1].tolist()


def test_agreement_is_that_of_the_scores(metrics):
    for level in (0.0, 0.4):
        for seed in (0, 1):
            found = of_condition(metrics, level, seed)
            x, y = (found[f"{way}_score"].values[:SUBSET] for way in ("subset", "left_out"))
            for part, where in (("all", slice(None)), ("kept", ~found["changed"].values[:SUBSET])):
                own = found.sel(part=part)
                r = stats.pearsonr(x[where], y[where]).statistic
                assert own["pearson"] == pytest.approx(r)
                rank = stats.spearmanr(x[where], y[where]).statistic
                assert own["spearman"] == pytest.approx(rank)
                assert own["pearson_low"] < own["pearson"] < own["pearson_high"]
                assert own["difference"] == pytest.approx(y[where].mean() - x[where].mean())
                assert 0 < own["difference_error"] < 0.2
                slope = stats.linregress(x[where], y[where]).slope
                assert own["slope"] * own["subset_reliability"] == pytest.approx(slope)
            assert found["pearson"].sel(part="all") > 0.3
    assert metrics["pearson"].sel(part="changed", condition="real").isnull().all()
    assert metrics["pearson"].sel(condition="real", noise_level=0.4).isnull().all()


def test_numbers_of_models_are_said(metrics):
    assert metrics.attrs["subset_models"] == 60
    assert metrics.attrs["replicates"] == 8
    assert metrics.attrs["pair_replicates"] == 12
    assert metrics.attrs["trained"] == SUBSET - 1
    assert (metrics["fitted_models"].sel(condition="real", noise_level=0) == 1).all()


def test_without_pairs_there_are_no_influences():
    settings = {key: value for key, value in SETTINGS.items() if key != "left_out_more"}
    found = leave_one_out.metrics(runs_of("leave_one_out", settings))
    assert "left_out_influence" not in found
    assert found["pearson"].sel(part="pairs").isnull().all()


def test_models_that_diverged_are_left_out_and_what_is_left_is_compared():
    runs = runs_of("leave_one_out")
    for run in runs:
        run["diverged_epoch"][3] = 1
    found = first_of_each(leave_one_out.metrics(runs))
    own = of_condition(found, 0.0, 0)
    assert own["diverged_models"] > 0
    assert np.isfinite(own["left_out_score"].values[:SUBSET]).all()
    assert np.isfinite(own["pearson"].sel(part=["all", "pairs"])).all()


def test_every_variable_says_what_it_is(metrics):
    for name in {*metrics.variables} - {"example", "pair"}:
        assert metrics[name].attrs.get("long_name"), name
        assert metrics[name].dtype.kind in "OUT" or metrics[name].attrs.get("units") == "1", name


def test_cheap_measures_are_compared_by_rank(metrics):
    (measured,) = (run for run in runs_of("leave_one_out") if "right" not in run)
    assert metrics.attrs["proxy_models"] == SETTINGS["proxies"]
    for level in (0.0, 0.4):
        found = of_condition(metrics, level, 1)
        own = measured.isel(
            member=np.flatnonzero((measured["seed"] == 1) & (measured["noise_level"] == level))
        )
        values = np.nanmean(own["area_under_margin"].values, axis=0)
        one = found.sel(proxy="area_under_margin")
        np.testing.assert_allclose(one["proxy_value"], values)
        score = found["left_out_score"].values[:SUBSET]
        rank = stats.spearmanr(-values[:SUBSET], score).statistic
        assert one["proxy_correlation"] == pytest.approx(rank)
        assert one["proxy_correlation_low"] < rank < one["proxy_correlation_high"]
        assert 0.9 < found["rank_ceiling"] <= 1
