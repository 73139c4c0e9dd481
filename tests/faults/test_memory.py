"""Memory that does not suffice: groups are halved, with the same results, or one sentence."""

import resource
import subprocess
import sys

import pytest
import torch
import xarray as xr

from bare_job import bare_job
from conftest import ROOT
from job import job
from rote.files.store import Store
from rote.machine.errors import UserError, out_of_memory
from rote.models.ensemble import Ensemble
from rote.runs import sensitivity as sensitivity_run
from rote.runs import training as runs
from rote.runs.device_data import DeviceData
from rote.runs.grouping import SizeSearch
from rote.study.run_settings import of_run

ERRORS = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "cpu": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 8000000000 bytes. Error code 12 (Cannot allocate memory)"
    ),
    "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
    "python": MemoryError(),
}


@pytest.fixture
def all_together(monkeypatch):
    """Have all members of a run trained in one group, however long that takes."""

    def size_search(self, members):
        return SizeSearch.fixed(len(members))

    monkeypatch.setattr(DeviceData, "size_search", size_search)


def train(noised, settings, store, **options):
    return runs.compute_run(noised, settings, store, name="test", device="cpu", **options)


def full_above(monkeypatch, most, error, epoch=1):
    """Have a group of more than ``most`` members fail in an epoch; return the sizes that ran."""
    sizes = []
    original = Ensemble.train_epoch

    def train_epoch(self, now, updates=None):
        original(self, now, updates)
        if len(self) > most and now >= epoch:
            raise error
        sizes.append(len(self))

    monkeypatch.setattr(Ensemble, "train_epoch", train_epoch)
    return sizes


@pytest.mark.slow
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.usefixtures("all_together")
def test_groups_are_halved_until_they_fit_with_the_same_results(
    noised, run_settings, tmp_path, monkeypatch, caplog, most, error
):
    whole = train(noised, run_settings, Store(tmp_path / "whole"))
    sizes = full_above(monkeypatch, most, error)
    halved = train(noised, run_settings, Store(tmp_path / "halved"))
    xr.testing.assert_identical(halved, whole)
    assert max(sizes) == {1: 1, 2: 2, 3: 2}[most]  # groups of 10, 5, 2, 1
    assert "members did not fit the memory together" in caplog.text


def test_long_trainings_find_the_size_that_fits_by_their_trial(
    noised, run_settings, tmp_path, monkeypatch
):
    run_settings["training"] |= {"epochs": 40, "evaluate_every": 40}  # enough for a trial
    whole = train(noised, run_settings, Store(tmp_path / "whole"))
    sizes = full_above(monkeypatch, 2, ERRORS["cuda"])
    xr.testing.assert_identical(train(noised, run_settings, Store(tmp_path / "halved")), whole)
    assert max(sizes) <= 2


@pytest.mark.usefixtures("all_together")
def test_memory_that_gets_scarce_late_costs_only_what_no_checkpoint_holds(
    noised, run_settings, tmp_path, monkeypatch
):
    whole = train(noised, run_settings, Store(tmp_path / "whole"))
    epochs = []
    sizes = full_above(monkeypatch, 1, ERRORS["cuda"], epoch=3)
    before = Ensemble.train_epoch

    def counting(self, now, updates=None):
        epochs.append((len(self), now))
        before(self, now, updates)

    monkeypatch.setattr(Ensemble, "train_epoch", counting)
    late = train(noised, run_settings, Store(tmp_path / "late"), checkpoint_seconds=1e-9)
    xr.testing.assert_identical(late, whole)
    assert max(sizes) > 1  # larger groups ran, up to the third epoch
    failed = next(i for i, (size, now) in enumerate(epochs) if size > 1 and now == 3)
    assert {now for _, now in epochs[failed:]} == {3, 4}  # and all went on there


def test_finished_members_stay_when_memory_runs_out(noised, run_settings, tmp_path, monkeypatch):
    store = Store(tmp_path)
    some = run_settings | {"members": run_settings["members"][:3]}
    train(noised, some, store)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    full_above(monkeypatch, 0, ERRORS["python"])
    with pytest.raises(UserError, match=r"does not fit the memory of cpu: make it smaller"):
        train(noised, run_settings, store)
    assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_single_member_that_does_not_fit_later_is_said(
    noised, run_settings, tmp_path, monkeypatch
):
    full_above(monkeypatch, 0, ERRORS["cuda"], epoch=2)
    with pytest.raises(UserError, match="does not hold a single model in training .*: make the"):
        train(noised, run_settings, Store(tmp_path))


def test_sensitivities_are_measured_in_halves_with_the_same_results(
    noised, sensitivity_settings, tmp_path, monkeypatch
):

    settings = of_run("sensitivity", sensitivity_settings, "class", "float32")

    def measure(folder):
        return sensitivity_run.compute_run(
            noised, settings, Store(folder), name="test", device="cpu"
        )

    whole = measure(tmp_path / "whole")
    monkeypatch.setitem(sensitivity_run.MEMBERS_TOGETHER, "cpu", 6)
    together = measure(tmp_path / "together")
    original, sizes = sensitivity_run._measure, []

    def full(data, settings, members, *rest):
        if len(members) > 1:
            raise ERRORS["cuda"]
        sizes.append(len(members))
        return original(data, settings, members, *rest)

    monkeypatch.setattr(sensitivity_run, "_measure", full)
    xr.testing.assert_identical(measure(tmp_path / "halved"), whole)
    assert sizes == [1] * 6
    xr.testing.assert_allclose(together, whole, rtol=1e-4)

    monkeypatch.setattr(sensitivity_run, "_measure", lambda *_: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(UserError, match="does not hold a single model in training"):
        measure(tmp_path / "none")


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("shape"), KeyError("memory")])
def test_other_errors_are_not_taken_for_a_lack_of_memory(
    noised, run_settings, tmp_path, monkeypatch, error
):
    assert not out_of_memory(error)
    full_above(monkeypatch, 1, error)
    with pytest.raises(type(error)):
        train(noised, run_settings, Store(tmp_path))


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_a_job_without_memory_ends_in_one_sentence(tmp_path, capsys, error):
    with (
        pytest.raises(SystemExit) as stopped,
        job(bare_job(tmp_path / "job.log")),
    ):
        raise error
    assert stopped.value.code == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert printed.startswith("Error: the memory does not suffice (")
    assert "give the job more" in printed


def test_a_real_lack_of_host_memory_is_one_sentence(tmp_path):
    """The limit of the operating system on a process that asks for more than it may have."""
    script = f"""
import contextlib, sys
sys.path[:0] = [{str(ROOT / "workflow_scripts")!r}, {str(ROOT / "tests")!r}]
import numpy as np, torch
from bare_job import bare_job
from job import job
for ones in (np.ones, torch.ones):
    with contextlib.suppress(SystemExit):
        with job(bare_job({str(tmp_path / "job.log")!r})):
            ones(2**32)
"""
    # Enough for the imports, which map some GB that they do not use.
    limit = 12 * 2**30
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert ran.returncode == 0, ran.stderr
    said = ran.stderr.splitlines()
    assert len(said) == 2
    assert all(line.startswith("Error: the memory does not suffice (") for line in said), said
