"""Agreement of two noisy ways, against SciPy and over studies whose truth is known."""

import numpy as np
import pytest
from scipy import stats

from rote.measures import memorization
from rote.measures.agreement import (
    Estimate,
    agreement,
    linear_reliability,
    rank_reliability,
    slope,
)
from rote.measures.correlation import pearson, spearman


def of_units(units: np.ndarray) -> Estimate:
    """Return the estimate that is the mean over units (units, targets)."""
    return Estimate(len(units), lambda own: units[own].mean(0))


def noisy(truth: np.ndarray, noise: float, units: int, rng) -> Estimate:
    return of_units(truth + noise * rng.normal(size=(units, len(truth))))


def test_correlations_and_slope_are_those_of_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 30)).round(1)
    y = y + x
    assert pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert slope(x, y) == pytest.approx(stats.linregress(x, y).slope)


def test_what_does_not_vary_or_is_missing_has_no_correlation():
    x = np.arange(4.0)
    for y in (np.full(4, 0.3), np.array([1, np.nan, np.nan, 0])):
        assert np.isnan([pearson(x, y), spearman(x, y)]).all()
    assert np.isnan(pearson(x, np.array([1, 2, np.nan, 0])))
    assert spearman(x, np.array([1, 2, np.nan, 0])) == -0.5
    assert np.isnan(slope(np.full(4, 0.1), x))
    found = agreement(of_units(np.ones((6, 4))), of_units(np.ones((6, 4))), np.arange(4))
    assert np.isnan([*found.values()]).all(), found


def test_the_reliability_is_the_correlation_with_another_study():
    rng = np.random.default_rng(2)
    truth = rng.normal(size=4000)
    first, second = (noisy(truth, 3, 12, rng) for _ in range(2))  # half of the variance is noise
    pair = first.value(), second.value()
    expected = pearson(*pair)
    assert expected == pytest.approx(1 / (1 + 9 / 12), abs=0.03)
    assert linear_reliability(first) == pytest.approx(expected, abs=0.03)
    assert rank_reliability(first) == pytest.approx(spearman(*pair), abs=0.03)
    nothing = noisy(np.zeros(4000), 3, 12, rng)
    assert abs(linear_reliability(nothing)) < 0.06
    assert abs(rank_reliability(nothing)) < 0.06
    assert np.isnan(linear_reliability(of_units(np.ones((1, 3)))))
    assert np.isnan(rank_reliability(of_units(np.ones((3, 3)))))
    assert np.isnan(linear_reliability(of_units(np.ones((6, 3)))))


def by_models(scores: np.ndarray, models: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Return models of random subsets: one trained on an example is right; others, less often."""
    trained = rng.random((models, len(scores))) < 0.7
    return trained | (rng.random(trained.shape) < 1 - scores), trained


def of_models(right: np.ndarray, trained: np.ndarray) -> Estimate:
    return Estimate(len(right), lambda own: memorization.memorization(right[own], trained[own])[0])


@pytest.mark.parametrize("zeros", [0.0, 0.6, 0.8])
def test_the_reliability_of_ranks_is_that_of_another_study_where_many_are_tied(zeros):
    rng = np.random.default_rng(12)
    scores = np.where(rng.random(600) < zeros, 0.01, rng.random(600))
    studies = [by_models(scores, 400, rng) for _ in range(2)]
    one, other = (of_models(*study) for study in studies)
    expected = spearman(one.value(), other.value())
    assert rank_reliability(one) == pytest.approx(expected, abs=0.04)
    assert rank_reliability(one) == pytest.approx(memorization.reliability(*studies[0]), abs=0.01)


def test_targets_that_a_part_does_not_tell_do_not_count_there():
    rng = np.random.default_rng(13)
    right, trained = by_models(rng.random(300), 60, rng)
    whole = of_models(right, trained)
    trained = np.concatenate([trained, np.ones((60, 1), bool)], axis=1)
    trained[0, -1] = False  # one half alone has a model without this example
    right = np.concatenate([right, trained[:, -1:]], axis=1)
    for reliability in (linear_reliability, rank_reliability):
        assert reliability(of_models(right, trained)) == pytest.approx(reliability(whole))


def test_ways_that_agree_but_for_noise_reach_the_ceiling_and_have_the_slope():
    rng = np.random.default_rng(3)
    truth = rng.normal(size=3000)
    one, other = noisy(0.7 * truth, 3, 20, rng), noisy(truth, 3, 9, rng)
    found = agreement(one, other, np.arange(3000))
    assert found["pearson"] < 0.6
    for name in ("pearson", "spearman"):
        assert found[name] == pytest.approx(found[f"{name}_ceiling"], abs=0.04)
    assert found["slope"] == pytest.approx(0.7, abs=0.06)
    assert found["subset_reliability"] == pytest.approx(0.5, abs=0.04)
    assert found["left_out_reliability"] == pytest.approx(0.49 / (0.49 + 9 / 20), abs=0.04)


@pytest.mark.parametrize("size", [1, 5])
def test_intervals_hold_the_truth_as_often_as_they_say(size):
    rng = np.random.default_rng(4)
    held = {"pearson": 0, "slope": 0}
    count, clusters = 200, 40
    for _ in range(count):
        # What targets share in a cluster, they share wholly: there are as many as clusters.
        shared = rng.normal(size=(2, clusters))
        x, y = np.repeat([shared[0], 0.8 * shared[0] + 0.6 * shared[1]], size, axis=1)
        ways = [Estimate(2, lambda own, values=values: values) for values in (y, x)]
        found = agreement(*ways, np.repeat(np.arange(clusters), size))
        for name, true in (("pearson", 0.8), ("slope", 0.8)):
            held[name] += found[f"{name}_low"] < true < found[f"{name}_high"]
    for name in held:
        assert 0.89 <= held[name] / count <= 0.985, name
