"""Ensembles of small CNNs, and the same models of plain PyTorch."""

import math
from itertools import pairwise

import torch
from torch import nn

import small_mlps
from rote.machine.randomness import seed_of
from rote.models.cnn import CNN, Architecture, initial_parameters
from rote.models.ensemble import Ensemble
from rote.models.memberwise import FEWEST
from rote.models.sgd import SGD
from rote.models.workspace import Workspace, aligned

EXAMPLES = small_mlps.EXAMPLES

VALID = {"padding": "valid", "pooling_stride": 3}  # the other reading of the paper

# Sides are odd and even, so that padding is even on both sides or not.
GREY = Architecture((1, 9, 12), 5, maps=(4, 3), dense=(9, 7))

COLOUR = Architecture((3, 25, 28), 5, maps=(3, 5), dense=(9, 7), **VALID)

GREY_VALID = GREY._replace(image=(1, 26, 27), **VALID)  # some windows are incomplete

OTHER = Architecture(
    (2, 10, 10), 5, maps=(4,), dense=(), kernel=3, pool=2, padding="valid", pooling_stride=2
)

OVERLAPPING = Architecture((2, 7, 8), 5, maps=(4, 3), dense=(6,), kernel=3, pooling_stride=1)

# As many maps as oneDNN computes one member after another, on the CPU.
WIDE = Architecture((3, 9, 10), 5, maps=(FEWEST + 1, FEWEST), dense=(9,))

WIDE_VALID = WIDE._replace(image=(1, 20, 19), **VALID | {"pooling_stride": 2})

ARCHITECTURES = [GREY, GREY_VALID, COLOUR, OTHER, OVERLAPPING, WIDE, WIDE_VALID]


class AsImages(nn.Module):
    def __init__(self, image):
        super().__init__()
        self.image = image

    def forward(self, rows):
        return rows.view(-1, *self.image)


class PooledAsInTensorFlow(nn.Module):
    """Max-pooling of ``same``: ⌈n / stride⌉ windows; of what is added, the odd one stands behind.

    Zeros are as good as −∞ behind a ReLU.
    """

    def __init__(self, window, stride):
        super().__init__()
        self.window, self.stride = window, stride

    def forward(self, planes):
        margins = []
        for side in planes.shape[:1:-1]:
            added = max((math.ceil(side / self.stride) - 1) * self.stride + self.window - side, 0)
            margins += [added // 2, added - added // 2]
        padded = nn.functional.pad(planes, margins)
        return nn.functional.max_pool2d(padded, self.window, self.stride)


def sequential(a: Architecture, seed: int) -> nn.Sequential:
    """Return the usual way to write the model down, in float32, initialised by ``seed``."""

    def convolutional():
        layers = [AsImages(a.image)]
        for before, after in pairwise((a.image[0], *a.maps)):
            layers += [nn.Conv2d(before, after, a.kernel, padding=a.padding)]
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
            if a.padding == "same":
                layers += [PooledAsInTensorFlow(a.pool, a.pooling_stride)]
            else:
                layers += [nn.MaxPool2d(a.pool, a.pooling_stride)]
        return [*layers, nn.Flatten()]

    units = nn.Sequential(*convolutional())(torch.zeros(2, *a.image)).shape[1]
    torch.manual_seed(seed_of("initial", seed))
    layers = convolutional()
    for before, after in pairwise((units, *a.dense)):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear((units, *a.dense)[-1], a.classes))


def with_population_statistics(model: nn.Sequential, inputs, batch_size: int) -> nn.Sequential:
    """Return ``model`` in evaluation, normalised by the statistics of ``inputs``, by torch.optim.

    Running statistics with a momentum of None are plain means over all batches.
    """
    torch.optim.swa_utils.update_bn(inputs.split(batch_size), model)
    return model.eval()


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
