"""From members to a run: the store has some, the others are computed, all become one file."""

import logging
from collections.abc import Callable

import xarray as xr

from rote.study.plan import Member

logger = logging.getLogger(__name__)

COORDINATES = {
    "noise_kind": "kind of noise: real (none), randX (inputs) or randY (labels)",
    "noise_level": "fraction of the training examples that noise replaces",
    "noise_seed": "draw of the noise",
    "seed": "seed of initialisation and shuffling",
    "weight_decay": "strength of weight decay",
    "dropout": "probability that dropout sets a hidden activation to zero",
    "input_dropout": "probability that dropout sets an input to zero",
    "hidden_noise": "standard deviation of the noise that is added to hidden activations",
    "input_noise": "standard deviation of the noise that is added to inputs",
    "adversarial": "weight of adversarial examples in the loss",
}


def data_determinants(noised: xr.Dataset, member: Member) -> dict:
    """Return what a member's fingerprint says about its data: hashes of images and noise, classes.

    Real data has no noise: its fingerprint is the same whatever noise stands in the file beside it.
    """
    noise = None
    if member.noise_kind != "real":
        content = noised[f"{member.noise_kind}_digest"].sel(noise_seed=member.noise_seed).item()
        noise = [member.noise_kind, member.noise_level, content]
    classes = noised.sizes["class"]  # which may be more than the labels show
    return {"data": noised.attrs["real_digest"], "classes": classes, "noise": noise}


def complete(
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
            COORDINATES.items(), zip(*members, strict=True), strict=True
        )
    }
    device = [result.attrs["device"] for result in results]
    coordinates["device"] = "member", device, {"long_name": "computed on", "units": "1"}
    return run.assign_coords(coordinates)
