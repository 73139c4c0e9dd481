"""Images of a NumPy file (.npz) of the user's own, in the arrays that Keras has of its data sets.

``x_train`` are images and ``y_train`` their labels; ``x_test`` and ``y_test`` are those of the test
part, if there is one. Images are uint8 (example, row, column), or with channels, one or three, as
the last dimension, as Keras has them, or as the second one, as torch does. Labels are whole numbers
from 0, (example) or (example, 1). Their different values, sorted, are the classes, as in
:func:`rote.api.data`; or, where ``class_names`` is there, the names of the classes, labels are
positions in it.

Nothing is unpickled: a pickle can hold a program.
"""

import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rote.machine.errors import UserError, brief

CHANNELS = 1, 3
CLASSES = np.iinfo(np.int16).max  # the most
NEEDED = "x_train", "y_train"
TEST = "x_test", "y_test"
# What is raised by the reading of a file that is damaged, encrypted or of another kind.
UNREADABLE = (
    ValueError,
    EOFError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_arrays(path: Path) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[str]]:
    """Return (images, labels) of train and, where there is one, test, and the names of classes.

    Raises:
        UserError: the file is damaged or of another kind, or an array is missing or not as above.
    """
    arrays = _load(path)
    test = [name for name in TEST if name in arrays]
    for name in (*NEEDED, *(TEST if test else ())):
        if name not in arrays:
            raise UserError(f"{path} lacks the array {name}, but has {_listed(arrays)}: add it.")
    parts = []
    for x, y in (NEEDED, TEST) if test else (NEEDED,):
        images = _images(arrays[x], f"{x} of {path}")
        labels = _labels(arrays[y], f"{y} of {path}")
        if len(images) != len(labels):
            raise UserError(
                f"{path} has {len(images)} images in {x}, but {len(labels)} labels in {y}: give "
                "each image its label."
            )
        parts.append((images, labels))
    train = parts[0][0]
    if not train.size:
        raise UserError(f"{path} has no images in x_train: add some.")
    if test and parts[1][0].shape[1:] != train.shape[1:]:
        raise UserError(
            f"{path} has images of shape {train.shape[1:]} (channel, row, column) in x_train, but "
            f"of {parts[1][0].shape[1:]} in x_test: make all images alike, in size and in colour."
        )
    # As integers of Python: uint64 and int64 have no common type of whole numbers.
    values = sorted({value for _, labels in parts for value in np.unique(labels).tolist()})
    names = _class_names(arrays, values, path)
    if "class_names" not in arrays:
        parts = [(images, _places(labels, values)) for images, labels in parts]
    return parts, names


def _load(path: Path) -> dict[str, np.ndarray | None]:
    """Return the arrays of a file that are read, and the names of others with None."""
    read = {*NEEDED, *TEST, "class_names"}
    try:
        with path.open("rb") as whole:
            if not zipfile.is_zipfile(whole):
                raise zipfile.BadZipFile("it is no archive of arrays")
        with np.load(path, allow_pickle=False) as file:
            return {name: _array(file, name, path) if name in read else None for name in file}
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({brief(error)}): see to its permissions."
        ) from error
    except UNREADABLE as error:
        raise UserError(
            f"{path} is damaged, or no .npz file of NumPy ({brief(error)}): put a whole file "
            "there, written by numpy.savez."
        ) from error


def _array(file: np.lib.npyio.NpzFile, name: str, path: Path) -> np.ndarray:
    try:
        array = file[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise UserError(
            f"{name} of {path} holds Python objects, which are not read, since they may be "
            "programs: save an array of numbers, or, of names, of text."
        ) from error
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name} is no array")
    return array


def _images(array: np.ndarray, place: str) -> np.ndarray:
    """Return images as (example, channel, row, column)."""
    if array.dtype != np.uint8:
        raise UserError(
            f"{place} has images of type {array.dtype}, but must have grey levels from 0 to 255, "
            "of type uint8: convert them."
        )
    if array.ndim == 3:
        return array[:, None]
    axes = channel_axes(array.shape) if array.ndim == 4 else []
    if len(axes) == 1:
        return np.moveaxis(array, axes[0], 1)
    if axes:
        raise UserError(
            f"{place} has the shape {array.shape}, of which the second dimension and the last "
            "one could be the channels: write source: netcdf, which names them."
        )
    raise UserError(
        f"{place} has the shape {array.shape}, but must have (images, rows, columns), or that with "
        "one or three channels as the last or the second dimension: reshape it, or write source: "
        "netcdf for other numbers of channels."
    )


def channel_axes(shape: tuple[int, ...]) -> list[int]:
    """Return which dimensions of a shape of four could be the channels, one or three of them."""
    return [axis for axis in (1, 3) if shape[axis] in CHANNELS]


def _labels(array: np.ndarray, place: str) -> np.ndarray:
    """Return labels as (example)."""
    if array.dtype.kind not in "iu":
        raise UserError(
            f"{place} has labels of type {array.dtype}, but must have whole numbers from 0: "
            "convert them."
        )
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise UserError(
            f"{place} has labels of shape {array.shape}, but must have one for each image: "
            "if they are one-hot, take argmax(axis=1)."
        )
    return array


def _places(labels: np.ndarray, values: Sequence[int]) -> np.ndarray:
    """Return the position of each label among the different ones, sorted, of all parts."""
    place = {value: i for i, value in enumerate(values)}
    own, inverse = np.unique(labels, return_inverse=True)
    return np.array([place[value] for value in own.tolist()], np.int16)[inverse]


def _class_names(arrays: dict[str, np.ndarray], values: Sequence[int], path: Path) -> list[str]:
    """Return a name for each class: the user's, or the different labels, which are sorted."""
    names = arrays.get("class_names")
    if names is not None and (names.ndim != 1 or names.dtype.kind != "U"):
        raise UserError(
            f"class_names of {path} is of type {names.dtype} and of shape {names.shape}, but must "
            "be a list of text: write numpy.array([…])."
        )
    if values[0] < 0:
        raise UserError(
            f"{path} has labels from {values[0]} to {values[-1]}, but must have whole numbers from "
            "0: mend them."
        )
    if names is not None and values[-1] >= len(names):
        raise UserError(
            f"{path} has labels from {values[0]} to {values[-1]}, but must have whole numbers from "
            f"0 to {len(names) - 1}, one for each of class_names: mend them."
        )
    found = [*map(str, values)] if names is None else names.tolist()
    if len(found) > CLASSES:
        raise UserError(f"{path} has {len(found)} classes: have at most {CLASSES}.")
    if len(found) < 2:
        raise UserError(f"{path} has fewer than two classes, so none to tell apart: add some.")
    return found


def _listed(arrays: dict[str, np.ndarray]) -> str:
    names = [name if name.isprintable() else repr(name) for name in arrays][:8]
    return ", ".join(names) or "none"
