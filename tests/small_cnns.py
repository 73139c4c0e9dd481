"""Ensembles of small CNNs, and the same models of plain PyTorch."""

import math
from itertools import pairwise

import torch
from torch import nn

import small_mlps
from rote.machine.randomness import seed_of
from rote.models.cnn import CNN, Architecture, initial_parameters
from rote.models.ensemble import Ensemble
from rote.models.sgd import SGD
from rote.models.workspace import Workspace, aligned

EXAMPLES = small_mlps.EXAMPLES

GREY = Architecture((1, 26, 27), 5, maps=(4, 3), dense=(9, 7), crop=0)  # some windows incomplete

COLOUR = Architecture((3, 29, 32), 5, maps=(3, 5), dense=(9, 7), crop=2)

OTHER = Architecture((2, 12, 12), 5, maps=(4,), dense=(), crop=1, kernel=3, pool=2)


class Cropped(nn.Module):
    def __init__(self, architecture):
        super().__init__()
        self.image, self.crop = architecture.image, architecture.crop

    def forward(self, rows):
        images = rows.view(-1, *self.image)
        height, width = self.image[1:]
        return images[..., self.crop : height - self.crop, self.crop : width - self.crop]


def sequential(a: Architecture, seed: int) -> nn.Sequential:
    torch.manual_seed(seed_of("initial", seed))
    layers = [Cropped(a)]
    for before, after in pairwise((a.image[0], *a.maps)):
        layers += [nn.Conv2d(before, after, a.kernel), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(a.pool)]
    layers += [nn.Flatten()]
    units = nn.Sequential(*layers)(torch.zeros(2, *a.image)).shape[1]
    torch.manual_seed(seed_of("initial", seed))
    layers = [Cropped(a)]
    for before, after in pairwise((a.image[0], *a.maps)):
        layers += [nn.Conv2d(before, after, a.kernel), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(a.pool)]
    layers += [nn.Flatten()]
    for before, after in pairwise((units, *a.dense)):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear((units, *a.dense)[-1], a.classes))


def as_stacked(parameter: torch.Tensor) -> torch.Tensor:
    parameter = parameter.detach()
    return parameter.flatten(1).mT if parameter.ndim > 1 else parameter[:, None]


def normalisations(model: nn.Sequential) -> list[nn.Module]:
    return [m for m in model if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]


def make_data(architecture, members: int, dtype=torch.float64, device="cpu", **sizes):
    """Return what :func:`small_mlps.make_data` does, with inputs of the architecture's size."""
    features = math.prod(architecture.image)
    return small_mlps.make_data(
        members, dtype, device, features=features, **{"validation": 140, **sizes}
    )


def make_ensemble(
    architecture,
    seeds,
    *,
    dtype=torch.float64,
    device="cpu",
    rate=0.1,
    momentum=0.9,
    decay=None,
    nesterov=False,
    data=None,
    batch_size=20,
):
    """Return an ensemble on the device of ``data``, if they are given."""
    data = data or make_data(architecture, len(seeds), dtype, device)
    device = data[0].device
    parameters = [aligned(p.to(dtype)) for p in initial_parameters(architecture, seeds, device)]
    decay = torch.tensor(decay or [0.0] * len(seeds), dtype=dtype, device=device)
    return Ensemble(
        CNN(architecture, parameters, Workspace(device)),
        SGD(parameters, rate, momentum, decay, nesterov),
        *data,
        list(seeds),
        batch_size=batch_size,
    )
