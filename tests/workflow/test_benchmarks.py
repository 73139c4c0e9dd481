"""Benchmarks run to its end, at a size that measures nothing."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TINY = {
    "cnn_against_loop": {"CASES": [("tiny", 2, (1, 14, 14), ("same", 2), 100, 1, 2)]},
    "ensemble_against_loop": {
        "CASES": [("one", "difficulty", 4, 14, 2), ("two", "capacity", 4, 14, 2)]
    },
    "module_against_loop": {
        "CASES": [
            ("tiny", "mlp", {"units": (4, 4)}, (1, 14, 14), 1, 2),
            ("normalised", "cnn", {}, (1, 14, 14), 1, 2),
        ],
        "EXAMPLES": 100,
    },
    "memorization_against_loop": {
        "EXAMPLES": 100,
        "TRAINING": {"epochs": 1, "batch_size": 50, "learning_rate": 0.2},
    },
    "critical_samples": {"CASES": [("MLP 128-128", 20, 10.0)]},
    "sensitivity_against_unrolled": {"CASES": [(3, 20, 2)]},
    "peers": {
        "TRAININGS": [(("tiny", "difficulty", 4, 14, 2), 2, 0.95)],
        "SENSITIVITIES": [],
        "SEARCHES": [],
        "SIZES": (32,),
        "STEPS": [(4, 2)],
        "STEP_SECONDS": 0.01,
    },
    "retiring": {},
    "storing": {},
    "released_lass": {},
}
LARGE = {"iterations_of_lass"}  # a minute at least
OPTIONS = {
    "memorization_against_loop": ["--models", "2", "--loop-models", "1"],
    "retiring": ["--only", "examples-250"],
    "storing": ["--models", "3"],
    "released_lass": ["--inputs", "20"],
}


def test_every_benchmark_is_here():
    assert {path.stem for path in BENCHMARKS.glob("*.py")} == {*TINY} | LARGE


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    return benchmark


@pytest.fixture
def peers(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    return loaded("peers")


def test_a_peer_that_does_other_work_is_told(peers, monkeypatch):
    monkeypatch.setattr(peers, "ONE_THREAD", np.inf)  # of work that takes no time, it tells nothing
    own = np.zeros((2, 100), bool)
    other = own.copy()
    other[0, :3] = True
    job = peers.jobs.Job("job", 4, {peers.jobs.ROTE: lambda: own, "peer": lambda: other}, 0.985)
    (row,) = peers.measure(job, 2, peers.Timer(torch.device("cpu")), None)
    assert row["equal"] == 0.985
    with pytest.raises(SystemExit, match=r"peer does other work than rote. Only 98.50%"):
        peers.measure(job._replace(equal=0.99), 2, peers.Timer(torch.device("cpu")), None)


def test_ratios_are_those_of_turns(peers):
    row = peers.row("job", 4, "peer", [2.0, 9.0, 4.0], [1.0, 3.0, 4.0])
    assert (row["ratio"], row["ratio_least"], row["ratio_most"]) == (2, 1, 3)
    assert (row["peer_seconds"], row["rote_seconds"]) == (4, 3)


def test_more_threads_than_one_are_told(peers, monkeypatch):
    job = peers.jobs.Job("job", 4, {peers.jobs.ROTE: lambda: np.zeros(1)})
    monkeypatch.setattr(peers, "ONE_THREAD", 0.0)
    with pytest.raises(SystemExit, match="threads, not on one"):
        peers.measure(job, 1, peers.Timer(torch.device("cpu")), None)


MISTAKES = [
    ("module_against_loop", ["--only", "nosuch"], "No job's name contains 'nosuch'"),
    ("critical_samples", ["--only", "nosuch"], "No model's name contains 'nosuch'"),
    ("retiring", ["--only", "nosuch"], "No run's name contains 'nosuch'"),
    ("peers", ["--only", "nosuch"], "No job's name contains 'nosuch'"),
    ("cnn_against_loop", ["--repeats", "0"], "argument --repeats: 0 is less than 1"),
    ("ensemble_against_loop", ["--device", "gpu"], "'gpu' is not one of auto, cpu and cuda"),
    ("iterations_of_lass", ["--device", "cuda"], "argument --device: .* no CUDA device"),
]


@pytest.mark.parametrize(("name", "wrong", "sentence"), MISTAKES)
def test_a_wrong_option_gets_a_sentence_and_replaces_no_results(
    name, wrong, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)  # which would outlive it
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", [name, *wrong, "--output", str(tmp_path / "result.nc")])
    with pytest.raises(SystemExit) as raised:
        loaded(name).main()
    assert re.search(sentence, f"{raised.value}{capsys.readouterr().err}")
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_it_ends(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", list(sys.path))
    benchmark = loaded(name)
    for constant, value in TINY[name].items():
        monkeypatch.setattr(benchmark, constant, value)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)  # which would outlive it
    output = [] if name == "storing" else ["--output", str(tmp_path / "result.nc")]
    monkeypatch.setattr(sys, "argv", [name, *OPTIONS.get(name, []), *output])
    benchmark.main()
    assert len(capsys.readouterr().out.splitlines()) > 2
    if output:
        assert xr.load_dataset(tmp_path / "result.nc").sizes
