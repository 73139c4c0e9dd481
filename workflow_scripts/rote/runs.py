"""One training job: what the store lacks is trained, then all members make up the run's dataset."""

import logging
import time

import xarray as xr

from rote import grouping, netcdf, versions
from rote.material import Material
from rote.plan import Member
from rote.progress import Progress
from rote.store import Store, fingerprint
from rote.training import as_dataset, train

logger = logging.getLogger(__name__)

MEMBER_COORDINATES = {
    "noise_kind": "kind of noise: real (none), randX (inputs) or randY (labels)",
    "noise_level": "fraction of the training examples that noise replaces",
    "noise_seed": "draw of the noise",
    "seed": "seed of initialisation and shuffling",
    "weight_decay": "strength of weight decay",
}


def member_key(noised: xr.Dataset, settings: dict, member: Member) -> str:
    """Return the fingerprint of a member: data, noise, model, training, seed, code version."""
    noise = None
    if member.noise_kind != "real":
        content = noised[f"{member.noise_kind}_digest"].sel(noise_seed=member.noise_seed).item()
        noise = [member.noise_kind, member.noise_level, content]
    return fingerprint(
        version=versions.TRAINING,
        data=noised.attrs["real_digest"],
        noise=noise,
        model=settings["model"],
        training={**settings["training"], "weight_decay": member.weight_decay},
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
) -> xr.Dataset:
    """Return a run: its members from the store, or trained now and put there.

    Args:
        noised: a dataset of ``rote.noising``.
        settings: ``model``, ``training``, ``members`` and ``keep_misclassified``.
        store: finished and unfinished members.
        name: what the lines of progress begin with.
        device: ``auto``, ``cpu`` or ``cuda``.
        checkpoint_seconds: time between two checkpoints of the members in training.

    Returns:
        ``train_loss``, ``train_accuracy``, ``validation_accuracy`` (member, epoch),
        ``diverged_epoch`` (member) and, if asked for, ``misclassified`` (member, example).

    Raises:
        UserError: the device is missing or too small.
    """
    members = [Member(*member) for member in settings["members"]]
    keys = [member_key(noised, settings, member) for member in members]
    results = {key: store.load(key) for key in dict.fromkeys(keys)}
    missing = {
        key: member for key, member in zip(keys, members, strict=True) if results[key] is None
    }
    logger.info("%s: %d of %d members are in the store.", name, len(keys) - len(missing), len(keys))
    if missing:
        results |= _train_missing(
            noised, settings, store, missing, name, device, checkpoint_seconds
        )
    run = _assemble([results[key] for key in keys], members)
    if settings["keep_misclassified"]:
        run = run.assign_coords(index=noised["index"])
    else:
        run = run.drop_vars("misclassified")
    return run


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
    checkpoints = {key: store.load_checkpoint(key) for key in missing}
    # Only members at the same epoch can go on together.
    by_epoch: dict[int, list[str]] = {}
    for key, saved in checkpoints.items():
        by_epoch.setdefault(0 if saved is None else saved.attrs["epoch"], []).append(key)
    groups = (group for keys in by_epoch.values() for group in grouping.groups(keys, search))
    work = sum((training["epochs"] - epoch) * len(keys) for epoch, keys in by_epoch.items())
    size = f"groups of up to {search.size}" if search.settled else "groups of growing size"
    logger.info("%s: training %d members in %s.", name, len(missing), size)
    progress = Progress(name, work, logger.info)
    results: dict[str, xr.Dataset] = {}
    saved_at = time.monotonic()
    for group in groups:
        ensemble = material.ensemble([missing[key] for key in group])
        for now in train(ensemble, training, [checkpoints[key] for key in group]):
            for position, record in now.finished.items():
                key = group[position]
                member = {**settings, "members": [list(missing[key])]}
                results[key] = netcdf.with_provenance(
                    as_dataset(record, training), member, device=material.described
                )
                store.save(key, results[key])
            if time.monotonic() - saved_at > checkpoint_seconds:
                for position, state in now.unfinished():
                    store.save_checkpoint(group[position], state)
                saved_at = time.monotonic()
            epoch = f"epoch {now.epoch} of {training['epochs']}"
            left = len(missing) - len(results)
            progress.advance(len(group), f"{epoch}, {left} of {len(missing)} members left")
    return results


def _assemble(results: list[xr.Dataset], members: list[Member]) -> xr.Dataset:
    run = xr.concat(
        results,
        "member",
        join="exact",
        coords="minimal",
        compat="override",
        combine_attrs="override",
    ).drop_attrs(deep=False)
    coordinates = {
        name: ("member", list(values), {"long_name": long_name, "units": "1"})
        for (name, long_name), values in zip(
            MEMBER_COORDINATES.items(), zip(*members, strict=True), strict=True
        )
    }
    device = [result.attrs["device"] for result in results]
    coordinates["device"] = "member", device, {"long_name": "trained on", "units": "1"}
    return run.assign_coords(coordinates)
