"""The inputs on which critical samples are searched, and what a grey level is in each of them."""

import numpy as np
import xarray as xr

from rote.data.noising import corrupt, of_draw
from rote.data.scaling import per_grey_level, scale_noise
from rote.machine.randomness import generator
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
    if member.noise_kind == "randX":
        inputs["noise"] = noise_inputs(noised, images.shape, member.noise_seed)
    if search["train_examples"]:
        # The data set's order is random, and as class-balanced as it can be.
        inputs["train"] = _train_inputs(own, corrupt(noised, member).isel(first), member)
    return inputs


def _train_inputs(own: xr.Dataset, corrupted: xr.Dataset, member: Member) -> Inputs:
    images, level = own["image"].values, per_grey_level(own)
    if member.noise_kind != "randX":
        return images, level
    noise = own.sel(noise_seed=member.noise_seed)
    mask = corrupted["mask"].values
    images = np.where(mask[:, None, None, None], noise["noise_image"].values, images)
    noise_level = per_grey_level(noise, "noise_")
    if np.ndim(level) == 2:  # each image has one of its own
        level = np.where(mask[:, None], noise_level, level)
    return images, level


def noise_inputs(noised: xr.Dataset, shape: tuple[int, ...], noise_seed: int) -> Inputs:
    """Return inputs of noise of this shape as randX trains on, but others."""
    drawn = generator("randX validation", noise_seed).standard_normal(shape, np.float32)
    levels = scale_noise(drawn, noised.attrs)
    return drawn, per_grey_level(noised) if levels is None else levels[:, None]
