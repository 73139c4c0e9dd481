"""A data set as one experiment trains on it, with the noise that may replace parts of it.

randX replaces a fraction of the training inputs by Gaussian noise of the mean and variance of the
real training inputs; randY replaces a fraction of the training labels by uniform draws over the
classes (Arpit et al. 2017, section 3). There is one mean and one variance, over all pixels of all
channels; an image of noise is then scaled as a real one is, see ``rote.data.scaling``. Noise is
drawn once a seed for *every* example, with one random order: level ℓ replaces the first ℓ·n of that
order. So the levels are nested, the first 20 % of the noise of level 0.4 are those of level 0.2,
and all of them share one table of inputs.

Between numbers of training examples, the smaller set is the beginning of the larger one, and so is
its noise, but for the mean and variance of the real inputs, which are those of each set itself. The
order in which noise replaces examples is drawn for each number anew: between levels 0 and 1, an
example that is noise in the smaller set may be real in the larger one.
"""

import numpy as np
import xarray as xr

from rote.data import form
from rote.data.scaling import PER_GREY_LEVEL, Scaling, scale_noise, standardize_each
from rote.data.subsets import select
from rote.machine.errors import UserError
from rote.machine.randomness import generator
from rote.study import sizes


def _resized(images: np.ndarray, data: dict) -> tuple[np.ndarray, int]:
    """Return the sums over blocks of pixels, cropped, and what white is among those.

    Raises:
        UserError: there are no such blocks, or the crop leaves nothing.
    """
    examples, channels, rows, columns = images.shape
    inner = sizes.inputs(data, rows, columns)
    crop, size = data["crop"], data["image_size"] or rows
    side = rows // size
    blocks = images.reshape(examples, channels, size, side, columns // side, side)
    sums = blocks.sum((3, 5), dtype=np.uint32)
    return sums[..., crop : crop + inner[0], crop : crop + inner[1]], 255 * side**2


def noise_dataset(source: xr.Dataset, data: dict) -> xr.Dataset:
    """Return the training and validation data of an experiment, with its noise.

    Args:
        source: a dataset of ``rote.data.sources``.
        data: the settings ``train_examples``, ``validation_examples``, ``validation_from``,
            ``image_size``, ``crop``, ``scaling``, ``seed``, ``noise_kinds`` and ``noise_seeds``.

    Returns:
        ``image`` and ``validation_image``, the inputs of models: block means, cropped and scaled
        (see ``rote.data.scaling``). Where one factor scales all, they are packed integers with CF
        attributes, which xarray decodes; else float32. ``order``, ``noise_label`` and, for randX,
        ``noise_image`` along ``noise_seed``. Where each image is scaled by itself, what a grey
        level is in it: ``inputs_per_grey_level`` of the images to train on, and the same after
        ``validation_`` and ``noise_``.

    Raises:
        UserError: more examples are asked for than there are, or an image size or a crop that does
            not fit, or the source is not as it must be.
    """
    form.check(source, data["dataset"])
    parts = np.bincount(source["split"].values, minlength=2).tolist()
    if reasons := sizes.unmet(data, sizes.Sizes(*source["image"].shape[1:], *parts)):
        raise UserError("\n".join(reasons))
    train, validation = select(source, data)
    classes = source.sizes["class"]
    images = source["image"].values[np.r_[train, validation]]
    images, white = _resized(images, data)
    scaling = Scaling.of(data["scaling"], images[: len(train)], white, data["dataset"])
    grey_levels, packing = None, {}
    if scaling.packed:
        packing = {"scale_factor": scaling.factor / white, "add_offset": scaling.offset}
        images = images.astype(np.uint16 if white < 2**16 else np.uint32)
    else:
        images = images.astype(np.float32)
        images *= np.float32(scaling.factor / white)
        images += np.float32(scaling.offset)
        if scaling.each_image:
            grey_levels = standardize_each(images)

    dimensions = ("example", "channel", "row", "column")
    own, others = slice(None, len(train)), slice(len(train), None)
    parts = {"": (train, own), "validation_": (validation, others)}
    variables = {}
    for prefix, (chosen, rows) in parts.items():
        what = "validation" if prefix else "training"
        along = f"{prefix}example"
        variables[f"{prefix}image"] = (
            (along, *dimensions[1:]),
            images[rows],
            {"long_name": f"real {what} input", "units": "1", **packing},
        )
        variables[f"{prefix}label"] = (
            along,
            source["label"].values[chosen],
            {"long_name": f"true class of the {what} example", "units": "1"},
        )
        variables[f"{prefix}index"] = (
            along,
            source["index"].values[chosen],
            {"long_name": "position in its part of the original data set", "units": "1"},
        )
        if scaling.each_image:
            variables[f"{prefix}{PER_GREY_LEVEL}"] = (
                along,
                grey_levels[rows],
                {"long_name": f"a grey level in the {what} input", "units": "1"},
            )
    n, shape = len(train), images.shape[1:]
    seeds = data["noise_seeds"]
    order = np.stack([generator("order", seed).permutation(n) for seed in seeds])
    noise_label = np.stack(
        [generator("randY", seed).integers(classes, size=n, dtype=np.int16) for seed in seeds]
    )
    variables["order"] = (
        ("noise_seed", "example"),
        order,
        {"long_name": "training examples in the order in which noise replaces them", "units": "1"},
    )
    variables["noise_label"] = (
        ("noise_seed", "example"),
        noise_label,
        {"long_name": "label that randY gives to the training example", "units": "1"},
    )
    if "randX" in data["noise_kinds"]:
        noise_image = np.empty((len(seeds), n, *shape), np.float32)
        of_noise = []
        for i, seed in enumerate(seeds):
            generator("randX", seed).standard_normal(dtype=np.float32, out=noise_image[i])
            of_noise.append(scale_noise(noise_image[i], scaling.attributes()))
        if scaling.each_image:
            variables[f"noise_{PER_GREY_LEVEL}"] = (
                ("noise_seed", "example"),
                np.stack(of_noise),
                {"long_name": "a grey level in the input that randX gives", "units": "1"},
            )
        variables["noise_image"] = (
            ("noise_seed", *dimensions),
            noise_image,
            {"long_name": "input that randX gives to the training example", "units": "1"},
            {"zlib": False},  # random floats do not shrink
        )
    return xr.Dataset(
        variables,
        coords={
            "noise_seed": ("noise_seed", seeds, {"long_name": "draw of the noise", "units": "1"}),
            "class_name": ("class", source["class_name"].values, form.VARIABLES["class_name"][1]),
        },
        attrs=scaling.attributes(),
    )


def replaced(order: np.ndarray, level: float) -> np.ndarray:
    """Return the mask (examples,) of those that noise of this level replaces: round(ℓ·n) of them.

    ``order`` is (examples,), the examples in the order in which noise replaces them.
    """
    mask = np.zeros(len(order), bool)
    mask[order[: sizes.replaced(level, len(order))]] = True
    return mask


def mask_and_label(
    noised: xr.Dataset, kind: str, level: float, noise_seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return which examples are replaced, and the labels trained on, (examples,) each.

    The arguments are those of :func:`corrupt`, of which this is the part without names.
    """
    draw = noised.indexes["noise_seed"].get_loc(noise_seed)
    mask = replaced(noised["order"].values[draw], 0.0 if kind == "real" else level)
    true = noised["label"].values
    return mask, np.where(
        mask, noised["noise_label"].values[draw], true
    ) if kind == "randY" else true


def corrupt(noised: xr.Dataset, kind: str, level: float, noise_seed: int) -> xr.Dataset:
    """Return what a member trains on: which examples are replaced, by which label or input.

    Args:
        noised: a dataset of :func:`noise_dataset`.
        kind: ``real``, ``randX`` or ``randY``.
        level: fraction of the training examples that is replaced.
        noise_seed: which draw of the noise.

    Returns:
        ``mask`` (replaced or not), ``true_label``, ``label`` (trained on) and ``index`` (original
        position), each (example,). An input is replaced where ``mask`` is true and kind is randX.
    """
    mask, label = mask_and_label(noised, kind, level, noise_seed)

    def variable(values: np.ndarray, long_name: str) -> tuple:
        return "example", values, {"long_name": long_name, "units": "1"}

    return xr.Dataset(
        {
            "mask": variable(mask, "whether noise replaces the example"),
            "true_label": variable(noised["label"].values, "true class"),
            "label": variable(label, "label trained on"),
            "index": variable(noised["index"].values, "position in the original data set"),
        }
    )


def data_attributes(noised: xr.Dataset) -> dict[str, str | int]:
    """Return what a run tells about its data: as attributes, for figures drawn from the run.

    Raises:
        UserError: the data set does not say what it is called, or by which settings it was made.
    """
    for name in ("dataset", "settings"):
        if name not in noised.attrs:
            raise UserError(
                f"The data set lacks the attribute {name}: add it by assign_attrs({name}=…)."
            )
    return {
        "dataset": noised.attrs["dataset"],
        "train_examples": noised.sizes["example"],
        "validation_examples": noised.sizes["validation_example"],
        "image_size": f"{noised.sizes['row']}×{noised.sizes['column']}",
        "data": noised.attrs["settings"],
    }
