"""The inputs on which critical samples are searched, and what a grey level is in each of them."""

import numpy as np
import xarray as xr

from rote.data import noises
from rote.data.noising import corrupt, of_draw
from rote.data.scaling import PER_GREY_LEVEL, per_grey_level
from rote.study.plan import Member

KINDS = ["real", "noise", "train"]

Inputs = tuple[np.ndarray, np.ndarray]  # images, and a grey level in them


def searched_inputs(noised: xr.Dataset, search: dict, member: Member) -> dict[str, Inputs]:
    """Return the inputs to search for a member, by their kind.

    Args:
        noised: a dataset of ``rote.data.noising``.
        search: ``examples`` of the validation inputs and ``train_examples`` of the member's own
            training inputs, 0 for none.
        member: has inputs of noise, too, if there is noise in its training inputs.

    Returns:
        Images (examples, channel, row, column), and what a grey level is in them, broadcasting to
        the flat images: see :func:`rote.data.scaling.per_grey_level`.
    """
    first = {"example": slice(search["train_examples"])}
    few = noised.isel({**first, "validation_example": slice(search["examples"])})
    own = of_draw(few, member.data_seed)
    images = own["validation_image"].values
    inputs = {"real": (images, per_grey_level(own, "validation_"))}
    if noises.replaces(noised, member.noise_kind) == "image":
        inputs["noise"] = noise_inputs(noised, own, member)
    if search["train_examples"]:
        # The data set's order is random, and as class-balanced as it can be.
        inputs["train"] = _train_inputs(own, corrupt(noised, member).isel(first), member)
    return inputs


def _train_inputs(own: xr.Dataset, corrupted: xr.Dataset, member: Member) -> Inputs:
    images, level = own["image"].values, per_grey_level(own)
    if noises.replaces(own, member.noise_kind) != "image":
        return images, level
    noise = noises.of_member(own, member)
    mask = corrupted["mask"].values
    images = np.where(mask[:, None, None, None], noise["noise_image"].values, images)
    noise_level = per_grey_level(noise, "noise_")
    if np.ndim(level) == 2:  # each image has one of its own
        level = np.where(mask[:, None], noise_level, level)
    return images, level


def noise_inputs(noised: xr.Dataset, own: xr.Dataset, member: Member) -> Inputs:
    """Return validation inputs of noise as a member trains on, but others.

    Args:
        noised: a dataset of ``rote.data.noising``.
        own: the member's draw of the examples, with the validation inputs that are searched.
        member: with noise in its training inputs.
    """
    kind, parameters = noises.definition(noised, member.noise_kind)
    levels = own.get(f"validation_{PER_GREY_LEVEL}")  # where each image has one of its own
    real = noises.Examples(
        own["validation_image"].shape,
        noised.attrs,
        images=own["validation_image"].values.astype(np.float32),
        levels=None if levels is None else levels.values,
    )
    drawn = noises.drawn(kind, real, member.noise_seed, parameters, "validation")
    levels = drawn.get(PER_GREY_LEVEL)
    return drawn["image"], per_grey_level(noised) if levels is None else levels[:, None]


def determinants(noised: xr.Dataset, member: Member) -> dict:
    """Return what inputs of noise depend on, beside the fingerprint and the version of a search.

    The version covers randX, whose code was that of the search; the code of another kind, and its
    parameters, count for the members that have it alone.
    """
    if noises.replaces(noised, member.noise_kind) != "image":
        return {}
    kind, parameters = noises.definition(noised, member.noise_kind)
    if kind in noises.UNNAMED:
        return {}
    return {"noise": [parameters, noises.digest_of_code(kind)]}
