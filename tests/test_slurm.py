"""The real workflow on a real SLURM of one node, by the settings of profiles/slurm."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

import slurm_cluster
from conftest import ROOT
from rote import netcdf
from test_workflow import TINY, TRAINING, Study

# What a site without an accounting database sets, and a shorter wait for a short test.
SITE = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"]
LONG = {"epochs": 24000, "evaluate_every": 24000, "batch_size": 50}  # some seconds
RUN = "results/demo/runs/capacity/units-{units}.nc"


@pytest.fixture(scope="module")
def environment():
    """The environment in which commands find the cluster."""
    why = slurm_cluster.missing()
    if why:
        pytest.skip(f"no SLURM can be started: {why}")
    with slurm_cluster.cluster() as environment:
        yield environment


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("slurm")


@pytest.fixture
def cluster(environment, folder):
    cluster = Cluster(folder, environment)
    yield cluster
    cluster.end()


class Cluster(Study):
    """A tiny study of which every job goes to SLURM."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        super().__init__(folder)
        self.environment = environment
        self.config["checkpoint_seconds"] = 0.3
        self.config["presets"]["demo"]["capacity"] |= {
            "noise_levels": [0],
            "seeds": 1,
            "model": {"hidden_layers": 2, "hidden_units": [5, 6, 7, 8]},
            "training": TRAINING | LONG,
        }
        self.started: list[subprocess.Popen] = []

    def start(self, *arguments: str) -> subprocess.Popen:
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(self.config))
        command = [sys.executable, "-m", "snakemake", *arguments, "--snakefile", ROOT / "Snakefile"]
        profile = ["--workflow-profile", ROOT / "profiles" / "slurm"]
        options = ["--configfile", ROOT / "config.yaml", "tiny.yaml"]
        process = subprocess.Popen(
            [*command, *profile, *SITE, "--directory", self.folder, *options],
            cwd=self.folder,
            env={**self.environment, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def snakemake(self, *arguments: str, fails: bool = False) -> str:
        return self.ended(self.start(*arguments), fails)

    def ended(self, process: subprocess.Popen, fails: bool = False) -> str:
        """Return what Snakemake printed, once it has ended."""
        printed = process.communicate(timeout=120)[0]
        assert (process.returncode != 0) == fails, printed
        return printed

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()

    def tell(self, *command: str) -> str:
        ran = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=30
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def jobs(self) -> list[dict[str, str]]:
        """Return all jobs that SLURM has seen, the oldest first."""
        shown = self.tell("scontrol", "--oneliner", "show", "jobs")
        jobs = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in shown.splitlines()]
        return sorted((job for job in jobs if "JobId" in job), key=lambda job: int(job["JobId"]))

    def caught_in_training(self, process: subprocess.Popen) -> tuple[str, int]:
        """Return the number of the job that has just written a checkpoint, and its epoch."""
        end = time.monotonic() + 60
        while not list(self.folder.rglob("*.checkpoint.nc")):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < end, self.tell("squeue", "--states=all")
            time.sleep(0.05)
        (running,) = [job for job in self.jobs() if job["JobState"] == "RUNNING"]
        return running["JobId"]

    def state(self, job: str) -> str:
        return next(each["JobState"] for each in self.jobs() if each["JobId"] == job)

    def went_on(self, units: int) -> bool:
        """Return whether the job that finished a run has gone on from a checkpoint."""
        log = self.folder / f"results/demo/logs/train_ensemble/capacity/units-{units}.log"
        return "1 of them from checkpoints" in log.read_text()


def test_every_job_goes_through_slurm(cluster):
    cluster.snakemake("fig3_1")
    assert (cluster.folder / "results/demo/figures/fig3_1.pdf").exists()
    jobs = cluster.jobs()
    assert [job["JobState"] for job in jobs] == ["COMPLETED"] * 5
    assert not any("TresPerJob" in job for job in jobs)  # device: cpu
    assert [re.match("rule_([a-z]+_[a-z]+)", job["Comment"])[1] for job in jobs] == [
        "fetch_dataset",
        "noise_dataset",
        "train_ensemble",
        "extract_metrics",
        "plot_figure",
    ]


def test_a_cancelled_job_goes_on_by_the_same_command(cluster):
    run = RUN.format(units=5)
    job = cluster.caught_in_training(process := cluster.start(run, "--retries", "0"))
    cluster.tell("scancel", job)
    cluster.ended(process, fails=True)
    assert cluster.state(job) == "CANCELLED"
    assert not (cluster.folder / run).exists()
    cluster.snakemake(run, "--retries", "0")
    assert netcdf.read(cluster.folder / run)["train_accuracy"].notnull().all()
    assert cluster.went_on(5)
    assert not list(cluster.folder.rglob("*.checkpoint.nc"))


def test_a_job_past_its_time_limit_goes_on_by_itself(cluster):
    run = RUN.format(units=6)
    cluster.config["presets"]["demo"]["capacity"]["training"]["epochs"] *= 10
    cluster.config["presets"]["demo"]["capacity"]["training"]["evaluate_every"] *= 10
    job = cluster.caught_in_training(process := cluster.start(run))
    cluster.tell("scontrol", "update", f"JobId={job}", "EndTime=now")
    cluster.ended(process)
    assert cluster.state(job) == "TIMEOUT"
    assert (cluster.folder / run).exists()
    assert cluster.went_on(6)


def test_a_node_goes_down_and_comes_back(cluster):
    run = RUN.format(units=7)
    job = cluster.caught_in_training(process := cluster.start(run))
    node = f"NodeName={slurm_cluster.NODE}"
    cluster.tell("scontrol", "update", node, "State=DOWN", "Reason=test")
    time.sleep(2)
    print(cluster.tell("scontrol", "show", "job", job))
    cluster.tell("scontrol", "update", node, "State=RESUME")
    cluster.ended(process)
    assert (cluster.folder / run).exists()
    assert cluster.went_on(7)
