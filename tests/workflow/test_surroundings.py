"""Where the workflow lies, and what the environment and other projects bring along."""

import os
import subprocess
import time

import pytest

from conftest import ROOT
from rote.files import netcdf
from tiny_study import Study, copied_checkout, own_python

pytestmark = pytest.mark.slow

FOREIGN = 'raise SystemExit("not the one of rote")\n'


def test_neither_paths_nor_variables_make_a_difference(finished, tmp_path):
    checkout = copied_checkout(tmp_path / "it's my süß checkout")
    study = Study(tmp_path / "it's my süß study", preloaded=False)
    study.folder.mkdir()
    study.snakefile, study.python = checkout / "Snakefile", own_python(checkout)
    (tmp_path / "foreign" / "rote").mkdir(parents=True)
    for module in ("rote/__init__.py", "job.py"):
        (tmp_path / "foreign" / module).write_text(FOREIGN)
    study.environment |= {
        "HOME": "/dev/null",
        "PYTHONPATH": str(tmp_path / "foreign"),
        "PYTHONOPTIMIZE": "2",
        "PYTHONSAFEPATH": "1",
        "PYTHONSTARTUP": str(tmp_path / "foreign" / "job.py"),
    }
    printed = study.snakemake("fig3_1")
    assert "warn" not in printed.lower()
    assert "Matplotlib" not in printed
    for name in ("runs/difficulty/units-4.nc", "metrics/fig3_1.nc"):
        results = [netcdf.read(each.results / name) for each in (study, finished)]
        # The copy is no checkout of git.
        assert (
            results[0]
            .drop_vars("git_commit", errors="ignore")
            .equals(results[1].drop_vars("git_commit", errors="ignore"))
        )
    figures = [each.results / "figures" / "fig3_1.png" for each in (study, finished)]
    assert figures[0].read_bytes() == figures[1].read_bytes()
    captions = [figure.with_suffix(".txt").read_text().splitlines() for figure in figures]
    assert captions[0][0] == captions[1][0]


def test_a_working_folder_of_any_name(tmp_path):
    study = Study(tmp_path / "it's a {ß}: 100%20", preloaded=False)
    study.folder.mkdir()
    study.snakemake("data/digits.nc")
    assert netcdf.read(study.folder / "data" / "digits.nc")


@pytest.mark.parametrize("character", '"$`\\:{}')
def test_a_checkout_that_cannot_work_is_refused_before_anything_is_set_up(tmp_path, character):
    checkout = tmp_path / f"a{character}b"
    (checkout / "envs").mkdir(parents=True)
    (checkout / "envs" / "requirements.txt").touch()
    command = ["make", "--file", ROOT / "Makefile", "setup", "PYTHON=false"]
    ran = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert "cannot be passed on to jobs: rename the folder" in ran.stdout
    assert "3.11" not in ran.stdout


def profile(study: Study, text: str) -> None:
    """Put a profile of another project where Snakemake looks first."""
    path = study.folder / "profiles" / "default" / "config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_profile_under_which_changes_would_not_be_seen_is_refused(study):
    profile(study, "cores: 1\nrerun-triggers: [mtime]\n")
    printed = study.snakemake("-n", fails=True)
    assert "Error: Snakemake would not see what is out of date (rerun-triggers lacks p" in printed
    assert f"use rote's own by --workflow-profile {ROOT}/profiles/default." in printed
    assert "Traceback" not in printed


def test_under_any_other_profile_what_is_out_of_date_is_made_again(study):
    profile(study, "cores: 1\n")
    assert study.finished()
    (study.results / "figures" / "fig3_1.txt").write_text("Made by 0123456789abcdef\n")
    study.snakemake("fig3_1")
    assert study.finished()


@pytest.mark.parametrize(
    ("early", "made"),
    [("metrics/fig3_1.nc", "figures/fig3_1.png"), ("figures/fig1.png", "paper.md")],
)
def test_results_from_the_future_are_no_hindrance(study, early, made):
    ahead = time.time() + 3600
    os.utime(study.results / early, (ahead, ahead))
    (study.results / made).unlink()
    assert f"{early} was written in the future (" in study.snakemake(f"results/demo/{made}")
    assert study.finished("study")
