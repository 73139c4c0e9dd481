"""Where and how precisely to compute: from the settings' words to torch's objects."""

import os

import torch

from rote.errors import UserError


def choose(name: str, precision: str) -> tuple[torch.device, torch.dtype]:
    """Return the device and the type of the factors in products, and set torch accordingly.

    Args:
        name: ``auto`` (CUDA where there is one), ``cpu`` or ``cuda``.
        precision: ``float32``, ``tf32`` or ``bf16``; the last two on CUDA only. Parameters and
            sums stay in float32.

    Raises:
        UserError: CUDA or its precision is asked for where there is none.
    """
    has_cuda = torch.cuda.is_available()
    if name == "cuda" and not has_cuda:
        raise UserError(
            "device is cuda, but torch finds no CUDA device: set device to auto or cpu in "
            "config.yaml, or install a CUDA build of torch."
        )
    device = torch.device("cuda" if has_cuda and name != "cpu" else "cpu")
    if precision != "float32" and device.type == "cpu":
        raise UserError(f"precision {precision} needs a CUDA device: set precision to float32.")
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"  # convolutions have a switch of their own
    return device, torch.bfloat16 if precision == "bf16" else torch.float32


def describe(device: torch.device) -> str:
    """Return the device for provenance: its type and, for CUDA, its name."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else "cpu"


def free_bytes(device: torch.device) -> int:
    """Return the memory of the device that is free now."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def wait(device: torch.device) -> None:
    """Return when the device has done all that it was given: for timing."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
