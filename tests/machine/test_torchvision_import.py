"""torchvision imports beside whatever build of torch there is, all of it."""

import subprocess
import sys

import pytest

from conftest import ROOT

CODE = """
from rote.machine.torchvision_import import torchvision

for part in ("datasets", "models", "transforms.v2"):
    print(torchvision(part).__name__)
from torchvision.models import resnet18
import torch

print(tuple(resnet18(num_classes=7).eval()(torch.zeros(2, 3, 32, 32)).shape))
"""


@pytest.mark.slow
def test_data_sets_and_models_import_in_a_process_of_their_own():
    ran = subprocess.run(
        [sys.executable, "-c", CODE],
        env={"PYTHONPATH": str(ROOT / "workflow_scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    parts = "torchvision.datasets", "torchvision.models", "torchvision.transforms.v2"
    assert ran.stdout.split("\n")[:-1] == [*parts, "(2, 7)"]
