"""The best of many strengths: chosen on other seeds, and allowed only as far as that is known."""

from functools import partial

import numpy as np
import pytest

from made_up_metrics import CRITERIA, most_by_chance, students
from rote.claims import best_of_many, fair_proxy, quantiles, verdicts
from rote.claims.best_of_many import Choices, effects, fall_at_best, loss_at_best
from rote.claims.verdicts import CONTRADICTED, SUPPORTED

pytestmark = pytest.mark.usefixtures("few_simulations")

MARGIN, LARGE = CRITERIA["margin"], CRITERIA["large"]


def test_strength_is_chosen_on_the_other_seeds_by_hand():
    fall = np.array([[0.5, 0.5, 0.5], [0.3, 0.3, 0.3], [0.9, 0.0, 0.0]])
    loss = np.array([[0.1, 0.1, 0.1], [0.0, 0.0, 0.0], [0.0, 0.01, 0.0]])
    # The first costs too much. The third looks best to seeds 1 and 2, each with seed 0's luck.
    chosen, cost = effects(Choices(fall, loss), 0.02)
    assert chosen.tolist() == [0.3, 0.0, 0.0]
    assert cost.tolist() == [0.0, 0.01, 0.0]
    with pytest.raises(verdicts.Inconclusive, match="every strength costs more"):
        effects(Choices(fall, loss + 0.5), 0.02)
    # Seeds 1 and 2 have no strength that the others find free; the fall is then none.
    some, unknown = effects(Choices(fall, loss + np.array([0.1, 0.0, 0.0])), 0.02)
    assert some.tolist() == [0.3, 0.0, 0.0]
    assert np.isnan(unknown).tolist() == [False, True, True]
    # What raises the accuracy that is to fall has no loss to tell.
    raised, unknown = effects(Choices(-fall, 0 * loss), 0.02)
    assert raised.max() < 0
    assert np.isnan(unknown).all()


def test_how_far_out_the_ends_lie_by_hand():
    # Standard errors are 0.01 for falls and 0.001 for losses, and an interval reaches as many of
    # them as is said.
    spread = np.array([-1, 0, 1]) * np.sqrt(3)
    falls = np.array([0.1, 0.3, 0.5, 0.7])
    losses = np.array([0.0, 0.016, 0.022, 0.03])
    choices = Choices(falls[:, None] + 0.01 * spread, losses[:, None] + 0.001 * spread[::-1])
    assert best_of_many.taken(choices, 0.02).tolist() == [1, 1, 1]

    def ends(reach: float, *others: Choices) -> tuple[float, float]:
        further = best_of_many.further_out(choices, *others, margin=0.02, reach=lambda _: reach)
        return further(0.95)

    # Two standard errors above 0.016 is allowed, two below 0.022 just so: not shown not to be.
    lower, upper = ends(1.9)
    assert np.isnan(lower)
    assert upper == pytest.approx(0.3 + 0.019)
    lower, upper = ends(2.1)
    assert np.isnan(lower)
    assert upper == pytest.approx(0.5 + 0.021)
    # Five above 0.016 is not shown to be allowed, and ten below 0.03 it may be.
    lower, upper = ends(5)
    assert lower == -np.inf
    assert upper == pytest.approx(0.5 + 0.05)
    assert ends(11)[1] == pytest.approx(0.7 + 0.11)
    # Against strengths that fall by 0.05 less, and spread twice as widely the other way round.
    others = Choices(choices.fall - 0.05 - 0.03 * spread, choices.loss)
    lower, upper = ends(2.1, others)
    assert lower == pytest.approx(0.3 - 0.45 - 2.1 * 0.03)
    assert upper == pytest.approx(0.5 - 0.25 + 2.1 * 0.03)
    assert ends(5, others) == (-np.inf, np.inf)


@pytest.mark.slow
@pytest.mark.parametrize(("choices", "seeds"), [(5, 3), (30, 3), (30, 6)])
def test_the_best_of_many_strengths_is_not_taken_for_better_than_it_is(choices, seeds):
    rng, studies, border = np.random.default_rng(6), 2000, CRITERIA["large"]
    count = {"ours": 0, "loss": 0, "naive": 0}
    for _ in range(studies):
        fall = rng.normal(border, 0.05, (choices, seeds))
        loss = rng.normal(CRITERIA["margin"], 0.01, (choices, seeds))
        best = fall[fall.mean(1).argmax()]
        ours = fall_at_best([Choices(fall, 0 * loss)], CRITERIA)
        naive = verdicts.over_seeds(best, CRITERIA, students)
        count["ours"] += verdicts.verdict(ours, (border, np.inf)) == SUPPORTED
        count["naive"] += verdicts.verdict(naive, (border, np.inf)) == SUPPORTED
        try:
            loses = loss_at_best(Choices(fall, loss), CRITERIA)
        except verdicts.Inconclusive:
            continue
        count["loss"] += verdicts.verdict(loses, (-np.inf, CRITERIA["margin"])) == SUPPORTED
    most = most_by_chance(studies, (1 - CRITERIA["confidence"]) / 2)
    assert max(count["ours"], count["loss"]) <= most
    assert count["naive"] > 2 * most


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [4, 6])
@pytest.mark.parametrize(
    ("falls", "losses"),
    [
        ((0.1, 0.4), (0.0, 0.015)),  # all seeds may leave the second one
        ((0.1, 0.6), (0.0, 0.0199)),
        ((0.1, 0.6), (0.0, 0.0201)),  # all may take it
        ((0.05, *[0.6] * 8), (0.0, *[0.0201] * 8)),
    ],
)
def test_a_loss_near_the_limit_makes_no_verdict_wrong_too_often(falls, losses, seeds):
    holds = max(np.array(falls)[np.array(losses) <= MARGIN]) > LARGE
    wrong = CONTRADICTED if holds else SUPPORTED
    rng, studies, count = np.random.default_rng(8), 600, {"ours": 0, "as if known": 0}
    adjusted = verdicts.adjusted_confidence(CRITERIA["confidence"], 3)
    known = partial(quantiles.of_best, (len(falls),))
    for _ in range(studies):
        choices = Choices(
            np.array(falls)[:, None] + rng.normal(0, 0.03, (len(falls), seeds)),
            np.array(losses)[:, None] + rng.normal(0, 0.0135, (len(falls), seeds)),
        )
        try:
            ours = fall_at_best([choices], CRITERIA)
        except verdicts.Inconclusive:
            continue
        without = verdicts.over_seeds(effects(choices, MARGIN)[0], CRITERIA, known)
        for name, interval in (("ours", ours), ("as if known", without)):
            ends = interval.at(adjusted)
            count[name] += verdicts.verdict(interval, (LARGE, np.inf), ends) == wrong
    nominal = (1 - CRITERIA["confidence"]) / 2 / (3 if holds else 1)
    assert count["ours"] <= most_by_chance(studies, nominal) < count["as if known"]


@pytest.mark.slow
def test_a_difference_of_two_bests_is_not_wrong_too_often_near_the_limit():
    # The best of ours is 0.3201, and of the others 0.3, as 0.9 costs too much, but only just.
    falls = np.array([(0.1, 0.3201), (0.3, 0.9)])
    losses = np.array([(0.0, -0.05), (0.0, 0.0201)])
    rng, studies, count = np.random.default_rng(10), 600, {"ours": 0, "as if known": 0}
    known = partial(quantiles.of_best, (2, 2))
    for _ in range(studies):
        ours, others = (
            Choices(
                fall[:, None] + rng.normal(0, 0.03, (2, 4)),
                loss[:, None] + rng.normal(0, 0.0135, (2, 4)),
            )
            for fall, loss in zip(falls, losses, strict=True)
        )
        difference = effects(ours, MARGIN)[0] - effects(others, MARGIN)[0]
        for name, interval in (
            ("ours", fall_at_best([ours, others], CRITERIA)),
            ("as if known", verdicts.over_seeds(difference, CRITERIA, known)),
        ):
            verdict = verdicts.verdict(interval, (MARGIN, np.inf))
            count[name] += verdict == CONTRADICTED
    most = most_by_chance(studies, (1 - CRITERIA["confidence"]) / 2)
    assert count["ours"] <= most < count["as if known"]


@pytest.mark.parametrize("falls", [(0.1, 0.4), (0.1, 0.15)])
def test_where_no_loss_is_near_the_limit_its_uncertainty_costs_nothing(falls):
    rng = np.random.default_rng(9)
    choices = Choices(
        np.array(falls)[:, None] + rng.normal(0, 0.01, (2, 6)),
        np.full((2, 1), -0.05) + rng.normal(0, 0.005, (2, 6)),
    )
    interval = fall_at_best([choices], CRITERIA)
    expected = SUPPORTED if max(falls) > LARGE else CONTRADICTED
    assert verdicts.verdict(interval, (LARGE, np.inf)) == expected


@pytest.mark.slow
@pytest.mark.parametrize(("second", "truth"), [(0.199, 0.5), (0.201, 0.0)])
def test_the_weakest_that_suffices_is_not_taken_for_known_near_the_limit(second, truth):
    # Of three strengths the second hardly suffices, or hardly not; the truth is its fall, or that
    # of the third.
    taken, falls = np.array([0.05, second, 0.5]), np.array([0.0, 0.0, 0.5])
    rng, studies, count = np.random.default_rng(11), 600, {"ours": 0, "as if known": 0}
    for _ in range(studies):
        noise, own = (means[:, None] + rng.normal(0, 0.03, (3, 4)) for means in (taken, falls))
        others = [np.delete(noise, seed, 1).mean(1) for seed in range(4)]
        first = [int(np.argmax(mean >= LARGE)) for mean in others]
        known = verdicts.over_seeds(own[first, np.arange(4)], CRITERIA)
        further = fair_proxy.further_out(noise, own, LARGE, known.reach)
        ours = known.widened(further, CRITERIA["confidence"])
        for name, interval in (("ours", ours), ("as if known", known)):
            count[name] += not interval.lower <= truth <= interval.upper
    most = most_by_chance(studies, 1 - CRITERIA["confidence"])
    assert count["ours"] <= most < count["as if known"]
