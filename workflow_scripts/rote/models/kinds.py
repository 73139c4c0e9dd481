"""The kinds of models: from a model's settings and the shape of its data to an ensemble."""

from collections.abc import Sequence

from torch import Tensor

from rote.models import cnn, mlp
from rote.models.cnn import CNN
from rote.models.made_module import Maker
from rote.models.mlp import MLP
from rote.models.model import Model
from rote.models.module import Modules
from rote.models.workspace import Workspace
from rote.study.architecture import Architecture
from rote.study.mlp import DEFAULTS, widths


class Models:
    """Models of one shape.

    Args:
        settings: ``hidden_layers`` and ``hidden_units`` of an MLP, or ``maps`` (of each of two
            convolutions), ``dense``, ``padding`` and ``pooling_stride`` of a CNN; perhaps
            ``initialization`` and ``biases``, see :func:`rote.models.mlp.drawn_layer`; or those of
            :class:`rote.models.made_module.Maker`.
        image: shape of the inputs, (channels, rows, columns).
        classes: number of classes.

    Raises:
        UserError: the images are too small for a CNN, or a module cannot be made.
    """

    def __init__(self, settings: dict, image: tuple[int, int, int], classes: int):
        self.architecture = self.sizes = self.maker = None
        if "from" in settings:
            self.maker = Maker(settings, image, classes)
        elif "maps" in settings:
            self.architecture = Architecture.of(settings, image, classes)
            self.architecture.planes()  # raises if there is nothing left of an image
        else:
            self.sizes = [image[0] * image[1] * image[2], *widths(settings), classes]
        self.drawing = {name: settings.get(name, value) for name, value in DEFAULTS.items()}

    @property
    def smallest_batch(self) -> int:
        """The examples of the smallest batch that the models can be trained on."""
        if self.maker:
            return self.maker.smallest_batch
        return Architecture.smallest_batch if self.architecture else MLP.smallest_batch

    @property
    def fixed(self) -> Sequence[int]:
        """The positions of the parameters that are not trained, as biases are without biases."""
        if self.maker:
            own = self.maker.first.parameters()
            return [k for k, parameter in enumerate(own) if not parameter.requires_grad]
        if self.drawing["biases"]:
            return range(0)
        # Layers of a CNN have weight, bias, scale and shift, its last one the first two.
        if self.architecture:
            return range(1, 4 * (len(self.architecture.products()) - 1) + 2, 4)
        return range(1, 2 * (len(self.sizes) - 1), 2)

    def check_differentiable(self, measure: str) -> None:
        """Check that logits have a derivative by the inputs, which ``measure`` needs.

        Raises:
            UserError: those of a module have none.
        """
        if self.maker:
            self.maker.check_differentiable(measure)

    def initial(self, seeds: list[int], workspace: Workspace) -> Model:
        """Return one model a seed, as it is before training."""
        if self.maker:
            return Modules(self.maker, seeds, workspace)
        if self.architecture:
            drawn = cnn.initial_parameters(
                self.architecture, seeds, workspace.device, **self.drawing
            )
        else:
            drawn = mlp.initial_parameters(self.sizes, seeds, workspace.device, **self.drawing)
        return self.make(drawn, workspace)

    def make(
        self, parameters: list[Tensor], workspace: Workspace, seeds: list[int] | None = None
    ) -> Model:
        """Return the models with these parameters.

        Args:
            parameters: of all members, stacked.
            workspace: memory for what they compute.
            seeds: those by which they were initialised: of a module, what is neither parameter nor
                buffer is as it was then.
        """
        if self.maker:
            made = Modules(self.maker, seeds or [0] * len(parameters[0]), workspace)
            made.parameters[:] = parameters
            return made
        if self.architecture:
            return CNN(self.architecture, parameters, workspace)
        return MLP(parameters, workspace)
