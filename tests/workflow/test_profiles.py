"""The profiles: what they share, and that jobs which use a GPU wait for one another."""

import re
from datetime import datetime

import pytest
import yaml

from conftest import ROOT
from tiny_study import Study

PROFILES = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in (ROOT / "profiles").glob("*/config.yaml")
}


@pytest.mark.parametrize("name", ["gpu", "slurm"])
def test_a_profile_repeats_what_it_stands_in_for(name):
    shared = {key: value for key, value in PROFILES["default"].items() if key != "cores"}
    assert shared.items() <= PROFILES[name].items()


def test_slurm_treats_all_rules_with_a_gpu_alike():
    rules = re.findall(r"rule (\w+):.*?gpu=", (ROOT / "rules/runs.smk").read_text(), re.DOTALL)
    assert list(PROFILES["slurm"]["set-resources"]) == rules == ["compute_run"]


@pytest.mark.slow
def test_jobs_that_use_a_gpu_run_one_at_a_time(tmp_path):
    study = Study(tmp_path)
    study.config["device"] = "auto"
    preset = study.config["presets"]["demo"]
    preset["capacity"]["training"]["epochs"] = 500
    runs = [f"results/demo/runs/capacity/units-{units}.nc" for units in (4, 8)]
    profile = ["--workflow-profile", ROOT / "profiles/gpu", "--cores", "2"]
    study.snakemake(*runs, *profile)
    times = []
    for log in tmp_path.glob("results/demo/logs/compute_run/capacity/*.log"):
        lines = log.read_text().splitlines()
        written = datetime.fromtimestamp(
            (tmp_path / runs[0]).with_name(log.stem + ".nc").stat().st_mtime
        )
        times.append((datetime.fromisoformat(lines[0][:23].replace(",", ".")), written))
    (_, first), (second, _) = sorted(times)
    assert first <= second


@pytest.mark.slow
def test_on_the_cpu_no_gpu_is_asked_for(tmp_path):
    study = Study(tmp_path)
    for device, gpus in (("auto", 1), ("cuda", 1), ("cpu", 0)):
        study.config["device"] = device
        printed = study.snakemake("-n", "fig3_1", "--quiet", "host")
        assert re.findall("gpu=([0-9]+)", printed) == [str(gpus)]
