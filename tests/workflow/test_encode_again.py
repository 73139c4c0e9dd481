"""The tool that encodes JPEGs once more: what it keeps, and what it changes."""

import runpy
import shutil

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT
from rote.files import netcdf
from rote.study import configuration

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


def test_noise_is_added_as_large_as_named(jpeg):
    with_noise = runpy.run_path(str(TOOL))["with_noise"]
    before = np.asarray(Image.open(jpeg), float)
    image, change = with_noise(jpeg, 6.26, np.random.default_rng(1))
    added = np.asarray(image, float) - before
    assert image.mode == Image.open(jpeg).mode
    assert change == pytest.approx((added**2).mean())
    inner = (before > 30) & (before < 225)  # where nothing is cut
    assert added[inner].std() == pytest.approx(np.hypot(6.26, 12**-0.5), rel=0.08)
    assert abs(added[inner].mean()) < 4 * 6.26 / np.sqrt(inner.sum())


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
        ([".", "new", "--noise", "0"], "--noise 0: name a number of grey levels from 0 to 255"),
        (
            [".", "new", "--shift", "4", "--noise", "1"],
            "argument --noise: not allowed with argument --shift",
        ),
        ([".", "new", "--noise", "nan"], "--noise nan: name a number of grey levels from 0 to 255"),
    ],
)
def test_mistakes_are_named(jpeg, tmp_path, capsys, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["encode_again.py", *arguments])
    with pytest.raises(SystemExit):
        runpy.run_path(str(TOOL), run_name="__main__")
    assert sentence in capsys.readouterr().err


def test_no_image_takes_the_place_of_another(jpeg, tmp_path, capsys, monkeypatch):
    shutil.copy(jpeg, jpeg.with_suffix(".jpeg"))
    monkeypatch.setattr("sys.argv", ["encode_again.py", str(tmp_path), str(tmp_path / "new")])
    with pytest.raises(SystemExit):
        runpy.run_path(str(TOOL), run_name="__main__")
    assert "0.jpeg and " in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("damage", ["cut", "png", "text"])
def test_what_is_no_jpeg_is_named(jpeg, tmp_path, monkeypatch, damage):
    if damage == "png":
        Image.open(jpeg).save(jpeg, format="PNG")
    else:
        jpeg.write_bytes(jpeg.read_bytes()[:-200] if damage == "cut" else b"words")
    monkeypatch.setattr("sys.argv", ["encode_again.py", str(tmp_path), str(tmp_path / "new")])
    with pytest.raises(SystemExit, match=r"0.jpg cannot be read"):
        runpy.run_path(str(TOOL), run_name="__main__")


def test_numbers_of_the_page_are_those_of_its_file():
    page = (TOOL.parent / "README.md").read_text("utf-8")
    effect = netcdf.read(TOOL.parent / "effect.nc")
    rows = [line.split(" | ")[1:] for line in page.splitlines() if line.startswith("| JPEG")][:3]
    assert len(rows) == effect.sizes["encoded"] == 3
    for row, encoded in zip(rows, effect["encoded"].values, strict=True):
        own = effect.sel(encoded=encoded)
        change = own["change"].item()
        expected = ["–" if np.isnan(change) else f"{change:.2f}"]
        for name in ("train_accuracy", "test_accuracy"):
            values = 100 * own[name].values
            expected.append(f"{values.mean():.2f} ± {values.std(ddof=1):.2f}")
        assert [cell.strip(" |") for cell in row] == expected
    before, _, after = (100 * effect["test_accuracy"]).values
    error = np.sqrt((before.var(ddof=1) + after.var(ddof=1)) / 3)
    words = f"{after.mean() - before.mean():.2f} ± {error:.2f}".replace("-", "−")
    assert f"{words} points (standard error)" in page.replace("\n", " ")


def test_numbers_on_random_labels_are_those_of_the_file():
    page = " ".join((TOOL.parent / "README.md").read_text("utf-8").split())
    effect = netcdf.read(TOOL.parent / "effect.nc")
    loss = effect["random_labels_train_loss"]
    accuracy = 100 * effect["random_labels_train_accuracy"]
    once, twice = (one.sel(encoded="shifted", model=0).item() for one in (accuracy, loss))
    assert f"| JPEG twice, on other blocks | {once:.2f} | {twice:.4f} |" in page
    known = [one.sel(encoded="once") for one in (accuracy, loss)]
    mean, spread = [one.mean().item() for one in known], [one.std(ddof=1).item() for one in known]
    row = f"{mean[0]:.2f} ± {spread[0]:.2f} | {mean[1]:.4f} ± {spread[1]:.4f}"
    assert f"| JPEG, three models | {row} |" in page
    assert f"difference from ours, {mean[1] - 0.0134:.4f}, another encoding" in page
    assert f"as much as {twice - mean[1]:.4f} in the same direction" in page
    lines = netcdf.read(TOOL.parents[1] / "published.nc")
    noisy = lines["ours"].sel(line="fitting_noise_loss_300").item()
    assert f"{effect['change'].sel(encoded='shifted'):.2f} grey levels" in page
    assert f"past the printed one, to {noisy:.4f}" in page
    assert f"That is {mean[1] - noisy:.4f} less" in page


def test_its_configuration_trains_as_the_published_lines_do():
    folder = TOOL.parent
    own = configuration.load(ROOT / "config.yaml", [folder / "config.yaml"])["presets"]
    published = configuration.load(ROOT / "config.yaml", [folder.parent / "rethinking.yaml"])
    line = published["presets"]["rethinking_1x512"]["capacity"]
    for name in ("again", "shifted"):
        one = own[name]["forgetting"]
        assert one["model"] == line["model"] | {"hidden_units": 512}
        assert one["data"] == line["data"] | {"dataset": f"cifar10_{name}"}
        same = {"threshold": None, "evaluate_every": 50, "plateau": None}
        assert {**same, **one["training"]} == {**line["training"], **same}
