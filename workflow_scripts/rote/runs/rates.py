"""The rates that the device at hand reaches: of matrix products, of memory, and of calls."""

import time

import torch

from rote.machine import device as devices
from rote.study.cost import Device

SIZE = {"cpu": 1024, "cuda": 8192}  # rows and columns of the factors
NUMBERS = {"cpu": 2**25, "cuda": 2**28}  # that are copied: more than any cache holds


def _best(function, device: torch.device, times: int) -> float:
    """Return the seconds of one call, the shortest of some turns of ``times`` calls."""
    seconds = []
    for _ in range(4):  # the first one finds cold caches
        devices.wait(device)
        start = time.perf_counter()
        for _ in range(times):
            function()
        devices.wait(device)
        seconds.append((time.perf_counter() - start) / times)
    return min(seconds)


def measure(precision: str = "float32", name: str = "auto") -> Device:
    """Return what the device reaches; on the CPU with as many threads as torch is set to use: one.

    Args:
        precision: of the factors of products.
        name: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        UserError: the device or its precision is missing.
    """
    device, dtype = devices.choose(name, precision)
    cuda, size = device.type == "cuda", SIZE[device.type]
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(left)
    product = _best(lambda: torch.mm(left, right, out=out), device, 10 if cuda else 1)
    source = torch.ones(NUMBERS[device.type], device=device)
    target = torch.empty_like(source)
    copied = _best(lambda: target.copy_(source), device, 10 if cuda else 1)
    small = torch.ones(8, 8, device=device)
    call = _best(lambda: torch.mm(small, small, out=small), device, 1000)
    return Device(
        torch.cuda.get_device_name(device) if cuda else "CPU core",
        {precision: 2 * size**3 / product},
        2 * source.nbytes / copied,
        call,
        asynchronous=cuda,
    )
