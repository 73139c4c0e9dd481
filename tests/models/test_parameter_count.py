"""Numbers of parameters, against modules of torch and against those that others print."""

import pytest
from torch import nn

from rote.models.parameter_count import parameter_count

CIFAR = 3, 28, 28


def of_module(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("biases", [True, False])
def test_an_mlp_counts_as_layers_of_torch_do(biases):
    layers = nn.Linear(75, 7, biases), nn.Linear(7, 5, biases), nn.Linear(5, 4, biases)
    settings = {"hidden_units": [7, 5], "biases": biases}
    assert parameter_count(settings, (3, 5, 5), 4) == of_module(nn.Sequential(*layers))


def test_a_cnn_counts_without_its_normalisation():
    settings = {"maps": 6, "dense": [11, 7], "padding": "same", "pooling_stride": 2}
    layers = [nn.Conv2d(3, 6, 5), nn.Conv2d(6, 6, 5)]
    layers += [nn.Linear(6 * 7 * 7, 11), nn.Linear(11, 7), nn.Linear(7, 4)]
    assert parameter_count(settings, CIFAR, 4) == of_module(nn.Sequential(*layers))


def test_a_module_counts_what_is_trained(tmp_path):
    (tmp_path / "frozen.py").write_text(
        "from torch import nn\n\n\n"
        "def frozen(classes):\n"
        "    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Linear(3, classes))\n"
        "    model[1].requires_grad_(False)\n"
        "    return model\n"
    )
    settings = {"from": f"{tmp_path}/frozen.py:frozen", "arguments": {}}
    assert parameter_count(settings, (1, 2, 2), 5) == 3 * 5 + 5
