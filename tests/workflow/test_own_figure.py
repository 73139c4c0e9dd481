"""The example of a figure of one's own says what it lacks, in a sentence."""

import importlib.util
import sys

import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

from conftest import ROOT


@pytest.fixture
def main(monkeypatch):
    """The program, called with arguments; it returns how it ends."""
    spec = importlib.util.spec_from_file_location("own_figure", ROOT / "docs" / "own_figure.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)

    def call(*arguments: object) -> str | int | None:
        monkeypatch.setattr(sys, "argv", ["own_figure.py", *map(str, arguments)])
        try:
            return program.main()
        except SystemExit as stopped:
            return stopped.code

    return call


RATES = {"real": [[0.1, 0.2, 0.3], [0.9, 0.4, 0.5]], "randX": [[0.5, 0.4, 0.6], [0.3, 0.6, 0.5]]}
INDEX = [[3, 7, 9], [7, 1, 2]]  # of each seed: 7 is in both


@pytest.fixture
def results(tmp_path):
    """Results of two experiments, made up: what is often wrong matters most, but for one image."""
    (tmp_path / "metrics").mkdir()
    (tmp_path / "runs" / "sensitivity").mkdir(parents=True)
    rate = xr.DataArray(
        np.array([*RATES.values()])[:, None].transpose(0, 1, 3, 2),
        dims=("condition", "learning_rate", "example", "seed"),
        coords={
            "condition": [*RATES],
            "seed": [0, 1],
            "index": (("seed", "example"), INDEX),
            "label": (("condition", "seed", "example"), np.zeros((2, 2, 3), int)),
        },
    )
    fig3_1 = xr.Dataset({"misclassification_rate": rate}, attrs={"dataset": "MNIST digits"})
    fig3_1.to_netcdf(tmp_path / "metrics" / "fig3_1.nc")
    # Members are in no order; the second image of seed 0 is another one, which is left out.
    members = [("randX", 1), ("real", 1), ("halfX", 1), ("real", 0), ("randX", 0), ("halfX", 0)]
    levels = {"real": 0.0, "halfX": 0.5, "randX": 1.0}
    matters = [RATES.get(kind, RATES["real"])[seed] for kind, seed in members]
    run = xr.Dataset(
        {
            "sensitivity": (
                ("member", "norm", "update", "example"),
                np.array(matters)[:, None, None],
            )
        },
        coords={
            "norm": ["l1"],
            "noise_kind": ("member", [kind.replace("half", "rand") for kind, _ in members]),
            "noise_level": ("member", [levels[kind] for kind, _ in members]),
            "seed": ("member", [seed for _, seed in members]),
            "index": (("member", "example"), [[[3, 8, 9], INDEX[1]][seed] for _, seed in members]),
        },
        attrs={"dataset": "MNIST digits"},
    )
    run.to_netcdf(tmp_path / "runs" / "sensitivity" / "class.nc")
    return tmp_path


def test_examples_are_brought_together_by_seed_and_index(main, results, tmp_path, capsys):
    path = results / "runs" / "sensitivity" / "class.nc"
    run = xr.load_dataset(path)
    run["sensitivity"][3, ..., 2] = 0.05  # of the image 9 of seed 0, real: the least of all
    run.to_netcdf(path)
    assert main(results, tmp_path / "x.png") is None
    rank = spearmanr([0.1, 0.3, 0.9, 0.4, 0.5], [0.1, 0.05, 0.9, 0.4, 0.5]).statistic
    assert capsys.readouterr().out.splitlines() == [
        f"real: Spearman correlation {rank:.2f}, 5 examples",
        "randX: Spearman correlation 1.00, 5 examples",
    ]
    assert (tmp_path / "x.png").stat().st_size > 10_000


def test_what_it_needs_is_said(main, capsys):
    assert main("--help") == 0
    assert "folder of a preset" in capsys.readouterr().out


def test_a_missing_file_is_named_with_its_target(main, results):
    (results / "runs" / "sensitivity" / "class.nc").unlink()
    said = main(results, "x.png")
    assert "class.nc is missing: make it with snakemake fig3_2, or name another folder." in said


def test_another_kind_of_file_is_named(main, results):
    (results / "metrics" / "fig3_1.nc").write_text("not NetCDF")
    said = main(results, "x.png")
    assert "fig3_1.nc cannot be read as NetCDF (NetCDF: Unknown file format): delete it" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run: run.assign_attrs(dataset="Cats"), "Figure 3.2 Cats: give both experiments"),
        (
            lambda run: run.isel(member=[1, 3]),
            "has no randX in Figure 3.1 or in Figure 3.2: add it",
        ),
        (
            lambda run: run.assign_coords(norm=["l2"]),
            "not in the norm l1: add it to",
        ),
        (lambda run: run.assign_coords(index=run["index"] + 10**6), "have no examples in common"),
    ],
)
def test_what_does_not_fit_together_is_said(main, results, change, words):
    path = results / "runs" / "sensitivity" / "class.nc"
    change(xr.load_dataset(path)).to_netcdf(path)
    said = main(results, results / "x.png")
    assert said.startswith("Error: ")
    assert words in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is a folder: name a file in it, such as "),
        ("folder.png", "is a folder: name a file in it, such as "),
        ("mine", "mine has no suffix of a figure: name a file that ends in ."),
        ("mine.docx", "mine.docx has no suffix of a figure: name a file that ends in ."),
        ("none/mine.png", "none is no folder: make it, or name a file in another one"),
    ],
)
def test_where_no_figure_can_be_written_is_said_first(main, tmp_path, capsys, name, words):
    folder = tmp_path / "figures"
    (folder / "folder.png").mkdir(parents=True)
    assert main(tmp_path, folder / name) == 2  # though the results are missing, too
    assert words in capsys.readouterr().err
    assert [*tmp_path.rglob("*")] == [folder, folder / "folder.png"]


def test_a_figure_that_cannot_be_written_is_said(main, results, monkeypatch):
    def refuses(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", refuses)
    said = main(results, results / "x.png")
    assert said.startswith(f"Error: {results / 'x.png'} cannot be written: ")


def test_results_that_are_no_folder_are_said(main, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(tmp_path / "file", tmp_path / "x.png") == 2
    assert "file is no folder: name that of a preset, such as" in capsys.readouterr().err
