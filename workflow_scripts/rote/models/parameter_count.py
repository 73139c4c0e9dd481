"""How many parameters a model has, counted in the tensors that are trained."""

from rote.models.kinds import Models
from rote.models.workspace import Workspace


def parameter_count(settings: dict, image: tuple[int, int, int], classes: int) -> int:
    """Return the number of weights and biases of a model.

    Of a CNN, scales and shifts of batch normalisation do not count, which those do not have whose
    number of parameters Zhang et al. (2017) print. Biases that are not trained do not count.

    Args:
        settings: those of :class:`rote.models.kinds.Models`.
        image: shape of the inputs, (channels, rows, columns).
        classes: number of classes.

    Raises:
        UserError: see :class:`rote.models.kinds.Models`.
    """
    models = Models(settings, image, classes)
    left_out = {*models.fixed}
    tensors = models.initial([0], Workspace("cpu")).parameters
    if models.architecture:  # weight, bias, scale and shift of each layer but the last
        left_out |= {k for k in range(len(tensors)) if k % 4 in (2, 3)}
    return sum(tensor[0].numel() for k, tensor in enumerate(tensors) if k not in left_out)
