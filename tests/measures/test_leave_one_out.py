"""Leaving one out by hand, and its errors over repeated studies whose replicates share much."""

import numpy as np
import pytest
from scipy import stats

from rote.measures import leave_one_out


def test_shares_and_scores_by_hand():
    # Two replicates of three models, of which each leaves out one of three examples.
    trained = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]] * 2, bool)
    right = np.array([[0, 1, 1], [1, 1, 1], [1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 0]], bool)
    found = leave_one_out.shares(right, trained, np.array([7, 7, 7, 4, 4, 4]))
    # Replicate 4 first.
    inside, outside = [[0.5, 1, 0.5], [1, 0.5, 1]], [[1, 1, 0], [0, 1, 1]]
    np.testing.assert_allclose(found, [inside, outside])
    score, error = leave_one_out.score(found)
    np.testing.assert_allclose(score, [0.25, -0.25, 0.25])
    # With what is added for models without the example: right, and wrong.
    each = np.array([[-0.5, 1, -0.25, 0.75], [0, -0.5, -0.25, 0.75], [0.5, 0, -0.25, 0.75]])
    np.testing.assert_allclose(error, each.std(1) / np.sqrt(2))
    mean, error = leave_one_out.mean_score(found)
    assert mean == pytest.approx(1 / 12)
    assert error == pytest.approx(1 / 12)  # of 0 and 1/6


def test_what_a_replicate_lacks_does_not_count():
    trained = np.array([[0, 1], [1, 1], [1, 0], [0, 1]], bool)
    right = np.array([[0, 1], [1, 1], [1, 0], [0, 1]], bool)
    found = leave_one_out.shares(right, trained, np.array([0, 0, 1, 1]))
    np.testing.assert_array_equal(found, [[[1, np.nan], [1, 1]], [[0, np.nan], [0, 0]]])
    score, error = leave_one_out.score(found)
    np.testing.assert_allclose(score, [1, 1])
    assert error[1] > error[0] > 0
    nothing = np.full((2, 3, 1), np.nan)
    assert np.isnan(leave_one_out.score(nothing)).all()
    assert leave_one_out.mean_score(found)[0] == 1
    assert np.isnan(leave_one_out.mean_score(nothing)).all()


def studies(inside: float, outside: float, shared: float, replicates: int, count: int):
    """Return shares (2, replicates, studies) of models that go along with their replicate.

    A model is right where a normal variable is below a quantile; ``shared`` is the correlation of
    these variables within a replicate, of 49 models that are trained on the example and one not.
    """
    rng = np.random.default_rng(5)
    common = rng.normal(size=(replicates, count))
    own = rng.normal(size=(50, replicates, count))
    normal = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
    right = normal < stats.norm.ppf([*[inside] * 49, outside])[:, None, None]
    return np.stack([right[:49].mean(0), right[49]])


@pytest.mark.parametrize("shared", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(
    ("inside", "outside"),
    [(1, 1), (1, 0), (0, 0), (1, 0.95), (1, 0.5), (0.9, 0.6), (0.5, 0.5), (0.3, 0.7)],
)
def test_errors_are_the_spread_of_repeated_studies(inside, outside, shared):
    score, error = leave_one_out.score(studies(inside, outside, shared, 60, 2000))
    spread, true = score.std(), inside - outside
    assert abs(score.mean() - true) <= 4 * spread / np.sqrt(2000) + 1e-12
    assert spread * 0.97 < error.mean() < spread + 0.017
    assert np.mean(np.abs(score - true) <= 1.96 * error) > 0.93


def test_errors_as_if_all_models_were_independent_would_be_too_large():
    """Why pairs are compared, and not two independent proportions (Agresti and Caffo)."""
    score, error = leave_one_out.score(studies(0.5, 0.5, 0.9, 60, 2000))
    of_those_without = np.sqrt(0.25 / 60)
    assert of_those_without > 1.5 * score.std()
    assert error.mean() < 1.2 * score.std()


def test_the_error_of_the_mean_knows_that_examples_share_replicates():
    rng = np.random.default_rng(1)
    # (studies, replicates, examples): half of each difference is that of its replicate.
    common, own = rng.normal(size=(1000, 30, 1)), rng.normal(size=(1000, 30, 20))
    inside = 0.1 + 0.1 * (common + own)
    each = [leave_one_out.mean_score(np.stack([one, 0 * one])) for one in inside]
    means, errors = np.array(each).T
    assert means.mean() == pytest.approx(0.1, abs=0.003)
    assert errors.mean() == pytest.approx(means.std(), rel=0.06)


@pytest.mark.parametrize("replicate", [np.zeros(3), np.zeros((2, 1))])
def test_replicates_must_be_one_a_model(replicate):
    ones = np.ones((2, 4), bool)
    with pytest.raises(ValueError, match="'replicate' is of shape"):
        leave_one_out.shares(ones, ones, replicate)
