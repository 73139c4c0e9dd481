"""What the optimizers, ``sgd`` and ``adam``, have in common."""

from typing import Protocol

from torch import Tensor


class Optimizer(Protocol):
    """An optimizer of stacked parameters, which are changed in place.

    Attributes:
        parameters: tensors with a leading member axis: the list of the model itself.
        weight_decay: that of the members, None where it is 0 for all.
    """

    parameters: list[Tensor]
    weight_decay: Tensor | None

    def state(self) -> dict[str, list[Tensor]]:
        """Return what must be kept to go on later, by a word for each kind."""

    def decay(self, factor: float) -> None:
        """Multiply the learning rates that were given by ``factor``, from now on."""

    def descend(self, k: int, left: Tensor, right: Tensor | None = None) -> None:
        """Update parameter ``k``, of which the gradient is the product ``left @ right``.

        Without ``right`` it is ``left`` itself.
        """

    def select(self, keep: Tensor) -> None:
        """Keep only the members at the positions ``keep``; the parameters are already theirs."""
