"""The real workflow on a real SLURM of one node, by the settings of profiles/slurm."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import torch
import yaml

import slurm_cluster
import stores
from rote.files import netcdf
from tiny_study import TO_THE_END, Study, copied_checkout, own_python

pytestmark = pytest.mark.slow

SITE = ["--slurm-status-command", "squeue"]  # as where there is no accounting database
# The plugin looks for finished jobs after 40 s, then more and more seldom: here every second.
SNAKEMAKE = """
from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor
Executor.next_seconds_between_status_checks = property(lambda self: 1, lambda self, seconds: None)
main()
"""
LONG = {"epochs": 12000, "evaluate_every": 12000, "batch_size": 50}  # some seconds
RUN = "results/demo/runs/capacity/units-{units}.nc"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The environment in which commands find the cluster."""
    why = slurm_cluster.missing()
    if why:
        pytest.skip(f"no SLURM can be started: {why}")
    with slurm_cluster.cluster(tmp_path_factory.mktemp("cluster")) as environment:
        yield environment


@pytest.fixture
def cluster(environment, tmp_path):
    cluster = Cluster(tmp_path, environment)
    yield cluster
    cluster.end()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What the runs train on, made without SLURM, which would take longer."""
    study = Cluster(tmp_path_factory.mktemp("made"), dict(os.environ))
    Study.snakemake(study, "results/demo/datasets/capacity.nc")
    return study.folder


@pytest.fixture
def noised(cluster, made):
    """The cluster has only to train."""
    shutil.copytree(made, cluster.folder, dirs_exist_ok=True)


class Cluster(Study):
    """A tiny study of which every job goes to SLURM."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        super().__init__(folder)
        self.environment = environment
        self.config["checkpoint_seconds"] = 0.3
        self.config["presets"]["demo"]["capacity"] |= {
            "noise_kinds": ["randX"],
            "noise_levels": [0.5],
            "seeds": 1,
            "model": {"hidden_layers": 2, "hidden_units": [5, 6, 7, 8]},
            "training": TO_THE_END | LONG,
        }
        self.started: list[subprocess.Popen] = []

    def start(self, *arguments: str) -> subprocess.Popen:
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(self.config))
        command = [self.python, "-c", SNAKEMAKE, *arguments, "--snakefile", self.snakefile]
        profile = ["--workflow-profile", self.snakefile.parent / "profiles" / "slurm"]
        options = ["--configfile", self.snakefile.parent / "config.yaml", "tiny.yaml"]
        process = subprocess.Popen(
            [*command, *profile, *SITE, "--directory", self.folder, *options],
            cwd=self.folder,
            env={**self.environment, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=slurm_cluster.end_with_parent,
        )
        self.started.append(process)
        return process

    def snakemake(self, *arguments: str) -> str:
        return self.ended(self.start(*arguments))

    def ended(self, process: subprocess.Popen, fails: bool = False) -> str:
        """Return what Snakemake printed, once it has ended."""
        printed = process.communicate(timeout=300)[0]
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
        """Return the jobs of this study that SLURM has seen, the oldest first."""
        shown = self.tell("scontrol", "--oneliner", "show", "jobs")
        jobs = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in shown.splitlines()]
        own = [job for job in jobs if job.get("WorkDir") == str(self.folder).partition(" ")[0]]
        return sorted(own, key=lambda job: int(job["JobId"]))

    def caught_in_training(self, process: subprocess.Popen, jobs: int = 1) -> list[str]:
        """Return the numbers of the running jobs as soon as each has written a checkpoint."""
        end = time.monotonic() + 120
        while len({record.key for record in stores.checkpoints(self.store)}) < jobs:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < end, self.tell("squeue", "--states=all")
            time.sleep(0.05)
        running = [job["JobId"] for job in self.jobs() if job["JobState"] == "RUNNING"]
        assert len(running) == jobs
        return running

    def state(self, job: str) -> str:
        return next(each["JobState"] for each in self.jobs() if each["JobId"] == job)

    def went_on(self, units: int) -> bool:
        """Return whether the job that finished a run has gone on from a checkpoint."""
        return "1 of them from checkpoints" in self.log(units)

    def log(self, units: int) -> str:
        name = f"results/demo/logs/compute_run/capacity/units-{units}.log"
        return (self.folder / name).read_text()


def test_every_job_goes_through_slurm(cluster):
    cluster.snakemake("fig3_1")
    assert (cluster.folder / "results/demo/figures/fig3_1.pdf").exists()
    jobs = cluster.jobs()
    assert [job["JobState"] for job in jobs] == ["COMPLETED"] * 5
    assert not any("TresPerJob" in job for job in jobs)  # device: cpu
    assert [re.match("rule_([a-z]+_[a-z]+)", job["Comment"])[1] for job in jobs] == [
        "fetch_dataset",
        "noise_dataset",
        "compute_run",
        "extract_metrics",
        "plot_figure",
    ]


def test_paths_of_any_name_go_through_slurm_without_a_home(environment, tmp_path):
    folder = tmp_path / "it's my süß study"
    checkout = copied_checkout(folder / "rote")
    cluster = Cluster(folder, environment | {"HOME": "/dev/null"})
    cluster.snakefile, cluster.python = checkout / "Snakefile", own_python(checkout)
    noised = "results/demo/datasets/capacity.nc"
    printed = cluster.snakemake(noised, "--groups", "noise_dataset=alone")
    assert "warn" not in printed.lower()
    assert netcdf.read(folder / noised)


@pytest.mark.usefixtures("noised")
def test_what_was_cancelled_or_took_too_long_goes_on_by_the_same_command(cluster):
    runs = [RUN.format(units=units) for units in (5, 6)]
    process = cluster.start(*runs, "--retries", "0")
    cancelled, overdue = cluster.caught_in_training(process, jobs=2)
    cluster.tell("scancel", cancelled)
    # Without a stop it might finish: SLURM looks for overdue jobs twice a minute.
    cluster.tell("scancel", "--signal=STOP", overdue)
    cluster.tell("scontrol", "update", f"JobId={overdue}", "EndTime=now")
    cluster.ended(process, fails=True)
    assert cluster.state(cancelled) == "CANCELLED"
    assert cluster.state(overdue) == "TIMEOUT"
    assert not any((cluster.folder / run).exists() for run in runs)
    cluster.snakemake(*runs, "--retries", "0")
    for run in runs:
        assert netcdf.read(cluster.folder / run)["train_accuracy"].notnull().all()
    assert cluster.went_on(5)
    assert cluster.went_on(6)
    # A job that is stopped may write its last one when the next has already begun.
    finished = {record.key for record in stores.finished(cluster.store)}
    assert {record.key for record in stores.checkpoints(cluster.store)} <= finished


@pytest.mark.usefixtures("noised")
def test_after_a_node_was_down_the_study_goes_on_by_itself(cluster):
    run = RUN.format(units=7)
    process = cluster.start(run)
    (lost,) = cluster.caught_in_training(process)
    node = f"NodeName={slurm_cluster.NODE}"
    cluster.tell("scontrol", "update", node, "State=DOWN", "Reason=test")
    assert cluster.state(lost) == "PENDING"  # SLURM has put it back into the queue
    spool = Path(cluster.environment["SLURM_CONF"]).parent / "spool"
    while list(spool.glob(f"*_{lost}.*")):  # the sockets of what is left of the job
        time.sleep(0.2)
    cluster.tell("scontrol", "update", node, "State=RESUME")
    cluster.tell("scontrol", "update", f"JobId={lost}", "StartTime=now")  # else in two minutes
    cluster.ended(process)
    assert cluster.state(lost) == "COMPLETED"
    assert netcdf.read(cluster.folder / run)["train_accuracy"].notnull().all()
    assert cluster.went_on(7)


@pytest.mark.usefixtures("noised")
def test_a_gpu_is_asked_for_and_a_failed_job_asks_for_more(cluster):
    cluster.config["device"] = "auto"
    run = RUN.format(units=8)
    # The GPU of this cluster is none: unless there is a real one too, the job must not accept it.
    cluster.ended(cluster.start(run, "--retries", "1"), fails=not torch.cuda.is_available())
    jobs = [job for job in cluster.jobs() if "units-8" in job["Comment"]]
    assert {job["TresPerJob"] for job in jobs} == {"gres:gpu:1"}
    if not torch.cuda.is_available():
        first, second = jobs
        assert (first["TimeLimit"], second["TimeLimit"]) == ("04:00:00", "08:00:00")
        assert (first["MinMemoryNode"], second["MinMemoryNode"]) == ("4000M", "8000M")
        assert "Error: SLURM gave this job a GPU" in cluster.log(8)
        assert "Traceback" not in cluster.log(8)
