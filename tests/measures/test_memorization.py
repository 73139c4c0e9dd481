"""Memorisation of a nearest-neighbour model worked by hand, and over many simulated studies."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy import stats

from rote.measures.memorization import (
    consistency,
    consistency_reliability,
    jackknife,
    mean_consistency,
    mean_score,
    memorization,
    reliability,
    share_above,
)

POINTS = np.array([0.0, 1.0, 2.3, 3.8, 4.5, 6.1, 6.9, 9.2])  # no two others equally close
LABELS = np.array([0, 1, 1, 0, 0, 0, 1, 1])
SIZE = 5  # of a subset


def nearest(subset) -> np.ndarray:
    """Return whether the nearest example of a subset has the label of each example."""
    subset = np.asarray(subset)
    return LABELS[subset[np.abs(POINTS[:, None] - POINTS[subset]).argmin(1)]] == LABELS


def models(subsets) -> tuple[np.ndarray, np.ndarray]:
    subsets = list(subsets)
    right = np.array([nearest(subset) for subset in subsets])
    return right, np.array([np.isin(np.arange(len(POINTS)), subset) for subset in subsets])


def right_without() -> np.ndarray:
    """Return P(right | not trained on it): the nearest of the subset has the label.

    Of the other n − 1, the subset's SIZE are equally likely. The k-th neighbour (from 0) is the
    first of the subset where the other SIZE − 1 are among the n − 2 − k after it.
    """
    n = len(POINTS)
    found = np.zeros(n)
    for i in range(n):
        others = np.argsort(np.abs(POINTS - POINTS[i]))[1:]
        for k, other in enumerate(others):
            if LABELS[other] == LABELS[i]:
                found[i] += comb(n - 2 - k, SIZE - 1) / comb(n - 1, SIZE)
    return found


def test_of_all_subsets_the_scores_of_a_nearest_neighbour_model_are_exact():
    right, trained = models(combinations(range(len(POINTS)), SIZE))
    expected = right_without()
    assert len(right) == 56
    assert 0 < expected.min() < 0.2 < 0.8 < expected.max()
    np.testing.assert_allclose(memorization(right, trained)[0], 1 - expected, atol=1e-14)
    np.testing.assert_allclose(consistency(right, trained)[0], expected, atol=1e-14)
    assert mean_score(right, trained) == pytest.approx(1 - expected.mean())


def test_of_random_subsets_the_scores_are_those_within_their_errors():
    rng = np.random.default_rng(3)
    right, trained = models(rng.permutation(len(POINTS))[:SIZE] for _ in range(3000))
    for measure, expected in (
        (memorization, 1 - right_without()),
        (consistency, right_without()),
    ):
        score, error = measure(right, trained)
        assert (np.abs(score - expected) < 3.5 * error).all()
        assert 0.3 < np.mean(((score - expected) / error) ** 2) < 2.5
        assert (error < 0.02).all()


def test_scores_and_errors_by_hand():
    # In: 3 of 4 right, out: 0 of 2. In: 2 of 2, out: 3 of 4.
    trained = np.array([[1, 0], [1, 0], [1, 0], [1, 0], [0, 1], [0, 1]], bool)
    right = np.array([[1, 1], [1, 1], [1, 1], [0, 0], [0, 1], [0, 1]], bool)
    score, error = memorization(right, trained)
    np.testing.assert_allclose(score, [3 / 4, 1 / 4])
    variance = (4 / 6) * (2 / 6) / 4 + (1 / 4) * (3 / 4) / 2
    np.testing.assert_allclose(error, np.sqrt([variance, variance]))
    score, error = consistency(right, trained)
    np.testing.assert_allclose(score, [0, 3 / 4])
    np.testing.assert_allclose(error, np.sqrt([(2 / 6) * (4 / 6) / 2, (5 / 8) * (3 / 8) / 4]))


def studies(inside: float, outside: float, count: int, seed: int = 0):
    """Return many studies of one example, side by side: 50 models, 70 % of them trained on it."""
    rng = np.random.default_rng(seed)
    trained = rng.random((50, count)) < 0.7
    return rng.random((50, count)) < np.where(trained, inside, outside), trained


@pytest.mark.parametrize(
    ("inside", "outside"),
    [(1, 1), (0, 0), (1, 0), (1, 0.95), (1, 0.5), (0.9, 0.6), (0.5, 0.5), (0.3, 0.7)],
)
def test_errors_are_the_spread_of_repeated_studies(inside, outside):
    right, trained = studies(inside, outside, 20_000)
    for measure, true in ((memorization, inside - outside), (consistency, outside)):
        score, error = measure(right, trained)
        spread = score.std()
        assert abs(score.mean() - true) <= 4 * spread / np.sqrt(20_000) + 1e-12
        assert spread * 0.97 < error.mean() < spread + 0.1
        assert error.min() > 0.01
        assert np.mean(np.abs(score - true) <= 1.96 * error) > 0.925


def test_an_example_that_all_models_were_trained_on_or_none_has_no_score():
    trained = np.array([[1, 0, 1], [1, 0, 0]], bool)
    right = np.array([[1, 1, 1], [1, 1, 0]], bool)
    for values in memorization(right, trained):
        assert np.isnan(values).tolist() == [True, True, False]
    for values in consistency(right, trained):
        assert np.isnan(values).tolist() == [True, False, False]
    assert mean_score(right, trained) == 1
    assert share_above(right, trained, 0.5).measured == 1
    nowhere = np.array([True, True, False])
    assert np.isnan(mean_score(right, trained, nowhere))
    assert np.isnan(share_above(right, trained, 0.5, nowhere)).all()


def test_a_score_that_equals_the_threshold_does_not_exceed_it():
    trained = np.repeat([[True], [False]], 10, axis=0)
    right = np.concatenate([np.arange(10) < 8, np.arange(10) < 5])[:, None]
    assert memorization(right, trained)[0] > 0.3  # 0.8 − 0.5 is 0.30000000000000004
    assert share_above(right, trained, 0.3).measured == 0
    assert share_above(right, trained, 0.299).measured == 1


def test_shares_and_means_are_of_the_chosen_examples():
    right, trained = studies(1, 0.6, 300)
    score = memorization(right, trained)[0]
    where = np.arange(300) % 3 == 0
    assert share_above(right, trained, 0.4, where).measured == np.mean(score[where] > 0.4)
    assert mean_score(right, trained, where) == pytest.approx(score[where].mean())
    assert share_above(right, trained, 0.4, where) == share_above(
        right[:, where], trained[:, where], 0.4
    )


def truth(examples: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return true scores, a mixture of zeros, ones and what is between, and both probabilities."""
    rng = np.random.default_rng(seed)
    kind = rng.random(examples)
    score = np.where(kind < 0.4, 0, np.where(kind < 0.9, rng.beta(0.8, 2, examples), 1))
    outside = rng.beta(4, 1, examples) * (1 - score)
    return score, outside + score, outside


def study(inside, outside, count: int, seed: int, spread: float = 0):
    """Return right and trained of models that differ in how good they are by this spread."""
    rng = np.random.default_rng(seed)
    trained = rng.random((count, len(inside))) < 0.7
    chance = np.where(trained, inside, outside)
    if spread:
        better = rng.normal(0, spread, (count, 1))
        chance = 1 / (1 + (1 / np.clip(chance, 0.02, 0.98) - 1) * np.exp(-better))
    return rng.random(trained.shape) < chance, trained


def test_halves_are_those_of_any_random_splits():
    _, inside, outside = truth(500, 0)
    rng = np.random.default_rng(1)
    for count in (50, 51):
        right, trained = study(inside, outside, count, 2)
        shares, correlations = [], {2: [], 4: []}
        for _ in range(150):
            for parts in (2, 4):
                order = np.array_split(rng.permutation(count), parts)
                scores = [memorization(right[part], trained[part])[0] for part in order]
                of_two = stats.spearmanr(*scores[:2], nan_policy="omit")
                correlations[parts].append(of_two.statistic)
                if parts == 2:
                    shares += [np.mean(score[~np.isnan(score)] > 0.25) for score in scores]
        share = share_above(right, trained, 0.25)
        assert 2 * share.measured - share.corrected == pytest.approx(np.mean(shares), abs=0.004)
        # 1/ρ is a straight line in 1/models: 1 of all, 2 of halves, 4 of quarters.
        line = np.polyfit([2, 4], [1 / np.mean(correlations[parts]) for parts in (2, 4)], 1)
        assert reliability(right, trained) == pytest.approx(1 / np.polyval(line, 1), abs=0.02)
        assert share == share_above(right, trained, 0.25)  # nothing is drawn anew


@pytest.mark.parametrize("threshold", [0.5, 0.75])
@pytest.mark.parametrize("count", [50, 200])
def test_the_corrected_share_has_little_bias(count, threshold):
    bias = []
    for seed in range(25):
        score, inside, outside = truth(4000, seed)
        shares = share_above(*study(inside, outside, count, seed), threshold)
        bias.append(np.subtract(shares, np.mean(score > threshold)))
    measured, corrected = np.mean(bias, 0)
    assert measured > 4 * np.std(bias, 0)[0] / np.sqrt(25)
    assert abs(corrected) < measured / 2.5


def test_a_corrected_share_is_not_clipped():
    right, trained = studies(1, 0.95, 2000)  # none above 0.3, but some of the halves
    share = share_above(right, trained, 0.3)
    assert share.corrected < 0 < share.measured < 0.01


def test_the_jackknife_of_a_mean_is_the_error_of_the_groups_means():
    rng = np.random.default_rng(0)
    right = rng.random((48, 5)) < np.linspace(0.2, 0.9, 5)
    rates, error = jackknife(lambda right, trained: right.mean(0), right, right)
    np.testing.assert_allclose(rates, right.mean(0))
    groups = right.reshape(3, 16, 5).mean(0)  # model m is in group m % 16
    np.testing.assert_allclose(error, groups.std(0, ddof=1) / 4)


@pytest.mark.parametrize(("count", "spread"), [(60, 0), (60, 0.8), (200, 0.8)])
def test_the_jackknife_gives_the_spread_of_repeated_studies(count, spread):
    _, inside, outside = truth(300, 5)

    def statistic(right, trained):
        return [
            *share_above(right, trained, 0.25),
            mean_score(right, trained),
            reliability(right, trained, 3),
        ]

    found = [statistic(*study(inside, outside, count, seed, spread)) for seed in range(80)]
    errors = [
        jackknife(statistic, *study(inside, outside, count, seed, spread))[1] for seed in range(12)
    ]
    ratio = np.sqrt(np.mean(np.square(errors), 0)) / np.std(found, 0, ddof=1)
    assert ((ratio > 0.8) & (ratio < [1.3, 1.3, 1.3, 1.6])).all(), ratio


@pytest.mark.parametrize("count", [40, 150])
def test_reliability_is_the_rank_correlation_with_another_study(count):
    score, inside, outside = truth(1000, 7)
    found, again, with_truth = [], [], []
    for seed in range(0, 40, 2):
        right, trained = study(inside, outside, count, seed)
        scores = memorization(right, trained)[0]
        other = memorization(*study(inside, outside, count, seed + 1))[0]
        found.append(reliability(right, trained))
        again.append(stats.spearmanr(scores, other).statistic)
        with_truth.append(stats.spearmanr(scores, score).statistic)
    assert np.mean(found) == pytest.approx(np.mean(again), abs=0.03)
    # The ceiling: not quite reached, as the true scores have ties, and the measured ones do not.
    assert 0.95 * np.sqrt(np.mean(found)) < np.mean(with_truth) < 1.005 * np.sqrt(np.mean(found))
    assert np.mean(found) > 0.6


@pytest.mark.parametrize("counts", [(40, 60, 80), (80, 80)])
def test_reliability_of_mean_consistency_is_the_rank_correlation_with_another_study(counts):
    """Of several sizes of the subsets, each with a P(right | not trained on it) of its own."""
    _, inside, outside = truth(1000, 5)
    sizes = [np.clip(outside + shift, 0, 1) for shift in (-0.2, 0.0, 0.1)[: len(counts)]]
    found, again = [], []
    for seed in range(0, 600, 60):
        one, other = (
            [
                study(inside, own, count, first + k)
                for k, (own, count) in enumerate(zip(sizes, counts, strict=True))
            ]
            for first in (seed, seed + 30)
        )
        found.append(consistency_reliability(one))
        means = [np.mean([consistency(*each)[0] for each in part], 0) for part in (one, other)]
        again.append(stats.spearmanr(*means).statistic)
    assert np.mean(found) == pytest.approx(np.mean(again), abs=0.02)
    assert 0.6 < np.mean(found) < 0.98


def test_the_mean_consistency_is_of_models_that_were_not_trained_on_the_example():
    right, trained = studies(1, 0.4, 500)
    assert mean_consistency(right, trained) == pytest.approx(right[~trained].mean(), abs=0.02)
    by_example = [right[~trained[:, i], i].mean() for i in range(right.shape[1])]
    assert mean_consistency(right, trained) == pytest.approx(np.mean(by_example))


def test_splits_in_which_all_scores_are_equal_do_not_count():
    rng = np.random.default_rng(0)
    right = np.ones((16, 100), bool)
    right[:8, 0] = False  # what is hard for half of the models: in some splits no model has it
    trained = rng.random(right.shape) < 0.5
    trained[:, 0] = np.arange(16) % 2
    right |= trained
    assert 0 < reliability(right, trained) <= 1
    assert np.isnan(reliability(np.ones_like(right), trained))


def test_scores_of_noise_alone_are_not_reliable():
    found = [reliability(*study(np.full(300, 0.8), 0.6, 60, seed)) for seed in range(30)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(30)
    assert np.abs(found).max() < 0.4
    assert np.isnan(reliability(np.ones((10, 4), bool), np.eye(10, 4, dtype=bool)))


RIGHT = np.zeros((8, 3), bool)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: memorization(RIGHT[0], RIGHT[0]), r"must be \(models, examples\), but its shape"),
        (lambda: memorization(RIGHT[:0], RIGHT[:0]), r"but its shape is \(0, 3\)"),
        (lambda: consistency(RIGHT, RIGHT * 1.0), "'trained' must hold booleans.* is float64"),
        (lambda: mean_score(RIGHT, RIGHT[:5]), "of 8 models, but 'trained' is of 5"),
        (lambda: reliability(RIGHT[:, :2], RIGHT), "of 2 examples, but 'trained' is of 3"),
        (lambda: share_above(RIGHT, RIGHT, 1.5), "A threshold of 1.5 is none"),
        (lambda: share_above(RIGHT, RIGHT, np.nan), "A threshold of nan is none"),
        (lambda: share_above(RIGHT, RIGHT, 0, [0, 2]), "'where' must be 3 booleans.* int64"),
        (lambda: mean_score(RIGHT, RIGHT, RIGHT[:, 0]), r"'where' must be 3 .*shape \(8,\)"),
        (lambda: jackknife(mean_score, RIGHT, RIGHT, 8), "8 groups of 8 models cannot be halved"),
        (lambda: jackknife(mean_score, RIGHT, RIGHT, 3), "give a power of 2"),
        (lambda: jackknife(mean_score, RIGHT, RIGHT, 1), "1 groups"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
