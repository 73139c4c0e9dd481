"""One training job: the members of a run that the store lacks, trained in groups."""

import logging
import time
from collections.abc import Container

import xarray as xr

from rote.data.noising import about
from rote.files import netcdf
from rote.files.store import Store, fingerprint
from rote.machine import interruption
from rote.machine.errors import out_of_memory
from rote.machine.progress import Progress
from rote.runs import grouping
from rote.runs.device_data import Material
from rote.runs.epochs import as_dataset, train
from rote.runs.members import complete, data_determinants
from rote.study import versions
from rote.study.plan import Member

logger = logging.getLogger(__name__)


def member_key(noised: xr.Dataset, settings: dict, member: Member) -> str:
    """Return the fingerprint of a member: data, noise, model, training, seed, code version."""
    # What does not apply is left out: it must not tell apart members that are alike.
    regularization = {name: value for name, value in member.strengths().items() if value}
    if member.adversarial:
        regularization["adversarial_examples"] = settings["adversarial_examples"]
    return fingerprint(
        version=versions.TRAINING,
        **data_determinants(noised, member),
        model=settings["model"],
        training={**settings["training"], "weight_decay": member.weight_decay, **regularization},
        seed=member.seed,
    )


def train_run(
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
            also ``adversarial_examples``.
        store: finished and unfinished members.
        name: what the lines of progress begin with.
        device: ``auto``, ``cpu`` or ``cuda``.
        checkpoint_seconds: time between two checkpoints of the members in training.
        parameters_of: fingerprints of members that must be trained again if their parameters are
            not in the store.

    Returns:
        ``train_loss``, ``train_accuracy``, ``validation_accuracy`` (member, epoch),
        ``diverged_epoch`` (member), with a threshold ``converged_epoch`` (member) and, if asked
        for, ``misclassified`` (member, example).

    Raises:
        UserError: the device is missing or too small.
    """
    members = [Member(*member) for member in settings["members"]]
    keys = [member_key(noised, settings, member) for member in members]
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

    run = complete(members, keys, load, name, compute)
    if settings["keep_misclassified"]:
        run = run.assign_coords(index=noised["index"])
    else:
        run = run.drop_vars("misclassified")
    return run.assign_attrs(about(noised))


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
    material = Material(noised, settings, list(missing.values()), device)
    search = material.size_search(list(missing.values()))
    results: dict[str, xr.Dataset] = {}
    saved_at = time.monotonic()

    def train_group(group: list[str], checkpoints: list[xr.Dataset | None]) -> None:
        nonlocal saved_at
        ensemble = material.ensemble([missing[key] for key in group])
        present = len(group)
        for now in train(ensemble, training, checkpoints, settings["keep_epochs"]):
            for position, parameters in now.kept.items():
                store.save_parameters(group[position], now.epoch, parameters)
            for position, record in now.finished.items():
                key = group[position]
                member = {**settings, "members": [list(missing[key])]}
                results[key] = netcdf.with_provenance(
                    as_dataset(record, training), member, device=material.described
                )
                store.save(key, results[key])
            stop = interruption.arrived()
            if stop or time.monotonic() - saved_at > checkpoint_seconds:
                for position, state in now.unfinished():
                    store.save_checkpoint(group[position], state)
                saved_at = time.monotonic()
            if stop:
                return
            epoch = f"epoch {now.epoch} of {training['epochs']}"
            left = len(missing) - len(results)
            # Who leaves early spares the epochs that were planned for it.
            spared = len(now.finished) * (training["epochs"] - now.epoch)
            progress.advance(present + spared, f"{epoch}, {left} of {len(missing)} members left")
            present -= len(now.finished)

    while left := [key for key in missing if key not in results]:
        by_epoch = _by_epoch(left, store, settings["keep_epochs"])
        groups = (g for same in by_epoch.values() for g in grouping.groups(list(same), search))
        work = sum((training["epochs"] - epoch) * len(same) for epoch, same in by_epoch.items())
        resumed = sum(len(same) for epoch, same in by_epoch.items() if epoch)
        size = f"groups of up to {search.size}" if search.settled else "groups of growing size"
        message = "%s: training %d members, %d of them from checkpoints, in %s."
        logger.info(message, name, len(left), resumed, size)
        progress = Progress(name, work, logger.info)
        checkpoints = {key: saved for same in by_epoch.values() for key, saved in same.items()}
        for group in groups:
            try:
                with interruption.held():
                    train_group(group, [checkpoints[key] for key in group])
            except Exception as error:
                if not out_of_memory(error):
                    raise
                search.does_not_fit(len(group), error)
            else:
                continue
            # Only now, the exception gone, nothing refers to the group's memory any more.
            material.give_back()
            logger.warning("%s: %d members did not fit the memory together.", name, len(group))
            break  # whoever is left is grouped anew, from the last checkpoint
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
