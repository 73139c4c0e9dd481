import numpy as np
import pytest

from rote.measures.capacity import early_share, fitting, sufficient


def test_sufficient_width_by_hand():
    widths = np.array([16, 32, 64, 128])
    # 0.88 is needed: reached two thirds of the way from 32 to 64.
    assert sufficient(np.array([0.7, 0.8, 0.92, 0.9]), widths, 0.04) == (
        pytest.approx(5 + 2 / 3), False, False,
    )  # fmt: skip
    assert sufficient(np.array([0.9, 0.8, 0.7, 0.6]), widths, 0.04) == (4, True, False)
    assert sufficient(np.array([0.5, 0.6, 0.7, 0.8]), widths, 0.04)[2]
    assert np.isnan(sufficient(np.full(4, np.nan), widths, 0.04)[0])
    skipped = sufficient(np.array([0.7, np.nan, 0.9, 0.9]), widths, 0.1)
    assert skipped == (pytest.approx(5), False, False)


WIDTHS = np.array([8, 16, 32, 64])
ENDED = np.ones(4, bool)


@pytest.mark.parametrize(
    ("accuracy", "stopped", "expected"),
    [
        ([0.5, 0.8, 1.0, 1.0], [], (4.5, False, False)),  # halfway from 16 to 32
        ([0.5, 0.8, 0.9, 1.0], [], (5, False, False)),
        ([0.9, 0.8, 1.0, 1.0], [], (3, True, False)),  # a smaller one may do
        ([0.5, 0.6, 0.7, 0.8], [], (6, False, True)),  # more may be needed
        # A narrower model that was stopped while it learned might have fitted; a wider one has no
        # say, nor has one that fits.
        ([0.5, 0.8, 1.0, 1.0], [0], (4.5, True, False)),
        ([0.5, 0.8, 1.0, 1.0], [1], (4.5, True, False)),
        ([0.5, 0.8, 1.0, 1.0], [2, 3], (4.5, False, False)),
        ([0.5, 0.6, 0.7, 0.8], [3], (6, True, True)),
        ([0.5, 0.6, 0.7, 0.8], [0], (6, True, True)),
        # Without an accuracy: left out, whether stopped or not.
        ([0.8, np.nan, 1.0, 1.0], [1], (4, False, False)),
        ([np.nan, 1.0, 1.0, 1.0], [0], (4, True, False)),
        ([0.5, 0.6, 0.7, np.nan], [3], (5, False, True)),
    ],
)
def test_fitting_width_by_hand(accuracy, stopped, expected):
    ended = ENDED.copy()
    ended[stopped] = False
    found = fitting(np.array(accuracy), ended, WIDTHS, 0.9)
    assert found == (pytest.approx(expected[0]), *expected[1:])


def test_fitting_width_of_nothing_is_unknown():
    assert np.isnan(fitting(np.full(4, np.nan), ENDED, WIDTHS, 0.9).log2)


def test_share_of_the_gain_that_comes_early_by_hand():
    # Half of the three doublings from 8 is made at 22.6, halfway from 16 to 32.
    assert early_share(np.array([0.1, 0.5, 0.9, 0.9]), WIDTHS, 0.02) == pytest.approx(0.6 / 0.8)
    steady = np.array([0.1, 0.2, 0.3, 0.4])
    assert early_share(steady, WIDTHS, 0.02) == pytest.approx(0.5)
    assert early_share(steady[[0, 1, 3, 3]], WIDTHS, 0.02) == pytest.approx(0.2 / 0.3)
    skipped = np.where([1, 0, 1, 1], steady, np.nan)
    assert early_share(skipped, WIDTHS, 0.02) == pytest.approx(0.5)
    assert np.isnan(early_share(np.where([1, 1, 1, 0], steady, np.nan), WIDTHS, 0.02))
    assert np.isnan(early_share(steady / 100, WIDTHS, 0.02))
    assert np.isnan(early_share(steady[::-1], WIDTHS, 0.02))
