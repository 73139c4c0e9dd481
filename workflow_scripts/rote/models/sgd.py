"""Stochastic gradient descent on the stacked parameters of an ensemble."""

from collections.abc import Collection, Sequence
from itertools import groupby

import torch
from torch import Tensor

from rote.machine.products import add_product
from rote.models.workspace import aligned


class SGD:
    """v ← μ·v + g + λ·p, then p ← p − η·v: the rule of ``torch.optim.SGD``.

    With Nesterov's momentum the second step is p ← p − η·(g + λ·p + μ·v). Learning rate η and
    weight decay λ may differ between members. Neighbours of one rate are updated by one call, as a
    group of that rate alone would be: η is a factor within the products, and multiplied in
    beforehand it would round otherwise.

    Args:
        parameters: tensors with a leading member axis, changed in place. It is the list of the
            model itself: whoever takes members out of it takes them out here, too.
        learning_rate: η of all members, or of each, (members,).
        momentum: μ.
        weight_decay: λ of each member, (members,).
        nesterov: whether momentum is Nesterov's.
        fixed: positions of the parameters that are not trained.
    """

    def __init__(
        self,
        parameters: list[Tensor],
        learning_rate: float | Sequence[float],
        momentum: float,
        weight_decay: Tensor,
        nesterov: bool = False,
        fixed: Collection[int] = (),
    ):
        self.parameters = parameters
        one = isinstance(learning_rate, int | float)
        self._rates = [learning_rate] * len(weight_decay) if one else list(learning_rate)
        self._decayed = 1.0
        self._divide()
        self.momentum, self.nesterov, self.fixed = momentum, nesterov, frozenset(fixed)
        self.weight_decay = weight_decay[:, None, None] if weight_decay.any() else None
        self.velocity = [aligned(torch.zeros_like(p)) for p in parameters] if momentum else []

    def state(self) -> dict[str, list[Tensor]]:
        """Return what must be kept to go on later, by a word for each kind."""
        return {"velocity": self.velocity}

    def decay(self, factor: float) -> None:
        """Multiply the learning rates that were given by ``factor``, from now on."""
        self._decayed = factor
        self._divide()

    def _divide(self) -> None:
        """Find the neighbours of one learning rate."""
        self._parts, start = [], 0
        for rate, members in groupby(self._rates):
            stop = start + len(list(members))
            self._parts.append((rate * self._decayed, slice(start, stop)))
            start = stop

    def descend(self, k: int, left: Tensor, right: Tensor | None = None) -> None:
        """Update parameter ``k``, of which the gradient is the product ``left @ right``.

        Without ``right`` it is ``left`` itself. A product goes straight into the parameter, or the
        velocity: the gradient, as large as all weights together, is never written to memory.
        """
        if k in self.fixed:
            return
        velocity = self.velocity[k] if self.momentum else None
        tensors = self.parameters[k], velocity, self.weight_decay, left, right
        if len(self._parts) == 1:
            self._descend(self._parts[0][0], *tensors)
            return
        for rate, part in self._parts:
            self._descend(rate, *(None if tensor is None else tensor[part] for tensor in tensors))

    def _descend(
        self,
        rate: float,
        parameter: Tensor,
        velocity: Tensor | None,
        decay: Tensor | None,
        left: Tensor,
        right: Tensor | None,
    ) -> None:
        """Update members of one learning rate."""
        if velocity is None:
            if decay is not None:
                parameter.mul_(1 - rate * decay)
            _add_product(parameter, left, right, -rate)
            return
        velocity.mul_(self.momentum)
        if self.nesterov:
            # As v = μ·(v before) + g + λ·p, the step η·(g + λ·p + μ·v) is η·(1 + μ)·v less
            # η·μ·(v before). That comes first, so that g is needed once. With decay, the velocity
            # then holds λ·p already, which is taken off again.
            if decay is not None:
                velocity.addcmul_(parameter, decay)
                parameter.mul_(1 - rate * decay)
            parameter.add_(velocity, alpha=rate)
            rate *= 1 + self.momentum
        _add_product(velocity, left, right, 1.0)
        if decay is not None and not self.nesterov:
            velocity.addcmul_(parameter, decay)
        parameter.sub_(velocity, alpha=rate)

    def select(self, keep: Tensor) -> None:
        """Keep only the members at the positions ``keep``; the parameters are already theirs."""
        self._rates = [self._rates[position] for position in keep.tolist()]
        self._divide()
        self.velocity = [aligned(velocity[keep]) for velocity in self.velocity]
        if self.weight_decay is not None:
            self.weight_decay = self.weight_decay[keep]


def _add_product(target: Tensor, left: Tensor, right: Tensor | None, scale: float) -> None:
    if right is None:
        target.add_(left, alpha=scale)
    else:
        add_product(target, left, right, scale)
