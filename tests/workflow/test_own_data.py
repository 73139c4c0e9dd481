"""Images of the user's own go through the real Snakemake, and nothing of theirs is lost."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rote.data import sources
from rote.files import made_by, netcdf
from tiny_study import TINY, Study

pytestmark = pytest.mark.slow
NOISED = "results/demo/datasets/capacity.nc"
PATTERN = np.arange(64, dtype=np.uint8).reshape(8, 8)


def write(path: Path, seed: int = 0) -> bytes:
    """Write a file of one's own, without anything that only rote writes."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (100, 1, 8, 8), dtype=np.uint8)
    sources._dataset([(images, np.arange(100) % 2)], ["cat", "dog"]).to_netcdf(path)
    return path.read_bytes()


@pytest.fixture
def study(tmp_path) -> Study:
    study = Study(tmp_path)
    study.config["datasets"] = {"mine": {"title": "M", "source": "netcdf", "path": "own.nc"}}
    study.config["presets"]["demo"]["capacity"]["data"] = TINY | {
        "dataset": "mine",
        "image_size": 8,
    }
    return study


def test_a_file_of_ones_own_is_read_and_never_touched(study):
    own, copy = study.folder / "own.nc", study.folder / "data" / "mine.nc"
    write(own)
    study.snakemake("data/mine.nc")
    first = netcdf.read(copy)
    # As Snakemake goes by times alone, an older file would pass for the one that was read.
    content = write(own, seed=1)
    os.utime(own, (1e9, 1e9))
    study.snakemake("data/mine.nc")
    assert not netcdf.read(copy)["image"].equals(first["image"])
    assert study.finished("data/mine.nc")
    own.write_bytes(content[:-1])
    printed = study.snakemake("-F", "data/mine.nc", fails=True)
    assert "Error: own.nc is damaged (its end is not what was written): put a whole" in printed
    assert "Traceback" not in printed
    study.snakemake("--delete-all-output", "data/mine.nc")
    assert not copy.exists()
    assert own.read_bytes() == content[:-1]


def test_a_numpy_file_is_read_again_when_it_changes(study):
    own, rng = study.folder / "own.npz", np.random.default_rng(0)
    study.config["datasets"]["mine"] |= {"source": "numpy", "path": "own.npz"}
    for age in range(2):  # the second file is older than what was made of the first
        images = rng.integers(0, 256, (100, 8, 8), dtype=np.uint8)
        np.savez(own, x_train=images, y_train=np.arange(100) % 2)
        os.utime(own, (1e9 - age, 1e9 - age))
        study.snakemake(NOISED)
        copy = netcdf.read(study.folder / "data" / "mine.nc")
        np.testing.assert_array_equal(copy["image"][:, 0], images)
        assert study.finished(NOISED)
    np.savez(own, x_train=images / 255, y_train=np.arange(100) % 2)
    printed = study.snakemake(NOISED, fails=True)
    assert "x_train of own.npz has images of type float64, but must have grey levels" in printed
    assert "Traceback" not in printed


def test_a_folder_is_read_again_when_an_image_changes(study):
    folder, rng = study.folder / "pets", np.random.default_rng(0)
    study.config["datasets"]["mine"] |= {"source": "folder", "path": "pets"}
    for i in range(100):
        path = folder / "train" / ("cat", "dog")[i % 2] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(path)
    study.snakemake(NOISED)
    assert study.finished(NOISED)
    path = folder / "train" / "cat" / "98.png"
    Image.fromarray(np.full((8, 8), 7, np.uint8)).save(path)
    os.utime(path, (1e9, 1e9))
    study.snakemake(NOISED)
    copy = netcdf.read(study.folder / "data" / "mine.nc")
    assert (copy["image"][49] == 7).all()  # the last cat
    assert study.finished(NOISED)
    folder.rename(study.folder / "away")
    assert study.finished(NOISED)
    shutil.rmtree(study.folder / ".snakemake")  # what was read is in the copy
    assert study.finished(NOISED)
    folder.mkdir()
    printed = study.snakemake(NOISED, fails=True)
    assert "Error: pets/train is missing: a folder of images holds train/<class>/" in printed
    assert netcdf.read(study.folder / "data" / "mine.nc").equals(copy)


def test_a_job_elsewhere_says_what_it_was_made_from(study):
    study.config["datasets"]["mine"] |= {"source": "folder", "path": "pets"}
    copy, noised = study.folder / "data" / "mine.nc", study.folder / NOISED

    def draw(grey: int) -> None:
        for number, name in enumerate(["cat"] * 50 + ["dog"] * 50):
            path = study.folder / "pets" / "train" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(PATTERN + np.uint8(grey)).save(path)

    def job(rule: str, target: str, name: str) -> None:
        only = [
            "--mode",
            "remote",
            "--cores",
            "1",
            "--force",
            "--allowed-rules",
            rule,
            "--target-jobs",
            name,
        ]
        study.snakemake(target, *only, "--nolock", "--ignore-incomplete")

    draw(7)
    study.snakemake(NOISED)
    first = made_by.read(copy), made_by.read(noised)
    draw(8)
    study.finished(NOISED)  # which notes the images that are there now
    job("noise_dataset", NOISED, "noise_dataset:preset=demo,noised=capacity")
    assert (made_by.read(copy), made_by.read(noised)) == first
    job("fetch_dataset", "data/mine.nc", "fetch_dataset:dataset=mine")
    second = made_by.read(copy)
    assert second != first[0]
    assert (netcdf.read(copy)["image"] == PATTERN + 8).all()
    assert not study.finished(NOISED)
    study.snakemake(NOISED)
    assert made_by.read(copy) == second  # as Snakemake itself finds it
    assert made_by.read(noised) != first[1]


@pytest.mark.parametrize(
    ("source", "options"),
    [("netcdf", ["-F", NOISED]), ("folder", ["data/mine.nc", "--delete-all-output"])],
)
def test_a_file_in_the_place_of_rotes_is_refused_and_stays(study, options, source):
    (study.folder / "data").mkdir()
    content = write(study.folder / "data" / "mine.nc")
    study.config["datasets"]["mine"] |= {"source": source, "path": "data/mine.nc"}
    if "--delete-all-output" in options:  # though the preset does not need it
        study.config["presets"]["demo"]["capacity"]["data"] = TINY
    printed = study.snakemake(*options, fails=True)
    assert "data/mine.nc does not end as the files of rote do, and would be overwritten" in printed
    assert "Traceback" not in printed
    assert (study.folder / "data" / "mine.nc").read_bytes() == content


def test_what_a_folder_does_not_give_is_said_before_anything_runs(study):
    study.config["datasets"]["mine"] |= {"source": "folder", "path": "nowhere"}
    printed = study.snakemake(NOISED, fails=True)
    assert "Error: nowhere/train is missing: a folder of images holds train/<class>/" in printed
    assert not (study.folder / "results").exists()
