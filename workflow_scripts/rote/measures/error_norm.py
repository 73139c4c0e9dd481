"""The error of a prediction, softmax − one-hot, and its norm: EL2N (Paul et al. 2021).

It is the gradient of the cross-entropy by the logits (Paul, Ganguli & Dziugaite 2021, Deep Learning
on a Data Diet, definition 2.3, arXiv 2107.07075).
"""

import torch
from torch import Tensor


def errors(logits: Tensor, labels: Tensor) -> Tensor:
    """Return softmax − one-hot, of the shape of ``logits``.

    That of the label is the sum of the others': p − 1 would be rounded off near p = 1.

    Args:
        logits: (members, classes, batch), or (batch, classes).
        labels: (members, batch), or (batch,).
    """
    own = labels[:, None]
    others = logits.softmax(1).scatter_(1, own, 0)
    return others.scatter_(1, own, -others.sum(1, keepdim=True))


def error_norm(logits: Tensor, labels: Tensor) -> Tensor:
    """Return ‖softmax − one-hot‖₂, from 0 to √2, of the shape of ``labels``; see :func:`errors`."""
    return torch.linalg.vector_norm(errors(logits, labels), dim=1)
