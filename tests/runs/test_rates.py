import torch

from rote.runs import rates
from rote.study import cost


def test_rates_are_measured(monkeypatch):
    monkeypatch.setattr(rates, "SIZE", {"cpu": 64})
    monkeypatch.setattr(rates, "NUMBERS", {"cpu": 2**12})
    seconds = iter([2.0, 4.0, 8.0])  # of a product, of a copy, of a small call
    monkeypatch.setattr(rates, "_best", lambda function, device, times: next(seconds))
    assert rates.measure("float32", "cpu") == cost.Device(
        "CPU core", {"float32": 2 * 64**3 / 2.0}, 2 * 4 * 2**12 / 4.0, 8.0, asynchronous=False
    )


def test_the_shortest_turn_counts(monkeypatch):
    clock = iter([0.0, 9.0, 10.0, 12.0, 20.0, 24.0, 30.0, 38.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    called = []
    best = rates._best(lambda: called.append(1), torch.device("cpu"), 2)
    assert best == 1.0
    assert len(called) == 8
