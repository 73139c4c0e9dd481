"""Another workflow imports this one as a module, and another program its package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import preloaded
from conftest import ROOT
from rote.files import netcdf

pytestmark = pytest.mark.slow

MODULE = """
configfile: "outer.yaml"


module rote:
    snakefile:
        "{snakefile}"
{config}

use rule * from rote as rote_*


rule own:
    input:
        "results/{preset}/metrics/fig3_1.nc",
        "results/{preset}/figures/fig3_1.png",
    output:
        "own.txt",
    shell:
        "wc -c {{input}} > {{output}}"
"""
TINY = {
    "like": "demo",
    "data": {"image_size": 7},
    "complexity": None,
    "difficulty": {"experiments": 2, "data": {"train_examples": 50}},
}
OUTER = {"samples": ["a", "b"], "threads": 4}  # keys that rote does not know


def outer(folder: Path, preset: str, content: dict, config: str, *options: str) -> str:
    """Write a workflow that imports rote, run it, and return what it printed."""
    (folder / "outer.yaml").write_text(yaml.safe_dump(content))
    text = MODULE.format(snakefile=ROOT / "Snakefile", preset=preset, config=config)
    (folder / "Snakefile").write_text(text)
    ran = subprocess.run(
        [preloaded.python(), "-m", "snakemake", "own", "--cores", "2", *options],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stderr + ran.stdout


def test_a_module_with_a_configuration_of_its_own_draws_a_figure(tmp_path):
    content = OUTER | {"rote": {"preset": "mine", "presets": {"mine": TINY}}}
    printed = outer(tmp_path, "mine", content, '    config:\n        config["rote"]\n')
    assert "rote_compute_run" in printed
    metrics = netcdf.read(tmp_path / "results" / "mine" / "metrics" / "fig3_1.nc")
    assert metrics.attrs["experiments"] == 2
    assert (tmp_path / "own.txt").exists()


def test_keys_of_the_other_workflow_are_no_mistake(tmp_path):
    content = OUTER | {"preset": "mine", "presets": {"mine": TINY}}
    printed = outer(tmp_path, "mine", content, "    config:\n        config\n", "-n")
    assert "rote_plot_figure" in printed


def test_a_module_without_one_has_the_configuration_that_ships(tmp_path):
    printed = outer(tmp_path, "demo", OUTER, "", "-n")
    assert "rote_plot_figure" in printed


def test_the_package_installs_with_its_schema_and_its_presets(tmp_path):
    command = [sys.executable, "-m", "venv", "--system-site-packages", tmp_path / "there"]
    ran = subprocess.run(command, capture_output=True)
    if ran.returncode:
        pytest.skip("this Python makes no virtual environments with pip")
    python = tmp_path / "there" / "bin" / "python"
    source = tmp_path / "source"  # building leaves files beside it
    shutil.copytree(ROOT / "workflow_scripts", source / "workflow_scripts")
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", source]
    ran = subprocess.run(install, capture_output=True, text=True)
    if "No matching distribution" in ran.stderr:
        pytest.skip("setuptools cannot be downloaded")
    assert ran.returncode == 0, ran.stderr
    code = (
        "from rote.study import configuration, schema\n"
        "print(schema.SCHEMA['title'], configuration.PRESETS)"
    )
    ran = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    title, presets = ran.stdout.split()
    assert title == "config.yaml"
    assert Path(presets).is_relative_to(tmp_path / "there")
    assert Path(presets, "smoke.yaml").exists()
