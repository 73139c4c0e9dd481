"""Benchmarks run to its end, at a size that measures nothing."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
import xarray as xr

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TINY = {
    "cnn_against_loop": {"CASES": [("tiny", 2, (1, 14, 14), ("same", 2), 100, 1, 2)]},
    "ensemble_against_loop": {
        "CASES": [("one", "difficulty", 4, 14, 2), ("two", "capacity", 4, 14, 2)]
    },
    "critical_samples": {"CASES": [("MLP 128-128", 20, 10.0)]},
    "sensitivity_against_unrolled": {"CASES": [(3, 20, 2)]},
    "retiring": {},
    "storing": {},
    "released_lass": {},
}
LARGE = {"iterations_of_lass"}  # a minute at least
OPTIONS = {
    "retiring": ["--only", "examples-250"],
    "storing": ["--models", "3"],
    "released_lass": ["--inputs", "20"],
}


def test_every_benchmark_is_here():
    assert {path.stem for path in BENCHMARKS.glob("*.py")} == {*TINY} | LARGE


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_it_ends(name, tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    for constant, value in TINY[name].items():
        monkeypatch.setattr(benchmark, constant, value)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)  # which would outlive it
    output = [] if name == "storing" else ["--output", str(tmp_path / "result.nc")]
    monkeypatch.setattr(sys, "argv", [name, *OPTIONS.get(name, []), *output])
    benchmark.main()
    assert len(capsys.readouterr().out.splitlines()) > 2
    if output:
        assert xr.load_dataset(tmp_path / "result.nc").sizes
