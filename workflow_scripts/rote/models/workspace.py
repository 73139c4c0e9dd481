"""Memory for stacked tensors: aligned alike for every member, and kept for the next time.

How a matrix product is rounded may depend on where its factors lie in memory. So that a member's
numbers do not depend on its company, each member's part begins at a multiple of 64 bytes, as the
first one does. On one CPU thread results are then equal to the last bit (a group of one may differ
in the last bits where a layer or a batch has a single element: there BLAS takes another path).
"""

import torch
from torch import Tensor

ALIGNMENT = 64  # bytes: a cache line, and the widest vector registers


def _padded(length: int, dtype: torch.dtype) -> int:
    unit = ALIGNMENT // dtype.itemsize
    return -(-length // unit) * unit


def empty(shape: tuple[int, int, int], dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """Return an uninitialised tensor (members, rows, columns), aligned for every member."""
    members, rows, columns = shape
    flat = torch.empty(members, _padded(rows * columns, dtype), dtype=dtype, device=device)
    return flat[:, : rows * columns].unflatten(1, (rows, columns))


def aligned(tensor: Tensor) -> Tensor:
    """Return a copy of a tensor (members, rows, columns), aligned for every member."""
    return empty(tensor.shape, tensor.dtype, tensor.device).copy_(tensor)


def aligned_rows(
    parts: list[Tensor], dtype: torch.dtype | None = None, device: torch.device | str = "cpu"
) -> Tensor:
    """Return the rows of all ``parts``, (rows, columns) each, with zeros added to align every row.

    The table is filled in place: on the device, the rows are never there twice.
    """
    dtype, columns = dtype or parts[0].dtype, parts[0].shape[1]
    table = torch.empty(sum(map(len, parts)), _padded(columns, dtype), dtype=dtype, device=device)
    table[:, columns:] = 0
    for place, rows in zip(table.split([len(part) for part in parts]), parts, strict=True):
        place[:, :columns] = rows
    return table


class Workspace:
    """Uninitialised tensors that are reused.

    A small model is bound by the cost of fresh memory: the operating system hands out, and clears,
    every page anew. Whoever asks for the same name and shape again gets the same memory, and what
    it held is lost.
    """

    def __init__(self, device: torch.device | str = "cpu"):
        self.device = device
        self._kept: dict[tuple, Tensor] = {}

    def __call__(self, name: str, shape: tuple[int, int, int], dtype: torch.dtype) -> Tensor:
        """Return memory of this shape (members, rows, columns) and type, aligned as above."""
        key = name, shape, dtype
        if key not in self._kept:
            self._kept[key] = empty(shape, dtype, self.device)
        return self._kept[key]

    def clear(self) -> None:
        """Give all memory back, as when the group size changes for good."""
        self._kept.clear()

    def nbytes(self) -> int:
        """Return the bytes that are kept."""
        return sum(tensor.nbytes for tensor in self._kept.values())
