"""Stochastic gradient descent on the stacked parameters of an ensemble."""

import torch
from torch import Tensor

from rote.models.workspace import aligned


class SGD:
    """v ← μ·v + g + λ·p, then p ← p − η·v: the rule of ``torch.optim.SGD``, with λ per member.

    Args:
        parameters: tensors with a leading member axis, changed in place. It is the list of the
            model itself: whoever takes members out of it takes them out here, too.
        learning_rate: η; it may be set anew at any time.
        momentum: μ.
        weight_decay: λ of each member, (members,).
    """

    def __init__(
        self, parameters: list[Tensor], learning_rate: float, momentum: float, weight_decay: Tensor
    ):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.weight_decay = weight_decay[:, None, None] if weight_decay.any() else None
        self.velocity = [aligned(torch.zeros_like(p)) for p in parameters] if momentum else []

    def descend(self, k: int, left: Tensor, right: Tensor | None = None) -> None:
        """Update parameter ``k``, of which the gradient is the product ``left @ right``.

        Without ``right`` it is ``left`` itself. A product goes straight into the parameter, or the
        velocity: the gradient, as large as all weights together, is never written to memory.
        """
        parameter, rate, decay = self.parameters[k], self.learning_rate, self.weight_decay
        if not self.momentum:
            if decay is not None:
                parameter.mul_(1 - rate * decay)
            _add_product(parameter, left, right, -rate)
            return
        velocity = self.velocity[k].mul_(self.momentum)
        _add_product(velocity, left, right, 1.0)
        if decay is not None:
            velocity.addcmul_(parameter, decay)
        parameter.sub_(velocity, alpha=rate)

    def select(self, keep: Tensor) -> None:
        """Keep only the members at the positions ``keep``; the parameters are already theirs."""
        self.velocity = [aligned(velocity[keep]) for velocity in self.velocity]
        if self.weight_decay is not None:
            self.weight_decay = self.weight_decay[keep]


def _add_product(target: Tensor, left: Tensor, right: Tensor | None, scale: float) -> None:
    if right is None:
        target.add_(left, alpha=scale)
    else:
        target.baddbmm_(left, right, alpha=scale)
