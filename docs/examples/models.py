"""A residual network and a vision transformer, small enough for minutes on two processor cores."""

import torch
from torch import nn


class Block(nn.Module):
    """Two convolutions, and a way around them (He et al. 2016, figure 5)."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.around = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.relu = nn.ReLU()

    def forward(self, images):
        """Return planes (batch, outputs, rows, columns)."""
        return self.relu(self.body(images) + self.around(images))


def resnet(in_channels, num_classes, width=8):
    """Return a residual network of two blocks, the second one with half the rows."""
    return nn.Sequential(
        nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        Block(width, width, 1),
        Block(width, 2 * width, 2),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * 2 * width, num_classes),
    )


class ViT(nn.Module):
    """A vision transformer (Dosovitskiy et al. 2021), read at the mean of all places."""

    def __init__(self, image, classes, patch=2, width=32, layers=2, heads=4):
        super().__init__()
        channels, rows, columns = image
        self.patches = nn.Conv2d(channels, width, patch, patch)
        places = (rows // patch) * (columns // patch)
        self.place = nn.Parameter(0.02 * torch.randn(1, places, width))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, 2 * width, 0.0, nn.GELU(), batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, classes))

    def forward(self, images):
        """Return logits (batch, classes)."""
        places = self.patches(images).flatten(2).mT + self.place
        for layer in self.layers:
            places = layer(places)
        return self.head(places.mean(1))
