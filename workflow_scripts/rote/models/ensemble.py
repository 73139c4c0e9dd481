"""A group of members that is trained together: their data, their order of examples, their score.

All inputs lie once, in one table on the device; members differ only in the rows they gather and in
the labels they see. Nothing is transferred and nothing is waited for within an epoch.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rote.machine.randomness import generator
from rote.measures.observer import Observer, Variables
from rote.models.model import Model
from rote.models.optimizer import Optimizer
from rote.models.regularization import UNREGULARIZED, Regularization
from rote.models.workspace import aligned
from rote.study.architecture import check_last_batch

# At a time. It decides how sums are rounded, so it does not depend on the size of the group.
EVALUATED = 250  # examples


def epoch_order(seeds: list[int], epoch: int, examples: int) -> Tensor:
    """Return the order of the examples in an epoch (counted from 1), (seeds, examples)."""
    # One a seed: there are few, however many members.
    orders = {seed: generator("shuffle", seed, epoch).permutation(examples) for seed in set(seeds)}
    return torch.from_numpy(np.stack([orders[seed] for seed in seeds]))


def _brought(order: Tensor, device: torch.device) -> Tensor:
    """Return ``order`` on the device. That may still be busy: nobody waits for it."""
    if device.type == "cuda":
        order = order.pin_memory()
    return order.to(device, non_blocking=True)


def predicted(logits: Tensor) -> Tensor:
    """Return the class of the greatest of ``logits`` (members, classes, batch), (members, batch).

    Of equal ones the first, as argmax does, which takes eight times as long along a middle axis.
    """
    return logits.max(1).indices


class Score(NamedTuple):
    """How the members of a group do at the end of an epoch, over whole data sets."""

    train_loss: np.ndarray  # mean cross-entropy, nat, (members,)
    train_accuracy: np.ndarray  # against the labels trained on, (members,)
    validation_accuracy: np.ndarray  # (members,); NaN without validation examples
    misclassified: np.ndarray  # training examples that are wrong, (members, examples)


class Ensemble:
    """Members in training.

    Args:
        model: the stacked models.
        optimizer: the one of the model's parameters.
        table: all inputs, (rows, features or more), on the device, of the parameters' type; what
            stands behind the features is there for alignment alone.
        rows: which rows of the table are a member's training examples, (members, examples).
        labels: the labels trained on, (members, examples).
        validation: rows of the table and labels, those of a member's validation examples, (members,
            examples) each.
        seeds: seed of the order of the examples, and of all else that is drawn, of each member.
        batch_size: examples an update; the last batch of an epoch may be smaller. Adversarial
            examples come on top.
        regularization: the regularisers of the members, but for weight decay.
        observers: who is shown each batch and each score of the members.
        subset: positions of those of its training examples that a member is trained on, (members,
            part); None: all of them. Loss and training accuracy are those on the subset.

    Raises:
        UserError: the last batch would be too small for the model.
    """

    def __init__(
        self,
        model: Model,
        optimizer: Optimizer,
        table: Tensor,
        rows: Tensor,
        labels: Tensor,
        validation: tuple[Tensor, Tensor],
        seeds: list[int],
        batch_size: int,
        regularization: Regularization = UNREGULARIZED,
        observers: Sequence[Observer] = (),
        subset: Tensor | None = None,
    ):
        self.model, self.optimizer = model, optimizer
        self.table, self.rows, self.labels = table, rows, labels
        self.validation = validation
        self.seeds = seeds
        self.batch_size = batch_size
        self.regularization, self.observers = regularization, observers
        self.subset = subset
        check_last_batch(batch_size, self.trained_on, model.smallest_batch)

    @property
    def trained_on(self) -> int:
        """The number of training examples that a member is trained on."""
        return (self.rows if self.subset is None else self.subset).shape[1]

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.seeds)

    def _gather(self, rows: Tensor) -> Tensor:
        """Return the inputs (members, batch, features) at ``rows`` (members, batch)."""
        shape = 1, rows.numel(), self.table.shape[1]
        memory = self.model.workspace("inputs", shape, self.table.dtype)[0]
        torch.index_select(self.table, 0, rows.reshape(-1), out=memory)
        return memory.view(*rows.shape, -1)[..., : self.model.features]

    @torch.inference_mode()
    def train_epoch(self, epoch: int, updates: int | None = None) -> None:
        """Train for one epoch (counted from 1), or for its first ``updates``."""
        order = _brought(epoch_order(self.seeds, epoch, self.trained_on), self.rows.device)
        if self.subset is not None:
            order = self.subset.gather(1, order)
        rows, labels = self.rows.gather(1, order), self.labels.gather(1, order)
        self.regularization.start_epoch(self.seeds, epoch)
        batches = [each.split(self.batch_size, 1)[:updates] for each in (order, rows, labels)]
        for examples, rows, labels in zip(*batches, strict=True):
            logits = self._update(rows, labels)
            for observer in self.observers:
                # Adversarial examples stand behind those that they were made of.
                observer.presented(epoch, examples, logits[..., : labels.shape[1]], labels)

    def _update(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Make one update on the inputs at ``rows`` (members, batch), return the logits there."""
        regularization, weights = self.regularization, None
        if regularization.adversarial:
            weights = regularization.weights(rows.shape[1], self.model.parameters[0])
            rows, labels = rows.repeat(1, 2), labels.repeat(1, 2)
        inputs = self._gather(rows)
        if regularization.adversarial:
            regularization.make_adversarial(self.model, inputs, rows)
        regularization.disturb_inputs(inputs)
        return self.model.step(inputs, labels, self.optimizer, regularization, weights)

    @torch.inference_mode()
    def take_statistics(self) -> None:
        """Prepare the models, as they are, for a score or to be kept, see ``Model``.

        The examples stand in the order of the data set, which is the same for every epoch: the
        statistics are a function of the parameters alone.
        """
        rows = self.rows if self.subset is None else self.rows.gather(1, self.subset)
        self.model.take_statistics(self._gather(r) for r in rows.split(self.batch_size, 1))

    @torch.inference_mode()
    def evaluate(self, epoch: int | None = None) -> Score:
        """Return the score of the members as they are, on all training and validation examples.

        Observers are shown all of them, also those outside the subset that is trained on.

        Args:
            epoch: the one that has ended, for the observers; None: they are not shown the score.
        """
        self.take_statistics()
        loss, wrong, first, within = 0.0, [], 0, self._within_subset()
        for rows, labels in zip(
            self.rows.split(EVALUATED, 1),
            self.labels.split(EVALUATED, 1),
            strict=True,
        ):
            logits = self.model.logits(self._gather(rows))
            examples = slice(first, first := first + labels.shape[1])
            losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
            # Not a product: of an infinite loss outside of the subset that would be NaN.
            loss += (losses if within is None else losses.where(within[:, examples], 0)).sum(1)
            wrong.append(predicted(logits) != labels)
            for observer in self.observers if epoch is not None else ():
                observer.scored(epoch, examples, logits, labels)
        wrong = torch.cat(wrong, 1)
        trained_on = wrong if within is None else wrong.gather(1, self.subset)
        return Score(
            train_loss=(loss / self.trained_on).double().cpu().numpy(),
            train_accuracy=1 - trained_on.double().mean(1).cpu().numpy(),
            validation_accuracy=self._validation_accuracy(epoch),
            misclassified=wrong.cpu().numpy(),
        )

    def _within_subset(self) -> Tensor | None:
        """Return whether each training example is in the subset, (members, examples)."""
        if self.subset is None:
            return None
        nowhere = torch.zeros(self.rows.shape, dtype=torch.bool, device=self.rows.device)
        return nowhere.scatter_(1, self.subset, True)

    def _validation_accuracy(self, epoch: int | None) -> np.ndarray:
        count = self.validation[1].shape[1]
        if not count:
            return np.full(len(self), np.nan)
        right = torch.zeros(len(self), dtype=torch.int64, device=self.rows.device)
        first = 0
        batches = (each.split(EVALUATED, 1) for each in self.validation)
        for rows, labels in zip(*batches, strict=True):
            logits = self.model.logits(self._gather(rows))
            right += (predicted(logits) == labels).sum(1)
            examples = slice(first, first := first + labels.shape[1])
            for observer in self.observers if epoch is not None else ():
                observer.validated(epoch, examples, logits, labels)
        return right.cpu().numpy() / count

    def select(self, keep: list[int]) -> None:
        """Keep only the members at the positions ``keep``: the others have left the training."""
        positions = torch.tensor(keep, device=self.rows.device)
        for tensors in (self.model.parameters, self.model.buffers, self.model.population):
            tensors[:] = [aligned(tensor[positions]) for tensor in tensors]
        self.model.select(keep)
        self.optimizer.select(positions)
        for observer in self.observers:
            observer.state = {name: part[positions] for name, part in observer.state.items()}
        self.regularization.select(keep)
        self.rows, self.labels = self.rows[positions], self.labels[positions]
        if self.subset is not None:
            self.subset = self.subset[positions]
        self.validation = tuple(each[positions] for each in self.validation)
        self.seeds = [self.seeds[position] for position in keep]
        self.model.workspace.clear()  # of the larger group

    def _stacks(self) -> dict[str, list[Tensor]]:
        """Return all that a training needs to go on, by a word for each kind."""
        model = self.model
        return {
            **self.optimizer.state(),
            "parameter": model.parameters,
            "buffer": model.buffers,
            "observed": [part for each in self.observers for part in each.state.values()],
        }

    def observed(self, member: int) -> Variables:
        """Return what the observers keep of one member, by name: dimensions and values."""
        return dict(chain.from_iterable(o.variables(member).items() for o in self.observers))

    def state(self, member: int) -> dict[str, np.ndarray]:
        """Return all that one member needs to go on later."""
        return _of_member(member, self._stacks())

    def model_state(self, member: int) -> dict[str, np.ndarray]:
        """Return the model of one member, to be used as it is; its buffers are the population's.

        :meth:`take_statistics` must have been called since the last update.
        """
        model = self.model
        return _of_member(member, {"parameter": model.parameters, "buffer": model.population})

    def restore(self, member: int, state: dict[str, np.ndarray]) -> None:
        """Set one member to a state that :meth:`state` returned."""
        for name, tensors in self._stacks().items():
            for k, tensor in enumerate(tensors):
                tensor[member] = torch.from_numpy(state[f"{name}_{k}"])

    def nbytes(self) -> int:
        """Return the bytes that the members take by now, the shared table not counted."""
        own = [*chain.from_iterable(self._stacks().values()), *self.model.population]
        own += [self.labels, *self.validation]
        own += [] if self.subset is None else [self.subset]
        # The order, the rows and the labels of an epoch stand beside the members' own rows.
        return sum(t.nbytes for t in own) + 4 * self.rows.nbytes + self.model.workspace.nbytes()


def _of_member(member: int, stacks: dict[str, list[Tensor]]) -> dict[str, np.ndarray]:
    return {
        f"{name}_{k}": tensor[member].cpu().numpy().copy()
        for name, tensors in stacks.items()
        for k, tensor in enumerate(tensors)
    }
