"""The data sets of torchvision whose images have one size and a class each: how each is read.

All are checked by the MD5 that their publishers or torchvision state. torchvision checks what it
downloads, but takes some files on trust once they are there: those are read here, from the archive
that can be checked, or compared with the MD5 of what the archive holds.

A reader takes the folder of the files and the name of the data set. It returns (images, labels) of
train and, where there is one, test, and the names of classes; images are uint8 (example, channel,
row, column), labels whole numbers from 0 (example).
"""

import gzip
import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rote.machine.errors import UserError, brief
from rote.machine.torchvision_import import torchvision

Parts = list[tuple[np.ndarray, np.ndarray]]
Read = tuple[Parts, list[str]]

DIGITS = [*"0123456789"]
ANIMALS = ["bird", "cat", "deer", "dog", "horse", "monkey"]
STL10_CLASSES = sorted(["airplane", "car", "ship", "truck", *ANIMALS])
FER2013_CLASSES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
FER2013_FILES = "fer2013.csv", "icml_face_data.csv"  # those with the labels of the test part
EUROSAT = (  # as torchvision has it, inside a function
    "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
    "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
    "c8fa014336c82ac7804f0398fcb19387",
)
# The MD5 of unpacked files. Those of Fashion-MNIST were computed from archives that have the MD5
# that torchvision states.
UNPACKED = {
    "MNIST": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "FashionMNIST": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}
IDX_TYPES = {8: np.dtype(np.uint8), 12: np.dtype(">i4")}  # by the third byte of a file


class Wrong(Exception):
    """A file that is there, but is not the published one or cannot be read."""


def fetch(name: str, root: Path) -> Read:
    """Return a data set, downloaded if need be.

    Args:
        name: a key of ``DATASETS``.
        root: the folder that torchvision downloads to.

    Raises:
        UserError: a download failed, or a file is not the published one.
    """
    published = DATASETS[name]
    folder = root / published.folder
    remedy = f"put {published.files} into {folder} and run the same command again."
    try:
        return published.read(folder, name)
    except MemoryError:
        raise
    except Wrong as error:
        raise UserError(f"{error}{remedy}") from error
    except Exception as error:  # whatever torchvision makes of damaged files
        raise UserError(f"Cannot download {name} ({brief(error)}): {remedy}") from error


def _download(folder: Path, urls: Iterable[str], md5: str) -> Path:
    """Return a published file, downloaded from the first of its places that has it, and checked."""
    download, refused = torchvision("datasets.utils").download_url, []
    for url in urls:
        try:
            download(url, folder, md5=md5)
            return folder / Path(url).name
        except (RuntimeError, OSError) as error:
            refused.append(error)
    raise refused[-1]


def _unpacked(folder: Path, urls: list[str], packed_md5: str, md5: str | None) -> bytes:
    """Return what a packed file holds.

    Args:
        folder: where it is, or is downloaded to.
        urls: the places to download it from.
        packed_md5: the MD5 of the packed file.
        md5: that of what it holds, if it is known. Then an unpacked file is taken, too, and one
            that was packed anew, as by Debian.
    """
    packed = folder / Path(urls[0]).name
    plain = packed.with_suffix("")
    if md5 and plain.exists():
        try:
            content = plain.read_bytes()
        except OSError as error:
            raise Wrong(f"{plain} cannot be read ({error.strerror}): ") from error
        if hashlib.md5(content).hexdigest() != md5:
            raise Wrong(f"{plain} is not the published file: delete it, or ")
        return content
    if md5 and packed.exists():
        try:
            content = gzip.decompress(packed.read_bytes())
        except (OSError, EOFError, zlib.error):  # as after a download that was stopped
            content = b""
        if hashlib.md5(content).hexdigest() == md5:
            return content
    return gzip.decompress(_download(folder, urls, packed_md5).read_bytes())


def _idx(content: bytes) -> np.ndarray:
    """Return the array of a file of the format IDX, which was checked before."""
    header = 4 + 4 * content[3]
    shape = struct.unpack(f">{content[3]}I", content[4:header])
    return np.frombuffer(content, IDX_TYPES[content[2]], offset=header).reshape(shape)


def _mnist(folder: Path, name: str) -> Read:
    published, known = getattr(torchvision("datasets"), name), UNPACKED.get(name, {})
    arrays = [
        _idx(_unpacked(folder, urls, md5, known.get(Path(file).stem)))
        for file, md5 in published.resources
        for urls in [[f"{mirror}{file}" for mirror in published.mirrors]]
    ]
    parts = [(images[:, None], labels) for images, labels in zip(*[iter(arrays)] * 2, strict=True)]
    return parts, DIGITS if name == "MNIST" else published.classes


def _qmnist(folder: Path, _: str) -> Read:
    resources = torchvision("datasets").QMNIST.resources
    parts = []
    for part in ("train", "test"):
        images, labels = (_idx(_unpacked(folder, [url], md5, None)) for url, md5 in resources[part])
        parts.append((images[:, None], labels[:, 0]))  # the other columns: writer, form, …
    return parts, DIGITS


def _emnist(folder: Path, name: str) -> Read:
    published, split = torchvision("datasets").EMNIST, name.removeprefix("EMNIST-")
    known = published.classes_split_dict[split]
    classes = [letter for letter in known if letter != "N/A"]  # so letters are counted from 1
    parts = []
    with zipfile.ZipFile(_download(folder, [published.url], published.md5)) as archive:
        for part in ("train", "test"):
            images, labels = (
                _idx(gzip.decompress(archive.read(f"gzip/emnist-{split}-{part}-{kind}-ubyte.gz")))
                for kind in ("images-idx3", "labels-idx1")
            )
            # They are stored column by column.
            parts.append((images.transpose(0, 2, 1)[:, None], labels - (len(known) - len(classes))))
    return parts, classes


def _cifar(folder: Path, name: str) -> Read:
    # Published as pickles, of which torchvision checks every one before it opens it.
    published = getattr(torchvision("datasets"), name)
    parts = [published(folder, train=train, download=True) for train in (True, False)]
    read = [(part.data.transpose(0, 3, 1, 2), np.array(part.targets)) for part in parts]
    return read, parts[0].classes


def _svhn(folder: Path, _: str) -> Read:
    published = torchvision("datasets").SVHN
    parts = [published(folder, split=split, download=True) for split in ("train", "test")]
    return [(part.data, part.labels) for part in parts], DIGITS


def _stl10(folder: Path, _: str) -> Read:
    published = torchvision("datasets").STL10
    parts = [published(folder, split=split, download=True) for split in ("train", "test")]
    return [(part.data, part.labels) for part in parts], STL10_CLASSES


def _usps(folder: Path, _: str) -> Read:
    published, parts = torchvision("datasets").USPS, []
    for split in ("train", "test"):
        url, _, md5 = published.split_list[split]
        _download(folder, [url], md5)
        part = published(folder, train=split == "train")
        parts.append((part.data[:, None], np.array(part.targets)))
    return parts, DIGITS


def _semeion(folder: Path, _: str) -> Read:
    whole = torchvision("datasets").SEMEION(folder, download=True)
    return [(whole.data[:, None], whole.labels)], DIGITS


def _fer2013(folder: Path, _: str) -> Read:
    if not any((folder / file).exists() for file in FER2013_FILES):
        raise FileNotFoundError("Kaggle gives it to whoever is logged in")
    published, parts = torchvision("datasets").FER2013, []
    for split in ("train", "test"):
        images, labels = zip(*published(folder.parent, split=split), strict=True)
        parts.append((np.stack([*map(np.asarray, images)])[:, None], np.array(labels)))
    return parts, FER2013_CLASSES


def _eurosat(folder: Path, _: str) -> Read:
    from PIL import Image

    url, md5 = EUROSAT
    with zipfile.ZipFile(_download(folder, [url], md5)) as archive:
        files = sorted(file for file in archive.namelist() if file.endswith(".jpg"))
        images = [np.asarray(Image.open(archive.open(file))) for file in files]
    names = [Path(file).parent.name for file in files]
    classes, labels = np.unique(names, return_inverse=True)
    return [(np.stack(images).transpose(0, 3, 1, 2), labels)], classes.tolist()


class Published(NamedTuple):
    """How a data set is read, and which files belong into which folder."""

    read: Callable[[Path, str], Read]
    files: str  # as they are called in a sentence
    folder: str = "."  # below the one that torchvision downloads to


_FOUR = f"{', '.join(list(UNPACKED['MNIST'])[:3])} and t10k-labels-idx1-ubyte, each with .gz"
DATASETS = {  # their sizes are in rote.study.sizes
    **{
        name: Published(_mnist, f"its four files {_FOUR}{unpacked}", f"{name}/raw")
        for name, unpacked in {
            "MNIST": " as published or unpacked,",
            "FashionMNIST": " as published or unpacked,",
            "KMNIST": " as published,",
        }.items()
    },
    "QMNIST": Published(
        _qmnist,
        "its four files qmnist-train-images-idx3-ubyte.gz, qmnist-train-labels-idx2-int.gz, "
        "qmnist-test-images-idx3-ubyte.gz and qmnist-test-labels-idx2-int.gz",
        "QMNIST/raw",
    ),
    **{
        f"EMNIST-{split}": Published(_emnist, "gzip.zip of EMNIST", "EMNIST/raw")
        for split in ("balanced", "byclass", "bymerge", "digits", "letters", "mnist")
    },
    "CIFAR10": Published(_cifar, "cifar-10-python.tar.gz"),
    "CIFAR100": Published(_cifar, "cifar-100-python.tar.gz"),
    "SVHN": Published(_svhn, "train_32x32.mat and test_32x32.mat"),
    "STL10": Published(_stl10, "stl10_binary.tar.gz"),
    "USPS": Published(_usps, "usps.bz2 and usps.t.bz2"),
    "SEMEION": Published(_semeion, "semeion.data"),
    "FER2013": Published(_fer2013, "fer2013.csv", "fer2013"),
    "EuroSAT": Published(_eurosat, "EuroSAT.zip", "eurosat"),
}
