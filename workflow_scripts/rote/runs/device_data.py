"""All inputs of a run, once, on the device; and from them the ensemble of any of its members."""

import json

import numpy as np
import torch
import xarray as xr

from rote.data import noises, subsets
from rote.data.noising import mask_and_label
from rote.data.scaling import per_grey_level
from rote.machine import device as devices
from rote.machine.errors import UserError, out_of_memory
from rote.measures.critical_samples import in_input_units
from rote.models.adam import Adam
from rote.models.ensemble import Ensemble
from rote.models.kinds import Models
from rote.models.regularization import KINDS, Regularization
from rote.models.sgd import SGD
from rote.models.workspace import Workspace, aligned_rows
from rote.runs.grouping import SizeSearch
from rote.runs.observers import observers_of
from rote.study.plan import Member, evaluated_epochs
from rote.study.schedule import ADAM

TRIAL_UPDATES = 2
# Parameters of a group that is never worth dividing: it lies in half a core's cache, and calls cost
# it more than numbers do.
SMALL_BYTES = 2**19
LONG = 100  # updates of a member from which a trial is worth its time


def number_or_tensor(values: np.ndarray, device: torch.device) -> float | torch.Tensor:
    """Return an array without dimensions as a number, another one as float32 on the device."""
    return torch.from_numpy(values).to(device, torch.float32) if values.ndim else values.item()


def trained_on(member: Member, examples: int) -> np.ndarray:
    """Return the positions of the training examples that a member trains on, (part,)."""
    return subsets.of_member(examples, member.percent, member.left_out, member.order_seed)


class DeviceData:
    """The inputs of a run on the device.

    Args:
        noised: a dataset of ``rote.data.noising``.
        settings: ``model`` and ``training`` of the run and, if members train on adversarial
            examples, ``adversarial_examples``: the search for them, in grey levels.
        members: those that are to be trained; only their noise is brought to the device.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        UserError: the device is missing, or cannot compute in the precision of the settings; or
            members train on adversarial examples, which a module has none of.
    """

    def __init__(
        self, noised: xr.Dataset, settings: dict, members: list[Member], device: str = "auto"
    ):
        if noised["image"].dtype.kind != "f":
            raise UserError(
                "The data set holds packed integers, not the inputs of models: decode it by "
                "xarray.decode_cf, as reading its file does."
            )
        self.noised, self.settings = noised, settings
        self.device = devices.choose(device, settings["training"]["precision"])
        self.described = devices.describe(self.device)
        self.timed = self.device.type != "cuda"  # whether the size of groups goes by the clock
        of_inputs = [m for m in members if noises.replaces(noised, m.noise_kind) == "image"]
        self._noise = {
            draw: noises.of_member(noised, member)
            for draw, member in {noises.draw_of(noised, m): m for m in of_inputs}.items()
        }
        parts = [noised["image"].values]
        parts += [noise["noise_image"].values for noise in self._noise.values()]
        pool, examples = noised.sizes["pool"], noised.sizes["example"]
        self.first_noise_row = {draw: pool + i * examples for i, draw in enumerate(self._noise)}
        self.table = self._inputs(*parts)
        self.workspace = Workspace(self.device)
        self._corrupted: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}
        self.models = Models(settings["model"], noised["image"].shape[1:], noised.sizes["class"])
        if any(member.adversarial for member in members):
            self.models.check_differentiable("adversarial training")

    def _inputs(self, *parts: np.ndarray) -> torch.Tensor:
        rows = [torch.from_numpy(images).flatten(1) for images in parts]
        return aligned_rows(rows, torch.float32, self.device)

    def examples(self, member: Member) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the table and the labels that a member trains on, (examples,) each."""
        of = member.noise_kind, member.noise_level, member.noise_seed, member.data_seed
        if of not in self._corrupted:
            mask, label = mask_and_label(self.noised, member)
            rows = self.noised["train"].sel(data_seed=member.data_seed).values
            if noises.replaces(self.noised, member.noise_kind) == "image":
                draw = noises.draw_of(self.noised, member)
                noise = self.first_noise_row[draw] + np.arange(len(rows))
                rows = np.where(mask, noise, rows)
            self._corrupted[of] = rows, label.astype(np.int64)
        return self._corrupted[of]

    def validation(self, members: list[Member]) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the table and the labels to validate on, (members, examples) each."""
        seeds = [member.data_seed for member in members]
        rows = self.noised["validation"].sel(data_seed=seeds).values
        return rows, self.noised["label"].values[rows].astype(np.int64)

    def ensemble(self, members: list[Member]) -> Ensemble:
        """Return the members, initialised by their seeds.

        Raises:
            ValueError: some train on adversarial examples, and some do not.
        """
        rows, labels = zip(*map(self.examples, members), strict=True)
        initial_seeds = [member.initial_seed for member in members]
        model, training = (
            self.models.initial(initial_seeds, self.workspace),
            self.settings["training"],
        )
        return Ensemble(
            model,
            self._optimizer(model.parameters, members),
            self.table,
            torch.from_numpy(np.stack(rows)).to(self.device),
            torch.from_numpy(np.stack(labels)).to(self.device),
            tuple(torch.from_numpy(each).to(self.device) for each in self.validation(members)),
            [member.order_seed for member in members],
            training["batch_size"],
            self._regularization(members),
            [
                kind(len(members), len(rows[0]), evaluated_epochs(training), self.device)
                for kind in observers_of(self.settings)
            ],
            self._subset(members, len(rows[0])),
        )

    def _subset(self, members: list[Member], examples: int) -> torch.Tensor | None:
        """Return which of its training examples each member trains on, None if all do on all."""
        if all(member.percent == 100 and not member.left_out for member in members):
            return None
        each = [trained_on(member, examples) for member in members]
        return torch.from_numpy(np.stack(each)).to(self.device)

    def _optimizer(self, parameters: list[torch.Tensor], members: list[Member]) -> SGD | Adam:
        """Return the optimizer that the settings name, of the parameters of members."""
        training = self.settings["training"]
        rates = [member.learning_rate for member in members]
        decay = torch.tensor([member.weight_decay for member in members], device=self.device)
        fixed, optimizer = self.models.fixed, training.get("optimizer", "sgd")
        if optimizer == "sgd":
            nesterov = training.get("nesterov", False)
            return SGD(parameters, rates, training["momentum"], decay, nesterov, fixed)
        own = {key: training[key] for key in ADAM if key in training}
        decoupled = optimizer == "adamw"
        return Adam(parameters, rates, decay, **own, decoupled=decoupled, fixed=fixed)

    def _regularization(self, members: list[Member]) -> Regularization:
        search = None
        if any(member.adversarial for member in members):
            lengths = dict(self.settings["adversarial_examples"])
            iterations = lengths.pop("max_iterations")
            level = per_grey_level(self.noised)
            if level.ndim > 1:  # one an image: in the order of the table
                of_noise = (per_grey_level(noise, "noise_") for noise in self._noise.values())
                level = np.concatenate([level, *of_noise])
            scale = number_or_tensor(level, self.device)
            search = {**in_input_units(scale, **lengths), "max_iterations": iterations}
        strengths = {kind: [getattr(member, kind) for member in members] for kind in KINDS}
        return Regularization(strengths, self.workspace, search)

    def size_search(self, members: list[Member], trial: bool = False) -> SizeSearch:
        """Return the search for the best group size: settled by a trial if training is long.

        A short training would be over before a trial: its groups themselves are the measurement,
        unless a ``trial`` is asked for. On CUDA groups are as large as the memory allows, and
        nothing is timed: larger ones are never slower there, and rounding must not depend on how
        busy a machine is.

        Raises:
            UserError: not even one member fits the memory of the device.
        """
        if len(members) == 1:
            return SizeSearch(1)
        training = self.settings["training"]
        examples = len(trained_on(members[0], self.noised.sizes["example"]))
        updates = training["epochs"] * -(-examples // training["batch_size"])
        try:
            taken, weights = self._bytes_of_member(members[0])
        except Exception as error:
            if not out_of_memory(error):
                raise
            raise UserError(
                f"One model of {json.dumps(self.settings['model'])} does not fit the memory of "
                f"{self.device}: make it smaller or use a larger device."
            ) from error
        fitting = max(1, min(len(members), devices.bytes_of_group(self.device) // taken))
        small = max(1, SMALL_BYTES // weights)
        search = SizeSearch(fitting, small) if self.timed else SizeSearch.fixed(fitting)
        while (trial or updates >= LONG) and not search.settled:
            try:
                search.record(search.size, self.seconds_of_update(members[: search.size]))
            except Exception as error:
                if not out_of_memory(error):
                    raise
                search.does_not_fit(search.size, error)
        self.give_back()
        return search

    def _bytes_of_member(self, member: Member) -> tuple[int, int]:
        """Return the memory that a member takes in training, and that of its parameters alone."""
        before = torch.cuda.memory_allocated(self.device) if self.device.type == "cuda" else 0
        ensemble = self.ensemble([member])
        ensemble.train_epoch(1, updates=1)

        def update_and_score() -> None:
            ensemble.train_epoch(1, updates=1)
            ensemble.evaluate()

        # On CUDA also what is there for a moment: a group takes all that it may.
        taken = max(ensemble.nbytes(), devices.peak_bytes(update_and_score, self.device) - before)
        return taken, sum(parameter.nbytes for parameter in ensemble.model.parameters)

    def give_back(self) -> None:
        """Give back the memory of groups that are no more."""
        self.workspace.clear()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def seconds_of_update(self, members: list[Member]) -> float:
        """Return the seconds of an update of a group, from a few of them."""
        self.workspace.clear()
        ensemble = self.ensemble(members)
        batches = -(-ensemble.trained_on // ensemble.batch_size)
        seconds = devices.fastest(
            lambda: ensemble.train_epoch(1, updates=TRIAL_UPDATES), self.device
        )
        return seconds / min(batches, TRIAL_UPDATES)
