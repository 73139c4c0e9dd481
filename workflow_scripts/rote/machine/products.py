"""Which library multiplies matrices on the CPU: torch's own, or the OpenBLAS that NumPy brings.

On AMD processors torch's products (by MKL) use AVX2 at most. Those of OpenBLAS use AVX-512 where
the processor has it, and took there, one thread on an AMD EPYC, 0.4 to 0.5 of the time for the
stacked layers of 16 to 4,096 units, and a fifth for those of ten classes. With AVX2 on either side
they took 0.8 to 0.95. So OpenBLAS is taken on AMD processors; on others, torch's own. Neither
choice is timed at run time: the same machine gives the same bits again.

SciPy's OpenBLAS could add a product to what is there, which NumPy's cannot. It gained nothing on
products that are added part by part, as here, and took longer below 64 units: each member is a call
of its own. oneDNN, by torch's convolutions, computes those of wide CNNs
(:mod:`rote.models.memberwise`).

Both multiply the members of a stack one after another, each by itself: its numbers do not depend on
its company. NumPy works in torch's memory; nothing is copied.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import threadpoolctl
import torch
from torch import Tensor

from rote.machine.errors import UserError

KINDS = "auto", "torch", "openblas"
# A product that is added to something stands here first, a part of it at a time. With as much as
# this, parts are large enough for the library and still close to the core: weights of 4,096 units
# take a tenth less time than at once.
SCRATCH_BYTES = 2**22
# Products with fewer terms a sum are added by torch whatever is chosen: it needs no place for them.
# With 16 terms it took 0.7 to 1.0 of the time of OpenBLAS, with 50 or 100 up to twice as long.
FEWEST_ADDED = 32


@cache
def _openblas() -> dict | None:
    """Return what NumPy's OpenBLAS says of itself, None if NumPy has another library."""
    place = Path(np.__file__).resolve().parent  # without links, as threadpoolctl has it
    for library in threadpoolctl.threadpool_info():
        # That of SciPy, if it is loaded, lies in scipy.libs.
        own = {place, place.with_name(f"{place.name}.libs")} & {*Path(library["filepath"]).parents}
        if library["internal_api"] == "openblas" and own:
            return library
    return None


def _fastest() -> str:
    """Return the kind that is faster on this machine, see above.

    With several threads torch computes several members at a time, which OpenBLAS does not.
    """
    amd = torch.cpu.get_capabilities().get("cpu_name", "").startswith("AMD")
    return "openblas" if amd and torch.get_num_threads() == 1 and _openblas() else "torch"


class _Chosen:
    """The kind that computes, from now on."""

    kind = _fastest()


def choose(kind: str) -> None:
    """Have products on the CPU computed by ``auto`` (what is faster), ``torch`` or ``openblas``.

    Raises:
        UserError: NumPy has no OpenBLAS.
    """
    if kind == "openblas" and not _openblas():
        raise UserError(
            "products is openblas, but NumPy has another library here: set products to auto or "
            "torch in config.yaml."
        )
    _Chosen.kind = _fastest() if kind == "auto" else kind


def describe() -> str:
    """Return what is chosen, for provenance: of OpenBLAS its version and its kernels.

    Whatever it is, torch computes what goes through autograd in CNNs, convolutions of many maps,
    and products too small for another library to pay.
    """
    if _Chosen.kind == "torch":
        return "torch"
    library = _openblas()
    return f"OpenBLAS {library['version']} ({library['architecture']})"


def use_threads(count: int) -> None:
    """Have torch, and products by whichever library, use ``count`` threads.

    The library is then the one that is faster with as many, see :func:`choose`.
    """
    torch.set_num_threads(count)
    threadpoolctl.threadpool_limits(count, user_api="blas")
    choose("auto")


@contextmanager
def one_thread() -> Iterator[None]:
    """Have the body computed as by a job of one thread, and give the caller's choices back.

    With several threads the last bits of a training are others, and small models take longer.
    """
    threads, kind = torch.get_num_threads(), _Chosen.kind
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        torch.set_num_threads(1)
        choose("auto")
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            _Chosen.kind = kind


def by_openblas(tensor: Tensor) -> bool:
    """Return whether OpenBLAS computes products where ``tensor`` lies."""
    return _Chosen.kind == "openblas" and tensor.device.type == "cpu"


@np.errstate(all="ignore")  # as torch: a model that diverges is told by its loss
def _matmul(left: np.ndarray, right: np.ndarray, out: np.ndarray) -> None:
    np.matmul(left, right, out=out)


def multiply(left: Tensor, right: Tensor, out: Tensor) -> Tensor:
    """Return the stacked product ``left @ right`` in ``out``.

    Args:
        left: (members, rows, inner).
        right: (members, inner, columns). The first axis of either may be expanded.
        out: (members, rows, columns).
    """
    if by_openblas(out):
        _matmul(left.numpy(), right.numpy(), out.numpy())
        return out
    return torch.bmm(left, right, out=out)


def multiply_and_add(bias: Tensor, left: Tensor, right: Tensor, out: Tensor) -> Tensor:
    """Return ``bias + left @ right`` in ``out``, see :func:`multiply`; ``bias`` is broadcast."""
    if by_openblas(out):
        return multiply(left, right, out).add_(bias)
    return torch.baddbmm(bias, left, right, out=out)


def add_product(target: Tensor, left: Tensor, right: Tensor, scale: float = 1.0) -> Tensor:
    """Add ``scale · left @ right`` to ``target`` (members, rows, columns), in place."""
    if not by_openblas(target) or left.shape[2] < FEWEST_ADDED:
        return target.baddbmm_(left, right, alpha=scale)
    numbers = _scratch(target.dtype)
    for block, upper, lower in _blocks(target, left, right, len(numbers)):
        memory = numbers if block.numel() <= len(numbers) else numbers.new_empty(block.numel())
        product = memory[: block.numel()].view(block.shape)
        block.add_(multiply(upper, lower, product), alpha=scale)
    return target


def _blocks(target: Tensor, left: Tensor, right: Tensor, numbers: int) -> list[tuple]:
    """Return parts of ``target`` and their factors: members, or rows of one, that fit ``numbers``.

    A row is never divided.
    """
    members, rows, columns = target.shape
    if members * rows * columns <= numbers:  # most often; a part of a tensor takes time to name
        return [(target, left, right)]
    if together := numbers // (rows * columns):
        some = (slice(first, first + together) for first in range(0, members, together))
        return [(target[part], left[part], right[part]) for part in some]
    height = max(1, numbers // columns)
    return [
        (
            target[m : m + 1, row : row + height],
            left[m : m + 1, row : row + height],
            right[m : m + 1],
        )
        for m in range(members)
        for row in range(0, rows, height)
    ]


@cache
def _scratch(dtype: torch.dtype) -> Tensor:
    """Return memory for products that are added to something, always the same."""
    with torch.inference_mode(False):  # to be used within it and without
        return torch.empty(SCRATCH_BYTES // dtype.itemsize, dtype=dtype)
