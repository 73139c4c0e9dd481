"""Each data set of torchvision, read from small files in the format in which it is published.

The tests make these files, and set the checksums that torchvision and rote expect to theirs: that
is all that differs from a download. The published files themselves are read where a checkout has
them in data/torchvision; of those, MNIST and Fashion-MNIST were.
"""

import bz2
import csv
import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch
from PIL import Image

from conftest import ROOT
from rote.data import published, sources
from rote.machine.errors import UserError
from rote.machine.torchvision_import import torchvision
from rote.study import schema, sizes

COUNTS = 12, 8  # images of train and test


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def idx(array: np.ndarray) -> bytes:
    """Return an array as a file of the format IDX."""
    kind = {np.dtype(np.uint8): 8, np.dtype(">i4"): 12}[array.dtype]
    return struct.pack(f">4B{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()


class Maker:
    """Writes small files of a data set below a folder, and has their checksums expected."""

    def __init__(self, root: Path, monkeypatch):
        self.root, self.set = root, monkeypatch.setattr
        self.setitem = monkeypatch.setitem
        self.datasets = torchvision("datasets")

    def make(self, name: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Write a data set and return (images, labels) of its parts."""
        known = sizes.PUBLISHED[name]
        rng = np.random.default_rng(0)
        shape = known.channels, known.rows, known.columns
        parts = [
            (
                rng.integers(0, 256, (count, *shape), dtype=np.uint8),
                rng.integers(0, known.classes, count),
            )
            for count in COUNTS[: 1 + bool(known.test)]
        ]
        family = "emnist" if name.startswith("EMNIST") else name.lower()
        return getattr(self, family)(name, parts) or parts

    def write(self, place: str, content: bytes) -> str:
        """Write a file and return its MD5."""
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return md5(path)

    def kmnist(self, name, parts):
        resources = []
        for word, (images, labels) in zip(("train", "t10k"), parts, strict=True):
            for file, array in (
                (f"{word}-images-idx3-ubyte.gz", images[:, 0]),
                (f"{word}-labels-idx1-ubyte.gz", labels.astype(np.uint8)),
            ):
                content = gzip.compress(idx(array))
                resources.append((file, self.write(f"{name}/raw/{file}", content)))
        self.set(getattr(self.datasets, name), "resources", resources)

    def mnist(self, name, parts):
        self.kmnist(name, parts)
        raw, known = self.root / name / "raw", {}
        for file, _ in getattr(self.datasets, name).resources:
            plain = gzip.decompress((raw / file).read_bytes())
            (raw / file).unlink()
            known[Path(file).stem] = self.write(f"{name}/raw/{Path(file).stem}", plain)
        self.setitem(published.UNPACKED, name, known)

    fashionmnist = mnist

    def qmnist(self, name, parts):
        resources = {}
        for word, (images, labels) in zip(("train", "test"), parts, strict=True):
            table = np.full((len(labels), 8), 99, ">i4")
            table[:, 0] = labels
            resources[word] = [
                (f"https://nowhere.invalid/{file}", self.write(f"QMNIST/raw/{file}", content))
                for file, content in (
                    (f"qmnist-{word}-images-idx3-ubyte.gz", gzip.compress(idx(images[:, 0]))),
                    (f"qmnist-{word}-labels-idx2-int.gz", gzip.compress(idx(table))),
                )
            ]
        self.set(self.datasets.QMNIST, "resources", resources)

    def emnist(self, name, parts):
        split, content = name.removeprefix("EMNIST-"), io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for word, (images, labels) in zip(("train", "test"), parts, strict=True):
                stored = np.ascontiguousarray(images[:, 0].transpose(0, 2, 1))
                numbers = (labels + (split == "letters")).astype(np.uint8)
                for kind, array in (("images-idx3", stored), ("labels-idx1", numbers)):
                    file = f"gzip/emnist-{split}-{word}-{kind}-ubyte.gz"
                    archive.writestr(file, gzip.compress(idx(array)))
        self.set(self.datasets.EMNIST, "md5", self.write("EMNIST/raw/gzip.zip", content.getvalue()))

    def cifar10(self, name, parts):
        """A row of data is an image: red, green, blue, each by rows."""
        of, batches = getattr(self.datasets, name), {}
        for which, (images, labels) in zip(("train_list", "test_list"), parts, strict=True):
            files = [file for file, _ in getattr(of, which)]
            key = "labels" if name == "CIFAR10" else "fine_labels"
            for file, x, y in zip(
                files,
                np.array_split(images.reshape(len(images), -1), len(files)),
                np.array_split(labels, len(files)),
                strict=True,
            ):
                coarse = {"coarse_labels": [0] * len(y)}
                batches[file] = pickle.dumps({"data": x, key: y.tolist(), **coarse})
            sums = [[file, self.write(f"{of.base_folder}/{file}", batches[file])] for file in files]
            self.set(of, which, sums)
        names = [f"class {i}" for i in range(sizes.PUBLISHED[name].classes)]
        meta = pickle.dumps({of.meta["key"]: names})
        sums = self.write(f"{of.base_folder}/{of.meta['filename']}", meta)
        self.set(of, "meta", of.meta | {"md5": sums})

    cifar100 = cifar10

    def svhn(self, _, parts):
        split_list = {}
        for word, (images, labels) in zip(("train", "test"), parts, strict=True):
            file, content = f"{word}_32x32.mat", io.BytesIO()
            y = np.where(labels == 0, 10, labels)[:, None].astype(np.uint8)
            scipy.io.savemat(content, {"X": images.transpose(2, 3, 1, 0), "y": y})
            split_list[word] = [
                f"http://nowhere/{file}",
                file,
                self.write(file, content.getvalue()),
            ]
        self.set(self.datasets.SVHN, "split_list", split_list)

    def stl10(self, _, parts):
        for word, (images, labels) in zip(("train", "test"), parts, strict=True):
            by_columns = np.ascontiguousarray(images.transpose(0, 1, 3, 2)).tobytes()
            contents = {f"{word}_X.bin": by_columns, f"{word}_y.bin": (labels + 1).astype(np.uint8)}
            contents |= {"unlabeled_X.bin": b""} if word == "train" else {}
            sums = [[file, self.write(f"stl10_binary/{file}", x)] for file, x in contents.items()]
            self.set(self.datasets.STL10, f"{word}_list", sums)

    def usps(self, _, parts):
        split_list = {}
        for word, file, (images, labels) in zip(
            ("train", "test"), ("usps.bz2", "usps.t.bz2"), parts, strict=True
        ):
            lines = [
                f"{label + 1} " + " ".join(f"{i}:{x:.7f}" for i, x in enumerate(row, start=1))
                for label, row in zip(labels, images.reshape(-1, 256) / 127.5 - 1, strict=True)
            ]
            sums = self.write(file, bz2.compress("\n".join(lines).encode()))
            split_list[word] = [f"https://nowhere.invalid/{file}", file, sums]
        self.set(self.datasets.USPS, "split_list", split_list)

    def semeion(self, _, parts):
        ((images, labels),) = parts
        ink = images > 127
        table = np.hstack([ink.reshape(-1, 256), np.eye(10)[labels]])
        content = io.BytesIO()
        np.savetxt(content, table, fmt="%.4f")
        sums = self.write("semeion.data", content.getvalue())
        self.set(self.datasets.SEMEION, "md5_checksum", sums)
        return [(255 * ink.astype(np.uint8), labels)]

    def fer2013(self, _, parts):
        content = io.StringIO()
        rows = csv.writer(content)
        rows.writerow(["emotion", "pixels", "Usage"])
        for i, (image, label) in enumerate(
            (image, label) for part in parts for image, label in zip(*part, strict=True)
        ):
            usage = ("Training", "PublicTest", "PrivateTest")[(i >= COUNTS[0]) + (i >= 16)]
            rows.writerow([label, " ".join(map(str, image.ravel())), usage])
        sums = self.write("fer2013/fer2013.csv", content.getvalue().encode())
        of = self.datasets.FER2013
        self.set(of, "_RESOURCES", of._RESOURCES | {"fer": ("fer2013.csv", sums)})

    def eurosat(self, _, parts):
        """A JPEG of one colour has that colour, nearly."""
        ((images, labels),) = parts
        labels = np.sort(np.arange(len(labels)) % 10)  # in the order of folders
        images = np.broadcast_to(images[:, :, :1, :1], images.shape)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for i in range(len(labels))[::-1]:
                picture = io.BytesIO()
                Image.fromarray(images[i].transpose(1, 2, 0)).save(picture, "JPEG", quality=100)
                file = f"2750/class {labels[i]}/picture_{i:02}.jpg"
                archive.writestr(file, picture.getvalue())
        sums = self.write("eurosat/EuroSAT.zip", content.getvalue())
        self.set(published, "EUROSAT", (published.EUROSAT[0], sums))
        return [(images, labels)]


@pytest.fixture
def maker(tmp_path, monkeypatch) -> Maker:
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    return Maker(tmp_path, monkeypatch)


def no_network(*_, **__):
    raise OSError("Name or service not known")


def fetch(name: str, root: Path):
    return sources.fetch("torchvision", name=name, path=str(root))


NAMES = [*published.DATASETS]


def test_the_schema_the_sizes_and_the_readers_know_the_same_data_sets():
    known = schema.SCHEMA["$defs"]["dataset"]["properties"]["name"]["enum"]
    assert known == [*sizes.PUBLISHED]
    assert sorted(known) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_images_labels_and_classes_are_those_in_the_files(maker, name):
    parts = maker.make(name)
    dataset = fetch(name, maker.root)
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    inexact = {"USPS": 1, "EuroSAT": 3}.get(name, 0)  # text is rounded, JPEG loses
    difference = dataset["image"].values.astype(int) - images
    assert np.abs(difference).max() <= inexact
    assert dataset["image"].dtype == np.uint8
    assert dataset["label"].values.tolist() == labels.tolist()
    counts = [len(of_part) for _, of_part in parts]
    assert dataset["split"].values.tolist() == [i for i, n in enumerate(counts) for _ in range(n)]
    assert dataset["index"].values.tolist() == [i for n in counts for i in range(n)]
    assert dataset.sizes["class"] == sizes.PUBLISHED[name].classes


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_file_is_not_taken_for_the_published_one(maker, name):
    maker.make(name)
    assert fetch(name, maker.root).sizes["example"]
    for path in [path for path in maker.root.rglob("*") if path.is_file()]:
        if not path.stat().st_size:  # images of STL-10 without labels, which nothing reads
            continue
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(UserError, match=f"{name}.* put .* into .* run the same command again"):
            fetch(name, maker.root)
        path.write_bytes(whole)


@pytest.mark.parametrize("name", NAMES)
def test_a_failed_download_says_what_to_put_where(maker, name):
    with pytest.raises(UserError, match=f"Cannot download {name} .*put .* into {maker.root}"):
        fetch(name, maker.root)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("MNIST", "0 1 2 3 4 5 6 7 8 9"),
        ("KMNIST", "o ki su tsu na ha ma ya re wo"),
        ("EMNIST-letters", "a b c d e f g h i j k l m n o p q r s t u v w x y z"),
        ("STL10", "airplane bird car cat deer dog horse monkey ship truck"),
        ("FER2013", "angry disgust fear happy sad surprise neutral"),
    ],
)
def test_classes_have_their_names(maker, name, classes):
    maker.make(name)
    assert " ".join(fetch(name, maker.root)["class_name"].values) == classes


def test_unpacked_files_of_a_data_set_whose_content_is_not_known_are_not_read(maker):
    parts = maker.make("KMNIST")
    raw = maker.root / "KMNIST" / "raw"
    (raw / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((12, 28, 28), np.uint8)))
    np.testing.assert_array_equal(fetch("KMNIST", maker.root)["image"][:12], parts[0][0])


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST"])
def test_files_that_were_packed_anew_are_read(maker, name):
    parts = maker.make(name)
    raw = maker.root / name / "raw"
    for file in published.UNPACKED[name]:
        (raw / f"{file}.gz").write_bytes(gzip.compress((raw / file).read_bytes(), mtime=1))
        (raw / file).unlink()
    np.testing.assert_array_equal(fetch(name, maker.root)["image"][:12], parts[0][0])


def test_a_download_that_was_stopped_is_begun_again(maker, monkeypatch):
    parts = maker.make("FashionMNIST")
    raw = maker.root / "FashionMNIST" / "raw"
    packed, resources = {}, []
    for file in published.UNPACKED["FashionMNIST"]:
        packed[f"{file}.gz"] = gzip.compress((raw / file).read_bytes())
        (raw / file).unlink()
        (raw / f"{file}.gz").write_bytes(packed[f"{file}.gz"][:50])
        resources.append((f"{file}.gz", hashlib.md5(packed[f"{file}.gz"]).hexdigest()))
    monkeypatch.setattr(torchvision("datasets").FashionMNIST, "resources", resources)

    def download(url, path, **_):
        Path(path).write_bytes(packed[Path(path).name])

    monkeypatch.setattr("torchvision.datasets.utils._get_redirect_url", lambda url, **_: url)
    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", download)
    np.testing.assert_array_equal(fetch("FashionMNIST", maker.root)["image"][:12], parts[0][0])


def test_the_second_place_is_asked_where_the_first_fails(maker, monkeypatch):
    parts = maker.make("MNIST")
    (path,) = maker.root.rglob("t10k-images-idx3-ubyte")
    content = gzip.compress(path.read_bytes())
    path.unlink()
    asked = []

    def download(url, folder, md5):
        asked.append(url)
        if len(asked) == 1:
            raise OSError("not found")
        (folder / Path(url).name).write_bytes(content)

    monkeypatch.setattr("torchvision.datasets.utils.download_url", download)
    np.testing.assert_array_equal(fetch("MNIST", maker.root)["image"][12:], parts[1][0])
    assert [url.rpartition("/")[2] for url in asked] == ["t10k-images-idx3-ubyte.gz"] * 2
    assert asked[0] != asked[1]


def test_a_damaged_or_truncated_mnist_file_is_named(maker):
    maker.make("MNIST")
    path = maker.root / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(
        UserError, match="train-images-idx3-ubyte is not the published file: delete it, or put its"
    ):
        fetch("MNIST", maker.root)


def test_processed_files_of_old_torchvisions_are_not_taken_for_mnist(maker):
    parts = maker.make("MNIST")
    processed = maker.root / "MNIST" / "processed"
    processed.mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(3, 28, 28, dtype=torch.uint8), torch.zeros(3)), processed / name)
    np.testing.assert_array_equal(fetch("MNIST", maker.root)["image"][:12], parts[0][0])


def test_fer2013_without_labels_of_its_test_part_is_not_read(maker):
    maker.make("FER2013")
    path = maker.root / "fer2013" / "fer2013.csv"
    path.rename(path.with_name("test.csv"))
    with pytest.raises(UserError, match=r"FER2013 \(Kaggle gives it .*\): put fer2013.csv into"):
        fetch("FER2013", maker.root)


# What is downloaded or found is checked before it is opened.


class Executed(Exception):
    pass


def execute():
    raise Executed


class Evil:
    def __reduce__(self):
        return execute, ()


@pytest.mark.parametrize("name", ["CIFAR10", "CIFAR100"])
def test_pickles_are_opened_only_if_they_are_the_published_ones(maker, name):
    maker.make(name)
    for path in [path for path in maker.root.rglob("*") if path.is_file()]:
        path.write_bytes(pickle.dumps(Evil()))
        with pytest.raises(Executed):  # so it would show
            pickle.loads(path.read_bytes())
    with pytest.raises(UserError, match=f"Cannot download {name}"):
        fetch(name, maker.root)


def test_an_archive_that_is_not_the_published_one_is_not_unpacked(maker):
    with tarfile.open(maker.root / "cifar-10-python.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("cifar-10-batches-py/data_batch_1"))
    with pytest.raises(UserError, match="Cannot download CIFAR10"):
        fetch("CIFAR10", maker.root)
    assert not (maker.root / "cifar-10-batches-py").exists()


# The published files, of those who have them.

DOWNLOADED = ROOT / "data" / "torchvision"
TEST_COUNTS = {  # of each class, as they are known
    "MNIST": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    "FashionMNIST": [1000] * 10,
    "KMNIST": [1000] * 10,
}


@pytest.mark.parametrize("name", TEST_COUNTS)
def test_the_published_files_are_taken_for_them(name, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    if not (DOWNLOADED / name).exists():
        pytest.skip(f"{name} is not in data/torchvision of this checkout")
    dataset = fetch(name, DOWNLOADED)
    known = sizes.PUBLISHED[name]
    test = dataset["split"].values == 1
    assert np.bincount(dataset["label"].values[test]).tolist() == TEST_COUNTS[name]
    assert dataset["image"].shape == (known.train + known.test, *known[:3])
