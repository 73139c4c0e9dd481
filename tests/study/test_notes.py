"""What changed is seen, and what did not is not read again."""

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rote.study import code, notes


def test_notes_spare_the_reading_of_files_that_have_not_changed(tmp_path, monkeypatch):
    def digest():
        code._known.cache_clear()
        code._digest.cache_clear()
        return code.digest(["rote.study.sizes"])

    monkeypatch.setattr(notes, "known", {})
    before = digest()
    notes.write(tmp_path / "notes.json")
    monkeypatch.setattr(notes, "known", {})
    notes.read(tmp_path / "notes.json")
    with monkeypatch.context() as unreadable:
        unreadable.setattr(code, "of_source", lambda source: "read again")
        assert digest() == before
        for noted in notes.known.values():
            noted[0][0] -= 1  # as if the file had been touched since
        assert digest() != before
    kept = json.loads((tmp_path / "notes.json").read_text())
    for others in ({**kept, "by": "another version"}, kept["files"], []):
        (tmp_path / "notes.json").write_text(json.dumps(others))
        monkeypatch.setattr(notes, "known", {})
        notes.read(tmp_path / "notes.json")
        assert not notes.known
    (tmp_path / "notes.json").write_text("{")
    notes.read(tmp_path / "notes.json")
    notes.read(tmp_path / "gone.json")
    notes.write(tmp_path / "gone" / "notes.json")
    monkeypatch.setattr(notes, "known", {})
    assert digest() == before


@pytest.mark.parametrize("put", [os.replace, shutil.copy2], ids=["moved", "copied"])
@pytest.mark.parametrize("digest", [notes.of_content, code.of_own_file])
def test_another_file_of_equal_time_and_size_is_read(tmp_path, digest, put):
    there, other = tmp_path / "there.py", tmp_path / "other.py"
    for path, text in [(there, "x = 1"), (other, "x = 2")]:
        path.write_text(text)
        os.utime(path, (1, 1))
    before = digest(there)
    time.sleep(0.05)  # longer than the steps in which a file system counts time
    put(other, there)
    notes.of_content.cache_clear()
    assert digest(there) != before


@pytest.fixture
def pets(tmp_path, monkeypatch) -> Path:
    """Return a folder of images of two classes, of which nothing is noted."""
    monkeypatch.setattr(notes, "known", {})
    for name, grey in [("train/cat/a", 0), ("train/cat/b", 1), ("train/dog/a", 2)]:
        path = tmp_path / "pets" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(path, grey)
    return tmp_path / "pets"


def draw(path: Path, grey: int) -> None:
    Image.fromarray(np.full((2, 2), grey, np.uint8)).save(path)


def exchanged(root: Path) -> None:
    """Draw an image anew, of the same time and size."""
    path = root / "train/cat/a.png"
    times, size = (path.stat().st_atime_ns, path.stat().st_mtime_ns), path.stat().st_size
    time.sleep(0.05)  # longer than the steps in which a file system counts time
    draw(path, 3)
    os.utime(path, ns=times)
    assert path.stat().st_size == size


@pytest.mark.parametrize(
    "change",
    [
        exchanged,
        lambda root: (root / "train/cat/b.png").unlink(),
        lambda root: draw(root / "train/cat/c.png", 0),
        lambda root: (root / "train/cat/b.png").rename(root / "train/dog/b.png"),
        lambda root: (root / "train/cat/a.png").rename(root / "train/cat/c.png"),
        lambda root: (root / "train/cat").rename(root / "train/eel"),
        lambda root: shutil.copytree(root / "train", root / "test"),
    ],
    ids=["exchanged", "gone", "new", "of another class", "renamed", "class renamed", "test part"],
)
def test_whatever_changes_in_a_folder_is_seen(pets, change):
    before = notes.of_images(pets)
    assert notes.of_images(pets) == before
    change(pets)
    assert notes.of_images(pets) not in ("", before)


def test_a_folder_is_read_again_only_if_it_changed_and_then_counts_by_its_content(
    pets, monkeypatch, tmp_path
):
    before, read = notes.of_images(pets), []
    digest = notes._of_files
    monkeypatch.setattr(notes, "_of_files", lambda *args: read.append(args) or digest(*args))
    (pets / "train/cat/list.txt").write_text("which is no image")
    assert notes.of_images(pets) == before
    assert not read
    (pets / "train/dog/a.png").touch()
    assert notes.of_images(pets) == before
    assert len(read) == 1
    shutil.copytree(pets, tmp_path / "copied")
    assert notes.of_images(tmp_path / "copied") == before
    assert len(read) == 2


def test_what_cannot_be_read_has_no_digest(pets):
    assert notes.of_images(pets / "nowhere") == ""
    before = notes.of_images(pets)
    (pets / "train/cat/c.png").symlink_to("nowhere.png")
    assert notes.of_images(pets) == ""
    (pets / "train/cat/c.png").unlink()
    assert notes.of_images(pets) == before
    (pets / "train/dog/a.png").unlink()
    assert notes.of_images(pets) == ""


def test_how_far_the_reading_is_is_said(pets, monkeypatch, caplog):
    monkeypatch.setattr(
        notes.Progress, "advance", lambda self, work, state: self.report(f"{self.name}: {state}")
    )
    notes.of_images(pets)
    assert caplog.messages[0] == f"{pets}, 3 images, which are new or may have changed: 1 read"


def test_notes_are_whole_while_they_are_written(tmp_path, monkeypatch):
    path = tmp_path / "notes.json"
    monkeypatch.setattr(notes, "known", {"a": [1, "b"]})
    notes.write(path)
    first = path.stat().st_ino
    notes.write(path)
    assert path.stat().st_ino != first  # another file took its place
    assert [*tmp_path.iterdir()] == [path]
