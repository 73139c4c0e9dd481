"""The kinds of models: from a model's settings and the shape of its data to an ensemble."""

import torch
from torch import Tensor

from rote.models import cnn, mlp
from rote.models.cnn import CNN
from rote.models.mlp import MLP
from rote.models.model import Model
from rote.models.workspace import Workspace
from rote.study.architecture import Architecture
from rote.study.mlp import DEFAULTS, widths


class Models:
    """Models of one shape.

    Args:
        settings: ``hidden_layers`` and ``hidden_units`` of an MLP, or ``maps`` (of each of two
            convolutions), ``dense``, ``padding`` and ``pooling_stride`` of a CNN; perhaps
            ``initialization`` and ``biases``, see :func:`rote.models.mlp.drawn_layer`.
        image: shape of the inputs, (channels, rows, columns).
        classes: number of classes.

    Raises:
        UserError: the images are too small for a CNN.
    """

    def __init__(self, settings: dict, image: tuple[int, int, int], classes: int):
        self.architecture = self.sizes = None
        if "maps" in settings:
            self.architecture = Architecture.of(settings, image, classes)
            self.architecture.planes()  # raises if there is nothing left of an image
        else:
            self.sizes = [image[0] * image[1] * image[2], *widths(settings), classes]
        self.drawing = {name: settings.get(name, value) for name, value in DEFAULTS.items()}

    @property
    def fixed(self) -> range:
        """The positions of the parameters that are not trained: biases, if there are to be none."""
        if self.drawing["biases"]:
            return range(0)
        # Layers of a CNN have weight, bias, scale and shift, its last one the first two.
        if self.architecture:
            return range(1, 4 * (len(self.architecture.products()) - 1) + 2, 4)
        return range(1, 2 * (len(self.sizes) - 1), 2)

    def initial(self, seeds: list[int], device: torch.device | str = "cpu") -> list[Tensor]:
        """Return the parameters of one model a seed, stacked."""
        if self.architecture:
            return cnn.initial_parameters(self.architecture, seeds, device, **self.drawing)
        return mlp.initial_parameters(self.sizes, seeds, device, **self.drawing)

    def make(
        self,
        parameters: list[Tensor],
        workspace: Workspace,
    ) -> Model:
        """Return the models with these parameters."""
        if self.architecture:
            return CNN(self.architecture, parameters, workspace)
        return MLP(parameters, workspace)
