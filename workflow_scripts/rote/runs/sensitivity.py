"""One run of loss-sensitivity: members of one labelling, trained and swept, kept in the store."""

import logging
from collections.abc import Callable

import numpy as np
import torch
import xarray as xr

from rote.data.noising import data_attributes
from rote.files.store import Store, fingerprint
from rote.machine.progress import Progress
from rote.measures.adjoints import NORMS
from rote.measures.observer import Observer, Variables
from rote.measures.sensitivity import by_class, class_terms
from rote.runs import unrolled
from rote.runs.device_data import DeviceData
from rote.runs.grouping import SizeSearch
from rote.runs.members import (
    DataContent,
    compute_in_groups,
    keep,
    stored_or_computed,
    with_examples,
)
from rote.runs.observers import determinants, observers_of, with_watched
from rote.runs.variables import described
from rote.study import own_module, plan, versions
from rote.study.plan import Member

logger = logging.getLogger(__name__)

# On one CPU thread the losses of a single member fill the matrix products already: three members at
# once took 0.9 to 1.1 times as long as one after another. On CUDA calls cost more than products,
# so members share them.
MEMBERS_TOGETHER = {"cpu": 1, "cuda": 16}

DIMENSIONS = {
    "sensitivity": ("norm", "update", "example"),
    "class_sensitivity": ("norm", "class_update", "loss_class", "example_class"),
    "train_loss": ("update",),
    "train_accuracy": ("update",),
    "diverged_epoch": (),
}


def member_keys(noised: xr.Dataset, settings: dict) -> list[str]:
    """Return the fingerprints of the members of a run.

    A sweep takes long, its norms do not: all are kept, whichever are asked for.
    """
    data, others = DataContent(noised), ("members", "norms", "observer")
    own = {key: value for key, value in settings.items() if key not in others}
    own |= {"model": own_module.determining(settings["model"]), **determinants(settings)}
    return [
        fingerprint(
            version=[versions.current("TRAINING"), versions.current("SENSITIVITY")],
            **data.determinants(member),
            **own,
        )
        for member in (Member(*member) for member in settings["members"])
    ]


def compute_run(
    noised: xr.Dataset,
    settings: dict,
    store: Store,
    *,
    name: str,
    device: str = "auto",
    checkpoint_seconds: float = 300.0,
) -> xr.Dataset:
    """Return a run: its members from the store, or trained and measured now.

    Args:
        noised: a dataset of ``rote.data.noising``.
        settings: those of ``rote.study.run_settings``.
        store: finished members.
        name: what the lines of progress begin with.
        device: ``auto``, ``cpu`` or ``cuda``.
        checkpoint_seconds: not used: a member takes seconds or minutes, and has no checkpoints.

    Returns:
        ``sensitivity`` (member, norm, update, example), ``train_loss`` and ``train_accuracy``
        (member, update), ``diverged_epoch`` (member), ``index`` and ``label`` of the examples
        (member, example) and, if asked for, ``class_sensitivity`` (member, norm, class_update,
        loss_class, example_class), both with the names of the classes as coordinates. Norms are
        those of the settings, in their order. What is recorded stands along ``update``, too.

    Raises:
        UserError: the device is missing or too small, or logits of a module have no derivative by
            the images.
    """
    attributes = data_attributes(noised)  # which may lack one: not only after the training
    members = [Member(*member) for member in settings["members"]]
    run = stored_or_computed(
        members,
        member_keys(noised, settings),
        store.load,
        name,
        lambda missing: _measure_missing(noised, settings, store, missing, name, device),
    ).sel(norm=settings["norms"])
    if "class_sensitivity" in run:
        classes = noised["class_name"].values
        run = run.assign_coords(loss_class=classes, example_class=classes)
    watched = with_watched if observers_of(settings) else with_examples
    run = watched(run, noised, members)
    if settings["labelling"] == "unique":  # an example's own class, not that of the data set
        each = np.tile(np.arange(run.sizes["example"]), (len(members), 1))
        run = run.assign_coords(label=(("member", "example"), each))
    return described(run).assign_attrs(attributes)


def _measure_missing(
    noised: xr.Dataset,
    settings: dict,
    store: Store,
    missing: dict[str, Member],
    name: str,
    device: str,
) -> dict[str, xr.Dataset]:
    """Train and measure the members of ``missing``, keep each in ``store``, return all."""
    training = {**settings["training"], "precision": "float32"}
    data = DeviceData(noised, {**settings, "training": training}, list(missing.values()), device)
    data.models.check_differentiable("loss-sensitivity")
    updates = training["epochs"] * -(-noised.sizes["example"] // training["batch_size"])
    times = plan.evaluation_times(updates, settings["evaluations"])
    class_times = plan.evaluation_times(updates, settings["class_evaluations"])
    classes = noised.sizes["class"]
    work = sum(times) + classes * sum(class_times)
    logger.info("%s: training and measuring %d members.", name, len(missing))
    progress = Progress(name, work * len(missing), logger.info)
    results = {}

    def measure_group(group: list[str]) -> None:
        left = f"{len(missing) - len(results)} of {len(missing)} members left"
        members = [missing[key] for key in group]
        measured = _measure(
            data,
            settings,
            members,
            times,
            class_times,
            lambda losses: progress.advance(losses * len(group), left),
        )
        for key, result in zip(group, measured, strict=True):
            results[key] = keep(result, store, key, missing[key], settings, data.described)

    together = 1 if data.models.maker else MEMBERS_TOGETHER[data.device.type]
    search = SizeSearch.fixed(together)
    compute_in_groups(missing, results, search, measure_group, data.give_back, name=name)
    return results


def _measure(
    data: DeviceData,
    settings: dict,
    members: list[Member],
    times: list[int],
    class_times: list[int],
    report: Callable[[int], None],
) -> list[xr.Dataset]:
    """Return what a run holds of each of ``members``, trained and swept together."""
    trained = unrolled.trained(data, settings, members)
    loss, accuracy = trained.scores(times)  # (members, times) each
    observers = _observers(settings, trained, times)
    every, found = torch.ones(*trained.labels.shape, 1, device=data.device), {}
    for some, norms in trained.sweep(times, every, report):
        found |= dict(zip(some, norms[:, :, :, 0].movedim(2, 0).cpu().numpy(), strict=True))
    sensitivity = np.stack([found[t] for t in times], 2)
    classes = data.noised.sizes["class"]
    of_classes = np.zeros((len(members), len(NORMS), len(class_times), classes, classes))
    if class_times:
        terms = class_terms(trained.labels, classes, torch.float32)
        for some, norms in trained.sweep(class_times, terms, report):
            for i, labels in enumerate(trained.labels):
                for k in range(len(NORMS)):
                    own = by_class(norms[i, k], labels)
                    of_classes[i, k, [class_times.index(t) for t in some]] = own.cpu().numpy()
    per_epoch = trained.updates // settings["training"]["epochs"]
    return [
        _as_dataset(
            times,
            class_times,
            {
                "sensitivity": sensitivity[i],
                "class_sensitivity": of_classes[i] if class_times else None,
                "train_loss": loss[i],
                "train_accuracy": accuracy[i],
                "diverged_epoch": _diverged(times, loss[i], per_epoch),
            },
        ).assign(_observed(observers, i))
        for i in range(len(members))
    ]


def _observers(
    settings: dict, trained: unrolled.MLPs | unrolled.Modules, times: list[int]
) -> list[Observer]:
    """Return the observers of the members, which were shown the scores: at updates, not epochs."""
    labels = trained.labels
    observers = [kind(*labels.shape, times, labels.device) for kind in observers_of(settings)]
    for t in times if observers else ():
        each = trained.logits(t).mT
        for observer in observers:
            observer.scored(t, slice(0, labels.shape[1]), each, labels)
    return observers


def _observed(observers: list[Observer], member: int) -> Variables:
    """Return what was observed of a member: over the updates at which it was scored."""
    return {
        name: (tuple("update" if dim == "epoch" else dim for dim in dims), values)
        for observer in observers
        for name, (dims, values) in observer.variables(member).items()
    }


def _diverged(times: list[int], loss: np.ndarray, updates_per_epoch: int) -> np.ndarray:
    """Return the epoch in which the loss was first found not finite, or 0."""
    for t, value in zip(times, loss, strict=True):
        if not np.isfinite(value):
            return np.array(max(1, -(-t // updates_per_epoch)), np.int32)
    return np.array(0, np.int32)


def _as_dataset(
    times: list[int], class_times: list[int], values: dict[str, np.ndarray | None]
) -> xr.Dataset:
    variables = {
        name: (DIMENSIONS[name], value) for name, value in values.items() if value is not None
    }
    coords = {"update": times, "norm": list(NORMS)}
    return xr.Dataset(variables, coords | ({"class_update": class_times} if class_times else {}))
