"""Adam of an ensemble (Kingma & Ba 2015), also with decoupled weight decay (AdamW)."""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from rote.machine.products import multiply
from rote.models.workspace import aligned, empty


class Adam:
    """The rules of ``torch.optim.Adam`` and ``torch.optim.AdamW``.

    m ← β₁·m + (1 − β₁)·g and v ← β₂·v + (1 − β₂)·g², then
    p ← p − η·(m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε) in update t. Weight decay λ adds λ·p to the
    gradient g or, if it is ``decoupled``, multiplies p by 1 − η·λ beforehand.

    Args:
        parameters: tensors with a leading member axis, changed in place; see
            :class:`rote.models.sgd.SGD`, whose methods this class has.
        learning_rate: η of each member, (members,).
        weight_decay: λ of each member, (members,).
        betas: β₁ and β₂.
        epsilon: ε.
        decoupled: whether the weight decay is that of AdamW.
        fixed: positions of the parameters that are not trained.
    """

    def __init__(
        self,
        parameters: list[Tensor],
        learning_rate: Sequence[float],
        weight_decay: Tensor,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        decoupled: bool = False,
        fixed: Collection[int] = (),
    ):
        self.parameters = parameters
        rates = torch.tensor(learning_rate, dtype=torch.float64, device=weight_decay.device)
        self._rates, self._decayed = rates[:, None, None], 1.0
        self.weight_decay = weight_decay[:, None, None] if weight_decay.any() else None
        self.betas, self.epsilon, self.decoupled = betas, epsilon, decoupled
        self.fixed = frozenset(fixed)
        self._first = [aligned(torch.zeros_like(p)) for p in parameters]
        self._second = [aligned(torch.zeros_like(p)) for p in parameters]
        # Updates of each parameter so far, of each member, (members, 1, 1): all are alike, but it
        # is a member's own that goes into its checkpoint.
        self._updates = [torch.zeros_like(self._rates) for _ in parameters]

    def state(self) -> dict[str, list[Tensor]]:
        """Return what must be kept to go on later, by a word for each kind."""
        return {"mean": self._first, "mean_square": self._second, "updates": self._updates}

    def decay(self, factor: float) -> None:
        """Multiply the learning rates that were given by ``factor``, from now on."""
        self._decayed = factor

    def descend(self, k: int, left: Tensor, right: Tensor | None = None) -> None:
        """Update parameter ``k``, of which the gradient is ``left @ right``, or ``left``."""
        if k in self.fixed:
            return
        parameter, (beta, beta_of_squares) = self.parameters[k], self.betas
        rates = (self._rates * self._decayed).to(parameter.dtype)
        gradient = left
        if right is not None:
            gradient = empty(parameter.shape, parameter.dtype, parameter.device)
            multiply(left, right, gradient)
        if self.weight_decay is not None:
            decay = self.weight_decay.to(parameter.dtype)
            if self.decoupled:
                parameter.mul_(1 - rates * decay)
            else:
                gradient = torch.addcmul(gradient, parameter, decay)
        updates = self._updates[k].add_(1)
        first = self._first[k].lerp_(gradient, 1 - beta)
        second = self._second[k].mul_(beta_of_squares)
        second.addcmul_(gradient, gradient, value=1 - beta_of_squares)
        corrected = (1 - beta_of_squares**updates).sqrt().to(parameter.dtype)
        steps = (rates / (1 - beta**updates)).to(parameter.dtype)
        parameter.sub_((second.sqrt() / corrected).add_(self.epsilon).reciprocal_() * first * steps)

    def select(self, keep: Tensor) -> None:
        """Keep only the members at the positions ``keep``; the parameters are already theirs."""
        self._rates = self._rates[keep]
        for stacks in (self._first, self._second):
            stacks[:] = [aligned(stack[keep]) for stack in stacks]
        self._updates = [updates[keep] for updates in self._updates]
        if self.weight_decay is not None:
            self.weight_decay = self.weight_decay[keep]
