"""Loss-sensitivity: how much each training example matters to the loss, through training.

g_x^t = ‖∂L_t/∂x‖, where L_t is the mean training loss after t updates of SGD and x acts on it
twice: directly, and through every earlier update that used it. The norm is ℓ1; the paper reports
very similar results with ℓ2 and ℓ∞ (Arpit et al. 2017, section 3.2). The derivative is the total
one, exact, as backpropagation through the unrolled training yields it (Maclaurin, Duvenaud & Adams
2015); :mod:`rote.measures.adjoints` computes it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from rote.measures.adjoints import NORMS, Training, sweep, trajectory, with_constant


def class_terms(labels: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """Return ``terms`` of :func:`sweep` that make a loss of each class; labels (members, examples).

    The loss L_t(y=i) holds the terms of L_t that belong to examples of class i.
    """
    return torch.nn.functional.one_hot(labels, classes).to(dtype)


def by_class(norms: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of ``norms`` (times, losses, examples) over the examples of each class.

    The result is (times, losses, classes); NaN for a class without examples. ``labels`` is
    (examples,).
    """
    belongs = class_terms(labels, norms.shape[1], norms.dtype)
    return norms @ belongs / belongs.sum(0)


def loss_sensitivity(
    parameters: Sequence[tuple],
    inputs,
    labels,
    batches: Sequence,
    learning_rate: float,
    times: Sequence[int],
    *,
    norm: str = "l1",
) -> Tensor:
    """Return g_x^t = ‖∂L_t/∂x‖ of every training example x, (times, examples).

    Args:
        parameters: of an MLP with ReLU between its layers before the first update: for each layer
            its weight (outputs, inputs), as ``nn.Linear`` keeps it, and its bias (outputs,).
        inputs: training inputs x, (examples, features), in the type to compute in.
        labels: class indices, (examples,).
        batches: the example indices of every update, (updates, batch); or, where batches are of
            different sizes, a list with the (batch,) of each update.
        learning_rate: η of plain SGD on the mean cross-entropy of each batch.
        times: the numbers of updates t, in any order, from 0 to the number of updates.
        norm: ``l1``, the paper's, ``l2`` or ``linf``.

    Raises:
        ValueError: shapes that do not fit, an unknown label or norm, a batch that is empty or names
            an example that does not exist, a time before the first update or after the last one.
    """
    _check_norm(norm)
    training, kept, times = _checked(parameters, inputs, labels, batches, learning_rate, times)
    terms = training.inputs.new_ones(*training.labels.shape, 1)
    found = {}
    for some, norms in sweep(training, kept, list(dict.fromkeys(times)), terms, norms=[norm]):
        found |= dict(zip(some, norms[0, 0, :, 0], strict=True))
    return torch.stack([found[t] for t in times])


def class_sensitivity(
    parameters: Sequence[tuple],
    inputs,
    labels,
    batches: Sequence,
    learning_rate: float,
    times: Sequence[int],
    *,
    norm: str = "l1",
) -> Tensor:
    """Return ḡ_ij, (loss_class, example_class): how much class j matters to the loss of class i.

    ḡ_ij is the mean, over ``times`` and over the training examples x of class j, of
    ‖∂L_t(y=i)/∂x‖, where L_t(y=i) holds the terms of the mean training loss L_t that belong to
    examples of class i (Arpit et al. 2017, section 3.3). NaN for a class j without examples.

    Arguments and errors are those of :func:`loss_sensitivity`.
    """
    _check_norm(norm)
    training, kept, times = _checked(parameters, inputs, labels, batches, learning_rate, times)
    labels = training.labels[0]
    terms = class_terms(training.labels, training.weights[-1].shape[2], training.inputs.dtype)
    found = {}
    for some, norms in sweep(training, kept, list(dict.fromkeys(times)), terms, norms=[norm]):
        found |= dict(zip(some, by_class(norms[0, 0], labels), strict=True))
    return torch.stack([found[t] for t in times]).mean(0)


def _check_norm(norm: str) -> None:
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}, not {norm!r}.")


@torch.inference_mode()
def _checked(
    parameters, inputs, labels, batches, learning_rate, times
) -> tuple[Training, list[list[Tensor]], list[int]]:
    """Return a training with a single member, its trajectory and the times; or ``ValueError``."""
    inputs, labels = torch.as_tensor(inputs), torch.as_tensor(labels)
    if inputs.ndim != 2 or not inputs.is_floating_point() or not len(inputs):
        raise ValueError(
            f"inputs must be floating point numbers (examples, features), but they are "
            f"{inputs.dtype} of shape {tuple(inputs.shape)}."
        )
    stacked, width = [], inputs.shape[1]
    for number, layer in enumerate(parameters):
        weight, bias = (torch.as_tensor(tensor).detach() for tensor in layer)
        if weight.ndim != 2 or weight.shape[1] != width or bias.shape != weight.shape[:1]:
            raise ValueError(
                f"layer {number} has a weight of shape {tuple(weight.shape)} and a bias of shape "
                f"{tuple(bias.shape)}, but the weight must be (outputs, {width}) and the bias "
                "(outputs,)."
            )
        if weight.dtype != inputs.dtype or bias.dtype != inputs.dtype:
            raise ValueError(f"layer {number} is not of the inputs' type, {inputs.dtype}.")
        stacked.append(torch.cat([weight.mT, bias[None]])[None])
        width = len(weight)
    if not stacked:
        raise ValueError("parameters hold no layer.")
    if labels.shape != inputs.shape[:1] or labels.is_floating_point():
        raise ValueError(
            f"labels must be {len(inputs)} integers, one an example, but they are {labels.dtype} "
            f"of shape {tuple(labels.shape)}."
        )
    if labels.min() < 0 or labels.max() >= width:
        raise ValueError(f"labels must be from 0 to {width - 1}, the outputs of the last layer.")
    if not 0 < learning_rate < float("inf"):
        raise ValueError(f"learning_rate must be above 0 and finite, but it is {learning_rate}.")
    updates = []
    for number, batch in enumerate(batches):
        batch = torch.as_tensor(batch, device=inputs.device)
        if batch.ndim != 1 or not len(batch) or batch.is_floating_point():
            raise ValueError(f"batch {number} must hold at least one example index.")
        if batch.min() < 0 or batch.max() >= len(inputs):
            raise ValueError(
                f"batch {number} names examples from {batch.min()} to {batch.max()}, but there are "
                f"only 0 to {len(inputs) - 1}."
            )
        updates.append(batch.long()[None])
    times = _checked_times(times, len(updates))
    training = Training(
        stacked, with_constant(inputs[None]), labels.long()[None], updates, float(learning_rate)
    )
    return training, list(trajectory(training._replace(batches=updates[: max(times)]))), times


def _checked_times(times: Sequence[int], updates: int) -> list[int]:
    """Return ``times`` as integers, or raise ``ValueError``."""
    checked = [int(t) for t in times]
    if not checked:
        raise ValueError("times hold no number of updates.")
    for t, given in zip(checked, times, strict=True):
        if t != given or not 0 <= t <= updates:
            raise ValueError(f"time {given} is not a number of updates from 0 to {updates}.")
    return checked
