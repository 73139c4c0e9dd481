"""Images of a NumPy file: each layout is told apart, and each mistake gets one sentence."""

import io
import re
import zipfile

import numpy as np
import pytest

from rote.api import data
from rote.data import form, sources
from rote.machine.errors import UserError

GREY = np.random.default_rng(0).integers(0, 256, (12, 5, 4), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (12, 5, 4, 3), dtype=np.uint8)
LABELS = np.arange(12) % 3
SOUND = {"x_train": GREY, "y_train": LABELS, "x_test": GREY[:4], "y_test": LABELS[:4]}


def written(folder, **arrays):
    """Write a file, without the arrays that are None."""
    path = folder / "own.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def fetch(path):
    return sources.fetch("numpy", path=str(path))


def test_grey_images_with_a_test_part(tmp_path):
    path = written(tmp_path, **SOUND)
    before = path.read_bytes()
    dataset = fetch(path)
    np.testing.assert_array_equal(dataset["image"][:, 0], [*GREY, *GREY[:4]])
    assert dataset["label"].values.tolist() == [*LABELS, *LABELS[:4]]
    assert dataset["split"].values.tolist() == [0] * 12 + [1] * 4
    assert dataset["index"].values.tolist() == [*range(12), *range(4)]
    assert dataset["class_name"].values.tolist() == ["0", "1", "2"]
    form.check(dataset, "mine")
    assert path.read_bytes() == before


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_colour_images_with_their_channels_first_or_last(tmp_path, first, compressed):
    images = COLOUR.transpose(0, 3, 1, 2) if first else COLOUR
    save = np.savez_compressed if compressed else np.savez
    save(tmp_path / "own.npz", x_train=images, y_train=LABELS[:, None].astype(np.uint8))
    dataset = fetch(tmp_path / "own.npz")
    assert dataset["image"].shape == (12, 3, 5, 4)
    for channel in range(3):
        np.testing.assert_array_equal(dataset["image"][:, channel], COLOUR[..., channel])
    assert dataset["label"].values.tolist() == LABELS.tolist()
    assert not dataset["split"].any()


def test_other_arrays_are_left_alone_and_classes_may_have_names(tmp_path):
    names = np.array(["cat", "dog", "horse", "none of them"])
    objects = np.array([None, {}], dtype=object)
    dataset = fetch(written(tmp_path, **SOUND, class_names=names, mine=objects))
    assert dataset["class_name"].values.tolist() == names.tolist()


def test_labels_of_the_parts_may_be_of_two_types(tmp_path):
    signs = {"y_train": LABELS.astype(np.uint64), "y_test": LABELS[:4].astype(np.int64)}
    dataset = fetch(written(tmp_path, **{**SOUND, **signs}))
    assert dataset["label"].values.tolist() == [*LABELS, *LABELS[:4]]
    assert dataset["class_name"].values.tolist() == ["0", "1", "2"]


@pytest.mark.parametrize("values", [[1, 2, 3], [0, 1, 7], [0, 40000, 2**63]])
def test_classes_are_the_different_labels_as_in_the_api(tmp_path, values, caplog):
    labels = np.array(values, np.uint64)[LABELS]
    own = fetch(written(tmp_path, **{**SOUND, "y_train": labels, "y_test": labels[:4]}))
    assert own["class_name"].values.tolist() == [*map(str, values)]
    assert own["label"].values.tolist() == [*LABELS, *LABELS[:4]]
    noised = data(GREY, labels, test=(GREY[:4], labels[:4]), train_examples=12)
    assert noised["class_name"].values.tolist() == own["class_name"].values.tolist()
    assert not [line for line in caplog.records if line.levelname != "INFO"]


def test_a_label_of_the_test_part_alone_is_a_class_and_told(tmp_path, caplog):
    own = fetch(written(tmp_path, **{**SOUND, "y_test": np.array([0, 2, 5, 9])}))
    assert own["class_name"].values.tolist() == ["0", "1", "2", "5", "9"]
    assert own["label"].values[12:].tolist() == [0, 2, 3, 4]
    assert "own.npz has no training image of 2 of its 5 classes (5, 9): models" in caplog.text


def test_a_named_class_without_images_stays_and_is_told(tmp_path, caplog):
    names = np.array(["none", "cat", "dog", "horse"])
    own = fetch(written(tmp_path, **{**SOUND, "y_train": LABELS + 1, "class_names": names}))
    assert own["class_name"].values.tolist() == names.tolist()
    assert own["label"].values[:12].tolist() == (LABELS + 1).tolist()
    assert "own.npz has no training image of 1 of its 4 classes (none): models" in caplog.text
    caplog.clear()
    own.to_netcdf(tmp_path / "own.nc")
    sources.fetch("netcdf", path=str(tmp_path / "own.nc"))
    assert "own.nc has no training image of 1 of its 4 classes (none): models" in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": None}, "own.npz lacks the array x_train, but has y_train, x_test, y_test: ad"),
        ({"y_train": None}, "own.npz lacks the array y_train, but has x_train, x_test, y_test: ad"),
        ({"y_test": None}, "lacks the array y_test, but has x_train, y_train, x_test: add it."),
        ({"x_test": None}, "lacks the array x_test, but has x_train, y_train, y_test: add it."),
        ({"x_train": GREY / 255}, "x_train of {} has images of type float64, but must have grey"),
        ({"x_test": GREY.astype(int)}, "x_test of {} has images of type int64, but must have grey"),
        ({"x_train": GREY.reshape(12, 20)}, "has the shape (12, 20), but must have (images, rows"),
        ({"x_train": GREY[:, None, None]}, "has the shape (12, 1, 1, 5, 4), but must have"),
        ({"x_train": GREY.reshape(12, 2, 5, 2)}, "has the shape (12, 2, 5, 2), but must have"),
        (
            {"x_train": COLOUR[:, :3]},
            "has the shape (12, 3, 4, 3), of which the second dimension and the last one could be",
        ),
        ({"x_train": GREY[:0], "y_train": LABELS[:0]}, "{} has no images in x_train: add some."),
        ({"x_train": GREY[:, :0]}, "{} has no images in x_train: add some."),
        ({"y_train": LABELS[1:]}, "{} has 12 images in x_train, but 11 labels in y_train: give ea"),
        ({"y_test": LABELS}, "{} has 4 images in x_test, but 12 labels in y_test: give each image"),
        ({"y_train": LABELS / 1}, "y_train of {} has labels of type float64, but must have whole"),
        ({"y_test": LABELS[:4] > 0}, "y_test of {} has labels of type bool, but must have whole"),
        ({"y_train": np.eye(12, dtype=int)}, "has labels of shape (12, 12), but must have one for"),
        ({"y_train": np.array(3)}, "has labels of shape (), but must have one for each image"),
        ({"y_train": LABELS - 1}, "has labels from -1 to 2, but must have whole numbers from 0"),
        ({"y_train": 0 * LABELS, "y_test": 0 * LABELS[:4]}, "{} has fewer than two classes, so no"),
        (
            {"x_test": GREY[:4, :3]},
            "of shape (1, 5, 4) (channel, row, column) in x_train, but of (1, 3, 4) in x_test: ma",
        ),
        ({"x_test": COLOUR[:4]}, "in x_train, but of (3, 5, 4) in x_test: make all images alike"),
        ({"class_names": np.arange(3)}, "class_names of {} is of type int64 and of shape (3,), bu"),
        ({"class_names": np.array(["a", "b"])}, "has labels from 0 to 2, but must have whole numb"),
        ({"x_train": np.array([GREY, None], object)}, "x_train of {} holds Python objects, which"),
        ({"class_names": np.array(["a", "b"], object)}, "class_names of {} holds Python objects,"),
    ],
)
def test_each_mistake_gets_one_sentence(tmp_path, changes, message):
    path = written(tmp_path, **(SOUND | changes))
    with pytest.raises(UserError, match=re.escape(message.format(path))) as raised:
        fetch(path)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damage_anywhere_is_seen(tmp_path, save):
    path = tmp_path / "own.npz"
    save(path, **SOUND)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        behind = archive.start_dir
    seen = 0
    for at in range(0, behind, 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
        try:
            dataset = fetch(path)
        except UserError as error:
            assert "damaged, or no .npz file of NumPy" in str(error)
            seen += 1
        else:  # a byte that says nothing about the arrays, such as a time
            np.testing.assert_array_equal(dataset["image"][:, 0], [*GREY, *GREY[:4]])
            assert dataset["label"].values.tolist() == [*LABELS, *LABELS[:4]]
    assert seen > 0.8 * behind / 7
    for kept in (0, 100, len(whole) - 1):
        path.write_bytes(whole[:kept])
        with pytest.raises(UserError, match="own.npz is damaged, or no .npz file of NumPy"):
            fetch(path)


def test_what_is_no_npz_file_is_named(tmp_path):
    path, single = tmp_path / "own.npz", io.BytesIO()
    np.save(single, GREY)
    for content in (single.getvalue(), b"<html>", b"\x80\x04."):
        path.write_bytes(content)
        with pytest.raises(UserError, match="no .npz file of NumPy .it is no archive of arrays"):
            fetch(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train", "text")
        archive.writestr("y_train", "text")
    with pytest.raises(UserError, match="no .npz file of NumPy .x_train is no array"):
        fetch(path)
    with pytest.raises(UserError, match="nowhere.npz cannot be read"):
        fetch(tmp_path / "nowhere.npz")
