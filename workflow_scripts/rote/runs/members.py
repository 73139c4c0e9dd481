"""From members to a run: the store has some, the others are computed, all become one dataset."""

import hashlib
import json
import logging
from collections.abc import Callable, Container, Iterable
from functools import partial
from itertools import chain

import numpy as np
import xarray as xr

from rote.data import noises
from rote.data.noising import mask_and_label, of_draw
from rote.data.scaling import PER_GREY_LEVEL
from rote.files.provenance import origin
from rote.files.store import Store
from rote.machine.errors import out_of_memory
from rote.runs.grouping import SizeSearch, groups
from rote.runs.variables import described
from rote.study.plan import Member

logger = logging.getLogger(__name__)

# Where a member comes from: it may have been computed long before its run.
ORIGIN = "device", "git_commit", "software"
# What fingerprints say that noise replaces: the kinds that there were at first. Another kind that
# gives the same inputs, or labels, gives the same models.
REPLACED = {"image": "randX", "label": "randY"}


class DataContent:
    """The content of a noised data set, of which members' fingerprints hold hashes.

    The arrays themselves are hashed, each once: nothing that is said about them is believed.
    """

    def __init__(self, noised: xr.Dataset):
        self._noised, self._digests = noised, {}
        self._shared = {
            "scale": [  # of each, a number, or one a channel
                np.asarray(noised.attrs[name], float).tolist()
                for name in (PER_GREY_LEVEL, "input_mean", "input_std")
                if name not in noised  # which is said of each image instead
            ],
            "classes": noised.sizes["class"],  # which may be more than the labels show
        }

    def determinants(self, member: Member) -> dict:
        """Return what a member's fingerprint says about its data and its seeds.

        Real data has no noise: its fingerprint is the same whatever noise stands beside it.
        """
        own = {
            **self._shared,
            "data": self._once(member.data_seed, partial(self._examples, member.data_seed)),
            "seeds": [member.initial_seed, member.order_seed],
        }
        if member.percent < 100 or member.left_out:
            own["subset"] = [member.percent, member.left_out]  # drawn by the seed of the order
        if member.noise_kind == "real":
            return {**own, "noise": None}
        noise = self._once(noises.draw_of(self._noised, member), partial(self._noise, member))
        replaced = REPLACED[noises.replaces(self._noised, member.noise_kind)]
        return {**own, "noise": [replaced, member.noise_level, noise]}

    def _once(self, draw: int | tuple, digest: Callable[[], str]) -> str:
        if draw not in self._digests:
            self._digests[draw] = digest()
        return self._digests[draw]

    def _examples(self, data_seed: int) -> str:
        drawn = of_draw(self._noised, data_seed)
        # Where images are scaled by themselves, each has a grey level of its own.
        names = "image", "label", PER_GREY_LEVEL
        both = [f"{prefix}{name}" for prefix in ("", "validation_") for name in names]
        return _digest(drawn, *(name for name in both if name in drawn))

    def _noise(self, member: Member) -> str:
        noise = noises.of_member(self._noised, member)
        noise["order"] = self._noised["order"].sel(noise_seed=member.noise_seed)
        names = "order", "noise_image", "noise_label", f"noise_{PER_GREY_LEVEL}"
        return _digest(noise, *(name for name in names if name in noise))


def _digest(dataset: xr.Dataset, *names: str) -> str:
    """Return a hash (SHA-256) of the content, shape and type of variables."""
    sha = hashlib.sha256()
    for array in (dataset[name].values for name in names):
        sha.update(f"{array.dtype.str}{array.shape}".encode())
        sha.update(np.ascontiguousarray(array))
    return sha.hexdigest()


def stored_or_computed(
    members: list[Member],
    keys: list[str],
    load: Callable[[str], xr.Dataset | None],
    name: str,
    compute: Callable[[dict[str, Member]], dict[str, xr.Dataset]],
) -> xr.Dataset:
    """Return all members as one dataset along ``member``.

    Args:
        members: the members of the run, in the order of the result.
        keys: their fingerprints.
        load: returns a finished member by its fingerprint, or None.
        name: what the lines of progress begin with.
        compute: computes the members that the store lacks, keeps each there as soon as it is
            finished, and returns them by their fingerprints.
    """
    results = {key: load(key) for key in dict.fromkeys(keys)}
    missing = {
        key: member for key, member in zip(keys, members, strict=True) if results[key] is None
    }
    logger.info("%s: %d of %d members are in the store.", name, len(keys) - len(missing), len(keys))
    if missing:
        results |= compute(missing)
    return _assemble([results[key] for key in keys], members)


def with_examples(run: xr.Dataset, noised: xr.Dataset, members: list[Member]) -> xr.Dataset:
    """Return a run with its training examples: ``index`` and ``label`` (member, example)."""
    rows = noised["train"].sel(data_seed=[member.data_seed for member in members]).values
    labels = np.stack([mask_and_label(noised, member)[1] for member in members])
    along = "member", "example"
    return run.assign_coords(index=(along, noised["index"].values[rows]), label=(along, labels))


def compute_in_groups(
    keys: Iterable[str],
    done: Container[str],
    search: SizeSearch,
    compute: Callable[[list[str]], None],
    give_back: Callable[[], None],
    *,
    name: str,
    alike: Callable[[list[str]], Iterable[list[str]]] = lambda left: [left],
) -> None:
    """Compute members in groups; when memory runs out, those that are left in groups of half.

    Args:
        keys: fingerprints of the members.
        done: those that are finished; ``compute`` enters its own.
        search: the size of a group.
        compute: computes a group to its end.
        give_back: gives back the memory of a group that is no more.
        name: what the lines of the log begin with.
        alike: splits members into those that may be in one group.

    Raises:
        UserError: the memory does not hold a single member.
    """
    keys = list(keys)
    while left := [key for key in keys if key not in done]:
        for group in chain.from_iterable(groups(list(some), search) for some in alike(left)):
            try:
                compute(group)
            except Exception as error:
                if not out_of_memory(error):
                    raise
                search.does_not_fit(len(group), error)
            else:
                continue
            # Only now, the exception gone, nothing refers to the group's memory any more.
            give_back()
            logger.warning("%s: %d members did not fit the memory together.", name, len(group))
            break  # whoever is left is grouped anew


def keep(
    result: xr.Dataset, store: Store, key: str, member: Member, settings: dict, device: str
) -> xr.Dataset:
    """Put the result of a member into the store, and return it with its provenance.

    Args:
        result: of the member.
        store: where it is kept.
        key: its fingerprint.
        member: the member.
        settings: those of its run.
        device: what it was computed on, in words.
    """
    alone = {**settings, "members": [list(member)]}
    result = result.assign_attrs(settings=json.dumps(alone), **origin(device))
    store.save(key, result)
    return result


def _assemble(results: list[xr.Dataset], members: list[Member]) -> xr.Dataset:
    run = xr.concat(
        results,
        "member",
        join="exact",
        coords="minimal",
        compat="override",
        combine_attrs="override",
    )
    columns = dict(zip(Member._fields, zip(*members, strict=True), strict=True))
    columns |= {name: [result.attrs[name] for result in results] for name in ORIGIN}
    coordinates = {name: ("member", list(values)) for name, values in columns.items()}
    return described(run.assign_coords(coordinates))
