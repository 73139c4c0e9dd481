"""The choice of a device, on a machine that pretends to have CUDA or not."""

import sys
from types import SimpleNamespace

import pytest
import torch

from rote.machine import device, device_claim
from rote.machine.errors import UserError


def precisions() -> tuple[str, bool]:
    """Return how precisely torch computes matrix products, and whether convolutions take TF32."""
    return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a function that pretends a number of CUDA devices, some claimed by other jobs."""
    before = precisions()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(device_claim, "_held", {})
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)

    def pretend(devices: int, claimed: tuple[str, ...] = ()) -> list:
        monkeypatch.setattr("torch.cuda.is_available", lambda: devices > 0)
        monkeypatch.setattr("torch.cuda.device_count", lambda: devices)
        current = []
        monkeypatch.setattr("torch.cuda.set_device", current.append)
        for name in claimed:  # a lock belongs to its descriptor: this one is another job's
            device_claim.claim([name])
            monkeypatch.setattr(device_claim, "_held", {})
        return current

    yield pretend
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


def test_without_cuda_auto_is_the_cpu(machine):
    machine(0)
    assert device.choose("auto", "float32") == torch.device("cpu")


def test_a_job_takes_a_device_that_is_free(machine):
    current = machine(3, claimed=("0", "2"))
    assert device.choose("auto", "tf32") == torch.device("cuda", 1)
    assert device.choose("cuda", "float32") == torch.device("cuda", 1)
    assert current == [torch.device("cuda", 1)] * 2


def test_devices_are_told_apart_by_the_numbers_of_the_machine(machine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    machine(2, claimed=("5",))
    assert device.choose("auto", "float32") == torch.device("cuda", 1)  # the second that it sees


def test_products_and_convolutions_are_as_precise_as_the_setting_says(machine):
    machine(1)
    for setting, expected in (
        ("float32", ("highest", False)),
        ("tf32", ("high", True)),
        ("float32", ("highest", False)),  # and back, for the next run of the same process
    ):
        device.choose("cuda", setting)
        assert precisions() == expected
    device.choose("cuda", "tf32")
    device.choose("cpu", "float32")
    assert precisions() == ("highest", False)


def test_cpu_claims_nothing(machine, tmp_path):
    machine(1)
    assert device.choose("cpu", "float32") == torch.device("cpu")
    assert not list(tmp_path.iterdir())


def test_a_gpu_of_slurm_is_not_left_idle_silently(machine, monkeypatch):
    machine(0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert device.choose("auto", "float32") == torch.device("cpu")
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    assert device.choose("cpu", "float32") == torch.device("cpu")
    with pytest.raises(UserError, match="SLURM gave this job a GPU .*install a CUDA build"):
        device.choose("auto", "float32")


@pytest.mark.parametrize("hidden", ["", "-1", "NoDevFiles"])
def test_slurm_may_say_that_there_is_no_gpu(monkeypatch, hidden):
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert device.choose("auto", "float32").type == "cpu"


@pytest.mark.parametrize(
    ("groups", "file", "limit"),
    [
        ("0::/slurm/job_1/step_0", "slurm/job_1/memory.max", 5000),
        ("4:memory:/slurm/job_1\n3:cpu:/", "memory/slurm/memory.limit_in_bytes", 7000),
        ("0::/free", "free/memory.max", "max"),
    ],
)
def test_memory_of_a_job_is_what_its_control_group_allows(tmp_path, groups, file, limit):
    (tmp_path / "groups").write_text(groups)
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(f"{limit}\n")
    allowed = device._limit_of_job(str(tmp_path / "groups"), str(tmp_path))
    assert allowed == (sys.maxsize if limit == "max" else limit)


def test_free_memory_is_no_more_than_the_machine_has():
    import psutil

    free = device.free_bytes(torch.device("cpu"))
    assert 0 < free <= psutil.virtual_memory().total


def test_budgets_are_of_the_cache_on_the_cpu_and_of_the_whole_memory_on_cuda(monkeypatch):
    cpu, cuda = torch.device("cpu"), torch.device("cuda", 0)
    properties = SimpleNamespace(total_memory=80_000)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda which: properties)
    monkeypatch.setattr(device, "free_bytes", lambda which: 1000)
    assert device.bytes_at_once(cpu, cached=64) == 64
    assert device.bytes_at_once(cuda, cached=64) == 20_000
    assert device.bytes_of_group(cpu) == 500
    # Not of what is free now: groups must be of the same size in every run.
    assert device.bytes_of_group(cuda) == 40_000
    assert device.peak_bytes(None, cpu) == 0
