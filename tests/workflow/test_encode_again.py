"""The tool that encodes JPEGs once more: what it keeps, and what it changes."""

import runpy

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT

TOOL = ROOT / "docs" / "published" / "jpeg" / "encode_again.py"


@pytest.fixture(params=[("RGB", 2), ("RGB", 0), ("L", 0)], ids=["4:2:0", "4:4:4", "grey"])
def jpeg(request, tmp_path):
    mode, subsampling = request.param
    noise = np.random.default_rng(1).normal(scale=40, size=(32, 32, 3)).cumsum(0).cumsum(1) / 8
    pixels = np.clip(noise - noise.mean() + 128, 0, 255).astype(np.uint8)
    file = tmp_path / "train" / "one" / "0.jpg"
    file.parent.mkdir(parents=True)
    Image.fromarray(pixels).convert(mode).save(file, quality=90, subsampling=subsampling)
    return file


def test_other_blocks_change_more_than_the_same(jpeg):
    encode_again = runpy.run_path(str(TOOL))["encode_again"]
    before = np.asarray(Image.open(jpeg), float)
    changes = {}
    for shift in (0, 4):
        image, changes[shift] = encode_again(jpeg, shift)
        assert image.mode == Image.open(jpeg).mode
        after = np.asarray(image, float)
        assert after.shape == before.shape
        assert ((after - before) ** 2).mean() == pytest.approx(changes[shift])
        # A picture that is moved by a pixel would differ far more.
        assert changes[shift] < ((before[1:] - before[:-1]) ** 2).mean() / 2
    assert 0 <= changes[0] < changes[4] / 2


def test_the_folder_keeps_its_form(jpeg, tmp_path, capsys, monkeypatch):
    target = tmp_path / "again"
    monkeypatch.setattr("sys.argv", ["encode_again.py", str(tmp_path), str(target)])
    runpy.run_path(str(TOOL), run_name="__main__")
    assert "1 images; root mean square of the change: " in capsys.readouterr().out
    expected, _ = runpy.run_path(str(TOOL))["encode_again"](jpeg, 0)
    written = Image.open(target / "train" / "one" / "0.png")
    assert np.array_equal(np.asarray(written), np.asarray(expected))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere", "new"], "nowhere holds no images train/<class>/*.jpg"),
        ([".", "train"], "train is there already: remove it, or name another folder"),
        ([".", "new", "--shift", "8"], "--shift 8: blocks have 8 pixels, name 0 to 7"),
        ([".", "new", "--shift=-1"], "--shift -1: blocks have 8 pixels, name 0 to 7"),
    ],
)
def test_mistakes_are_named(jpeg, tmp_path, capsys, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["encode_again.py", *arguments])
    with pytest.raises(SystemExit):
        runpy.run_path(str(TOOL), run_name="__main__")
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["cut", "png", "text"])
def test_what_is_no_jpeg_is_named(jpeg, tmp_path, monkeypatch, damage):
    if damage == "png":
        Image.open(jpeg).save(jpeg, format="PNG")
    else:
        jpeg.write_bytes(jpeg.read_bytes()[:-200] if damage == "cut" else b"words")
    monkeypatch.setattr("sys.argv", ["encode_again.py", str(tmp_path), str(tmp_path / "new")])
    with pytest.raises(SystemExit, match=r"0.jpg cannot be encoded once more"):
        runpy.run_path(str(TOOL), run_name="__main__")
