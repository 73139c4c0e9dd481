"""A few random edits of a tiny study; ``make faults`` does more."""

import pytest
from edit_anywhere import edit_anywhere


@pytest.mark.slow
def test_after_any_edit_a_study_is_as_one_made_from_nothing(tmp_path):
    counts = edit_anywhere(tmp_path, edits=3, seed=3)
    assert counts.total() - counts["fails"] == 3
