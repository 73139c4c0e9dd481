"""The quantiles of the intervals: nominal for the populations that are promised, and no others."""

import re

import numpy as np
import pytest
from scipy import stats

from conftest import ROOT
from made_up_metrics import CRITERIA
from rote.claims import best_of_many, coverage, methods, quantiles, verdicts

CONFIDENCES = 0.95, 1 - 0.05 / 8  # the latter as adjusted for eight ends of criteria


def most_by_chance(studies: int, rate: float) -> int:
    """Return a count that chance exceeds once in ten thousand times."""
    return int(stats.binom.ppf(0.9999, studies, rate))


def beyond(values: np.ndarray, quantile: float) -> tuple[int, int]:
    """Return how many intervals lie above 0, the mean of the population, and how many below."""
    t = values.mean(1) / (values.std(1, ddof=1) / np.sqrt(values.shape[1]))
    return int((t > quantile).sum()), int((t < -quantile).sum())


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize("seeds", [2, 3, 4, 6, 10, 48])
def test_the_quantile_is_that_of_simulated_values_with_a_skewness_of_1(seeds, confidence):
    studies, rate = 200_000 if seeds < 48 else 20_000, (1 - confidence) / 2
    rng = np.random.default_rng(seeds)
    # SciPy's distribution with a mean of 0, a standard deviation of 1 and this skewness.
    values = stats.pearson3(1).rvs((studies, seeds), random_state=rng)
    quantile = quantiles.of_mean(seeds, confidence)
    above, below = beyond(values, quantile)
    low, high = stats.binom.ppf([0.0001, 0.9999], studies, rate)
    assert low <= below <= high
    assert above < below / 2
    assert quantile > stats.t.ppf(1 - rate, seeds - 1)


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize("population", coverage.PROMISED)
@pytest.mark.parametrize("seeds", [4, 5, 6])
def test_the_interval_is_nominal_for_the_populations_promised(population, seeds, confidence):
    studies, rate = 100_000, (1 - confidence) / 2
    values = coverage.POPULATIONS[population](np.random.default_rng(50), (studies, seeds))
    most = most_by_chance(studies, rate) / studies
    assert max(coverage.outside(values, confidence)) <= most
    assert max(coverage.outside(-values, confidence)) <= most


def test_other_intervals_are_not_nominal_and_ours_is_not_for_every_population():
    counted = coverage.count(20_000, np.random.default_rng(51))
    most = most_by_chance(20_000, 0.025) / 20_000
    for (confidence, _, population, interval), rates in counted.items():
        if (confidence, population) == (0.95, "gamma, skewness 1"):
            assert (max(rates) <= most) == (interval == "of the claims")
        if (confidence, population) == (0.95, "gamma, skewness 2"):
            assert max(rates) > 2 * most
        if (population, interval) == ("normal", "Student's"):
            nominal = (1 - confidence) / 2
            assert max(rates) <= most_by_chance(20_000, nominal) / 20_000
    page = coverage.markdown(counted, 20_000)
    rates = counted[0.95, 6, "gamma, skewness 1", "Student's"]
    assert f"{rates[0]:.2%} / {rates[1]:.2%}" in page


def test_the_populations_have_a_mean_of_0_and_their_skewness():
    for name, draw in coverage.POPULATIONS.items():
        values = draw(np.random.default_rng(52), (400_000, 1))[:, 0]
        assert abs(values.mean()) < 5 * values.std() / np.sqrt(len(values)), name
        if named := re.search(r"skewness (\S+)", name):
            assert stats.skew(values) == pytest.approx(float(named[1]), rel=0.05)
            assert values.std() == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize(
    ("counts", "seeds", "skewness"),
    [
        ((5,), 4, 1),
        ((5,), 4, -1),
        ((5,), 4, 0.01),
        ((30,), 6, -1),
        ((2, 3), 4, 1),
        ((6, 6), 4, 0.01),
    ],
)
def test_the_best_of_many_has_a_wider_interval_that_is_nominal(counts, seeds, skewness):
    rng, studies, best = np.random.default_rng(53), 2000, 0.0
    for sign, count in zip((1, -1), counts, strict=False):
        values = np.sign(skewness) * coverage.skewed(skewness, rng, (studies, count, seeds))
        best += sign * np.array(
            [best_of_many.effects(best_of_many.Choices(one, 0 * one), 0.02)[0] for one in values]
        )
    most = most_by_chance(studies, 0.025)
    assert max(beyond(best, quantiles.of_best(counts, seeds, 0.95))) <= most
    if skewness == 1 and len(counts) == 1:
        assert max(beyond(best, quantiles.of_mean(seeds, 0.95))) > most


def test_differences_of_two_of_the_best_are_nominal_for_normal_values():
    rng, studies, best = np.random.default_rng(54), 40_000, 0.0
    for sign in (1, -1):
        values = rng.standard_normal((studies, 6, 4))
        others = values.sum(2, keepdims=True) - values
        best += sign * np.take_along_axis(values, others.argmax(1)[:, None], axis=1)[:, 0]
    for confidence in CONFIDENCES:
        most = most_by_chance(studies, (1 - confidence) / 2)
        assert max(beyond(best, quantiles.of_best((6, 6), 4, confidence))) <= most


@pytest.mark.parametrize("seeds", [4, 6])
def test_differences_of_which_one_side_hardly_varies_are_nominal_for_skewed_values(seeds):
    rng, studies = np.random.default_rng(55), 4000
    differences = coverage.skewed(1, rng, (studies, seeds)) - 0.01 * rng.normal(
        size=(studies, seeds)
    )
    most = most_by_chance(studies, 0.025)
    assert max(beyond(differences, quantiles.of_best((1, 1), seeds, 0.95))) <= most


def test_the_best_of_one_has_the_quantile_of_a_mean():
    for seeds in (4, 6):
        of_one = quantiles.of_best((1,), seeds, 0.95)
        assert of_one == pytest.approx(quantiles.of_mean(seeds, 0.95), rel=0.02)


def test_the_pages_tell_the_quantiles():
    told = re.findall(r"([\d.]+) for (\d+)", methods.QUANTILES)
    assert len(told) == 5
    for quantile, seeds in told:
        assert f"{quantiles.of_mean(int(seeds), 0.95):.2f}" == quantile
    page = (ROOT / "docs" / "claims.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", page, re.MULTILINE)
    assert len(rows) == 5
    for seeds, cells in rows:
        for cell, ends in zip(cells.split(" | "), (1, 2, 8, 30), strict=True):
            confidence = verdicts.adjusted_confidence(CRITERIA["confidence"], ends)
            students = stats.t.ppf((1 + confidence) / 2, int(seeds) - 1)
            assert cell == f"{quantiles.of_mean(int(seeds), confidence):.2f} ({students:.2f})"
