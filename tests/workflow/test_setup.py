"""What `make setup` refuses, announces and installs, and what `make help` lists."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from conftest import ROOT


@pytest.fixture
def preflight(monkeypatch):
    """The module, on a machine on which rote can be set up."""
    spec = importlib.util.spec_from_file_location("preflight", ROOT / "envs" / "preflight.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    on(monkeypatch, "Linux", "x86_64")
    monkeypatch.setattr(module.platform, "libc_ver", lambda: ("glibc", "2.31"))
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setitem(sys.modules, "pip", SimpleNamespace(__version__="23.0.1"))
    return module


def on(monkeypatch, system, machine):
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)


def test_what_can_work_is_not_refused(preflight, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=6e9))
    assert preflight.wrong_python() is None
    assert preflight.wrong_platform() is None
    assert preflight.wrong_disk(str(tmp_path), "") is None
    on(monkeypatch, "Darwin", "arm64")
    monkeypatch.setattr("platform.mac_ver", lambda: ("14.6.1", ("", "", ""), "arm64"))
    assert preflight.wrong_platform() is None


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_a_python_without_wheels_is_refused(preflight, monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", (*version, 0))
    refused = f"rote needs Python 3.11, 3.12 or 3.13, and this is Python {version[0]}.{version[1]} "
    assert preflight.wrong_python().startswith(refused)


def test_a_python_without_pip_or_with_an_old_one_is_refused(preflight, monkeypatch):
    monkeypatch.setitem(sys.modules, "pip", SimpleNamespace(__version__="22.2.2"))
    assert "has pip 22.2.2, and rote needs 22.3 or newer" in preflight.wrong_python()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "pip" else name)
    assert "lacks pip: install it (on Debian: apt install python3-pip)" in preflight.wrong_python()


@pytest.mark.parametrize(
    "system, machine", [("Darwin", "x86_64"), ("Linux", "armv7l"), ("Windows", "AMD64")]
)
def test_a_platform_without_wheels_is_refused(preflight, monkeypatch, system, machine):
    on(monkeypatch, system, machine)
    refused = preflight.wrong_platform()
    assert refused.startswith(
        f"the packages of rote are not made for {system} on {machine}: use Linux"
    )


def test_an_old_library_or_system_is_refused(preflight, monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert "for a C library other than glibc, such as musl: use" in preflight.wrong_platform()
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.17"))
    assert "for glibc 2.17: use" in preflight.wrong_platform()
    on(monkeypatch, "Darwin", "arm64")
    monkeypatch.setattr("platform.mac_ver", lambda: ("13.6", ("", "", ""), "arm64"))
    assert "for macOS 13.6: use" in preflight.wrong_platform()


def test_too_little_disk_is_refused_before_it_is_filled(preflight, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=2.04e9))
    assert preflight.wrong_disk(str(tmp_path), "cpu") is None
    refused = preflight.wrong_disk(str(tmp_path), "")
    assert re.search(r"2\.0 are left at .*: free some, or take .*: make setup TORCH=cpu", refused)


@pytest.fixture
def checkout(tmp_path):
    """What the set-up reads, in a folder of its own."""
    shutil.copytree(ROOT / "envs", tmp_path / "rote" / "envs")
    shutil.copy(ROOT / "Makefile", tmp_path / "rote")
    return tmp_path / "rote"


def make(checkout, *arguments, **variables):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))
    }
    return subprocess.run(
        ["make", *arguments],
        cwd=checkout,
        env=environment | {"PIP_CONFIG_FILE": os.devnull} | variables,
        capture_output=True,
        text=True,
    )


def test_make_lists_every_target_with_a_line():
    targets = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(), re.M)[1]
    for command in ([], ["help"]):
        printed = subprocess.run(["make", *command], cwd=ROOT, capture_output=True, text=True)
        listed = re.findall(r"^make (\w+) +\S", printed.stdout, re.M)
        assert {*listed, "other"} == {*targets.replace("\\\n", "").split()}


def test_what_a_link_leads_to_is_not_emptied(checkout, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "precious").touch()
    (checkout / ".venv").symlink_to(shared)
    ran = make(checkout, "setup", f"PYTHON={sys.executable}")
    assert ran.returncode != 0
    assert "Error: .venv is a link" in ran.stdout
    assert (shared / "precious").exists()


def test_without_a_network_the_set_up_ends_in_one_sentence(checkout):
    ran = make(
        checkout,
        "setup",
        f"PYTHON={sys._base_executable}",
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_RETRIES="0",
    )
    assert ran.returncode
    assert re.match(r"Setting up \.venv, once: [\d.]+ GB to download, [\d.]+ GB of", ran.stdout)
    sentence, makes = ran.stderr.splitlines()[-2:]
    assert sentence.startswith("Error: not all packages could be installed, for the reason above.")
    assert makes.startswith("make: ***")
    assert "Traceback" not in ran.stderr
    assert not (checkout / ".venv" / "ready").exists()


@pytest.mark.parametrize("python", ["no-such-python", "false"])  # the latter as Python 2 would
def test_a_missing_or_very_old_python_is_one_sentence(checkout, python):
    ran = make(checkout, "setup", f"PYTHON={python}")
    assert f"Error: {python} is missing or too old: install Python 3.11" in ran.stdout
    assert len(ran.stdout.splitlines()) == len(ran.stderr.splitlines()) == 1


def test_the_build_of_pytorch_that_is_asked_for_replaces_another(checkout):
    python, calls = checkout / "python", checkout / "calls"
    python.write_text(
        f'#!/bin/sh\necho "$@" >> "{calls}"\n'
        'case "$*" in *venv*clear*) mkdir -p .venv;; *stdin) cat >> calls;; esac\n'
    )
    python.chmod(0o755)

    def called(*arguments):
        calls.write_text("")
        ran = make(checkout, "setup", "PYTHON=./python", *arguments)
        assert not ran.returncode, ran.stderr
        return calls.read_text()

    first = called("TORCH=cpu")
    assert "--no-deps --index-url https://download.pytorch.org/whl/cpu" in first
    pins = re.findall(r"^torch.*$", (ROOT / "envs" / "requirements.txt").read_text(), re.M)
    assert re.findall(r"^torch.*$", first, re.M) == pins
    assert len(pins) == 2
    assert called("TORCH=cpu") == called() == ""
    assert "whl/cu130" in called("TORCH=cu130")
