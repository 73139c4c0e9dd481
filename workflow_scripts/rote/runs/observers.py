"""Who watches the trainings of a run: what its settings record, and the measure of its figure."""

from collections.abc import Callable
from functools import partial

import xarray as xr

from rote.data.noising import mask_and_label
from rote.measures.observer import Observer
from rote.measures.records import Records
from rote.runs.members import with_examples
from rote.runs.own_observer import OwnObserver
from rote.study import versions
from rote.study.plan import Member


def observers_of(settings: dict) -> list[Callable[..., Observer]]:
    """Return what makes the observers of a group, of the arguments of ``Observer``."""
    kinds: list[Callable[..., Observer]] = []
    if names := settings.get("record"):
        kinds.append(partial(Records, names))
    if name := settings.get("observer"):
        kinds.append(partial(OwnObserver, name))
    return kinds


def determinants(settings: dict) -> dict:
    """Return what a member's fingerprint says about who watches it: nothing if nobody does."""
    found = {"record": settings["record"]} if "record" in settings else {}
    if "observer" in settings:
        found["observer"] = versions.of_observer(settings["observer"])
    return found


def with_watched(run: xr.Dataset, noised: xr.Dataset, members: list[Member]) -> xr.Dataset:
    """Return a run with its training examples, and which of them noise has ``replaced``."""
    masks = xr.DataArray(
        [mask_and_label(noised, member)[0] for member in members], dims=("member", "example")
    )
    return with_examples(run, noised, members).assign_coords(replaced=masks)
