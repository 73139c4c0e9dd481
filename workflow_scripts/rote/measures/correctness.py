"""Which examples a model has right when it is trained: of training and of validation examples."""

import numpy as np
import torch
from torch import Tensor

from rote.measures.observer import Observer, Variables, right
from rote.measures.records import packed


class Correctness(Observer):
    """Keeps, of the last score of a member, which examples are right, see ``Observer``.

    Its variables are ``right`` (byte) of all training examples, whether the member is trained on
    them or not, and ``validation_right`` (validation_byte): a bit each, as of ``numpy.packbits``,
    see :func:`rote.measures.records.unpacked`. A score replaces the one before, so nothing need be
    remembered between two of them.
    """

    def __init__(self, *group: object):
        super().__init__(*group)
        self._parts: dict[str, list[Tensor]] = {"right": [], "validation_right": []}

    def scored(self, epoch: int, examples: slice, logits: Tensor, labels: Tensor) -> None:
        """See a part of the training examples, see ``Observer``."""
        if examples.start == 0:
            self._parts = {"right": [], "validation_right": []}
        self._parts["right"].append(right(logits, labels))

    def validated(self, epoch: int, examples: slice, logits: Tensor, labels: Tensor) -> None:
        """See a part of the validation examples, see ``Observer``."""
        self._parts["validation_right"].append(right(logits, labels))

    def variables(self, member: int) -> Variables:
        """Return the bits of a member, see ``Observer``."""
        along = {"right": "byte", "validation_right": "validation_byte"}
        return {
            name: ((along[name],), self._packed(parts, member))
            for name, parts in self._parts.items()
        }

    def _packed(self, parts: list[Tensor], member: int) -> np.ndarray:
        bits = [part[member] for part in parts] or [torch.empty(0, dtype=torch.bool)]
        return packed(torch.cat(bits)).cpu().numpy()
