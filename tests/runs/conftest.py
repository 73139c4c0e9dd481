"""Runs are computed on each kind of device of the machine."""

import pytest
import torch


@pytest.fixture(autouse=True)
def computed_on_each_device(request, device, monkeypatch):
    """Have the device ``auto`` be each in turn, but for tests that are marked as the CPU's."""
    marker = request.node.get_closest_marker("cpu")
    if marker and device.type != "cpu":
        pytest.skip(f"of the CPU alone: {marker.args[0]}")
    if device.type == "cpu":
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def memorization_settings(settings) -> dict:
    """An experiment like ``memorization``, as it stands in config.yaml."""
    own = {"percent": [70, 30], "models": 3, "memorized_above": 0.25, "left_out": 1, "proxies": 2}
    learned = {k: v for k, v in settings["training"].items() if k != "evaluate_every"}
    return {
        **settings,
        **own,
        "noise_levels": [0, 0.4],
        "model": {"hidden_layers": 2, "hidden_units": 12},
        "training": learned | {"epochs": 6, "batch_size": 10, "learning_rate": 0.5},
    }
