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
