"""How models begin, and models without biases, against torch.nn."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from rote.machine.randomness import seed_of
from rote.models.ensemble import Ensemble
from rote.models.kinds import Models
from rote.models.sgd import SGD
from rote.models.workspace import Workspace, aligned
from small_mlps import make_data, train_plainly

MLP = {"hidden_units": [9, 7]}
CNN = {"maps": 3, "dense": [6], "padding": "valid", "pooling_stride": 3}
IMAGE = {"mlp": (1, 3, 4), "cnn": (2, 26, 27)}
SETTINGS = {"mlp": MLP, "cnn": CNN}
INITIALIZATIONS = {
    "glorot_normal": nn.init.xavier_normal_,
    "glorot_uniform": nn.init.xavier_uniform_,
}


def models(net: str, **own) -> Models:
    return Models({**SETTINGS[net], **own}, IMAGE[net], 5)


def shapes(net: str) -> list[tuple[int, ...]]:
    """The weights of the layers, as torch.nn keeps them."""
    if net == "mlp":
        return [(9, 12), (7, 9), (5, 7)]
    return [(3, 2, 5, 5), (3, 3, 5, 5), (6, 3), (5, 6)]


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
@pytest.mark.parametrize("net", SETTINGS)
@pytest.mark.parametrize("biases", [True, False])
def test_glorot_is_that_of_torch_with_biases_of_zero(initialization, net, biases, device):
    made = models(net, initialization=initialization, biases=biases)
    parameters = made.initial([3, 8], Workspace(device)).parameters
    step = 2 if net == "mlp" else 4
    for member, seed in enumerate((3, 8)):
        rng = torch.Generator().manual_seed(seed_of("initial", seed))
        for k, shape in enumerate(shapes(net)):
            weight = INITIALIZATIONS[initialization](torch.empty(shape), generator=rng)
            ours = parameters[step * k][member].cpu()
            assert torch.equal(ours, weight.flatten(1).mT)
            assert (parameters[step * k + 1][member] == 0).all()


@pytest.mark.parametrize("biases", [True, False])
def test_torch_draws_no_bias_where_there_is_none(biases):
    parameters = models("mlp", biases=biases).initial([3], Workspace()).parameters
    torch.manual_seed(seed_of("initial", 3))
    layers = [nn.Linear(a, b, bias=biases) for a, b in pairwise([12, 9, 7, 5])]
    for weight, bias, layer in zip(parameters[::2], parameters[1::2], layers, strict=True):
        assert torch.equal(weight[0], layer.weight.mT)
        assert torch.equal(bias[0, 0], layer.bias if biases else torch.zeros_like(bias[0, 0]))


def plain(net: str, seed: int) -> nn.Sequential:
    torch.manual_seed(seed_of("initial", seed))
    if net == "mlp":
        linear = [nn.Linear(a, b, bias=False) for a, b in pairwise([12, 9, 7, 5])]
        return nn.Sequential(linear[0], nn.ReLU(), linear[1], nn.ReLU(), linear[2])
    layers = [nn.Unflatten(1, IMAGE["cnn"])]
    for before in (2, 3):
        layers += [nn.Conv2d(before, 3, 5, bias=False), nn.BatchNorm2d(3), nn.ReLU()]
        layers += [nn.MaxPool2d(3)]
    layers += [nn.Flatten(), nn.Linear(3, 6, bias=False), nn.BatchNorm1d(6), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(6, 5, bias=False))


@pytest.mark.parametrize("net", SETTINGS)
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_without_biases_training_is_that_of_layers_without(net, momentum, nesterov, decay, device):
    made = models(net, biases=False)
    features = IMAGE[net][0] * IMAGE[net][1] * IMAGE[net][2]
    parameters = [aligned(p.double()) for p in made.initial([3], Workspace(device)).parameters]
    weight_decay = torch.tensor([decay], dtype=torch.float64, device=device)
    ensemble = Ensemble(
        made.make(parameters, Workspace(device)),
        SGD(parameters, 0.1, momentum, weight_decay, nesterov, made.fixed),
        *make_data(1, device=device, features=features),
        [3],
        batch_size=20,
    )
    model = plain(net, 3).double()
    optimizer = torch.optim.SGD(
        model.parameters(), 0.1, momentum, weight_decay=decay, nesterov=nesterov
    )
    for epoch in (1, 2):
        ensemble.train_epoch(epoch)
        train_plainly(ensemble, 0, epoch, model, optimizer)
    ours = [p[0].cpu() for k, p in enumerate(parameters) if k not in made.fixed]
    for own, parameter in zip(ours, model.parameters(), strict=True):
        expected = parameter.detach()
        expected = expected.flatten(1).mT if expected.ndim > 1 else expected[:, None]
        torch.testing.assert_close(own, expected, rtol=1e-10, atol=1e-12)
    assert all((parameters[k] == 0).all() for k in made.fixed)
    assert len(made.fixed) == len(shapes(net))
