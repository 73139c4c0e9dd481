"""What jobs inherit: a Python that a shell finds, this package, caches that can be written to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rote.machine import environment
from rote.machine.errors import UserError


@pytest.fixture(autouse=True)
def inherited(monkeypatch):
    """Undo what is set, and begin without the variables that are looked at."""
    monkeypatch.setattr(sys, "executable", sys.executable)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    for name in ("PYTHONPATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_a_python_whose_path_a_shell_would_split_is_called_by_its_name(tmp_path):
    python = tmp_path / "it's my süß checkout" / "python3"
    python.parent.mkdir()
    python.symlink_to("/bin/echo")
    sys.executable = str(python)
    environment.prepare(tmp_path, tmp_path, alone=True)
    ran = subprocess.run(f"{sys.executable} found", shell=True, capture_output=True, text=True)
    assert ran.stdout == "found\n"


def test_any_other_python_is_called_by_its_path(tmp_path):
    before, path = sys.executable, os.environ["PATH"]
    environment.prepare(tmp_path, tmp_path, alone=True)
    assert (sys.executable, os.environ["PATH"]) == (before, path)


def test_this_package_comes_before_another_of_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    environment.prepare(Path("/checkout"), tmp_path, alone=True)
    assert os.environ["PYTHONPATH"] == "/checkout/workflow_scripts:/elsewhere"


def test_the_modules_of_another_workflow_come_first_in_its_own_jobs(tmp_path):
    environment.prepare(Path("/checkout"), tmp_path, alone=False)
    assert "PYTHONPATH" not in os.environ


@pytest.mark.parametrize("name", ['a"b', "a$b", "a`b", "a\\b", "a\nb", "a:b", "a{b}"])
def test_a_checkout_whose_path_cannot_be_passed_on_is_refused(tmp_path, name):
    with pytest.raises(UserError, match="cannot be passed on to jobs: rename the folder") as error:
        environment.prepare(tmp_path / name, tmp_path, alone=True)
    assert "\n" not in str(error.value)


def test_a_working_folder_is_refused_for_less(tmp_path):
    environment.prepare(tmp_path, tmp_path / "12:30 {a}", alone=True)
    with pytest.raises(UserError, match=r"holds '\\\\', which"):
        environment.prepare(tmp_path, tmp_path / "a\\b", alone=True)


@pytest.mark.parametrize("home", ["/dev/null", "~"])
def test_without_a_home_that_can_be_written_to_caches_lie_in_the_working_folder(
    tmp_path, monkeypatch, home
):
    monkeypatch.setenv("HOME", home)
    monkeypatch.chdir(tmp_path)
    environment.prepare(tmp_path, tmp_path, alone=True)
    for variable in ("XDG_CACHE_HOME", "MPLCONFIGDIR"):
        assert os.environ[variable] == str(tmp_path / ".snakemake" / "caches")


def test_a_home_that_can_be_written_to_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    environment.prepare(tmp_path, tmp_path, alone=True)
    assert not {"XDG_CACHE_HOME", "MPLCONFIGDIR"} & os.environ.keys()


AMD = "vendor_id : AuthenticAMD\nflags : fpu avx2 avx512f sha_ni\n"


@pytest.mark.parametrize(
    ("pinned", "products", "processor", "said"),
    [
        ("Haswell", "auto", AMD, True),
        ("Zen", "openblas", AMD, True),
        ("Haswell", "torch", AMD, False),
        ("SkylakeX", "auto", AMD, False),
        ("", "auto", AMD, False),
        ("Haswell", "auto", AMD.replace("avx512f", "avx"), False),
        ("Haswell", "auto", AMD.replace("AuthenticAMD", "GenuineIntel"), False),
        ("Haswell", "auto", None, False),
    ],
)
def test_products_by_kernels_of_older_processors_are_told_of(
    pinned, products, processor, said, tmp_path, monkeypatch
):
    monkeypatch.setenv("OPENBLAS_CORETYPE", pinned)
    description = tmp_path / "cpuinfo"
    if processor:
        description.write_text(processor)
    sentence = environment.older_kernels(products, "auto", description)
    assert bool(sentence) == said
    assert not said or f"OPENBLAS_CORETYPE is {pinned}" in sentence
    assert environment.older_kernels(products, "cuda", description) is None
