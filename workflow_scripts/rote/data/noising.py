"""A data set as one experiment trains on it, with the noise that may replace parts of it.

Noise replaces a fraction of the training inputs, or of the training labels (Arpit et al. 2017,
section 3): each kind is a module of ``rote.data.noises``.

Examples are drawn once a ``data_seed``. The images of all draws stand in one pool, each once, and a
draw is a list of positions in it. Noise is drawn once a ``noise_seed`` for *every* training
example, with one random order: level ℓ replaces the first ℓ·n of that order. So the levels are
nested, the first 20 % of the noise of level 0.4 are those of level 0.2, and all of them share one
table of inputs. Any draw of the examples may be trained on with any draw of noise that does not
depend on them. Of noise that does, such as shuffled pixels, there are the pairs of draws that a
replicate has.

Between numbers of training examples, the smaller set is the beginning of the larger one, and so is
its noise. The order in which noise replaces examples is drawn for each number anew: between levels
0 and 1, an example that is noise in the smaller set may be real in the larger one. So are balanced
labels, which follow the order.
"""

import json
from collections.abc import Iterator

import numpy as np
import xarray as xr

from rote.data import form, noises
from rote.data.noise_variables import noise_variables
from rote.data.scaling import PER_GREY_LEVEL, Moments, Scaling, standardize_each
from rote.data.subsets import select
from rote.machine.errors import UserError
from rote.study import sizes
from rote.study.plan import Member

CHUNK = 2**22  # pixels whose moments are taken at a time: it bounds the memory


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


def _training_part(source: xr.Dataset, data: dict) -> Iterator[np.ndarray]:
    """Yield all images of the training part, resized, some at a time."""
    train = np.flatnonzero(source["split"].values == 0)
    images = source["image"].values
    count = max(1, CHUNK // images[0].size)
    for first in range(0, len(train), count):
        yield _resized(images[train[first : first + count]], data)[0]


def noise_dataset(source: xr.Dataset, data: dict) -> xr.Dataset:
    """Return the training and validation data of an experiment, with its noise.

    Args:
        source: a dataset of ``rote.data.sources``.
        data: the settings ``train_examples``, ``validation_examples``, ``validation_from``,
            ``image_size``, ``crop``, ``scaling``, ``random_labels``, ``data_seeds``,
            ``noise_kinds`` and ``noise_seeds``. Perhaps ``noises``, by name the kind and the
            parameters of those that are no kinds themselves, and ``draws``, the pairs (data_seed,
            noise_seed) of replicates: without, all.

    Returns:
        ``image`` (pool, channel, row, column), the inputs of models: block means, cropped and
        scaled (see ``rote.data.scaling``). Where one factor scales all, they are packed integers
        with CF attributes, which xarray decodes; else float32. ``label`` and ``index`` (pool).
        ``train`` (data_seed, example) and ``validation`` (data_seed, validation_example),
        positions in the pool. ``order``, ``noise_label``, of randY, and, for randX, ``noise_image``
        (noise_seed, example, …); for other kinds these with the kind behind the name, and where
        they depend on the examples along ``draw``, the pairs ``draw_data_seed`` and
        ``draw_noise_seed`` (draw). Where each image is scaled by itself, what a grey level is in
        it: ``inputs_per_grey_level`` (pool), and the same after ``noise_``.
        :func:`of_draw` has all of it for one draw of the examples.

    Raises:
        UserError: more examples are asked for than there are, or an image size or a crop that does
            not fit, or the source is not as it must be.
    """
    form.check(source, data["dataset"])
    parts = np.bincount(source["split"].values, minlength=2).tolist()
    if reasons := sizes.unmet(data, sizes.Sizes(*source["image"].shape[1:], *parts)):
        raise UserError("\n".join(reasons))
    draws = [select(source, data, seed) for seed in data["data_seeds"]]
    chosen = np.unique(np.concatenate([positions for draw in draws for positions in draw]))
    images, white = _resized(source["image"].values[chosen], data)
    moments = Moments.of(_training_part(source, data))
    scaling = Scaling.of(data["scaling"], moments, white, data["dataset"])
    packing = {}
    if scaling.packed:
        packing = {"scale_factor": scaling.factor / white, "add_offset": scaling.offset}
        images = images.astype(np.uint16 if white < 2**16 else np.uint32)
    else:
        images = images.astype(np.float32)
        images *= np.float32(scaling.factor / white)
        images += np.float32(scaling.offset)
    variables = {}
    if scaling.each_image:
        variables[PER_GREY_LEVEL] = (
            "pool",
            standardize_each(images),
            {"long_name": "a grey level in the real input", "units": "1"},
        )
    variables |= {
        "image": (
            ("pool", "channel", "row", "column"),
            images,
            {"long_name": "real input", "units": "1", **packing},
        ),
        "label": (
            "pool",
            source["label"].values[chosen],
            {"long_name": "true class of the example", "units": "1"},
        ),
        "index": (
            "pool",
            source["index"].values[chosen],
            {"long_name": "position in its part of the original data set", "units": "1"},
        ),
    }
    for name, what, each in zip(
        ("train", "validation"), ("training", "validation"), zip(*draws, strict=True), strict=True
    ):
        along = "example" if name == "train" else "validation_example"
        variables[name] = (
            ("data_seed", along),
            np.stack([np.searchsorted(chosen, positions) for positions in each]),
            {"long_name": f"position of the {what} example in the pool", "units": "1"},
        )
    attributes = {**scaling.attributes(), "drawn_from": parts[0]}
    if data.get("noises"):
        attributes["noises"] = json.dumps(data["noises"])
    variables |= noise_variables(variables, source.sizes["class"], data, attributes)
    seeds = {
        "data_seed": (data["data_seeds"], "draw of training and validation examples"),
        "noise_seed": (data["noise_seeds"], "draw of the noise"),
    }
    return xr.Dataset(
        variables,
        coords={
            **{
                name: (name, values, {"long_name": long_name, "units": "1"})
                for name, (values, long_name) in seeds.items()
            },
            "class_name": ("class", source["class_name"].values, form.VARIABLES["class_name"][1]),
        },
        attrs=attributes,
    )


def of_draw(noised: xr.Dataset, data_seed: int) -> xr.Dataset:
    """Return a noised data set for one draw of its examples, without the pool.

    Args:
        noised: a dataset of :func:`noise_dataset`.
        data_seed: which draw.

    Returns:
        ``image``, ``label``, ``index`` and perhaps ``inputs_per_grey_level`` along ``example``,
        the same after ``validation_`` along ``validation_example``, and all of the noise.
    """
    drawn = noised.sel(data_seed=data_seed, drop=True)
    of_pool = noised[[name for name, one in noised.data_vars.items() if "pool" in one.dims]]
    train = of_pool.isel(pool=drawn["train"])
    validation = of_pool.isel(pool=drawn["validation"])
    others = drawn.drop_vars([*of_pool.data_vars, "train", "validation"])
    validation = validation.rename({name: f"validation_{name}" for name in of_pool.data_vars})
    return others.merge(train, combine_attrs="override").merge(validation, combine_attrs="override")


def replaced(order: np.ndarray, level: float) -> np.ndarray:
    """Return the mask (examples,) of those that noise of this level replaces: round(ℓ·n) of them.

    ``order`` is (examples,), the examples in the order in which noise replaces them.
    """
    mask = np.zeros(len(order), bool)
    mask[order[: sizes.replaced(level, len(order))]] = True
    return mask


def mask_and_label(noised: xr.Dataset, member: Member) -> tuple[np.ndarray, np.ndarray]:
    """Return which examples are replaced, and the labels trained on, (examples,) each.

    The arguments are those of :func:`corrupt`, of which this is the part without names.
    """
    draw = noised.indexes["noise_seed"].get_loc(member.noise_seed)
    level = 0.0 if member.noise_kind == "real" else member.noise_level
    mask = replaced(noised["order"].values[draw], level)
    train = noised["train"].values[noised.indexes["data_seed"].get_loc(member.data_seed)]
    true = noised["label"].values[train]
    if noises.replaces(noised, member.noise_kind) != "label":
        return mask, true
    return mask, np.where(mask, noises.of_member(noised, member)["noise_label"].values, true)


def corrupt(noised: xr.Dataset, member: Member) -> xr.Dataset:
    """Return what a member trains on: which examples are replaced, by which label or input.

    Args:
        noised: a dataset of :func:`noise_dataset`.
        member: of which kind, level and draw of the noise, and draw of the examples count.

    Returns:
        ``mask`` (replaced or not), ``true_label``, ``label`` (trained on) and ``index`` (original
        position), each (example,). Noise in the inputs replaces those where ``mask`` is true.
    """
    mask, label = mask_and_label(noised, member)
    train = noised["train"].sel(data_seed=member.data_seed).values

    def variable(values: np.ndarray, long_name: str) -> tuple:
        return "example", values, {"long_name": long_name, "units": "1"}

    return xr.Dataset(
        {
            "mask": variable(mask, "whether noise replaces the example"),
            "true_label": variable(noised["label"].values[train], "true class"),
            "label": variable(label, "label trained on"),
            "index": variable(noised["index"].values[train], "position in the original data set"),
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
        "drawn_from": noised.attrs["drawn_from"],
        "image_size": f"{noised.sizes['row']}×{noised.sizes['column']}",
        "data": noised.attrs["settings"],
    }
