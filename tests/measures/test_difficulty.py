"""How much examples differ in difficulty: by hand, by NumPy, and over many simulated studies."""

from itertools import combinations

import numpy as np
import pytest

from rote.measures.difficulty import dispersion, extremes, spread


def covariance_over_pairs(wrong: np.ndarray) -> float:
    """Return the mean over all pairs of models of their covariance over the examples."""
    pairs = combinations(wrong.T.astype(float), 2)
    return float(np.mean([np.cov(one, other)[0, 1] for one, other in pairs]))


def squared(root: float) -> float:
    """Return a variance that is given as its root with its sign."""
    return np.sign(root) * root**2


@pytest.mark.parametrize(("examples", "models"), [(2, 2), (7, 3), (30, 12)])
def test_spread_is_the_root_of_the_mean_covariance_of_two_models(examples, models):
    rng = np.random.default_rng(examples)
    signs = set()
    for _ in range(40):
        wrong = rng.random((examples, models)) < rng.random((examples, 1)) / 5 + 0.4
        expected = covariance_over_pairs(wrong)
        assert squared(spread(wrong)) == pytest.approx(expected, abs=1e-12)
        assert spread(wrong, np.full(examples, 9)) == pytest.approx(spread(wrong))
        signs.add(np.sign(round(expected, 12)))
    assert {-1, 1} <= signs  # of either there are some


def test_spread_within_labels_by_hand():
    # Around the means of the labels a (1/2, 1), b (1/2, 1/2, a third) and c, which is alone.
    wrong = np.array([[1, 1], [0, 1], [1, 1], [0, 0], [1, 0]])
    labels = np.array([4, 4, 8, 8, 2])
    # Label 4: products 1/2·0 − 1/2·0. Label 8: 1/2·1/2 twice. Five examples less three labels.
    assert spread(wrong, labels) == pytest.approx(np.sqrt((0 + 1 / 2) / 2))
    # Around the means 3/5 and 3/5: those of (1, 1), (0, 1), (1, 1), (0, 0) and (1, 0).
    products = 0.4 * 0.4 - 0.6 * 0.4 + 0.4 * 0.4 + 0.6 * 0.6 - 0.4 * 0.6
    assert spread(wrong) == pytest.approx(np.sqrt(products / 4))


def test_spread_within_labels_is_that_of_each_label_weighted_by_what_is_free_in_it():
    rng = np.random.default_rng(2)
    labels = rng.permutation(np.repeat([0, 1, 2], [5, 8, 12]))
    wrong = rng.random((25, 6)) < rng.random((25, 1))
    free = {label: (labels == label).sum() - 1 for label in (0, 1, 2)}
    each = {label: covariance_over_pairs(wrong[labels == label]) for label in free}
    expected = sum(each[label] * free[label] for label in free) / sum(free.values())
    assert squared(spread(wrong, labels)) == pytest.approx(expected)


def studies(rates: np.ndarray, models: int, count: int, groups=None) -> np.ndarray:
    """Return the squared spread of each of many studies in which examples have these true rates."""
    rng = np.random.default_rng(models)
    wrong = rng.random((count, len(rates), models)) < rates[:, None]
    return np.array([squared(spread(own, groups)) for own in wrong])


@pytest.mark.parametrize("models", [2, 10, 40])
def test_examples_that_are_alike_have_a_variance_of_zero_on_average(models):
    found = studies(np.full(30, 0.3), models, 2000)
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(2000)
    assert 0.3 < (found < 0).mean() < 0.7
    # The ratio to the binomial is that of measured rates: it is 1 there.
    rng = np.random.default_rng(models)
    rates = (rng.random((2000, 30, models)) < 0.3).mean(-1)
    varied = rates[(rates.mean(-1) > 0) & (rates.mean(-1) < 1)]
    assert dispersion(varied, models).mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("models", [2, 10, 40])
def test_the_variance_is_that_of_the_true_rates_whatever_the_number_of_models(models):
    labels = np.repeat([0, 1, 2], 10)
    # Means of labels differ, and examples of a label do.
    rates = np.array([0.2, 0.4, 0.6])[labels] + np.tile(np.linspace(-0.15, 0.15, 10), 3)
    found = studies(rates, models, 2000)
    assert abs(found.mean() - rates.var(ddof=1)) < 4 * found.std() / np.sqrt(2000)
    within = studies(rates, models, 2000, labels)
    true = np.linspace(-0.15, 0.15, 10).var(ddof=1)
    assert abs(within.mean() - true) < 4 * within.std() / np.sqrt(2000)
    assert true < rates.var(ddof=1) / 3


def test_models_of_other_error_rates_are_not_taken_for_examples_that_differ():
    rng = np.random.default_rng(1)
    errors = rng.random((3000, 1, 20))
    found = [squared(spread(wrong)) for wrong in rng.random((3000, 25, 20)) < errors]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(3000)


@pytest.mark.parametrize(
    ("shape", "groups"),
    [
        ((5, 1), None),  # of a single model there is no pair
        ((5, 0), None),
        ((1, 4), None),
        ((3, 4), [0, 1, 2]),  # each is alone with its label
    ],
)
def test_where_nothing_can_be_compared_there_is_no_spread(shape, groups):
    assert np.isnan(spread(np.ones(shape, bool), groups))


def test_models_that_all_err_alike_spread_by_nothing():
    assert spread(np.ones((5, 4), bool)) == 0
    assert spread(np.array([[1, 1], [0, 0]], bool)) == pytest.approx(np.sqrt(1 / 2))


def test_dispersion_is_the_ratio_to_the_binomial_variance():
    rates = np.array([[0.0, 0.5, 1.0], [0.5, 0.5, 0.5]])  # variances 1/4 and 0
    np.testing.assert_allclose(dispersion(rates, 8), [0.25 / (0.25 / 8), 0])


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_rates_that_could_not_vary_have_no_dispersion(rate):
    assert np.isnan(dispersion(np.full(5, rate), 8))


def test_extremes_by_hand():
    # Errors of the examples: 0, 1, 2, 3, 4 of 4 models; the models err on 2, 1, 3 and 4 of 5.
    wrong = np.array([[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 1], [1, 0, 1, 1], [1, 1, 1, 1]], bool)
    rates = np.array([0.4, 0.2, 0.6, 0.8])
    none, every = np.prod(1 - rates), np.prod(rates)
    share, alike = extremes(wrong, 0.05)
    assert share == pytest.approx(2 / 5)
    assert alike == pytest.approx(none + every)
    # One of four may disagree.
    one = sum(none / (1 - p) * p for p in rates)
    all_but_one = sum(every / p * (1 - p) for p in rates)
    share, alike = extremes(wrong, 0.25)
    assert share == pytest.approx(4 / 5)
    assert alike == pytest.approx(none + one + every + all_but_one)
    assert extremes(wrong, 0.2499)[0] == pytest.approx(2 / 5)


def test_a_fraction_of_the_models_is_a_whole_number_whatever_its_rounding():
    wrong = np.zeros((3, 100), bool)
    wrong[1, :29] = wrong[2, :30] = True  # 0.29 · 100 is 28.999999999999996
    assert extremes(wrong, 0.29)[0] == pytest.approx(2 / 3)


def test_extremes_of_examples_that_are_alike_within_their_label():
    rng = np.random.default_rng(4)
    labels = rng.integers(5, size=60)
    found = []
    for _ in range(400):
        # Each model has an error rate of its own on each label, high on those that are rare.
        errors = np.linspace(0.5, 0.97, 5)[:, None] + rng.uniform(-0.02, 0.02, (5, 40))
        wrong = rng.random((60, 40)) < errors[labels]
        found.append([*extremes(wrong, 0.05, labels), extremes(wrong, 0.05)[1]])
    share, alike, all_alike = np.array(found).T
    difference = share - alike
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(400)
    assert share.mean() - all_alike.mean() > 0.1  # the labels alone make the difference
    one_label = extremes(wrong, 0.05, np.full(60, 3))
    assert one_label == extremes(wrong, 0.05)


def test_extremes_of_examples_that_are_alike_are_as_many_as_expected():
    rng = np.random.default_rng(3)
    errors = rng.uniform(0.02, 0.3, 40)  # models differ, examples do not
    found = [extremes(wrong, 0.05) for wrong in rng.random((800, 50, 40)) < errors]
    share, alike = np.array(found).T
    difference = share - alike
    assert 0.02 < share.mean() < 0.5
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(800)


def test_extremes_of_examples_that_differ_are_more():
    rng = np.random.default_rng(4)
    chance = np.where(np.arange(300) % 3 == 0, 0.01, 0.5)[:, None]
    share, alike = extremes(rng.random((300, 100)) < chance, 0.05)
    assert share == pytest.approx(1 / 3, abs=0.01)
    assert alike < 1e-6
