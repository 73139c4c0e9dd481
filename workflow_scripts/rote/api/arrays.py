"""From arrays to data as models train on it, and to the inputs that they see."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr
import yaml

from rote.api.settings import REPLICATES, Noises, of_data, of_file, of_noises
from rote.data import form
from rote.data.noising import noise_dataset
from rote.data.numpy_file import CLASSES, channel_axes
from rote.data.scaling import PER_GREY_LEVEL, standardize_each
from rote.machine.errors import UserError
from rote.study import plan, sizes
from rote.study.plan import FACTORS
from rote.study.schema import check_part, shown

Channels = Literal["first", "last"] | None
BLACK = "black_input"  # attribute: what a black pixel is in inputs, a number a channel


def data(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    train_examples: int,
    validation_examples: int = 0,
    test: tuple[np.ndarray, np.ndarray] | None = None,
    channels: Channels = None,
    noises: Noises = (),
    seeds: int = 1,
    first_seed: int = 0,
    vary: Sequence[str] = FACTORS,
    scaling: str = "unit",
    image_size: int | None = None,
    random_labels: str = "independent",
    name: str = "arrays",
) -> xr.Dataset:
    """Return training and validation data, drawn from arrays, with the noise that may replace it.

    Args:
        images: (n, rows, columns), (n, channels, rows, columns), (n, rows, columns, channels) or
            (n, features): whole numbers from 0 to 255.
        labels: (n,), of any type: their different values, sorted, are the classes.
        train_examples: of each draw.
        validation_examples: of each draw; drawn from ``test`` if that is given.
        test: images and labels of a part of its own.
        channels: whether they are the ``first`` dimension of an image or the ``last``; None: that
            of the two which is 1 or 3.
        noises: the kinds of noise, such as ``randX`` and ``randY``; or names of your own, each with
            its ``kind`` and the parameters of that, as under ``noises`` in the configuration.
        seeds: replicates, each with a draw of all that ``vary`` names.
        first_seed: the seed of the first one.
        vary: some of ``data``, ``noise``, ``initialization`` and ``order``.
        scaling: ``unit``, ``standardized``, ``per_channel`` or ``per_image``.
        image_size: rows of an image, each pixel the mean of a block; None: as they are.
        random_labels: of randY, ``independent`` or ``balanced``.
        name: what the data is called.

    Returns:
        A dataset as in ``results/{preset}/datasets``, see :func:`rote.data.noising.noise_dataset`.

    Raises:
        UserError: shapes, types, numbers or names do not fit.
    """
    if not (test is None or (isinstance(test, tuple | list) and len(test) == 2)):
        raise UserError("test is no pair: give images and their labels, such as (X_test, y_test).")
    replicates = of_file({"seeds": seeds, "first_seed": first_seed, "vary": vary})
    check_part(replicates, REPLICATES)
    settings = of_file(
        {
            "dataset": name,
            "image_size": image_size,
            "crop": 0,
            "train_examples": train_examples,
            "validation_examples": validation_examples,
            "validation_from": "train" if test is None else "test",
            "scaling": scaling,
            "random_labels": random_labels,
        }
    )
    check_part(settings, {"$ref": "#/$defs/data_of_one_size"})
    kinds, definitions = of_noises(noises)
    settings = plan.data_settings({"data": settings, **replicates, "noise_kinds": kinds})
    if definitions:
        settings["noises"] = definitions
    source = _source([(images, labels), *([] if test is None else [test])], channels)
    noised = xr.decode_cf(noise_dataset(source, settings))
    train = source["image"].values[source["split"].values == 0]
    mean = train.mean((0, 2, 3), dtype=np.float64)
    black = noised.attrs["channel_mean"] - mean * noised.attrs.get(PER_GREY_LEVEL, 1 / 255)
    return noised.assign_attrs(
        {BLACK: black},
        dataset=name,
        settings=yaml.safe_dump(settings),
        replicates=yaml.safe_dump(replicates),
    )


def inputs(data: xr.Dataset, images: np.ndarray, *, channels: Channels = None) -> np.ndarray:
    """Return images as the models of some data see them: resized and scaled as its own are.

    Args:
        data: as :func:`data` returns it.
        images: whole numbers from 0 to 255, in any shape that :func:`data` takes.
        channels: as there.

    Returns:
        (n, channels, rows, columns), float32.

    Raises:
        UserError: they are no such images, or are of another size.
    """
    settings, levels = of_data(data), _grey_levels(images, channels)
    count, colours, rows, columns = levels.shape
    inner, crop = sizes.inputs(settings, rows, columns), settings["crop"]
    side = rows // (settings["image_size"] or rows)
    blocks = levels.reshape(count, colours, rows // side, side, columns // side, side)
    means = blocks.mean((3, 5))[..., crop : crop + inner[0], crop : crop + inner[1]]
    if means.shape[1:] != data["image"].shape[1:]:
        raise UserError(
            f"images become inputs of {means.shape[1:]} (channels, rows, columns), but those of "
            f"the data are of {data['image'].shape[1:]}: give images of the same size."
        )
    if settings["scaling"] == "per_image":
        scaled = (means / 255).astype(np.float32)
        standardize_each(scaled)
        return scaled
    black = data.attrs.get(BLACK, 0.0 if settings["scaling"] == "unit" else None)
    if black is None:
        raise UserError(
            f"The data does not say how its scaling, {settings['scaling']}, is done: make it by "
            "api.data, or scale images yourself."
        )
    factor, black = (np.reshape(v, (-1, 1, 1)) for v in (data.attrs[PER_GREY_LEVEL], black))
    return (means * factor + black).astype(np.float32)


def _source(parts: list[tuple[np.ndarray, np.ndarray]], channels: Channels) -> xr.Dataset:
    """Return images and labels of the training part, and perhaps of test, as sources have them."""
    images = [_grey_levels(own, channels) for own, _ in parts]
    labels = [_labels(own) for _, own in parts]
    for own, classes in zip(images, labels, strict=True):
        if len(own) != len(classes):
            raise UserError(
                f"There are {len(own)} images, but {len(classes)} labels: give each image one."
            )
    if images[-1].shape[1:] != images[0].shape[1:]:
        raise UserError(
            f"Images are of {images[0].shape[1:]} (channels, rows, columns), but those of test of "
            f"{images[-1].shape[1:]}: make all alike."
        )
    try:
        names, places = np.unique(np.concatenate(labels), return_inverse=True)
    except TypeError as error:
        raise UserError(
            "labels are of several types, which have no order: make all of them numbers, or text."
        ) from error
    if len(names) > CLASSES:
        raise UserError(f"labels name {len(names)} classes: have at most {CLASSES}.")
    counts = [len(own) for own in images]
    return form.dataset(
        image=np.concatenate(images),
        label=places.astype(np.int16),
        split=np.repeat(np.arange(len(parts), dtype=np.int8), counts),
        index=np.concatenate([np.arange(count) for count in counts]),
        class_name=[str(own) for own in names],
    )


def _array(values: object, name: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError as error:
        raise UserError(f"{name} are of several sizes: make all alike.") from error


def _labels(labels: np.ndarray) -> np.ndarray:
    """Return labels as (n,)."""
    labels = _array(labels, "labels")
    if labels.ndim != 1:
        raise UserError(
            f"labels have the shape {labels.shape}: have one for each image, (n,), as by "
            "labels[:, 0], or labels.argmax(1) if they are one-hot."
        )
    if missing := xr.Variable("example", labels).isnull().sum().item():
        raise UserError(f"{missing} labels are missing (NaN): leave these images out.")
    return labels


def _grey_levels(images: np.ndarray, channels: Channels) -> np.ndarray:
    """Return images as (n, channels, rows, columns) of type uint8."""
    if not (channels is None or (isinstance(channels, str) and channels in ("first", "last"))):
        raise UserError(f"channels is {shown(channels)}: write 'first', 'last' or None.")
    images = _array(images, "images")
    if images.ndim not in (2, 3, 4):
        raise UserError(
            f"images have the shape {images.shape}: have them (n, rows, columns), (n, channels, "
            "rows, columns), (n, rows, columns, channels) or (n, features)."
        )
    whole = images.dtype.kind in "iuf"
    if whole:
        with np.errstate(invalid="ignore"):  # of what is compared below
            levels = images.astype(np.uint8)
    if not whole or not np.array_equal(levels, images):
        raise UserError(
            "images hold other numbers than whole ones from 0 to 255: scale and round them, as by "
            "np.round(255 * images)."
        )
    if images.ndim == 4:
        return np.moveaxis(levels, _channel_axis(images.shape, channels), 1)
    rows = 1 if images.ndim == 2 else images.shape[1]
    return levels.reshape(len(levels), 1, rows, images.shape[-1])


def _channel_axis(shape: tuple[int, ...], channels: Channels) -> int:
    """Return which dimension of (n, …, …, …) are the channels."""
    if channels is not None:
        return 1 if channels == "first" else 3
    axes = channel_axes(shape)
    if len(axes) != 1:
        both = "both" if axes else "neither"
        raise UserError(
            f"images have the shape {shape}, of which {both} the second dimension and the last one "
            "could be the channels, 1 or 3: say channels='first' or channels='last'."
        )
    return axes[0]
