"""Published models that rote has not built in."""

from torch import nn


def forgetting_cnn(in_channels, num_classes):
    """Return the CNN of Toneva et al. 2019 for MNIST, as ``run_mnist.py --no_dropout`` trains it.

    It is that of PyTorch's MNIST example without its two layers of dropout, for 28×28 pixels.
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, 10, 5),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(10, 20, 5),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(320, 50),
        nn.ReLU(),
        nn.Linear(50, num_classes),
    )
