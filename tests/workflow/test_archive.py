"""What Snakemake finished becomes an archive, which others can go on from."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from conftest import ROOT

pytestmark = pytest.mark.slow


def test_an_unpacked_archive_is_a_checkout_with_finished_results(study, tmp_path_factory):
    command = [sys.executable, ROOT / "workflow_scripts" / "write_archive.py", "--preset", "demo"]
    ran = subprocess.run(command, cwd=study.folder, capture_output=True, text=True)
    assert not ran.stderr
    assert ran.stdout.startswith("results/demo/rote-demo.crate.zip (")
    unpacked = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(study.results / "rote-demo.crate.zip") as archive:
        archive.extractall(unpacked)
    pages = ["results/demo/claims.nc", "results/demo/gallery.md", "results/demo/paper.md"]
    shutil.copy(unpacked / "results" / "demo" / "config.yaml", unpacked)
    for path in unpacked.rglob("*"):  # as other programs unpack it, all files are of one time
        os.utime(path, (10**9, 10**9))
    command = [sys.executable, "-m", "snakemake", "-n", *pages]
    ran = subprocess.run(command, cwd=unpacked, capture_output=True, text=True)
    assert "Nothing to be done" in ran.stderr + ran.stdout, ran.stderr
