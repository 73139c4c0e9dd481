"""The tests of the claims, tested: on studies made up so that the truth is known."""

import json
import re
from collections import Counter
from functools import partial

import numpy as np
import pytest
import xarray as xr
from scipy import integrate, stats

from made_up_metrics import CRITERIA, study
from rote import claims
from rote.claims import (
    complexity,
    criteria,
    intervals,
    quantiles,
    regularization,
    verdicts,
)
from rote.claims.verdicts import CONTRADICTED, INCONCLUSIVE, NOT_TESTED, SUPPORTED, Interval
from rote.study import stability
from rote.study.schema import SCHEMA


@pytest.fixture(scope="module", autouse=True)
def few_simulations():
    """A tenth of the simulated studies, as the last digit of a quantile does not matter here."""

    def forget():
        quantiles.of_best.cache_clear()
        quantiles._distances.cache_clear()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantiles, "SIMULATED", quantiles.SIMULATED // 10)
        forget()
        yield
    forget()


def decided(metrics: dict) -> dict[str, str]:
    result = claims.test_claims(metrics, CRITERIA)
    return dict(zip(result["test"].values.tolist(), result["verdict"].values.tolist(), strict=True))


# Where no effect is what the part says, or where its reverse is no effect.
HOLDS_WITHOUT = {
    *("spread_randX", "spread_within_label_randX", "extremes_randX", "extremes_randY"),
    *("extremes_within_label_randX", "extremes_within_label_randY"),
    *("ratio_randY_over_real_digits", "validation_stays"),
}
HOLDS_IN_REVERSE = {"diagonal_share_spread"}
# The ratio stabilises wherever it goes before.
STABLE_IN_REVERSE = {"ratio_stabilises_randX_digits", "ratio_stabilises_randY_digits"}


@pytest.mark.parametrize(
    ("effect", "expected"), [(1, SUPPORTED), (0, CONTRADICTED), (-1, CONTRADICTED)]
)
def test_effects_that_are_there_or_not_or_reversed_are_told_apart(effect, expected):
    metrics = study(effect, seeds=20, noise=0.005, rng=np.random.default_rng(1))
    found = claims.test_claims(metrics, CRITERIA)
    assert found.sizes["test"] == 61
    for name in found["test"].values:
        wanted = SUPPORTED if name in HOLDS_WITHOUT and effect >= 0 else expected
        if name in HOLDS_IN_REVERSE:
            wanted = SUPPORTED if effect == -1 else CONTRADICTED
        if name in STABLE_IN_REVERSE and effect == -1:
            wanted = SUPPORTED
        if name == "validation_stays" and effect == -1:
            wanted = INCONCLUSIVE  # no regulariser is taken that does harm
        assert found["verdict"].sel(test=name) == wanted, name


def test_what_seeds_cannot_tell_is_inconclusive():
    effect_as_large_as_noise = study(1, seeds=3, noise=0.1, rng=np.random.default_rng(2))
    found = decided(effect_as_large_as_noise)
    # How many examples are extreme is drawn from experiments, and has no part in this noise.
    measured_on_seeds = [name for name in found if not name.startswith("extremes")]
    undecided = [name for name in measured_on_seeds if found[name] == INCONCLUSIVE]
    assert len(undecided) > len(measured_on_seeds) / 2


def most_by_chance(studies: int, rate: float) -> int:
    """Return a count that chance exceeds once in a thousand times."""
    return int(stats.binom.ppf(0.999, studies, rate))


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


@pytest.mark.slow
@pytest.mark.parametrize(("choices", "seeds"), [(5, 3), (30, 3), (30, 6)])
def test_the_best_of_many_strengths_is_not_taken_for_better_than_it_is(choices, seeds):
    rng, studies, border = np.random.default_rng(6), 2000, CRITERIA["large"]
    count = {"ours": 0, "loss": 0, "naive": 0}
    for _ in range(studies):
        fall = rng.normal(border, 0.05, (choices, seeds))
        loss = rng.normal(CRITERIA["margin"], 0.01, (choices, seeds))
        chosen, _ = regularization.effects(fall, 0 * loss, CRITERIA["margin"])
        best = fall[fall.mean(1).argmax()]
        ours = regularization._interval(chosen, [(fall, loss, "")], CRITERIA)
        naive = verdicts.over_seeds(best, CRITERIA, students)
        count["ours"] += verdicts.verdict(ours, (border, np.inf)) == SUPPORTED
        _, lost = regularization.effects(fall, loss, CRITERIA["margin"])
        if np.isfinite(lost).all():
            loses = regularization._interval(lost, [(fall, loss, "")], CRITERIA)
            count["loss"] += verdicts.verdict(loses, (-np.inf, CRITERIA["margin"])) == SUPPORTED
        count["naive"] += verdicts.verdict(naive, (border, np.inf)) == SUPPORTED
    most = most_by_chance(studies, (1 - CRITERIA["confidence"]) / 2)
    assert max(count["ours"], count["loss"]) <= most
    assert count["naive"] > 2 * most


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


def students(seeds: int, confidence: float) -> float:
    """Return Student's quantile, of which there are closed forms and other implementations."""
    return stats.t.ppf((1 + confidence) / 2, seeds - 1)


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


def test_parts_are_adjusted_for_the_core_of_their_claim_or_for_the_others():
    metrics = study(0, seeds=4, noise=0.02, rng=np.random.default_rng(33))
    result = claims.test_claims(metrics, CRITERIA)
    for claim in (1, 2, 5):  # criteria of one end
        for core in (True, False):
            own = result.isel(
                test=(result["claim"].values == claim)
                & ((result["stated_by"].values == "poster") == core)
            )
            assert set(own["adjusted_for"].values) <= {own.sizes["test"]}
    one = result.sel(test="time_over_size")
    assert one["adjusted_lower"] == pytest.approx(one["lower"].item())
    width = result.sel(test="fitted_width_randX")
    quantile = quantiles.of_mean(4, 1 - 0.05 / 4)  # two parts of either kind of noise
    assert width["adjusted_upper"] == pytest.approx(
        (width["estimate"] + quantile * width["standard_error"]).item()
    )


def test_outside_the_criterion_but_not_by_the_adjusted_interval_is_said():
    confidence = CRITERIA["confidence"]
    part = verdicts.Part(
        "name", "fig1", "", "", (5.0, np.inf),
        lambda: verdicts.over_seeds(np.array([1.0, 2, 3]), CRITERIA, students),
    )  # fmt: skip
    row = claims._row(part, confidence, 1, ())
    assert (row["verdict"], row["reason"]) == (CONTRADICTED, "")
    row = claims._row(part, confidence, 2, ["learning_rate", "width"])
    assert (row["verdict"], row["dependent_on"]) == (INCONCLUSIVE, "learning_rate, width")
    assert row["reason"] == claims.NEARLY


def test_a_claim_depends_on_what_the_parts_depend_on_that_make_its_verdict():
    metrics = study(1, seeds=6, noise=0.005, rng=np.random.default_rng(34))
    on = {
        "fitted_width_randX": ["draw", "learning_rate"],
        "fitted_width_randY": ["learning_rate"],
        "gini_class": ["draw"],
        "memorising_falls_dropout": ["draw"],  # no core part
    }
    result = claims.test_claims(metrics, CRITERIA, on)
    assert result["claim_verdict"].sel(conclusion=1) == SUPPORTED
    assert result["claim_dependent_on"].sel(conclusion=1) == "draw, learning_rate"
    assert result["claim_dependent_on"].sel(conclusion=5) == ""
    assert result["dependent_on"].sel(test="memorising_falls_dropout") == "draw"
    assert result["dependent_on"].sel(test="time_over_size") == ""
    metrics["fig3_3"]["diagonal_share"] *= -1
    result = claims.test_claims(metrics, CRITERIA, {**on, "diagonal_share": ["width"]})
    assert result["claim_verdict"].sel(conclusion=3) == CONTRADICTED
    assert result["claim_dependent_on"].sel(conclusion=3) == "width"


def test_every_criterion_says_why_and_when_it_was_fixed():
    keys = {*SCHEMA["properties"]["claims"]["properties"]}
    assert keys <= {*criteria.CRITERIA}
    assert all(one.reason and one.fixed for one in criteria.CRITERIA.values())


def test_the_record_of_stability_names_settings_by_part_and_preset(tmp_path, monkeypatch):
    assert stability.dependent_on("demo") == json.loads(stability.RECORD.read_text()).get(
        "demo", {}
    )
    monkeypatch.setattr(stability, "RECORD", tmp_path / "stability.json")
    stability.RECORD.write_text('{"demo": {"gini_class": ["draw"]}}')
    assert stability.dependent_on("demo") == {"gini_class": ["draw"]}
    assert stability.dependent_on("poster") == {}


@pytest.mark.parametrize("there", [True, False], ids=["made up", "all missing"])
def test_every_part_has_a_name_of_its_own_a_definition_and_a_criterion_of_the_settings(there):
    metrics = study(1, seeds=3, noise=0.01, rng=np.random.default_rng(35)) if there else {}
    result = claims.test_claims(metrics, CRITERIA)
    names = result["test"].values.tolist()
    assert len(names) == len({*names}) > 40
    figures = {*study(1, seeds=1, noise=0.01, rng=np.random.default_rng(36))}
    for name in names:
        part = result.sel(test=name)
        assert part["figure"].item() in figures, name
        assert len(part["definition"].item().split()) > 20, name
        # "more than 0.02 (margin)": the key in the settings, behind its value.
        number, key = re.search(r"([\d.]+) \((\w+)\)$", part["criterion"].item()).groups()
        assert float(number) == CRITERIA[key], name
        ends = {abs(part[end].item()) for end in ("holds_from", "holds_to")}
        assert ends in ({CRITERIA[key]}, {CRITERIA[key], np.inf}), name


def test_what_the_study_lacks_is_not_tested():
    nothing = claims.test_claims({}, CRITERIA)
    assert set(nothing["verdict"].values) == {NOT_TESTED}
    assert set(nothing["claim_verdict"].values) == {NOT_TESTED}
    assert "no metrics of fig2" in nothing["reason"].sel(test="time_over_size").item()
    words = (nothing[name].values for name in ("description", "criterion", "definition"))
    assert not [text for texts in words for text in texts if re.search(r"\bnan\b", text)]
    metrics = study(1, seeds=3, noise=0.01, rng=np.random.default_rng(8))
    whole = claims.test_claims(metrics, CRITERIA)
    part = claims.test_claims({name: metrics[name] for name in ("fig2", "fig3_1")}, CRITERIA)
    tested = part["figure"].isin(["fig2", "fig3_1"]).values
    assert set(part["verdict"].values[~tested]) == {NOT_TESTED}
    same = part["test"].values[tested]
    assert (part["verdict"].sel(test=same) == whole["verdict"].sel(test=same)).all()
    # Claim 3 rests on two more figures, which leaves it open and no longer untested.
    assert part["claim_verdict"].values.tolist() == [
        *(NOT_TESTED, SUPPORTED, INCONCLUSIVE, NOT_TESTED, NOT_TESTED)
    ]


def test_few_seeds_are_inconclusive_and_say_why():
    few = claims.test_claims(study(1, seeds=2, noise=0.01, rng=np.random.default_rng(8)), CRITERIA)
    assert "2 of 2 seeds" in few["reason"].sel(test="gini_class").item()
    assert few["verdict"].sel(test="gini_class") == INCONCLUSIVE
    assert np.isnan(few["estimate"].sel(test="gini_class"))


@pytest.mark.parametrize(
    ("figure", "dropped", "part", "reason"),
    [
        ("fig1", {"noise_kind": ["randX"]}, "fitted_width_randY", "no randY"),
        ("fig3_1", {"condition": ["real", "randX"]}, "spread_real_less_randY", "no randY"),
        ("fig3_2", {"labelling": ["class"]}, "gini_unique", "no labelling unique"),
        ("fig3_3", {"condition": ["real"]}, "diagonal_share", "lacks real or randX"),
        ("fig3_2", {"norm": ["l1", "l2"]}, "gini_class_linf", "the norm linf"),
        ("fig4_2", {"noise_kind": ["randX"]}, "ratio_randY_over_real_digits", "no randY"),
        ("fig4_2", {"noise_level": [0.2, 1.0]}, "ratio_randY_over_real_digits", "no noise level 0"),
        ("fig4_2", {"noise_level": [0.0, 0.8]}, "ratio_over_level_randX_digits", "noise level 1"),
        ("fig4_2", {"critical_epoch": [1, 20]}, "ratio_rises_randX_digits", "fewer than three"),
        ("fig4_2", {"noise_level": [0.0, 1.0]}, "best_accuracy_falls_randX_digits", "in part"),
        ("fig4_2", {"noise_kind": ["randX"]}, "ratio_after_peak_digits", "no randY"),
        ("fig5_1", {"regularizer": ["hidden_noise"]}, "dropout_most_effective", "no dropout"),
        ("fig5_2", {"regularizer": ["none"]}, "real_stays_fast", "selects no strength"),
    ],
)  # fmt: skip
def test_conditions_that_were_not_trained_are_named(figure, dropped, part, reason):
    metrics = study(1, seeds=3, noise=0.01, rng=np.random.default_rng(9))
    metrics[figure] = metrics[figure].sel(dropped)
    result = claims.test_claims(metrics, CRITERIA).sel(test=part)
    assert result["verdict"] == NOT_TESTED
    assert reason in result["reason"].item()


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
    metrics = study(1, seeds=5, noise=0.005, rng=np.random.default_rng(17))
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


def test_strength_is_chosen_on_the_other_seeds_by_hand():
    fall = np.array([[0.5, 0.5, 0.5], [0.3, 0.3, 0.3], [0.9, 0.0, 0.0]])
    loss = np.array([[0.1, 0.1, 0.1], [0.0, 0.0, 0.0], [0.0, 0.01, 0.0]])
    # The first costs too much. The third looks best to seeds 1 and 2, each with seed 0's luck.
    chosen, cost = regularization.effects(fall, loss, 0.02)
    assert chosen.tolist() == [0.3, 0.0, 0.0]
    assert cost.tolist() == [0.0, 0.01, 0.0]
    with pytest.raises(verdicts.Inconclusive, match="every strength costs more"):
        regularization.effects(fall, loss + 0.5, 0.02)
    # Seeds 1 and 2 have no strength that the others find free; the fall is then none.
    some, unknown = regularization.effects(fall, loss + np.array([0.1, 0.0, 0.0]), 0.02)
    assert some.tolist() == [0.3, 0.0, 0.0]
    assert np.isnan(unknown).tolist() == [False, True, True]
    # What raises the accuracy that is to fall has no loss to tell.
    raised, unknown = regularization.effects(-fall, 0 * loss, 0.02)
    assert raised.max() < 0
    assert np.isnan(unknown).all()


def test_slope_weights_are_least_squares():
    x, y = np.array([0.0, 0.3, 0.4, 1.0]), np.array([1.0, 2.0, 1.5, 4.0])
    assert verdicts.slope_weights(x) @ y == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-12)
    assert verdicts.slope_weights(np.log([1000, 2000, 4000]))[1] == 0
    with pytest.raises(verdicts.Inconclusive, match="only one level"):
        verdicts.slope_weights(np.array([0.5, 0.5]))
