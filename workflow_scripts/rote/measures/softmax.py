"""The softmax of few classes, which torch computes slowly where they lie side by side."""

from torch import Tensor

FEW = 16  # classes


def softmax(logits: Tensor) -> Tensor:
    """Return the softmax of ``logits`` (…, batch, classes) along the last axis, contiguous.

    On the CPU torch takes 14 ns a number in rows of ten, and 2 ns in columns: of few classes it
    takes a third of the time to turn them over and back.
    """
    if logits.device.type != "cpu" or logits.shape[-1] > FEW:
        return logits.softmax(-1)
    return logits.mT.contiguous().softmax(-2).mT.contiguous()
