"""One run of memorisation: models on random subsets, and what each then has right of all examples.

All of its models are trained on subsets of one size. What they are right about is kept as bits;
what their examples are stands beside it once for each draw, not for each of hundreds of models.
"""

import numpy as np
import xarray as xr

from rote.data import noises
from rote.data.noising import data_attributes, mask_and_label, of_draw
from rote.data.scaling import PER_GREY_LEVEL
from rote.files.store import Store
from rote.runs import training
from rote.runs.device_data import trained_on
from rote.runs.variables import described
from rote.study.plan import Member

OF_DRAW = "noise_kind", "noise_level", "noise_seed", "data_seed", "seed"


def member_keys(noised: xr.Dataset, settings: dict) -> list[str]:
    """Return the fingerprints of the members of a run."""
    return training.member_keys(noised, settings)


def compute_run(
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
        noised: a dataset of ``rote.data.noising``.
        settings: those of ``rote.study.run_settings``.
        store: finished and unfinished members.
        name: what the lines of progress begin with.
        device: ``auto``, ``cpu`` or ``cuda``.
        checkpoint_seconds: time between two checkpoints of the members in training.

    Returns:
        What ``rote.runs.training`` returns of the members, accuracies of training being those on
        their subsets; and, as bits of ``numpy.packbits``, ``right`` and ``trained_on`` (member,
        byte), of all training examples, and ``validation_right`` (member, validation_byte). Of each
        ``draw``, the conditions that members have been trained in, by the coordinates ``draw_seed``
        and so on: ``label``, ``replaced``, ``changed`` and ``index`` (draw, example). Of each seed,
        real images as grey levels: ``image`` (image_seed, example, channel, row, column) and
        ``validation_image``, and ``validation_label`` and ``validation_index``.

    Raises:
        UserError: the device is missing or too small.
    """
    attributes = data_attributes(noised)  # which may lack one: not only after the training
    run = training.trained(
        noised,
        settings,
        store,
        name=name,
        device=device,
        checkpoint_seconds=checkpoint_seconds,
    ).drop_vars("misclassified")
    members = [Member(*member) for member in settings["members"]]
    run = with_draws(run, noised, members)
    return described(run).assign_attrs(attributes)


def with_draws(run: xr.Dataset, noised: xr.Dataset, members: list[Member]) -> xr.Dataset:
    """Return a run with the subsets of its members and their examples, see :func:`compute_run`."""
    draws = list({tuple(getattr(m, part) for part in OF_DRAW): m for m in members}.values())
    examples = noised.sizes["example"]
    subsets = np.zeros((len(members), examples), bool)
    for member, row in zip(members, subsets, strict=True):
        row[trained_on(member, examples)] = True
    return run.assign(
        trained_on=(("member", "byte"), np.packbits(subsets, axis=1)),
        **_examples(noised, draws),
        **_images(noised, draws),
    ).assign_coords(
        {
            **{f"draw_{name}": ("draw", [getattr(d, name) for d in draws]) for name in OF_DRAW},
            "class_name": ("class", noised["class_name"].values),
        }
    )


def _examples(noised: xr.Dataset, draws: list[Member]) -> dict[str, tuple]:
    """Return what the training examples of each draw are, (draw, example) each.

    A label that was drawn may be the true one: then the noise has replaced it, and changed nothing.
    """
    found: dict[str, list] = {"label": [], "replaced": [], "changed": [], "index": []}
    for draw in draws:
        mask, label = mask_and_label(noised, draw)
        train = noised["train"].sel(data_seed=draw.data_seed).values
        true = noised["label"].values[train]
        of_inputs = noises.replaces(noised, draw.noise_kind) == "image"
        found["label"].append(label)
        found["replaced"].append(mask)
        found["changed"].append(mask if of_inputs else label != true)
        found["index"].append(noised["index"].values[train])
    return {name: (("draw", "example"), np.stack(values)) for name, values in found.items()}


def _images(noised: xr.Dataset, draws: list[Member]) -> dict[str, tuple]:
    """Return the real examples of each seed: training inputs, and what is validated on."""
    seeds = {draw.seed: draw.data_seed for draw in draws}
    of_seeds = [of_draw(noised, data_seed) for data_seed in seeds.values()]
    dims = "channel", "row", "column"
    found = {"image_seed": ("image_seed", list(seeds))}
    for prefix in ("", "validation_"):
        along = "image_seed", f"{prefix}example"
        images = np.stack([_grey_levels(one[f"{prefix}image"].values, noised) for one in of_seeds])
        found[f"{prefix}image"] = (*along, *dims), images
    for name in ("validation_label", "validation_index"):
        values = np.stack([one[name].values for one in of_seeds])
        found[name] = ("image_seed", "validation_example"), values
    return found


def _grey_levels(images: np.ndarray, noised: xr.Dataset) -> np.ndarray:
    """Return inputs of models as pixels to look at, in grey levels above the darkest, which is 0.

    The darkest is that of all images; of each channel, where channels are scaled by themselves.
    Where images are, each goes from its own darkest, 0, to its brightest, 255.

    Args:
        images: (images, channels, rows, columns).
        noised: the data set that they are of.
    """
    if PER_GREY_LEVEL in noised.attrs:
        level = np.reshape(noised.attrs[PER_GREY_LEVEL], (-1, 1, 1))
        axes = (0, 2, 3) if len(level) > 1 else None
        low = noised["image"].values.min(axes, keepdims=True)
    else:
        low, high = (part(images, (1, 2, 3), keepdims=True) for part in (np.min, np.max))
        level = np.maximum(high - low, 1e-12) / 255
    found = images - low
    found /= level
    return np.round(found, out=found).astype(np.uint8)
