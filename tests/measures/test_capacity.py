import numpy as np
import pytest

from rote.measures.capacity import sufficient


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
