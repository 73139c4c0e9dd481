"""Claim 3, first half: examples, models and draws are all drawn anew, and the truth is known."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from made_up_metrics import CRITERIA
from rote import claims
from rote.claims import examples, verdicts
from rote.claims.verdicts import SUPPORTED
from rote.measures.difficulty import spread

MARGIN, CLASSES = CRITERIA["margin"], 10
NOMINAL = (1 - CRITERIA["confidence"]) / 2
# Of Figure 3.1 in the study, with as few draws as are allowed.
SIZES = {"draws": 4, "count": 1000, "models": 100}
SPREADS = "spread", "spread_within_label"


def errors(rng, rates, models: int, *, prefer: float, labels) -> np.ndarray:
    """Return errors, (examples, models), of examples that have these true error rates.

    A model has preferences of its own: it gets a class wrong more, or less, often by up to
    ``prefer``. Over infinitely many models no class is preferred.
    """
    of_class = prefer * rng.uniform(-1, 1, (CLASSES, models))
    return rng.random((len(rates), models)) < rates[:, None] + of_class[labels]


def fig3_1(condition: str, draws: list[tuple[np.ndarray, np.ndarray]], diverged=()) -> dict:
    """Return metrics of a condition; of each draw errors and labels; diverged: (experiment, draw).

    ``spread`` and ``spread_within_label`` are those of all experiments of the draws.
    """
    wrong = np.stack([errors for errors, _ in draws], axis=-1)[None]
    ended = np.zeros((1, wrong.shape[2], len(draws)), bool)
    for experiment, draw in diverged:
        ended[0, experiment, draw] = True
    each = [[spread(one), spread(one, labels)] for one, labels in draws]
    variables = {
        "misclassified": (("condition", "example", "experiment", "seed"), wrong),
        "diverged": (("condition", "experiment", "seed"), ended),
    }
    variables |= {
        name: (("condition", "seed"), [values])
        for name, values in zip(SPREADS, zip(*each, strict=True), strict=True)
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
    count = {(name, side): 0 for name in SPREADS for side in ("above", "below")}

    def rates(count):
        return 0.5 + MARGIN * rng.choice([-1, 1], count)

    for _ in range(studies):
        metrics = fig3_1("real", draws_of(rng, rates, **SIZES, prefer=prefer))
        for name in SPREADS:
            interval = examples._of_condition(metrics, name, "real", CRITERIA)
            for side, holds in (("above", (MARGIN, np.inf)), ("below", (-np.inf, MARGIN))):
                count[name, side] += verdicts.verdict(interval, holds) == SUPPORTED
    assert max(count.values()) <= at_most(studies, NOMINAL), count
    # Where models prefer no class, the rate is exhausted.
    if not prefer:
        assert min(count.values()) >= stats.binom.ppf(0.001, studies, NOMINAL), count


@pytest.mark.slow
@pytest.mark.parametrize("prefer", [0, 0.2])
def test_extremes_on_the_border_are_supported_at_the_nominal_rate(prefer):
    rng, studies = np.random.default_rng(6), 400
    count = {"above": 0, "below": 0}

    def rates(count):
        # One in fifty is never right, whatever the model; of the others none is extreme.
        return np.where(rng.random(count) < MARGIN, 2.0, 0.5)

    for _ in range(studies):
        metrics = fig3_1("real", draws_of(rng, rates, **SIZES, prefer=prefer))
        interval = examples._extremes(metrics, "real", CRITERIA)
        for side, holds in (("above", (MARGIN, np.inf)), ("below", (-np.inf, MARGIN))):
            count[side] += verdicts.verdict(interval, holds) == SUPPORTED
    # The share is binomial, and skewed: of four, with a mean of 20 of 1,000, the rate is near the
    # nominal one, not at it. Student's interval is then wrong to one side more often than to the
    # other, and to both as often as it says.
    assert sum(count.values()) <= at_most(studies, 2 * NOMINAL), count
    assert min(count.values()) > 0
