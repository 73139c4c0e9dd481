"""What an ensemble, and whoever searches its models, asks of a model."""

from collections.abc import Iterable
from typing import Protocol

from torch import Tensor

from rote.models.optimizer import Optimizer
from rote.models.regularization import UNREGULARIZED, Regularization
from rote.models.workspace import Workspace


class Model(Protocol):
    """Many models of one shape, computed as one; every tensor has a leading member axis.

    A member's numbers must not depend on its company: not on how many others there are, nor on
    its position among them. :class:`rote.models.mlp.MLP`, :class:`rote.models.cnn.CNN` and
    :class:`rote.models.module.Modules` are such.
    """

    parameters: list[Tensor]  # what is trained, in place
    buffers: list[Tensor]  # what else belongs to a member in training, such as running statistics
    population: list[Tensor]  # what stands for them in a score, see take_statistics
    workspace: Workspace  # memory for activations and their gradients
    smallest_batch: int  # examples of the smallest batch that it can be trained on
    searched_together: bool  # whether members_logits keeps the promise above on the CPU, too

    @property
    def features(self) -> int:
        """The number of inputs of an example."""

    def take_statistics(self, batches: Iterable[Tensor]) -> None:
        """Have :meth:`logits` normalise by the statistics of whole training data.

        A model that normalises by the statistics of a batch takes the mean of those of all
        ``batches``, variances as unbiased estimates (Ioffe & Szegedy 2015, algorithm 2). Any other
        model does not even look at them.

        Args:
            batches: the training examples of each member, (members, batch, features) each, as they
                are: without the noise of regularisers. The memory of one may be that of the last.
        """

    def logits(self, inputs: Tensor) -> Tensor:
        """Return logits (members, classes, batch) of ``inputs`` (members, batch, features).

        As in evaluation: without the noise of regularisers. The memory may be used again.
        """

    def member_logits(self, member: int, inputs: Tensor, running: bool = False) -> Tensor:
        """Return logits (batch, classes) of one member in evaluation, for ∂/∂inputs by autograd.

        Args:
            member: its position.
            inputs: (batch, features).
            running: whether they are normalised by ``buffers``, as they are between two updates,
                and not by ``population``, as :meth:`logits` are.
        """

    def members_logits(self, inputs: Tensor, running: bool = False) -> Tensor:
        """Return the same of all members at once.

        Args:
            inputs: of each member its own, (members, batch, features).
            running: as above.

        Returns:
            (members, batch, classes).
        """

    def select(self, keep: list[int]) -> None:
        """Keep only the members at the positions ``keep``; the stacks are already theirs."""

    def step(
        self,
        inputs: Tensor,
        labels: Tensor,
        optimizer: Optimizer,
        regularization: Regularization = UNREGULARIZED,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Make one update on the mean cross-entropy of each member's own batch.

        Args:
            inputs: (members, batch, features).
            labels: class indices, (members, batch).
            optimizer: the one of ``parameters``.
            regularization: what disturbs the hidden activations.
            weights: of the examples in the loss instead of 1 / batch, (members, batch).

        Returns:
            The logits (members, classes, batch) that the loss is of: before the update, and with
            the noise of regularisers. The memory may be used again by the next call of a method.
        """
