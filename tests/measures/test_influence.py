"""Influence on a nearest-neighbour model by retraining it, and what is found where none is."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from rote.measures import influence as module
from rote.measures.influence import MINIMUM_MODELS, Influences, influence

POINTS = np.array([0.0, 1.0, 2.3, 3.8, 4.5, 6.1, 6.9, 9.2])
LABELS = np.array([0, 1, 1, 0, 0, 0, 1, 1])
VALIDATION = np.array([-0.7, 0.8, 3.3, 5.6, 8.3]), np.array([0, 0, 1, 0, 1])
SIZE = 5  # of a subset


def train(subset) -> np.ndarray:
    """Return whether the nearest example of a subset has the label of each validation example."""
    points, labels = VALIDATION
    subset = np.asarray(subset)
    return LABELS[subset[np.abs(points[:, None] - POINTS[subset]).argmin(1)]] == labels


def models(subsets) -> tuple[np.ndarray, np.ndarray]:
    subsets = list(subsets)
    trained = np.array([np.isin(np.arange(len(POINTS)), subset) for subset in subsets])
    return np.array([train(subset) for subset in subsets]), trained


def by_retraining() -> np.ndarray:
    """Return the influences (training, validation): trained with the example, and without it."""
    found = []
    for i in range(len(POINTS)):
        others = [*range(i), *range(i + 1, len(POINTS))]
        with_it = [train([i, *subset]) for subset in combinations(others, SIZE - 1)]
        without = [train(subset) for subset in combinations(others, SIZE)]
        found.append(np.mean(with_it, 0) - np.mean(without, 0))
    return np.array(found)


def table(found: Influences, shape: tuple[int, int]) -> np.ndarray:
    values = np.zeros(shape)
    values[found.train, found.validation] = found.influence
    return values


def test_of_all_subsets_the_influences_are_those_of_retraining():
    subsets = list(combinations(range(len(POINTS)), SIZE))
    right, trained = models(subsets * 100)
    expected = by_retraining()
    found = influence(right, trained)
    assert (expected > 0.1).any()
    assert (expected < -0.1).any()
    np.testing.assert_allclose(table(found, expected.shape), expected, atol=1e-12)
    none = (np.abs(expected) < 1e-9).sum()
    assert len(found.train) == expected.size - none < expected.size


def test_of_random_subsets_the_influences_are_those_of_retraining_within_their_errors():
    rng = np.random.default_rng(0)
    right, trained = models(rng.permutation(len(POINTS))[:SIZE] for _ in range(MINIMUM_MODELS))
    expected = by_retraining()
    found = influence(right, trained)
    measured = table(found, expected.shape)
    assert (np.abs(measured - expected) < 0.08)[measured != 0].all()
    assert (measured[np.abs(expected) > 0.15] != 0).all()
    assert (np.diff(np.abs(found.influence)) <= 0).all()


def every_pair(right, trained) -> np.ndarray:
    """Return the p-values of all pairs, of SciPy's test by itself, twice the smaller tail."""
    found = np.ones((trained.shape[1], right.shape[1]))
    for i, j in product(*map(range, found.shape)):
        counts = [
            [(own & (right[:, j] == hit)).sum() for hit in (True, False)]
            for own in (trained[:, i], ~trained[:, i])
        ]
        tails = [stats.fisher_exact(counts, side).pvalue for side in ("less", "greater")]
        found[i, j] = min(1, 2 * min(tails))
    return found


def planted(seed: int, count: int, train: int = 12, validation: int = 15, influential: int = 5):
    """Return right and trained where example i raises or reduces the chance of i, i < 5, by 0.5."""
    rng = np.random.default_rng(seed)
    trained = rng.random((count, train)) < 0.7
    chance = rng.uniform(0.05, 0.95, validation) + np.zeros((count, 1))
    for i in range(influential):
        chance[:, i] = np.where(trained[:, i] == i % 2, 0.25, 0.75)
    # Models differ in how good they are, so that validation examples depend on each other.
    chance = 1 / (1 + (1 / chance - 1) * np.exp(-rng.normal(0, 1, (count, 1))))
    return rng.random(chance.shape) < chance, trained


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_pairs_are_those_of_fishers_test_and_benjamini_hochberg(rate):
    right, trained = planted(1, 200)
    right[:, -1], trained[:, -1] = True, True  # nothing to compare
    p_value = every_pair(right, trained)
    expected = stats.false_discovery_control(p_value.ravel()).reshape(p_value.shape) <= rate
    found = influence(right, trained, rate)
    assert table(found, p_value.shape).astype(bool).tolist() == expected.tolist()
    assert {(i, i) for i in range(5)} <= {*zip(found.train, found.validation, strict=True)}
    np.testing.assert_allclose(found.p_value, p_value[found.train, found.validation], rtol=1e-9)
    for i, j, value in zip(found.train, found.validation, found.influence, strict=True):
        own = trained[:, i]
        assert value == pytest.approx(right[own, j].mean() - right[~own, j].mean())


def test_pairs_that_are_not_tested_exactly_are_lost_only_where_they_are_hard_to_see(monkeypatch):
    right, trained = planted(2, 200, 40, 30)
    every = influence(right, trained)
    monkeypatch.setattr(module, "TESTED", 12)  # of 1,200 pairs, those beyond 2.6 standard errors
    tested = []
    hypergeom = stats.hypergeom
    monkeypatch.setattr(
        stats, "hypergeom", lambda *shape: tested.append(len(shape[1])) or hypergeom(*shape)
    )
    few = influence(right, trained)
    correlation = np.corrcoef(trained.T, right.T)[:40, 40:]
    assert tested == [(np.abs(correlation) * np.sqrt(199) >= stats.norm.isf(0.005)).sum()]
    for one, other in zip(every, few, strict=True):
        np.testing.assert_array_equal(one, other)
    monkeypatch.setattr(module, "BLOCK", 7)
    for one, other in zip(every, influence(right, trained), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_an_influence_hardly_a_study_finds_any():
    found = [len(influence(*planted(seed, 100, influential=0)).train) > 0 for seed in range(300)]
    assert np.mean(found) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
    assert np.mean(found) > 0  # it is not so strict that it never errs


def test_what_is_rare_is_not_taken_for_an_influence():
    # Ten of 500 models are right, and nearly all were trained on any example.
    # Here a normal approximation sees influences where there is none.
    found = by_normal = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        trained = rng.random((500, 60)) < 0.95
        right = np.zeros((500, 60), bool)
        right[rng.integers(500, size=(10, 60)), np.arange(60)] = True
        found += len(influence(right, trained).train) > 0
        z = stats.zscore(trained.astype(float)).T @ stats.zscore(right.astype(float)) / 500**0.5
        p_value = 2 * stats.norm.sf(np.abs(z))
        by_normal += (stats.false_discovery_control(p_value, axis=None) <= 0.05).any()
    assert found == 0
    assert by_normal > 15


def test_planted_influences_are_found_with_few_others():
    false = true = 0
    for seed in range(40):
        found = influence(*planted(seed, 200))
        planted_ones = (found.train == found.validation) & (found.train < 5)
        true, false = true + planted_ones.sum(), false + (~planted_ones).sum()
        sign = np.where(found.train % 2, -1, 1)[planted_ones]
        assert (np.sign(found.influence[planted_ones]) == sign).all()
    assert true > 0.95 * 5 * 40
    assert false / (true + false) < 0.08


def test_with_the_smallest_number_of_models_an_influence_of_15_in_100_is_just_seen():
    # The first of 5,000 × 5,000 pairs, 70 % of the models trained on it, right half the time.
    deviations = stats.norm.isf(0.05 / 5000**2 / 2)
    for count, seen in ((MINIMUM_MODELS, 0.15), (200, 0.46)):
        error = np.sqrt(0.25 / (0.7 * count) + 0.25 / (0.3 * count))
        assert deviations * error == pytest.approx(seen, abs=0.005)


@pytest.mark.parametrize(
    ("right", "trained", "rate", "sentence"),
    [
        (np.ones((5, 2)), np.ones((5, 3), bool), 0.05, "'right_validation' must hold booleans"),
        (np.ones(5, bool), np.ones((5, 3), bool), 0.05, r"its shape is \(5,\)"),
        (np.ones((5, 2), bool), np.ones((4, 3), bool), 0.05, "of 5 models, but 'trained' is of 4"),
        (np.ones((5, 2), bool), np.ones((5, 3), bool), 0, "A false discovery rate of 0 is none"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(right, trained, rate, sentence):
    with pytest.raises(ValueError, match=sentence):
        influence(right, trained, rate)


def test_where_no_pair_can_be_compared_none_is_found():
    for right, trained in (
        (np.ones((6, 2), bool), np.eye(6, 3, dtype=bool)),
        (np.eye(6, 2, dtype=bool), np.ones((6, 3), bool)),
        (np.ones((1, 2), bool), np.ones((1, 3), bool)),
    ):
        assert [values.shape for values in influence(right, trained)] == [(0,)] * 4
