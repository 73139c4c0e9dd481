"""How often a verdict is wrong, in studies made up so that the truth is known."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from made_up_metrics import CRITERIA, HOLDS_IN_REVERSE, HOLDS_WITHOUT, most_by_chance, study
from rote import claims
from rote.claims import verdicts
from rote.claims.verdicts import CONTRADICTED, INCONCLUSIVE, SUPPORTED, Interval

pytestmark = pytest.mark.usefixtures("few_simulations")


def intervals_of(metrics: dict, names: set[str] | None = None) -> dict:
    """Return parts with their adjusted confidence, and their intervals, by name."""
    firsts, found = claims.Metrics.of(metrics), {}
    for _, module in claims.CLAIMS.values():
        parts = list(module.parts(firsts, CRITERIA))
        counts = verdicts.comparisons_beside(parts)
        for part in parts:
            if names is None or part.name in names:
                level = verdicts.adjusted_confidence(CRITERIA["confidence"], counts[part.core])
                try:
                    found[part.name] = (part, level), part.interval()
                except verdicts.Inconclusive:
                    found[part.name] = (part, level), None
    return found


def of_three(interval: Interval, number: int) -> Interval:
    """Return the interval over three of the seeds."""
    return verdicts.over_seeds(np.array(interval.values[3 * number : 3 * number + 3]), CRITERIA)


def all_alike(name: str, whole: dict, alone: list[dict]) -> bool:
    """Return whether the interval of each study is that over its seeds among those of all."""
    if whole[name][1] is None:
        return False
    for i, few in enumerate(alone):
        own, of_whole = few[name][1], of_three(whole[name][1], i)
        if own is None or own[:3] != pytest.approx(of_whole[:3], rel=1e-9, abs=1e-12):
            return False
    return True


def decided_on(part: tuple[verdicts.Part, float], interval: Interval | None) -> str:
    """Return the verdict on a part."""
    if interval is None:
        return INCONCLUSIVE
    return verdicts.verdict(interval, part[0].holds, interval.at(part[1]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("effect", "noise", "wrong"), [(0, 0.05, SUPPORTED), (1, 0.02, CONTRADICTED)]
)
def test_rate_of_wrong_verdicts_is_at_most_nominal(effect, noise, wrong):
    rng, studies, together = np.random.default_rng(3), 0, 20
    nominal = (1 - CRITERIA["confidence"]) / 2
    count, of_seeds = Counter(), None
    while studies < 200:
        # Studies of three seeds each, made up at once.
        metrics = study(effect, seeds=3 * together, noise=noise, rng=rng, examples=1)
        del metrics["fig3_1"]  # which takes long: tests/claims/test_examples.py has its rates
        each = [
            {figure: one.isel(seed=slice(i, i + 3)) for figure, one in metrics.items()}
            for i in range(0, 3 * together, 3)
        ]
        whole = intervals_of(metrics)
        if of_seeds is None:
            # What a seed has of most parts does not depend on others: these go through the
            # estimators once for many studies.
            alone = [intervals_of(few) for few in each[:3]]
            of_seeds = {name for name in whole if all_alike(name, whole, alone)}
            assert {"fitted_width_randX", "gini_class", "diagonal_share"} < of_seeds
            assert "memorising_falls" not in of_seeds
        for i, few in enumerate(each):
            found = {name: of_three(whole[name][1], i) for name in of_seeds}
            found |= {
                name: interval
                for name, (_, interval) in intervals_of(few, {*whole} - of_seeds).items()
            }
            for name, interval in found.items():
                count[name] += decided_on(whole[name][0], interval) == wrong
            studies += 1
    assert len(count) == 61
    for name, times in count.items():
        if name not in (HOLDS_IN_REVERSE if effect else HOLDS_WITHOUT):
            assert times <= most_by_chance(studies, nominal), name


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_rate_of_support_on_the_border_is_nominal(seeds):
    rng, studies = np.random.default_rng(4), 4000
    count = 0
    # With a skewness of −1 the lower end of an interval is the one that falls short.
    skewed = stats.pearson3(-1, CRITERIA["margin"], 0.1)
    for values in skewed.rvs((studies, seeds), random_state=rng):
        interval = verdicts.over_seeds(values, CRITERIA)
        count += verdicts.verdict(interval, (CRITERIA["margin"], np.inf)) == SUPPORTED
    low, high = stats.binom.ppf([0.001, 0.999], studies, (1 - CRITERIA["confidence"]) / 2)
    assert low <= count <= high


def test_the_interval_holds_what_the_bootstrap_over_three_seeds_does_not():
    rng, studies = np.random.default_rng(7), 500
    ours, bootstrapped = 0, 0
    for values in rng.normal(size=(studies, 3)):
        interval = verdicts.over_seeds(values, CRITERIA)
        ours += interval.lower < 0 < interval.upper
        means = rng.choice(values, (999, 3)).mean(1)
        low, high = np.quantile(means, [0.025, 0.975])
        bootstrapped += low < 0 < high
    assert ours >= stats.binom.ppf(0.001, studies, 0.95)
    assert 0.65 < bootstrapped / studies < 0.85


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize(("count", "seeds"), [(1, 3), (4, 3), (8, 6)])
def test_rates_of_wrong_verdicts_on_a_claim_at_its_criteria(count, seeds, alike):
    # Parts are independent, or two each the same.
    rng, studies, margin = np.random.default_rng(30), 2000, CRITERIA["margin"]
    holds, confidence = (margin, np.inf), verdicts.adjusted_confidence(0.95, count)
    found = []
    # With a skewness of 1 the upper end of an interval is the one that falls short.
    skewed = stats.pearson3(1, margin, 0.1)
    for values in skewed.rvs((studies, count, seeds), random_state=rng):
        if alike:
            values[1::2] = values[:-1:2]
        each = [verdicts.over_seeds(one, CRITERIA) for one in values]
        found.append(
            verdicts.combined([verdicts.verdict(one, holds, one.at(confidence)) for one in each])
        )
    nominal = (1 - CRITERIA["confidence"]) / 2
    assert found.count(SUPPORTED) <= most_by_chance(studies, nominal)
    assert found.count(CONTRADICTED) <= most_by_chance(studies, nominal)
    if not alike:  # independent parts exhaust the rate
        assert found.count(CONTRADICTED) >= stats.binom.ppf(0.001, studies, 0.95 * nominal)
