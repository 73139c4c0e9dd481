"""The training of a group of members from its first, or last, epoch to the end.

Scores are taken every few epochs. Members whose loss is no longer finite leave and so do, where the
training has a threshold or a plateau, those that have reached it; the others go on. Now and then
every member is written to a checkpoint of its own, so that a killed job can be continued, even in
other company.
"""

import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import xarray as xr

from rote.measures.observer import Variables
from rote.measures.plateau import levelled_off
from rote.models.ensemble import Ensemble, Score
from rote.study.plan import evaluated_epochs
from rote.study.schedule import decayed

MEASURES = "train_loss", "train_accuracy", "validation_accuracy"
# Settings by which a member ends before the last epoch, and what records the epoch.
ENDS = {"threshold": "converged_epoch", "plateau": "plateau_epoch"}


def _empty(training: dict, examples: int) -> dict[str, np.ndarray]:
    """Return the record of a member before its first epoch."""
    epochs = len(evaluated_epochs(training))
    ends = [name for setting, name in ENDS.items() if setting in training]
    return {
        **{name: np.full(epochs, np.nan) for name in MEASURES},
        "misclassified": np.zeros(examples, bool),
        "diverged_epoch": np.array(0, np.int32),
        **{name: np.array(0, np.int32) for name in ends},
    }


def as_dataset(
    record: dict[str, np.ndarray], training: dict, observed: Variables | None = None
) -> xr.Dataset:
    """Return the record of a finished member, and what was observed, as variables of a run.

    Scores are missing at the epochs after a member has left.
    """
    dimensions = dict.fromkeys(MEASURES, ("epoch",)) | {"misclassified": ("example",)}
    variables = {name: (dimensions.get(name, ()), values) for name, values in record.items()}
    return xr.Dataset(
        {**variables, **(observed or {})},
        coords={"epoch": evaluated_epochs(training)},
    )


def _packed(content: dict[str, np.ndarray], epoch: int, long_name: str) -> xr.Dataset:
    return xr.Dataset(
        {
            name: (
                [f"{name}_{axis}" for axis in range(value.ndim)],
                value,
                {"long_name": long_name, "units": "1"},
            )
            for name, value in content.items()
        },
        attrs={"epoch": epoch},
    )


def pack_checkpoint(epoch: int, state: dict, record: dict) -> xr.Dataset:
    """Return a member in training, after ``epoch`` epochs, as a dataset."""
    content = {f"state_{k}": v for k, v in state.items()}
    content |= {f"record_{k}": v.copy() for k, v in record.items()}
    return _packed(content, epoch, "part of an unfinished member")


def unpack_checkpoint(checkpoint: xr.Dataset) -> tuple[int, dict, dict]:
    """Return the epoch, the state and the record of :func:`pack_checkpoint`."""
    state, record = (
        {
            name.removeprefix(prefix): variable.values.copy()
            for name, variable in checkpoint.variables.items()
            if name.startswith(prefix)
        }
        for prefix in ("state_", "record_")
    )
    return int(checkpoint.attrs["epoch"]), state, record


SHORT, PATIENCE = 1.0, 20  # seconds of a checkpoint; and how many times those it is waited


class CheckpointClock:
    """Tells when checkpoints are due: so many seconds after the last ones.

    Where these took more than a second it is at least 20 times as long, however short the interval
    that was asked for: writing then takes less than 5 % of the time, and an interruption still
    loses little more than 20 times what it costs to lose less.

    Args:
        seconds: the interval that was asked for.
    """

    def __init__(self, seconds: float):
        self.seconds, self._due = seconds, time.monotonic() + seconds

    def due(self) -> bool:
        """Return whether it is time to write checkpoints."""
        return time.monotonic() > self._due

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Enter how long the writing of checkpoints, the body of the context, takes."""
        start = time.monotonic()
        yield
        now = time.monotonic()
        taken = now - start
        patience = PATIENCE * taken if taken > SHORT else 0.0
        self._due = now + max(self.seconds, patience)


class Progressed(NamedTuple):
    """What :func:`train` tells after an epoch; members are named by their position in the group."""

    epoch: int
    finished: dict[int, dict[str, np.ndarray]]  # records of those that have just left
    observed: dict[int, Variables]  # what observers keep of them
    kept: dict[int, xr.Dataset]  # parameters after this epoch, if they are to be kept
    unfinished: Callable[[], Iterator[tuple[int, xr.Dataset]]]  # checkpoints of the others


def train(
    ensemble: Ensemble,
    training: dict,
    checkpoints: list[xr.Dataset | None],
    keep_epochs: Container[int] = (),
) -> Iterator[Progressed]:
    """Train a group to the end, epoch by epoch.

    Args:
        ensemble: the members, freshly initialised.
        training: the settings ``epochs`` and ``evaluate_every``, those of
            :mod:`rote.study.schedule` and perhaps ``threshold`` and ``plateau``: a member leaves
            that has this training accuracy, or one that no longer rises by ``gain`` in ``epochs``
            (:func:`rote.measures.plateau.levelled_off`), with its record complete up to there.
        checkpoints: for each member, where to go on from, or None; all of the same epoch.
        keep_epochs: epochs after which the parameters are to be kept.

    Yields:
        After each epoch, the records of the members that it finished, see :func:`as_dataset`, and
        the parameters of members to be kept.
    """
    records = [_empty(training, ensemble.rows.shape[1]) for _ in range(len(ensemble))]
    first = 1
    for member, saved in enumerate(checkpoints):
        if saved is not None:
            last, state, records[member] = unpack_checkpoint(saved)
            ensemble.restore(member, state)
            first = last + 1
    scored = evaluated_epochs(training)
    threshold = training.get("threshold", np.inf)
    present = list(range(len(ensemble)))  # positions of the members still in training

    def unfinished() -> Iterator[tuple[int, xr.Dataset]]:
        for i, position in enumerate(present):
            yield position, pack_checkpoint(epoch, ensemble.state(i), records[position])

    for epoch in range(first, training["epochs"] + 1):
        ensemble.optimizer.decay(decayed(training, epoch))
        ensemble.train_epoch(epoch)
        kept, leaving = {}, []
        if epoch in scored:
            score = ensemble.evaluate(epoch)
            for i, position in enumerate(present):
                _note(records[position], score, i, epoch, scored.index(epoch), threshold)
                if not _ended(records[position]) and "plateau" in training:
                    _note_plateau(records[position], scored, epoch, **training["plateau"])
            leaving = [p for p in present if epoch == scored[-1] or _ended(records[p])]
        if epoch in keep_epochs:
            if epoch not in scored:
                ensemble.take_statistics()
            for i, position in enumerate(present):
                kept[position] = _packed(ensemble.model_state(i), epoch, "part of a model")
        if epoch == scored[0]:
            ensemble.observed(0)  # what does not fit is said now, not after the last epoch
        at = {position: i for i, position in enumerate(present)}
        observed = {position: ensemble.observed(at[position]) for position in leaving}
        if leaving:
            staying = [i for i, position in enumerate(present) if position not in leaving]
            present = [present[i] for i in staying]
            if present:
                ensemble.select(staying)
        finished = {position: records[position] for position in leaving}
        yield Progressed(epoch, finished, observed, kept, unfinished)
        if not present:
            return


def _note(
    record: dict, score: Score, member: int, epoch: int, position: int, threshold: float
) -> None:
    """Enter a member's score at ``epoch`` into its record, and whether it has come to an end."""
    if not np.isfinite(score.train_loss[member]):
        record["diverged_epoch"] = np.array(epoch, np.int32)
        return
    for name in MEASURES:
        record[name][position] = getattr(score, name)[member]
    record["misclassified"] = score.misclassified[member]
    # An accuracy is 1 − errors / examples, rounded: allow for far less than one example.
    if score.train_accuracy[member] >= threshold - 1e-9:
        record["converged_epoch"] = np.array(epoch, np.int32)


def _note_plateau(record: dict, scored: list[int], epoch: int, epochs: int, gain: float) -> None:
    """Enter into a member's record whether its training accuracy has levelled off at ``epoch``."""
    so_far = scored.index(epoch) + 1
    if levelled_off(record["train_accuracy"][:so_far], np.array(scored[:so_far]), epochs, gain):
        record["plateau_epoch"] = np.array(epoch, np.int32)


def _ended(record: dict) -> bool:
    """Return whether a member has diverged, converged or reached a plateau."""
    return any(record.get(name, 0) for name in ("diverged_epoch", *ENDS.values()))
