"""Where and how precisely to compute: from the settings' words to torch's objects."""

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from rote.machine import products
from rote.machine.device_claim import claim
from rote.machine.errors import UserError

NO_GPU = None, "", "-1", "NoDevFiles"  # what SLURM and people write for it


def _cuda_devices() -> list[str]:
    """Return what tells the CUDA devices of this machine apart, in torch's order."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    names = visible.split(",")[:count] if visible else []
    return names if len(names) == count else [str(k) for k in range(count)]


def choose(name: str, precision: str) -> torch.device:
    """Return the device, and set how precisely torch computes there.

    On CUDA the process claims a device, and keeps it to its end: of several, each job has its own.

    Args:
        name: ``auto`` (CUDA where there is one), ``cpu`` or ``cuda``.
        precision: of the factors of products, ``float32`` or, on CUDA only, ``tf32``. All numbers
            are kept, and summed, in float32.

    Raises:
        UserError: CUDA or its precision is asked for where there is none, or SLURM has given this
            job a GPU that torch cannot use.
    """
    check_available(name)
    has_cuda = torch.cuda.is_available()
    device = torch.device("cpu")
    if has_cuda and name != "cpu":
        names = _cuda_devices()
        device = torch.device("cuda", names.index(claim(names)))
        torch.cuda.set_device(device)  # also what torch makes without being told a device
    if precision != "float32" and device.type == "cpu":
        raise UserError(f"precision {precision} needs a CUDA device: set precision to float32.")
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"  # convolutions have a switch of their own
    return device


def check_available(name: str) -> None:
    """Check that the device of the settings is there.

    Raises:
        UserError: CUDA is asked for where there is none, or SLURM has given this job a GPU that
            torch cannot use.
    """
    has_cuda = torch.cuda.is_available()
    given = os.environ.get("CUDA_VISIBLE_DEVICES") if "SLURM_JOB_ID" in os.environ else None
    if name == "auto" and given not in NO_GPU and not has_cuda:
        # Hours on the CPU, beside an idle GPU, are not what anybody wants.
        raise UserError(
            f"SLURM gave this job a GPU (CUDA_VISIBLE_DEVICES={given}), but torch finds none: "
            "install a CUDA build of torch, or set device to cpu in config.yaml."
        )
    if name == "cuda" and not has_cuda:
        raise UserError(
            "device is cuda, but torch finds no CUDA device: set device to auto or cpu in "
            "config.yaml, or install a CUDA build of torch."
        )


def describe(device: torch.device) -> str:
    """Return the device for provenance: for CUDA its name, else what multiplies matrices there."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return f"cpu (products by {products.describe()})"


def free_bytes(device: torch.device) -> int:
    """Return the memory that is free now: of the device, or of the machine for this job."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    free = psutil.virtual_memory().available
    return min(free, max(_limit_of_job() - psutil.Process().memory_info().rss, 0))


def bytes_of_group(device: torch.device) -> int:
    """Return the memory that the members of a group may fill: half; the rest is for other jobs.

    On the CPU it is half of what is free now. On CUDA, where the size of a group decides how sums
    are rounded, it is half of what the device has, so that it is the same in every run: each job
    has a device of its own, and a group that does not fit is halved.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory // 2
    return free_bytes(device) // 2


def bytes_at_once(device: torch.device, cached: int) -> int:
    """Return how much is best worked on at once, bytes of what is written and soon read again.

    Args:
        device: where.
        cached: the answer on the CPU: what stays in its cache. On CUDA it is a quarter of the
            memory: there each call costs, and a cache holds little of a batch in any case.
    """
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory // 4
    return cached


def peak_bytes(function: Callable[[], object], device: torch.device) -> int:
    """Return the most CUDA memory that tensors take while ``function`` is called; 0 on the CPU."""
    if device.type != "cuda":
        return 0
    function()  # before: what libraries take once, for themselves
    torch.cuda.reset_peak_memory_stats(device)
    function()
    return torch.cuda.max_memory_allocated(device)


def _limit_of_job(groups: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> int:
    """Return the memory, in bytes, that a batch system or a container allows this process.

    Linux knows it by control groups: the least limit on the way to the root counts.
    """
    limits = [sys.maxsize]
    with contextlib.suppress(OSError):
        for line in Path(groups).read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers not in ("", "memory"):
                continue
            name = "memory/memory.limit_in_bytes" if controllers else "memory.max"
            folder, _, file = name.rpartition("/")
            below = Path(group.lstrip("/"))
            for each in (below, *below.parents):
                with contextlib.suppress(OSError, ValueError):  # "max" is none
                    limits.append(int(Path(root, folder, each, file).read_text()))
    return min(limits)


def wait(device: torch.device) -> None:
    """Return when the device has done all that it was given: for timing."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def fastest(function: Callable[[], object], device: torch.device, times: int = 3) -> float:
    """Return the seconds of one call, the shortest of some: the first one finds cold caches.

    On one thread those of the processor: other jobs keep it busy, too.
    """
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    seconds = []
    for _ in range(times):
        wait(device)
        start = clock()
        function()
        wait(device)
        seconds.append(clock() - start)
    return min(seconds)
