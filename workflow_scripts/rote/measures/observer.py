"""What watches a training: it sees each batch and each score, and keeps something of each member.

A measure of training is a subclass of :class:`Observer`, and knows no more of a training than what
it is shown: nothing of models, of the order of examples or of checkpoints.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

Variables = dict[str, tuple[tuple[str, ...], np.ndarray]]


class Observer:
    """Watches a group of members; this one keeps nothing.

    Whatever it must remember of a member stands in ``state``, tensors with a leading member axis:
    they go into checkpoints, and the part of a member leaves with it. They stay on the device, and
    nothing is waited for.

    Args:
        members: how many are trained together.
        examples: training examples of a member.
        epochs: those at the end of which members are scored.
        device: that of what it is shown.
    """

    def __init__(self, members: int, examples: int, epochs: Sequence[int], device: torch.device):
        self.examples, self.epochs = examples, list(epochs)
        self.state: dict[str, Tensor] = {}

    def presented(self, epoch: int, examples: Tensor, logits: Tensor, labels: Tensor) -> None:
        """See a batch as the members were trained on it, before the update.

        Args:
            epoch: counted from 1.
            examples: positions among a member's training examples, (members, batch).
            logits: with the noise of regularisers, (members, classes, batch). The memory is used
                again.
            labels: those trained on, (members, batch).
        """

    def scored(self, epoch: int, examples: slice, logits: Tensor, labels: Tensor) -> None:
        """See a part of the training examples as they are scored at the end of an epoch.

        The parts of an epoch come one after another, and are all of its examples.

        Args:
            epoch: one of ``epochs``.
            examples: which of a member's training examples.
            logits: without any noise, (members, classes, part). The memory is used again.
            labels: those trained on, (members, part).
        """

    def validated(self, epoch: int, examples: slice, logits: Tensor, labels: Tensor) -> None:
        """See a part of the validation examples as they are scored at the end of an epoch.

        Like :meth:`scored`, of which the parts of the epoch come before.
        """

    def variables(self, member: int) -> Variables:
        """Return what a run keeps of a member that leaves, by name: dimensions and values.

        It is asked for at the end of an epoch at which the member was scored.
        """
        return {}

    def of_examples(self, member: int, *names: str) -> Variables:
        """Return parts of ``state`` that have a number for each example."""
        return {name: (("example",), self.state[name][member].cpu().numpy()) for name in names}


def right(logits: Tensor, labels: Tensor) -> Tensor:
    """Return whether the greatest of ``logits`` (members, classes, batch) is that of the label.

    Of equal ones the first counts; what is not finite is not right.
    """
    greatest = logits.max(1)
    return (greatest.indices == labels) & greatest.values.isfinite()
