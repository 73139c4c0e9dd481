"""fileY: labels from a file, such as those that people gave (CIFAR-10N, Wei et al. 2022).

The file holds the labels of the data set's whole training part: ``label``, one for each image in
the original order or, where ``index`` stands beside it, for each of these positions. Of a folder
the original order is that of ``rote.study.image_folder``. A label is the position of a class in
``class_name``. If the file says ``true_label``, too, these must be the true classes: a file in
another order is found out by it.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from rote.data.noises import Examples
from rote.data.numpy_file import UNREADABLE
from rote.files import netcdf
from rote.machine.errors import Damaged, UserError, brief

OF_EXAMPLES = True
VARIABLES = "label", "index", "true_label"


def labels(examples: Examples, seed: int, path: str) -> np.ndarray:
    """Return the label that the file gives to each example; ``seed`` draws none of them.

    Args:
        examples: with their true classes and their positions in the original training part.
        seed: of the noise.
        path: of the file: NetCDF, or NumPy's .npz or .npy, the latter with ``label`` alone.

    Raises:
        UserError: the file cannot be read, or does not fit the data set.
    """
    content = {name: _whole(values, name, path) for name, values in _read(path).items()}
    given = content["label"]
    positions = xr.IndexVariable("index", content.get("index", np.arange(len(given)))).to_index()
    many = examples.attributes["drawn_from"]
    if "index" not in content and len(given) != many:
        raise UserError(
            f"{path} has {len(given):,} labels, but the training part of the data set has "
            f"{many:,} images: write one for each, or say by index whose they are."
        )
    if any(len(values) != len(given) for values in content.values()):
        lengths = " and ".join(f"{len(values):,} of {name}" for name, values in content.items())
        raise UserError(f"{path} has {lengths}: write as many of each.")
    if not positions.is_unique:
        raise UserError(f"{path} names an index twice: write each once.")
    if len(given) and not 0 <= given.min() <= given.max() < examples.classes:
        raise UserError(
            f"{path} has labels from {given.min()} to {given.max()}, but the data set has the "
            f"classes 0 to {examples.classes - 1}: mend them (none may be missing)."
        )
    rows = positions.get_indexer(examples.index)
    if len(missing := examples.index[rows < 0]):
        raise UserError(
            f"{path} has no label for {len(missing):,} training examples, the first one of index "
            f"{missing[0]}: add them."
        )
    if "true_label" in content:
        wrong = np.flatnonzero(content["true_label"][rows] != examples.label)
        if len(wrong):
            first = wrong[0]
            raise UserError(
                f"{path} says that the training image of index {examples.index[first]} is of class "
                f"{content['true_label'][rows][first]}, but it is of class {examples.label[first]} "
                f"({len(wrong):,} such): the file is of other images, or in another order."
            )
    return given[rows]


def _read(path: str) -> dict[str, np.ndarray]:
    """Return the variables of a file.

    Raises:
        UserError: it cannot be read, or has no labels.
    """
    suffix = Path(path).suffix
    try:
        if suffix == ".nc":
            own = netcdf.read(path)
            content = {name: own[name].values for name in VARIABLES if name in own.variables}
        else:  # an archive or an array, whatever the file is called
            own = np.load(path, allow_pickle=False)
            if isinstance(own, np.ndarray):
                content = {"label": own}
            else:
                with own:
                    content = {name: own[name] for name in VARIABLES if name in own}
        if not all(isinstance(values, np.ndarray) for values in content.values()):
            raise ValueError("it holds something else than arrays")
    except Damaged as error:  # and not to be deleted, as it could be were it a file of rote
        raise UserError(f"{path} is damaged ({error.why}): put a whole file there.") from error
    except (OSError, *UNREADABLE) as error:
        raise UserError(
            f"{path} cannot be read as labels ({brief(error)}): write whole numbers by np.savez."
        ) from error
    if "label" not in content:
        raise UserError(f"{path} has no label: write the labels under this name.")
    return content


def _whole(values: np.ndarray, name: str, path: str) -> np.ndarray:
    """Return a list of whole numbers, which some write as others.

    Raises:
        UserError: it is none.
    """
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise UserError(
            f"{path} has a {name} of type {values.dtype} and shape {values.shape}: write one whole "
            "number for each image."
        )
    if len(wrong := np.flatnonzero(~(np.isfinite(values) & (values == np.round(values))))):
        raise UserError(
            f"{path} has a {name} {values[wrong[0]]:g} in place {wrong[0]}: write a whole number "
            "there."
        )
    return values.astype(np.int64)
