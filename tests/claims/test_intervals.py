"""From an interval to a verdict, and the effects that it finds."""

from functools import partial

import numpy as np
import pytest
from scipy import integrate, stats

from made_up_metrics import CRITERIA, students
from rote.claims import intervals, quantiles, verdicts
from rote.claims.verdicts import CONTRADICTED, INCONCLUSIVE, NOT_TESTED, SUPPORTED, Interval


def test_an_interval_by_students_quantile_is_that_of_scipy():
    values = np.array([0.31, 0.35, 0.32, 0.40])
    interval = verdicts.over_seeds(np.append(values, np.nan), CRITERIA, students)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval.lower == pytest.approx(expected.low, rel=1e-12)
    assert interval.upper == pytest.approx(expected.high, rel=1e-12)
    assert interval.based_on == "4 seeds"
    assert "1 of 5 seeds" in interval.caveat
    wider = verdicts.over_seeds(values, CRITERIA)
    half = quantiles.of_mean(4, CRITERIA["confidence"]) * stats.sem(values)
    assert (wider.lower, wider.upper) == pytest.approx((values.mean() - half, values.mean() + half))


def test_the_adjusted_interval_by_hand():
    # The mean is 2 and s = 1. With two degrees of freedom Student's quantile of p has a closed
    # form, (2p − 1) / √(2p(1 − p)): 4.3027 at 0.975, and for two comparisons 6.2053 at 0.9875.
    interval = verdicts.over_seeds(np.array([1.0, 2, 3]), CRITERIA, students)
    assert interval.standard_error == pytest.approx(1 / np.sqrt(3))
    assert interval.upper == pytest.approx(2 + 4.302653 / np.sqrt(3), rel=1e-6)
    confidence = verdicts.adjusted_confidence(0.95, 2)
    assert confidence == pytest.approx(0.975)
    lower, upper = interval.at(confidence)
    assert lower == pytest.approx(2 - 6.205347 / np.sqrt(3), rel=1e-6)
    assert upper == pytest.approx(2 + 6.205347 / np.sqrt(3), rel=1e-6)
    holds = 5.0, np.inf  # above the interval, which ends at 4.48, but not above the adjusted one
    assert verdicts.verdict(interval, holds) == CONTRADICTED
    assert verdicts.verdict(interval, holds, (lower, upper)) == INCONCLUSIVE
    bound = interval.bounded(False, True, "censored").at(confidence)
    assert bound == (-np.inf, upper)


@pytest.mark.parametrize(
    ("interval", "holds", "expected"),
    [
        ((0.3, 0.2, 0.4), (0.1, np.inf), SUPPORTED),
        ((0.3, 0.05, 0.4), (0.1, np.inf), INCONCLUSIVE),
        ((0.0, -0.1, 0.09), (0.1, np.inf), CONTRADICTED),
        ((1.1, 0.9, 1.3), (0.67, 1.5), SUPPORTED),
        ((1.6, 1.4, 1.8), (0.67, 1.5), INCONCLUSIVE),
        ((1.8, 1.6, 2.0), (0.67, 1.5), CONTRADICTED),
        ((0.5, 0.4, 0.6), (0.67, 1.5), CONTRADICTED),
    ],
)
def test_verdict(interval, holds, expected):
    assert verdicts.verdict(Interval(*interval, "3 seeds"), holds) == expected


def test_a_bound_can_support_but_not_contradict():
    bound = Interval(0.3, 0.2, 0.4, "3 seeds").bounded(True, False, "censored")
    assert verdicts.verdict(bound, (0.1, np.inf)) == SUPPORTED
    assert verdicts.verdict(bound, (0.5, np.inf)) == INCONCLUSIVE
    assert bound.caveat == "censored"


def test_without_a_standard_error_nothing_is_contradicted():
    assert Interval(0.0, -0.1, 0.09, "3 seeds").at(0.99) == (-np.inf, np.inf)


@pytest.mark.parametrize(
    "values", [[0.0] * 4, [0.1 + 0.2, 0.3, 0.3, 0.3], [1e6, 1e6, 1e6 + 1e-3, 1e6]]
)
def test_equal_values_decide_nothing(values):
    interval = verdicts.over_seeds(np.array([*values, np.nan]), CRITERIA)
    assert (interval.lower, interval.upper) == (-np.inf, np.inf)
    assert interval.estimate == pytest.approx(values[0])
    assert interval.standard_error == 0
    assert "all 4 seeds have the same value, so that nothing tells how far" in interval.caveat
    for holds in ((-np.inf, 10.0), (10.0, np.inf), (-1.0, 1.0)):
        assert verdicts.verdict(interval, holds, interval.at(0.99)) == INCONCLUSIVE
        assert interval.detectable(holds, 0.95) == np.inf
    assert np.isfinite(verdicts.over_seeds(np.add(values, [0, 0, 0, 2]), CRITERIA).lower)


def test_claim_is_supported_by_all_its_parts():
    assert verdicts.combined([SUPPORTED, SUPPORTED]) == SUPPORTED
    assert verdicts.combined([SUPPORTED, INCONCLUSIVE]) == INCONCLUSIVE
    assert verdicts.combined([SUPPORTED, INCONCLUSIVE, CONTRADICTED]) == CONTRADICTED
    assert verdicts.combined([]) == INCONCLUSIVE
    assert verdicts.combined([SUPPORTED, NOT_TESTED]) == INCONCLUSIVE
    assert verdicts.combined([CONTRADICTED, NOT_TESTED]) == CONTRADICTED
    assert verdicts.combined([NOT_TESTED, NOT_TESTED]) == NOT_TESTED


@pytest.mark.parametrize("seeds", [3, 6])
def test_two_ends_of_a_criterion_are_two_ways_to_be_wrong(seeds):
    # A criterion so narrow that an estimate lies beyond either end as often.
    rng, studies, holds = np.random.default_rng(31), 4000, (-1e-6, 1e-6)
    part = verdicts.Part("name", "fig1", "", "", holds, lambda: None)
    assert verdicts.comparisons([part, part]) == 4
    confidence, count = verdicts.adjusted_confidence(0.95, verdicts.comparisons([part])), 0
    for values in rng.normal(0, 0.1, (studies, seeds)):
        interval = verdicts.over_seeds(values, CRITERIA, students)
        count += verdicts.verdict(interval, holds, interval.at(confidence)) == CONTRADICTED
    low, high = stats.binom.ppf([0.001, 0.999], studies, (1 - CRITERIA["confidence"]) / 2)
    assert low <= count <= high


def of_standard_error(estimate: float, error: float, seeds: int) -> Interval:
    """Return an interval of which the standard error is known."""
    reach = partial(quantiles.of_mean, seeds)
    half = reach(CRITERIA["confidence"]) * error
    return Interval(
        estimate, estimate - half, estimate + half, "seeds", "", error, seeds - 1, reach
    )


@pytest.mark.parametrize("upwards", [True, False])
@pytest.mark.parametrize("seeds", [3, 6, 10])
def test_the_detectable_effect_is_found_four_times_in_five(seeds, upwards):
    rng, studies, deviation = np.random.default_rng(32), 4000, 0.1
    holds = (CRITERIA["margin"], np.inf) if upwards else (-np.inf, CRITERIA["margin"])
    known = of_standard_error(0.0, deviation / np.sqrt(seeds), seeds)
    distance = known.detectable(holds, CRITERIA["confidence"])
    true, count = CRITERIA["margin"] + (distance if upwards else -distance), 0
    for values in rng.normal(true, deviation, (studies, seeds)):
        count += verdicts.verdict(verdicts.over_seeds(values, CRITERIA), holds) == SUPPORTED
    low, high = stats.binom.ppf([0.001, 0.999], studies, 0.8)
    assert low <= count <= high


def test_the_noncentrality_is_that_of_an_integral_over_standard_errors():
    for quantile, degrees in ((4.302653, 2), (2.570582, 5), (9.7, 3)):
        shift = intervals.noncentrality(quantile, degrees)

        def found(ratio, quantile=quantile, degrees=degrees, shift=shift):
            chi = stats.chi(degrees, scale=1 / np.sqrt(degrees)).pdf(ratio)
            return stats.norm.cdf(shift - quantile * ratio) * chi

        assert integrate.quad(found, 0, 10)[0] == pytest.approx(0.8, abs=1e-7)


def test_nothing_is_detectable_without_a_bound_or_between_ends_that_are_close():
    interval = of_standard_error(0.5, 0.1, 6)
    up, down, reached = (
        (0.4, np.inf),
        (-np.inf, 0.4),
        0.1 * intervals.noncentrality(interval.reach(0.95), 5),
    )
    assert interval.detectable(up, 0.95) == pytest.approx(reached)
    assert interval.bounded(True, False, "").detectable(up, 0.95) == pytest.approx(reached)
    assert interval.bounded(True, False, "").detectable(down, 0.95) == np.inf
    assert interval.bounded(False, True, "").detectable(up, 0.95) == np.inf
    assert interval.detectable((0.0, 3.1 * reached), 0.95) == pytest.approx(reached)
    assert interval.detectable((0.0, 2.9 * reached), 0.95) == np.inf
