"""Models as a user brings them: functions that make a ``torch.nn.Module``."""

import random
from itertools import pairwise

import numpy as np
import torch
from torch import nn


class Cast(nn.Module):
    def __init__(self, dtype: str):
        super().__init__()
        self.dtype = getattr(torch, dtype)

    def forward(self, images):
        return images.to(self.dtype)


def mlp(image, classes, units=(9, 7), dtype="float32"):
    channels, rows, columns = image
    sizes = [channels * rows * columns, *units]
    layers = [Cast(dtype), nn.Flatten()]
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    layers.append(nn.Linear(sizes[-1], classes))
    return nn.Sequential(*layers).to(getattr(torch, dtype))


class Block(nn.Module):
    """A residual block: two convolutions with batch normalisation, and a way around them."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.around = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.relu = nn.ReLU()

    def forward(self, images):
        return self.relu(self.body(images) + self.around(images))


def resnet(in_channels, num_classes, width=4, dtype="float32"):
    layers = [
        Cast(dtype),
        nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        Block(width, 2 * width, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2 * width, num_classes),
    ]
    return nn.Sequential(*layers).to(getattr(torch, dtype))


class ViT(nn.Module):
    """A small vision transformer: patches, one layer of attention, the mean of all places."""

    def __init__(self, image, classes, patch=4, width=8, dropout=0.0):
        super().__init__()
        channels, rows, columns = image
        self.patches = nn.Conv2d(channels, width, patch, patch)
        places = (rows // patch) * (columns // patch)
        self.place = nn.Parameter(0.02 * torch.randn(1, places, width))
        self.layer = nn.TransformerEncoderLayer(
            width, 2, 2 * width, dropout, "gelu", batch_first=True, norm_first=True
        )
        self.head = nn.Linear(width, classes)

    def forward(self, images):
        tokens = self.patches(images).flatten(2).mT + self.place
        return self.head(self.layer(tokens).mean(1))


class Unusual(nn.Module):
    """Tied weights, a part that is not trained, a buffer that is replaced, a number that is not."""

    def __init__(self, image, classes):
        super().__init__()
        features = image[0] * image[1] * image[2]
        self.first = nn.Linear(features, features)
        self.second = nn.Linear(features, features)
        self.second.weight = self.first.weight
        self.head = nn.Linear(features, classes)
        self.first.bias.requires_grad_(False)
        self.unused = nn.Parameter(torch.ones(3))
        self.register_buffer("seen", torch.zeros(features))
        self.register_buffer("mask", torch.rand(features) < 0.7)
        self.order = torch.randperm(features)  # which neither a parameter nor a buffer holds

    def forward(self, images):
        inputs = images.flatten(1)
        if self.training:
            self.seen = 0.9 * self.seen + 0.1 * inputs.detach().mean(0)
        hidden = torch.tanh(self.first((inputs - self.seen)[:, self.order]) * self.mask)
        return self.head(torch.tanh(self.second(hidden)))


def of_numpy(image, classes):
    """Return a model whose weights NumPy and Python draw."""
    model = mlp(image, classes)
    with torch.no_grad():
        model[2].weight.copy_(torch.from_numpy(np.random.standard_normal(model[2].weight.shape)))
        model[2].bias.fill_(random.random())
    return model


class Viewing(nn.Module):
    """Looks at planes as they lie in memory, the channels one behind the other."""

    def __init__(self, in_channels, classes):
        super().__init__()
        self.planes = nn.Conv2d(in_channels, 8, 3)
        self.head = nn.LazyLinear(classes)

    def forward(self, images):
        planes = self.planes(images)
        return self.head(planes.view(len(images), -1))


class FrozenNorm(nn.Module):
    """Batch normalisation that stays in evaluation."""

    def __init__(self, in_channels, classes):
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.instances = nn.InstanceNorm2d(in_channels, track_running_stats=True)
        self.head = nn.LazyLinear(classes)

    def train(self, mode=True):
        super().train(mode)
        self.norm.eval()
        return self

    def forward(self, images):
        return self.head(self.instances(self.norm(images)).flatten(1))


class TwoOutputs(nn.Module):
    """Returns something else in training."""

    def __init__(self, image, classes):
        super().__init__()
        self.model = mlp(image, classes)

    def forward(self, images):
        logits = self.model(images)
        return (logits, logits) if self.training else logits


class Growing(nn.Module):
    """Has a buffer that grows."""

    def __init__(self, image, classes):
        super().__init__()
        self.model = mlp(image, classes)
        self.register_buffer("seen", torch.zeros(0))

    def forward(self, images):
        if self.training:
            self.seen = torch.cat([self.seen, torch.ones(1)])
        return self.model(images)


class Tokens(nn.Module):
    """Takes its images for whole numbers: there is nothing that a derivative by them could be."""

    def __init__(self, classes, width=4):
        super().__init__()
        self.embedding, self.head = nn.Embedding(256, width), nn.Linear(width, classes)

    def forward(self, images):
        levels = (255 * images.flatten(1)).round().clamp(0, 255).long()
        return self.head(self.embedding(levels).mean(1))


def lazy(image, classes):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(classes))


def of_three_classes(image):
    return mlp(image, 3)


def frozen(image, classes):
    return mlp(image, classes).requires_grad_(False)


def failing(image, classes, width):
    raise ValueError("width must be even")


def no_module(image, classes):
    return [1, 2]
