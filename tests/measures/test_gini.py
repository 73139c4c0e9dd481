import numpy as np
import pytest

from rote.measures.gini import gini


def by_definition(values):
    values = np.asarray(values, float)
    return np.abs(values[:, None] - values).sum() / (2 * len(values) * values.sum())


def test_the_ends_of_the_scale():
    assert gini([0.3] * 7) == 0
    assert gini([0.0, 0.0]) == 0
    assert gini([7]) == 0
    assert gini([0, 0, 0, 5]) == pytest.approx(1 - 1 / 4)


def test_a_case_worked_by_hand():
    # |1−2| + |1−3| + |2−3| = 4, twice; 8 / (2·3·6)
    assert gini([3, 1, 2]) == pytest.approx(8 / 36)


@pytest.mark.parametrize("n", [2, 5, 100])
def test_it_is_the_mean_difference_of_all_pairs(n):
    values = np.random.default_rng(n).exponential(size=n)
    assert gini(values) == pytest.approx(by_definition(values), rel=1e-12)


def test_scale_and_order_do_not_matter():
    values = np.random.default_rng(0).lognormal(size=50)
    assert gini(values[::-1] * 1e-200) == pytest.approx(gini(values), rel=1e-12)
    assert gini(values * 1e306) == pytest.approx(gini(values), rel=1e-12)


def test_it_is_taken_over_the_last_axis():
    values = np.random.default_rng(0).random((2, 3, 20))
    coefficients = gini(values)
    assert coefficients.shape == (2, 3)
    assert coefficients[1, 2] == pytest.approx(by_definition(values[1, 2]))


def test_what_is_not_a_number_stays_so_and_spoils_nothing_else():
    coefficients = gini([[1.0, np.nan], [1.0, np.inf], [1.0, 3.0]])
    assert np.isnan(coefficients).tolist() == [True, True, False]
    assert coefficients[2] == pytest.approx(0.25)


def test_negative_and_missing_values_are_refused():
    with pytest.raises(ValueError, match="must not be negative, but the smallest is -0.5"):
        gini([1, -0.5])
    with pytest.raises(ValueError, match="hold nothing"):
        gini(np.ones((3, 0)))
