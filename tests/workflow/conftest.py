"""A tiny study that is finished, and copies of it to change."""

import fcntl
import os

import pytest

from tiny_study import Study


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id) -> Study:
    """All figures and pages of the tiny study. Nothing may change it: use ``study``."""
    base = tmp_path_factory.getbasetemp()
    if worker_id != "master":  # the folders of all workers of pytest-xdist are in one
        base = base.parent
    study = Study(base / "finished")
    study.folder.mkdir(exist_ok=True)
    with (base / "finished.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.fstat(lock.fileno()).st_size:  # nothing was written: it is the first
            study.snakemake("study", "--cores", "2")  # the other worker may be waiting for it
            lock.write("finished")
    return study


@pytest.fixture
def study(finished, tmp_path) -> Study:
    """A copy of the finished study, with all that Snakemake knows of it."""
    return finished.copied(tmp_path)
