"""The members of a sensitivity run, trained and swept: MLPs together, modules one by one."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rote.measures.adjoints import (
    NORMS,
    Training,
    logits,
    score,
    sweep,
    trajectory,
    with_constant,
)
from rote.measures.module_sensitivity import ModuleTraining, Trajectory
from rote.measures.module_sensitivity import sweep as sweep_module
from rote.models.ensemble import epoch_order
from rote.models.kinds import Models
from rote.models.mlp import initial_parameters
from rote.models.regularization import seeds_of_updates
from rote.runs.device_data import DeviceData, trained_on
from rote.study.architecture import check_last_batch
from rote.study.plan import Member

Report = Callable[[int], None]


class _Given(NamedTuple):
    """What members are trained by, of whatever kind they are."""

    data: DeviceData
    settings: dict
    members: list[Member]
    classes: int
    rows: Tensor  # of the table of the data, (members, examples)
    labels: Tensor  # (members, examples)
    batches: list[Tensor]  # the examples (members, batch) of every update


def trained(data: DeviceData, settings: dict, members: list[Member]) -> "MLPs | Modules":
    """Return members, initialised and with batches drawn as ``rote.models.ensemble`` would.

    Of members that are trained on a subset, all is of the examples in it alone.

    Args:
        data: their inputs.
        settings: ``labelling`` and ``training`` of the run.
        members: of modules a single one.
    """
    rows, labels = map(np.stack, zip(*map(data.examples, members), strict=True))
    subsets = np.stack([trained_on(member, rows.shape[1]) for member in members])
    rows, labels = (np.take_along_axis(each, subsets, 1) for each in (rows, labels))
    classes, examples = data.noised.sizes["class"], rows.shape[1]
    check_last_batch(settings["training"]["batch_size"], examples, data.models.smallest_batch)
    if settings["labelling"] == "unique":
        labels, classes = np.tile(np.arange(examples), (len(members), 1)), examples
    given = _Given(
        data,
        settings,
        members,
        classes,
        torch.from_numpy(rows).to(data.device),
        torch.from_numpy(labels).to(data.device),
        _batches(data, settings["training"], members, examples),
    )
    return Modules(given) if data.models.maker else MLPs(given)


def _batches(
    data: DeviceData, training: dict, members: list[Member], examples: int
) -> list[Tensor]:
    """Return the examples (members, batch) of every update."""
    order_seeds = [member.order_seed for member in members]
    return [
        batch.to(data.device)
        for epoch in range(1, training["epochs"] + 1)
        for batch in epoch_order(order_seeds, epoch, examples).split(training["batch_size"], 1)
    ]


class MLPs:
    """MLPs, swept by :mod:`rote.measures.adjoints`."""

    def __init__(self, given: _Given):
        self.labels, self.updates, data = given.labels, len(given.batches), given.data
        sizes, drawing = [*data.models.sizes[:-1], given.classes], data.models.drawing
        constant = float(drawing["biases"])
        initial_seeds = [member.initial_seed for member in given.members]
        parameters = initial_parameters(sizes, initial_seeds, data.device, **drawing)
        self._training = Training(
            [torch.cat(pair, 1) for pair in zip(parameters[::2], parameters[1::2], strict=True)],
            with_constant(data.table[given.rows, : sizes[0]], constant),
            given.labels,
            given.batches,
            given.settings["training"]["learning_rate"],
            constant,
        )
        with torch.inference_mode():
            self._kept = list(trajectory(self._training))

    @torch.inference_mode()
    def scores(self, times: Sequence[int]) -> np.ndarray:
        """Return mean loss (nat) and accuracy on the training data, (2, members, times)."""
        found = [
            [values.cpu().numpy() for values in score(self._training, self._kept[t])] for t in times
        ]
        return np.moveaxis(np.array(found), 0, -1)

    @torch.inference_mode()
    def logits(self, t: int) -> Tensor:
        """Return the logits after ``t`` updates, (members, examples, classes)."""
        return logits(self._training, self._kept[t])

    def sweep(
        self, times: list[int], terms: Tensor, report: Report
    ) -> Iterator[tuple[list[int], Tensor]]:
        """Yield all ``NORMS`` of losses, see :func:`rote.measures.adjoints.sweep`."""
        return sweep(self._training, self._kept, times, terms, report, NORMS)


class Modules:
    """A module, swept by :mod:`rote.measures.module_sensitivity`, with the methods of ``MLPs``."""

    def __init__(self, given: _Given):
        (member,), data, training = given.members, given.data, given.settings["training"]
        self.labels, self.updates = given.labels, len(given.batches)
        maker, epochs = data.models.maker, training["epochs"]
        image = maker.image
        if given.classes != maker.classes:  # a label for each example
            maker = Models(given.settings["model"], image, given.classes).maker
        seeds = [
            seed
            for epoch in range(1, epochs + 1)
            for seed in seeds_of_updates(member.order_seed, epoch, self.updates // epochs)
        ]
        trained = ModuleTraining.of(
            maker(member.initial_seed).to(data.device),
            data.table[given.rows[0], : np.prod(image)].unflatten(1, image),
            given.labels[0],
            [batch[0] for batch in given.batches],
            training["learning_rate"],
            seeds,
        )
        self._trajectory = Trajectory(trained, self.updates)

    def scores(self, times: Sequence[int]) -> np.ndarray:
        """See ``MLPs``."""
        found = [self._trajectory.score(t) for t in times]
        return np.stack([torch.stack(each).cpu().numpy() for each in found], 1)[:, None]

    def logits(self, t: int) -> Tensor:
        """See ``MLPs``."""
        return self._trajectory.logits(t)[None]

    def sweep(
        self, times: list[int], terms: Tensor, report: Report
    ) -> Iterator[tuple[list[int], Tensor]]:
        """See ``MLPs``."""
        for some, norms in sweep_module(self._trajectory, times, terms[0], report, NORMS):
            yield some, norms[None]
