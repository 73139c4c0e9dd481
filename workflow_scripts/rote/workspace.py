"""Memory for temporary results, asked for by name and kept for the next time."""

import torch
from torch import Tensor


class Workspace:
    """Uninitialised tensors that are reused.

    A small model is bound by the cost of fresh memory: the operating system hands out, and clears,
    every page anew. Whoever asks for the same name and shape again gets the same memory, and what
    it held is lost.
    """

    def __init__(self, device: torch.device | str = "cpu"):
        self.device = device
        self._kept: dict[tuple, Tensor] = {}

    def __call__(self, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Return memory of this shape and type."""
        key = name, shape, dtype
        if key not in self._kept:
            self._kept[key] = torch.empty(shape, dtype=dtype, device=self.device)
        return self._kept[key]

    def clear(self) -> None:
        """Give all memory back, as when the group size changes for good."""
        self._kept.clear()

    def nbytes(self) -> int:
        """Return the bytes that are kept."""
        return sum(tensor.nbytes for tensor in self._kept.values())
