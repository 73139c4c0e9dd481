"""Claim 3, first half: examples, models and draws are all drawn anew, and the truth is known."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from made_up_metrics import CRITERIA
from made_up_runs import made_up_run
from rote import claims
from rote.claims import examples, verdicts
from rote.claims.verdicts import CONTRADICTED, INCONCLUSIVE, SUPPORTED
from rote.files.sweeps import first_of_each
from rote.measures.difficulty import spread
from rote.metrics import fig3_1 as metrics_of_fig3_1
from rote.study import plan

MARGIN, CLASSES = CRITERIA["margin"], 10
NOMINAL = (1 - CRITERIA["confidence"]) / 2
# Of Figure 3.1 in the study, with as few draws as are allowed.
SIZES = {"draws": 4, "count": 1000, "models": 100}
SIDES = ("above", (MARGIN, np.inf)), ("below", (-np.inf, MARGIN))
SPREADS = "spread", "spread_within_label"


def errors(rng, rates, models: int, *, prefer: float, labels) -> np.ndarray:
    """Return errors, (examples, models), of examples that have these true error rates.

    A model has preferences of its own: it gets a class wrong more, or less, often by up to
    ``prefer``. Over infinitely many models no class is preferred.
    """
    of_class = prefer * rng.uniform(-1, 1, (CLASSES, models))
    return rng.random((len(rates), models)) < rates[:, None] + of_class[labels]


def fig3_1(
    condition: str, draws: list[tuple[np.ndarray, np.ndarray]], diverged=(), spreads=SPREADS
) -> dict:
    """Return metrics of a condition; of each draw errors and labels; diverged: (experiment, draw).

    ``spread`` and ``spread_within_label`` are those of all experiments of the draws.
    """
    wrong = np.stack([errors for errors, _ in draws], axis=-1)[None]
    ended = np.zeros((1, wrong.shape[2], len(draws)), bool)
    for experiment, draw in diverged:
        ended[0, experiment, draw] = True
    around = {"spread": lambda labels: None, "spread_within_label": lambda labels: labels}
    variables = {
        "misclassified": (("condition", "example", "experiment", "seed"), wrong),
        "diverged": (("condition", "experiment", "seed"), ended),
        "label": (("condition", "seed", "example"), [[labels for _, labels in draws]]),
    }
    variables |= {
        name: (("condition", "seed"), [[spread(one, around[name](own)) for one, own in draws]])
        for name in spreads
    }
    return {"fig3_1": xr.Dataset(variables, coords={"condition": [condition]})}


def draws_of(rng, rates, *, draws: int, count: int, models: int, prefer: float) -> list:
    """Return draws of (errors, labels); ``rates`` returns true rates of so many examples."""
    drawn = []
    for _ in range(draws):
        labels = rng.integers(CLASSES, size=count)  # so that their counts differ
        drawn.append((errors(rng, rates(count), models, prefer=prefer, labels=labels), labels))
    return drawn


def decided(metrics: dict, part: str) -> xr.Dataset:
    return claims.test_claims(metrics, CRITERIA).sel(test=part)


def at_most(studies: int, rate: float) -> int:
    """Return a count that chance exceeds once in a thousand times."""
    return int(stats.binom.ppf(0.999, studies, rate))


@pytest.mark.slow
@pytest.mark.parametrize("prefer", [0, 0.2, 0.45])
def test_spread_on_the_border_is_supported_at_the_nominal_rate(prefer):
    rng, studies = np.random.default_rng(5), 500
    count = {(name, side): 0 for name in SPREADS for side, _ in SIDES}
    exact = dict(count)

    def rates(count):
        return 0.5 + MARGIN * rng.choice([-1, 1], count)

    for _ in range(studies):
        metrics = fig3_1("real", draws_of(rng, rates, **SIZES, prefer=prefer))
        for name in SPREADS:
            interval = examples._of_condition(metrics, name, "real", CRITERIA)
            narrower = verdicts.over_seeds(np.array(interval.values), CRITERIA, students)
            for side, holds in SIDES:
                count[name, side] += verdicts.verdict(interval, holds) == SUPPORTED
                exact[name, side] += verdicts.verdict(narrower, holds) == SUPPORTED
    assert max(count.values()) <= at_most(studies, NOMINAL), count
    # Where models prefer no class, values are normal, and the rate of Student's is exhausted.
    if not prefer:
        assert min(exact.values()) >= stats.binom.ppf(0.001, studies, NOMINAL), exact
        assert max(exact.values()) <= at_most(studies, NOMINAL), exact


def students(seeds: int, confidence: float) -> float:
    return stats.t.ppf((1 + confidence) / 2, seeds - 1)


@pytest.mark.slow
def test_extremes_on_the_border_are_supported_at_the_nominal_rate():
    rng, studies = np.random.default_rng(6), 500
    count = {"above": 0, "below": 0}

    def rates(count):
        # One in fifty is never right, whatever the model; of the others none is extreme.
        return np.where(rng.random(count) < MARGIN, 2.0, 0.5)

    for _ in range(studies):
        metrics = fig3_1("real", draws_of(rng, rates, **SIZES, prefer=0.2), spreads=())
        interval = examples._extremes(metrics, "real", False, CRITERIA)
        for side, holds in SIDES:
            count[side] += verdicts.verdict(interval, holds) == SUPPORTED
    assert max(count.values()) <= at_most(studies, NOMINAL), count
    assert min(count.values()) > 0, count


def whole_study(rng, draws: int, models: int, count: int = 500, anew: bool = True) -> dict:
    """Return metrics, made from a run, of a study as after ten updates on a draw of the data.

    Models have learned which label is commoner. So real examples differ within labels, those of
    randX are alike, and those of randY are alike within labels, whose counts differ between draws.
    Where draws are not made anew, all of them are one.
    """
    conditions = ("real", 0.0), ("randX", 1.0), ("randY", 1.0)
    members = [
        plan.Member(kind, level, 0, draw, 0.1, 0.0, data_seed=draw * anew, experiment=experiment)
        for kind, level in conditions
        for draw in range(draws)
        for experiment in range(models)
    ]
    wrong, labels = [], []  # of each draw
    for kind, _ in conditions:
        label = rng.integers(CLASSES, size=count)
        for _ in range(draws):
            label = rng.integers(CLASSES, size=count) if anew else label
            commoner = np.bincount(label, minlength=CLASSES) / count - 1 / CLASSES
            rates = {
                "real": rng.choice([0.1, 0.7], count),
                "randX": np.full(count, 0.88),
                "randY": 0.75 - 5 * commoner[label],
            }[kind]
            wrong.append(errors(rng, rates, models, prefer=0.1, labels=label).T)
            labels.append(np.tile(label, (models, 1)))
    run = made_up_run(members, 8, misclassified=np.concatenate(wrong), labels=np.vstack(labels))
    return {"fig3_1": metrics_of_fig3_1.metrics([run])}


def test_within_a_label_examples_are_alike_whatever_its_count():
    metrics = whole_study(np.random.default_rng(7), draws=6, models=100, count=1000)
    # The spread of the counts of 1,000 labels, √(0.1 · 0.9 / 1000), times 5.
    spread_out = metrics["fig3_1"]["spread"].sel(condition="randY")
    assert spread_out.mean() == pytest.approx(0.047, abs=0.01)
    expected = {
        "spread_real": 0.3,
        "spread_randX": 0,
        "spread_within_label_real": 0.3,
        "spread_within_label_randX": 0,
        "spread_within_label_real_less_randY": 0.3,
        "spread_within_label_randY_less_randX": 0,
        "extremes_randX": 0,
    }
    found = claims.test_claims(metrics, CRITERIA)
    for part, value in expected.items():
        one = found.sel(test=part)
        assert one["estimate"] == pytest.approx(value, abs=0.01), part
        wanted = CONTRADICTED if part == "spread_within_label_randY_less_randX" else SUPPORTED
        assert one["verdict"] == wanted, part
    assert found["verdict"].sel(test="spread_randY_less_randX") == SUPPORTED


@pytest.mark.slow
def test_an_interval_over_the_examples_of_one_draw_is_too_narrow():
    rng, studies, sizes = np.random.default_rng(8), 100, {"models": 20, "count": 500}
    # The mean over draws of how far examples of randY spread.
    draws = whole_study(rng, draws=300, **sizes)["fig3_1"]["spread"].sel(condition="randY")
    true = draws.mean().item()
    holds, too_narrow = 0, 0
    for _ in range(studies):
        metrics = first_of_each(whole_study(rng, draws=4, **sizes)["fig3_1"])
        interval = examples._of_condition({"fig3_1": metrics}, "spread", "randY", CRITERIA)
        holds += interval.lower < true < interval.upper
        wrong = metrics["misclassified"].sel(condition="randY", seed=0)
        wrong = wrong.transpose("example", "experiment").values
        resampled = [spread(rng.choice(wrong, len(wrong))) for _ in range(100)]
        low, high = np.quantile(resampled, [0.025, 0.975])
        too_narrow += low < true < high
    assert holds >= 0.9 * studies
    assert too_narrow < 0.8 * studies


PARTS = [
    *(f"{name}_{of}" for name in SPREADS for of in ("real", "randX", "real_less_randY")),
    *(f"extremes_{condition}" for condition in ("real", "randX", "randY")),
]


@pytest.mark.parametrize(
    ("draws", "models", "reason"),
    [
        (1, 60, "1 of 1 seeds have a value"),
        (2, 60, "2 of 2 seeds have a value"),
        (4, 1, "0 of 4 seeds have a value|all 4 seeds have the same value"),
    ],
)
def test_one_draw_or_one_experiment_decides_nothing(draws, models, reason):
    metrics = whole_study(np.random.default_rng(9), draws=draws, models=models)
    found = claims.test_claims(metrics, CRITERIA).sel(test=PARTS)
    assert set(found["verdict"].values) == {INCONCLUSIVE}
    for why in found["reason"].values:
        assert any(words in why for words in reason.split("|")), why


def test_few_experiments_are_inconclusive_where_more_decide():
    for models, wanted in ((2, INCONCLUSIVE), (100, SUPPORTED)):
        metrics = whole_study(np.random.default_rng(10), draws=6, models=models)
        for part in ("spread_randX", "spread_within_label_randX"):
            one = decided(metrics, part)
            assert one["verdict"] == wanted, (models, part)
            assert np.isfinite([one["lower"], one["upper"]]).all()


def test_where_no_example_is_extreme_in_any_draw_nothing_is_decided():
    few = {"draws": 5, "count": 200, "models": 40, "prefer": 0}
    drawn = draws_of(np.random.default_rng(12), lambda count: np.full(count, 0.5), **few)
    one = decided(fig3_1("randX", drawn), "extremes_randX")
    assert one["verdict"] == INCONCLUSIVE
    assert "all 5 seeds have the same value" in one["reason"].item()
    assert one["estimate"] == pytest.approx(0, abs=1e-6)


def test_experiments_that_diverged_are_no_extremes():
    rng, few = np.random.default_rng(11), {"draws": 5, "count": 200, "models": 40, "prefer": 0}
    drawn = draws_of(rng, lambda count: np.full(count, 0.5), **few)
    for one, _ in drawn:
        one[:, :4] = True  # as if they were wrong about everything
    diverged = [(experiment, draw) for experiment in range(4) for draw in range(5)]
    without = [(one[:, 4:], labels) for one, labels in drawn]
    found = [
        decided(fig3_1("real", *each), "extremes_real")
        for each in ((drawn, diverged), (without,), (drawn,))
    ]
    assert found[0]["estimate"] == found[1]["estimate"] != found[2]["estimate"]
    # Of a draw of which all have diverged, nothing is known.
    lost = fig3_1("real", drawn, [(experiment, 3) for experiment in range(40)])
    assert "1 of 5 seeds have no value" in decided(lost, "extremes_real")["reason"].item()
