"""One training job: the members of a run that the store lacks, trained in groups."""

import logging
from collections.abc import Container

import xarray as xr

from rote.data.noising import data_attributes
from rote.files.store import Store, fingerprint
from rote.machine import interruption
from rote.machine.progress import Progress
from rote.runs.device_data import DeviceData
from rote.runs.epochs import CheckpointClock, as_dataset, train
from rote.runs.members import (
    DataContent,
    compute_in_groups,
    keep,
    stored_or_computed,
    with_examples,
)
from rote.runs.observers import determinants, observers_of, with_watched
from rote.runs.variables import described
from rote.study import own_module, versions
from rote.study.plan import Member
from rote.study.schedule import determining

logger = logging.getLogger(__name__)


def _member_key(data: DataContent, settings: dict, member: Member) -> str:
    """Return the fingerprint of a member: data, noise, model, training, seed, code version."""
    # What does not apply is left out: it must not tell apart members that are alike.
    regularization = {name: value for name, value in member.strengths().items() if value}
    if member.adversarial:
        regularization["adversarial_examples"] = settings["adversarial_examples"]
    return fingerprint(
        version=versions.current("TRAINING"),
        **data.determinants(member),
        model=own_module.determining(settings["model"]),
        training={
            **determining(settings["training"]),
            "learning_rate": member.learning_rate,
            "weight_decay": member.weight_decay,
            **regularization,
        },
        **determinants(settings),
    )


def member_keys(noised: xr.Dataset, settings: dict) -> list[str]:
    """Return the fingerprints of the members of a run."""
    data = DataContent(noised)
    return [_member_key(data, settings, Member(*member)) for member in settings["members"]]


def compute_run(
    noised: xr.Dataset,
    settings: dict,
    store: Store,
    *,
    name: str,
    device: str = "auto",
    checkpoint_seconds: float = 300.0,
    parameters_of: Container[str] = (),
) -> xr.Dataset:
    """Return a run: its members from the store, or trained now and put there.

    Args:
        noised: a dataset of ``rote.data.noising``.
        settings: ``model``, ``training``, ``members``, ``keep_misclassified`` and ``keep_epochs``,
            the epochs after which the parameters are kept in the store; for adversarial training
            also ``adversarial_examples``; perhaps ``record`` and ``observer``, who watches.
        store: finished and unfinished members.
        name: what the lines of progress begin with.
        device: ``auto``, ``cpu`` or ``cuda``.
        checkpoint_seconds: time between two checkpoints of the members in training; longer where
            they take long, see :class:`rote.runs.epochs.CheckpointClock`.
        parameters_of: fingerprints of members that must be trained again if their parameters are
            not in the store.

    Returns:
        ``train_loss``, ``train_accuracy``, ``validation_accuracy`` (member, epoch),
        ``diverged_epoch`` (member), with a threshold ``converged_epoch`` (member) and, if asked
        for, ``misclassified``, and ``index`` and ``label`` of the examples (member, example); what
        is recorded or measured of every example, see :mod:`rote.runs.observers`.

    Raises:
        UserError: the device is missing or too small.
    """
    attributes = data_attributes(noised)  # which may lack one: not only after the training
    run = trained(
        noised,
        settings,
        store,
        name=name,
        device=device,
        checkpoint_seconds=checkpoint_seconds,
        parameters_of=parameters_of,
    )
    members = [Member(*member) for member in settings["members"]]
    if observers_of(settings):
        run = with_watched(run, noised, members)
    elif settings["keep_misclassified"]:
        run = with_examples(run, noised, members)
    if not settings["keep_misclassified"]:
        run = run.drop_vars("misclassified")
    return described(run).assign_attrs(attributes)


def trained(
    noised: xr.Dataset,
    settings: dict,
    store: Store,
    *,
    name: str,
    device: str,
    checkpoint_seconds: float,
    parameters_of: Container[str] = (),
) -> xr.Dataset:
    """Return the members of a run, without its examples, see :func:`compute_run`."""
    members = [Member(*member) for member in settings["members"]]
    keys = member_keys(noised, settings)
    training = settings["training"]

    def load(key: str) -> xr.Dataset | None:
        member = store.load(key)
        if member is not None and key in parameters_of:
            left = member["diverged_epoch"].item() or training["epochs"]
            if not store.has_parameters(key, [e for e in settings["keep_epochs"] if e <= left]):
                return None
        return member

    def compute(missing: dict[str, Member]) -> dict[str, xr.Dataset]:
        results = {}
        for adversarial in (False, True):  # which have larger batches: no group holds both
            part = {key: m for key, m in missing.items() if bool(m.adversarial) == adversarial}
            if part:
                results |= _train_missing(
                    noised, settings, store, part, name, device, checkpoint_seconds
                )
        return results

    return stored_or_computed(members, keys, load, name, compute)


def _train_missing(
    noised: xr.Dataset,
    settings: dict,
    store: Store,
    missing: dict[str, Member],
    name: str,
    device: str,
    checkpoint_seconds: float,
) -> dict[str, xr.Dataset]:
    """Train the members of ``missing``, keep each in ``store`` once it is finished, return all."""
    training = settings["training"]
    data = DeviceData(noised, settings, list(missing.values()), device)
    search = data.size_search(list(missing.values()))
    results: dict[str, xr.Dataset] = {}
    clock, progress, checkpoints = CheckpointClock(checkpoint_seconds), None, {}

    def at_the_same_epoch(left: list[str]) -> list[list[str]]:
        nonlocal progress, checkpoints
        by_epoch = _by_epoch(left, store, settings["keep_epochs"])
        work = sum((training["epochs"] - epoch) * len(same) for epoch, same in by_epoch.items())
        resumed = sum(len(same) for epoch, same in by_epoch.items() if epoch)
        size = f"groups of up to {search.size}" if search.settled else "groups of growing size"
        message = "%s: training %d members, %d of them from checkpoints, in %s."
        logger.info(message, name, len(left), resumed, size)
        progress = Progress(name, work, logger.info)
        checkpoints = {key: saved for same in by_epoch.values() for key, saved in same.items()}
        return [list(same) for same in by_epoch.values()]

    @interruption.held()
    def train_group(group: list[str]) -> None:
        ensemble = data.ensemble([missing[key] for key in group])
        present, start = len(group), [checkpoints[key] for key in group]
        for now in train(ensemble, training, start, settings["keep_epochs"]):
            for position, parameters in now.kept.items():
                store.save_parameters(group[position], now.epoch, parameters)
            for position, record in now.finished.items():
                key, seen = group[position], now.observed[position]
                result = as_dataset(record, training, seen)
                results[key] = keep(result, store, key, missing[key], settings, data.described)
            stop = interruption.arrived()
            unfinished = present > len(now.finished)
            if unfinished and (stop or clock.due()):
                with clock.writing():
                    store.save_checkpoints((group[i], state) for i, state in now.unfinished())
            if stop:
                return
            epoch = f"epoch {now.epoch} of {training['epochs']}"
            left = len(missing) - len(results)
            # Who leaves early spares the epochs that were planned for it.
            spared = len(now.finished) * (training["epochs"] - now.epoch)
            progress.advance(present + spared, f"{epoch}, {left} of {len(missing)} members left")
            present -= len(now.finished)

    compute_in_groups(
        missing,
        results,
        search,
        train_group,
        data.give_back,
        name=name,
        alike=at_the_same_epoch,
    )
    return results


def _by_epoch(
    keys: list[str], store: Store, keep_epochs: list[int]
) -> dict[int, dict[str, xr.Dataset | None]]:
    """Return the checkpoints of members by epoch: only those at the same one can go on together."""
    by_epoch: dict[int, dict[str, xr.Dataset | None]] = {}
    for key in keys:
        saved = store.load_checkpoint(key)
        epoch = 0 if saved is None else saved.attrs["epoch"]
        # What was to be kept by then can only be had by training again.
        if not store.has_parameters(key, [e for e in keep_epochs if e <= epoch]):
            epoch, saved = 0, None
        by_epoch.setdefault(epoch, {})[key] = saved
    return by_epoch
