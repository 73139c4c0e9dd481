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
    Image.fromarray(pixels).convert(mode).save(file, quality=75, subsampling=subsampling)
    return file


def test_other_blocks_change_far_more_than_the_same(jpeg):
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
    assert 0 <= changes[0] < changes[4] / 4


def test_the_folder_keeps_its_form(jpeg, tmp_path, capsys, monkeypatch):
    target = tmp_path / "again"
    monkeypatch.setattr("sys.argv", ["encode_again.py", str(tmp_path), str(target)])
    runpy.run_path(str(TOOL), run_name="__main__")
    assert "1 images; root mean square of the change: " in capsys.readouterr().out
    expected, _ = runpy.run_path(str(TOOL))["encode_again"](jpeg, 0)
    written = Image.open(target / "train" / "one" / "0.png")
    assert np.array_equal(np.asarray(written), np.asarray(expected))
    empty = tmp_path / "empty"
    monkeypatch.setattr("sys.argv", ["encode_again.py", str(empty), str(target)])
    with pytest.raises(SystemExit):
        runpy.run_path(str(TOOL), run_name="__main__")
    assert f"{empty} holds no images train/<class>/*.jpg" in capsys.readouterr().err
