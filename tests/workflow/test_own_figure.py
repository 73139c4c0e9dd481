"""The example of a figure of one's own says what it lacks, in a sentence."""

import importlib.util
import shutil
import sys

import pytest
import xarray as xr

from conftest import ROOT

METRICS = ROOT / "docs" / "demo" / "metrics"


@pytest.fixture
def main(monkeypatch):
    """The program, called with arguments; it returns how it ends."""
    spec = importlib.util.spec_from_file_location("own_figure", ROOT / "docs" / "own_figure.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)

    def call(*arguments: object) -> str | int | None:
        monkeypatch.setattr(sys, "argv", ["own_figure.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            program.main()
        return stopped.value.code

    return call


@pytest.fixture
def results(tmp_path):
    """Results of two experiments, of which the sensitivity is made up."""
    (tmp_path / "metrics").mkdir()
    (tmp_path / "runs" / "sensitivity").mkdir(parents=True)
    shutil.copy(METRICS / "fig3_1.nc", tmp_path / "metrics")
    rate = xr.load_dataset(METRICS / "fig3_1.nc").isel(learning_rate=0)
    run = xr.Dataset(
        {
            "sensitivity": (
                ("member", "norm", "update", "example"),
                rate["misclassification_rate"].values[:2, None, None],
            )
        },
        coords={
            "norm": ["l1"],
            "noise_kind": ("member", ["real", "randX"]),
            "noise_level": ("member", [0, 1]),
            "noise_seed": ("member", [0, 0]),
            "index": rate["index"],
        },
        attrs={"dataset": "MNIST digits"},
    )
    run.to_netcdf(tmp_path / "runs" / "sensitivity" / "class.nc")
    return tmp_path


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
        (lambda run: run.isel(member=[0]), "has no randX in Figure 3.1 or in Figure 3.2: add it"),
        (
            lambda run: run.assign_coords(norm=["l2"]),
            "not in the norm l1: add it to",
        ),
        (lambda run: run.assign_coords(index=run["index"] + 10**6), "have no examples in common"),
        (lambda run: run, "cannot be written"),
    ],
)
def test_what_does_not_fit_together_is_said(main, results, change, words):
    path = results / "runs" / "sensitivity" / "class.nc"
    change(xr.load_dataset(path)).to_netcdf(path)
    said = main(results, results / "none" / "x.png")
    assert said.startswith("Error: ")
    assert words in said
    assert "\n" not in said
