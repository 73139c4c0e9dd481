"""Whose commit a file names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

pytestmark = pytest.mark.slow

GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]


def commit_all(folder: Path) -> str:
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*GIT, *command], cwd=folder, check=True, capture_output=True)
    ran = subprocess.run([*GIT, "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True)
    return ran.stdout.decode().strip()


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A copy of the package without a repository."""
    copy = tmp_path / "outer" / "rote"
    shutil.copytree(
        ROOT / "workflow_scripts",
        copy / "workflow_scripts",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return copy


def named(checkout: Path, **variables: str) -> str:
    code = "from rote.files.provenance import _git_commit; print(_git_commit())"
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=checkout.parent,
        env={**os.environ, "PYTHONPATH": str(checkout / "workflow_scripts"), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()


def test_a_file_names_the_commit_of_the_checkout_and_whether_it_was_changed(checkout):
    commit = commit_all(checkout)
    assert named(checkout) == commit
    (checkout / "workflow_scripts" / "job.py").write_text("")
    assert named(checkout) == f"{commit}-dirty"


def test_a_checkout_inside_another_repository_has_no_commit_of_that_one(checkout):
    commit_all(checkout.parent)
    assert named(checkout) == "unknown"


def test_variables_of_git_do_not_name_another_commit(checkout, tmp_path):
    commit = commit_all(checkout)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a").write_text("a")
    commit_all(tmp_path / "other")
    assert named(checkout, GIT_DIR=str(tmp_path / "other" / ".git")) == commit


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_a_checkout_of_another_owner_has_its_commit(checkout):
    commit = commit_all(checkout)
    for path in (checkout, *checkout.rglob("*")):
        os.chown(path, 65534, 65534)
    assert named(checkout) == commit
