"""A tiny study that is finished, and copies of it to change."""

import pytest

from tiny_study import Study


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Study:
    """All figures and pages of the tiny study. Nothing may change it: use ``study``."""
    study = Study(tmp_path_factory.mktemp("finished"))
    study.snakemake("study")
    return study


@pytest.fixture
def study(finished, tmp_path) -> Study:
    """A copy of the finished study, with all that Snakemake knows of it."""
    return finished.copied(tmp_path)
