"""A data set as one experiment trains on it, with the noise that may replace parts of it.

randX replaces a fraction of the training inputs by Gaussian noise of the mean and variance of the
real training inputs; randY replaces a fraction of the training labels by uniform draws over the
classes (Arpit et al. 2017, section 3). Noise is drawn once a seed for *every* example, with one
random order: level ℓ replaces the first ℓ·n of that order. So the levels are nested, the first 20 %
of the noise of level 0.4 are those of level 0.2, and all of them share one table of inputs.

Between numbers of training examples, the smaller set is the beginning of the larger one, and so is
its noise, but for the mean and variance of the real inputs, which are those of each set itself. The
order in which noise replaces examples is drawn for each number anew: between levels 0 and 1, an
example that is noise in the smaller set may be real in the larger one.
"""

import numpy as np
import xarray as xr

from rote.data import form
from rote.data.subsets import select
from rote.machine.errors import UserError
from rote.machine.randomness import generator
from rote.study import sizes


def _pooled(images: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    """Return the sums over the blocks that make ``size`` rows, and the number of pixels in one."""
    examples, channels, rows, columns = images.shape
    factor = sizes.block(size, rows, columns)
    blocks = images.reshape(examples, channels, size, factor, columns // factor, factor)
    return blocks.sum((3, 5), dtype=np.uint32), factor**2


def noise_dataset(source: xr.Dataset, data: dict) -> xr.Dataset:
    """Return the training and validation data of an experiment, with its noise.

    Args:
        source: a dataset of ``rote.data.sources``.
        data: the settings ``train_examples``, ``validation_examples``, ``validation_from``,
            ``image_size``, ``scaling``, ``seed``, ``noise_kinds`` and ``noise_seeds``.

    Returns:
        ``image`` and ``validation_image`` as packed integers with CF attributes, which xarray
        decodes to model inputs: block means, scaled to [0, 1] (``unit``) or to mean 0 and variance
        1 over all training inputs (``standardized``). ``order``, ``noise_label`` and, for randX,
        ``noise_image`` along ``noise_seed``.

    Raises:
        UserError: more examples are asked for than there are, or an image size that does not fit,
            or the source is not as it must be.
    """
    form.check(source, data["dataset"])
    parts = np.bincount(source["split"].values, minlength=2).tolist()
    if reasons := sizes.unmet(data, sizes.Sizes(*source["image"].shape[1:], *parts)):
        raise UserError("\n".join(reasons))
    train, validation = select(source, data)
    classes = source.sizes["class"]
    images = source["image"].values[np.r_[train, validation]]
    images, pixels = _pooled(images, data["image_size"] or source.sizes["row"])
    full = 255 * pixels
    mean, std = images[: len(train)].mean() / full, images[: len(train)].std() / full
    if not std > 0:
        raise UserError(f"{data['dataset']}: all training pixels are equal; check the images.")
    scale, offset = (1.0, 0.0) if data["scaling"] == "unit" else (1 / std, -mean / std)
    packing = {"scale_factor": scale / full, "add_offset": offset}
    images = images.astype(np.uint16 if full < 2**16 else np.uint32)

    dimensions = ("example", "channel", "row", "column")
    parts = {"": (train, images[: len(train)]), "validation_": (validation, images[len(train) :])}
    variables = {}
    for prefix, (chosen, image) in parts.items():
        what = "validation" if prefix else "training"
        along = f"{prefix}example"
        variables[f"{prefix}image"] = (
            (along, *dimensions[1:]),
            image,
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
        # In the units of the inputs: mean 0 and variance 1 where those are standardized.
        noise_mean, noise_std = mean * scale + offset, std * scale
        noise_image = np.empty((len(seeds), n, *shape), np.float32)
        for i, seed in enumerate(seeds):
            generator("randX", seed).standard_normal(dtype=np.float32, out=noise_image[i])
        noise_image *= np.float32(noise_std)
        noise_image += np.float32(noise_mean)
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
        attrs={
            "inputs_per_grey_level": scale / 255,
            "input_mean": mean * scale + offset,
            "input_std": std * scale,
        },
    )


def replaced(order: np.ndarray, level: float) -> np.ndarray:
    """Return the mask (examples,) of those that noise of this level replaces: round(ℓ·n) of them.

    ``order`` is (examples,), the examples in the order in which noise replaces them.
    """
    mask = np.zeros(len(order), bool)
    mask[order[: sizes.replaced(level, len(order))]] = True
    return mask


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
    draw = noised.sel(noise_seed=noise_seed)
    mask = replaced(draw["order"].values, 0.0 if kind == "real" else level)
    true = noised["label"].values
    label = np.where(mask, draw["noise_label"].values, true) if kind == "randY" else true

    def variable(values: np.ndarray, long_name: str) -> tuple:
        return "example", values, {"long_name": long_name, "units": "1"}

    return xr.Dataset(
        {
            "mask": variable(mask, "whether noise replaces the example"),
            "true_label": variable(true, "true class"),
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
