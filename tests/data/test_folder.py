"""What a folder of images holds beside images, and how what cannot be read is told apart."""

import logging
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rote.data import sources
from rote.machine.errors import UserError
from rote.study import image_folder


def image(path: Path, value: int = 7) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4), value, np.uint8)).save(path)
    return path


@pytest.fixture
def pets(tmp_path) -> Path:
    """Two classes of two images each."""
    for value, name in enumerate(("cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png")):
        image(tmp_path / "pets" / "train" / name, value)
    return tmp_path / "pets"


def read(root: Path):
    return sources.fetch("folder", path=str(root))


def test_folders_of_systems_are_no_classes_at_any_depth(pets):
    for name in (".ipynb_checkpoints", "__MACOSX", "@eaDir", ".git"):
        image(pets / "train" / name / "0.png")
        image(pets / "train" / "cat" / name / "0.png")
    image(pets / "train" / "cat" / "._0.png")
    dataset = read(pets)
    assert dataset["class_name"].values.tolist() == ["cat", "dog"]
    assert dataset["image"].values[:, 0, 0, 0].tolist() == [0, 1, 2, 3]


def test_images_in_folders_below_a_class_are_read_in_the_order_of_their_paths(pets):
    image(pets / "train" / "cat" / "a" / "z.png", 8)
    image(pets / "train" / "cat" / "b" / "y.png", 9)
    assert read(pets)["image"].values[:4, 0, 0, 0].tolist() == [0, 1, 8, 9]


def test_names_are_sorted_as_text_as_is_said_where_labels_need_an_order(pets):
    for value, name in ((8, "10.png"), (9, "2.png")):
        image(pets / "train" / "cat" / name, value)
    image(pets / "train" / "Dog" / "0.png", 10)
    dataset = read(pets)
    assert dataset["class_name"].values.tolist() == ["Dog", "cat", "dog"]
    assert dataset["image"].values[:, 0, 0, 0].tolist() == [10, 0, 1, 8, 9, 2, 3]
    assert dataset["index"].values.tolist() == [*range(7)]


def test_a_link_that_leads_back_is_not_followed_for_ever(pets):
    (pets / "train" / "cat" / "again").symlink_to(pets / "train" / "cat")
    (pets / "train" / "dog" / "above").symlink_to(pets)
    assert read(pets)["image"].values[:, 0, 0, 0].tolist() == [0, 1, 2, 3]


def test_a_link_to_images_elsewhere_is_followed(pets):
    image(pets.parent / "more" / "0.png", 8)
    (pets / "train" / "cat" / "more").symlink_to(pets.parent / "more")
    assert read(pets)["image"].values[:, 0, 0, 0].tolist() == [0, 1, 8, 2, 3]


def test_what_is_left_out_is_said_with_its_number(pets, caplog):
    for name in ("a.gif", "b.gif", "c.avif", "notes.txt"):
        (pets / "train" / "cat" / name).write_bytes(b"x")
    image(pets / "train" / "stray.png")
    image(pets / "val" / "cat" / "0.png")
    (pets / "train" / "cat" / "Thumbs.db").write_bytes(b"x")
    with caplog.at_level(logging.WARNING):
        read(pets)
    said = [record.getMessage() for record in caplog.records]
    assert [line.partition("left out: ")[2] for line in said] == [
        "*.avif, which is no kind that is read (1).",
        "*.gif, which is no kind that is read (2).",
        "*.txt, which is no kind that is read (1).",
        "train/stray.png, which is in no folder of a class (1).",
        "val, which is neither train nor test (1).",
    ]


def test_nothing_is_said_if_nothing_is_left_out(pets, caplog):
    with caplog.at_level(logging.WARNING):
        read(pets)
    assert not caplog.records


def test_a_dangling_link_is_no_damaged_image(pets):
    (pets / "train" / "cat" / "2.png").symlink_to("nowhere.png")
    with pytest.raises(UserError, match=r"cat/2.png is a link to a file that is not there"):
        read(pets)


@pytest.mark.parametrize("name", ["loop", "cat/loop", "cat/2.png"])
def test_a_link_to_itself_is_named(pets, name):
    (pets / "train" / name).symlink_to(pets / "train" / name)
    with pytest.raises(UserError, match=rf"{name} cannot be read \(Too many levels of symbolic li"):
        read(pets)


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["bird", "cat/more"])
def test_a_link_into_a_closed_folder_is_named(pets, name):
    closed = pets.parent / "closed"
    (closed / "images").mkdir(parents=True)
    (pets / "train" / name).symlink_to(closed / "images")
    closed.chmod(0)
    try:
        with pytest.raises(UserError, match=rf"{name} cannot be read \(Permission denied\)"):
            read(pets)
    finally:
        closed.chmod(0o700)  # so that pytest can remove it


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_no_damaged_image(pets):
    (pets / "train" / "cat" / "0.png").chmod(0)
    with pytest.raises(UserError, match=r"cat/0.png cannot be read \(Permission denied\)"):
        read(pets)


def test_permission_is_told_from_damage(pets, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(UserError, match=r"cannot be read \(Permission denied\): see to its perm"):
        read(pets)


def test_an_image_that_is_too_large_for_pillow_is_no_damaged_image(pets, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 7)  # twice as many are an error
    with pytest.raises(UserError, match=r"cat/0.png has more pixels than Pillow reads"):
        read(pets)


def test_what_is_no_image_is_told_from_a_damaged_one(pets):
    (pets / "train" / "cat" / "0.png").write_text("<html>")
    with pytest.raises(UserError, match=r"0.png cannot be read as an image: its content is of no"):
        read(pets)


def test_a_part_without_classes_is_named(tmp_path):
    image(tmp_path / "train" / "0.png")
    with pytest.raises(UserError, match=r"train holds no class: put the images of each class"):
        read(tmp_path)


def test_the_home_folder_and_variables_are_written_out(pets, monkeypatch):
    monkeypatch.setenv("HOME", str(pets.parent))
    monkeypatch.setenv("IMAGES", str(pets))
    for path in ("~/pets", "$HOME/pets", "${IMAGES}"):
        assert sources.fetch("folder", path=path).sizes["example"] == 4
    with pytest.raises(UserError, match=r"names the variable NOWHERE, which has no value"):
        sources.fetch("folder", path="$NOWHERE/pets")
    assert not Path("~").exists()


@pytest.mark.slow
def test_the_endings_are_those_that_torchvision_reads():
    from rote.machine.torchvision_import import torchvision

    known = torchvision("datasets").folder.IMG_EXTENSIONS
    assert tuple(known) == image_folder.ENDINGS
