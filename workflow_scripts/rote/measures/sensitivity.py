"""Loss-sensitivity: how much each training example matters to the loss, through training.

g_x^t = ‖∂L_t/∂x‖₁, where L_t is the mean training loss after t updates of SGD and x acts on it
twice: directly, and through every earlier update that used it (Arpit et al. 2017, section 3.2). The
derivative is the total one, exact, as backpropagation through the unrolled training yields it
(Maclaurin, Duvenaud & Adams 2015).

The parameters θ_s after every update are kept, and one sweep from the last update to the first
carries the adjoints λ of *all* times t at once. With ℓ_s the mean loss of the batch of update s:

    λ_t = ∂L_t/∂θ,   λ_s = λ_{s+1} − η·H_s·λ_{s+1},   ∂L_t/∂x −= η·(∂²ℓ_s/∂x∂θ)ᵀ·λ_{s+1},

H_s being the Hessian of ℓ_s at θ_s. Both products are the derivative of one backward pass in the
direction λ (Pearlmutter 1994), written out here: no graph is built, so memory does not grow with
one. It holds the parameters after every update, the gradients ∂L_t/∂x of some times (at most
``ACCUMULATED_BYTES``, or those of a single time if these are more), and the result.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

# Gradients of as many times as fit here are swept together. Fewer repeat the passes over the
# updates more often (4 MiB: twice the time), more leave the cache and gain nothing from 32 MiB on.
ACCUMULATED_BYTES = 20 * 2**20


class Training(NamedTuple):
    """Members that SGD trains on batches given in advance; tensors (members, …).

    A bias is the weight of an input that is always one: the last row of a layer's weights, and the
    last column of the inputs.
    """

    weights: list[Tensor]  # of each layer before the first update, (inputs + 1, outputs)
    inputs: Tensor  # (examples, features + 1)
    labels: Tensor  # (examples,)
    batches: list[Tensor]  # example indices (batch,) of every update
    learning_rate: float


class _Pass(NamedTuple):
    """What a forward and a backward pass leave behind, layer by layer."""

    activations: list[Tensor]  # that enter each layer, (members, batch, inputs + 1)
    probabilities: Tensor  # (members, batch, classes)
    deltas: list[Tensor]  # ∂(mean loss)/∂(output of each layer), (members, batch, outputs)
    slopes: list[Tensor]  # of the ReLU after each layer but the last, 0 or 1, as the deltas


def with_one(values: Tensor) -> Tensor:
    """Append the input that is always one to ``values`` (members, examples, features)."""
    return torch.nn.functional.pad(values, (0, 1), value=1.0)


def _forward(weights: list[Tensor], inputs: Tensor) -> tuple[list[Tensor], Tensor]:
    """Return the activations that enter each layer, and the logits (members, batch, classes)."""
    activations = [inputs]
    for weight in weights[:-1]:
        activations.append(with_one(torch.bmm(activations[-1], weight).relu_()))
    return activations, torch.bmm(activations[-1], weights[-1])


def _pass(weights: list[Tensor], inputs: Tensor, labels: Tensor) -> _Pass:
    activations, logits = _forward(weights, inputs)
    probabilities = logits.softmax(-1)
    delta = probabilities.clone()
    delta.scatter_add_(-1, labels[..., None], delta.new_full((), -1.0).expand(*labels.shape, 1))
    deltas = [delta.div_(labels.shape[1])]
    slopes = [activation[..., :-1].sign() for activation in activations[1:]]
    for weight, slope in zip(weights[:0:-1], reversed(slopes), strict=True):
        deltas.insert(0, torch.bmm(deltas[0], weight[:, :-1].mT).mul_(slope))
    return _Pass(activations, probabilities, deltas, slopes)


def _pass_batch(training: Training, weights: list[Tensor], batch: Tensor) -> _Pass:
    members, examples, _ = training.inputs.shape
    first = torch.arange(0, members * examples, examples, device=batch.device)
    rows = (batch + first[:, None]).flatten()
    inputs = training.inputs.flatten(0, 1).index_select(0, rows).unflatten(0, batch.shape)
    return _pass(weights, inputs, training.labels.gather(1, batch))


def trajectory(training: Training) -> Iterator[list[Tensor]]:
    """Yield the weights before the first update and after every one, as new tensors."""
    weights = training.weights
    yield weights
    for batch in training.batches:
        at = _pass_batch(training, weights, batch)
        weights = [
            torch.baddbmm(weight, below.mT, delta, alpha=-training.learning_rate)
            for weight, below, delta in zip(weights, at.activations, at.deltas, strict=True)
        ]
        yield weights


def score(training: Training, weights: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the mean loss (nat) and the accuracy on the training examples, (members,) each."""
    logits = _forward(weights, training.inputs)[1].flatten(0, 1)
    labels = training.labels.flatten()
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    right = (logits.argmax(-1) == labels).to(loss.dtype)
    return tuple(values.view(training.labels.shape).mean(1) for values in (loss, right))


class _Adjoints:
    """∂L/∂θ for many losses L at once, and the ∂L/∂x that they leave behind on their way back.

    Losses stand in the order in which they join, so that the first ``active`` ones are those on
    their way. The adjoint of a layer is (members, inputs + 1, losses·outputs): the losses stand
    beside the outputs, so that one matrix product serves them all.

    Args:
        training: the members.
        losses: the most losses at once.
    """

    def __init__(self, training: Training, losses: int):
        self.training, self.losses, self.active = training, losses, 0
        members, examples, features = training.inputs.shape
        self.values = [
            w.new_empty(members, w.shape[1], losses * w.shape[2]) for w in training.weights
        ]
        self.of_inputs = training.inputs.new_empty(members, examples, losses, features - 1)
        self._kept: dict[str, Tensor] = {}

    def _memory(self, name: str, *shape: int) -> Tensor:
        """Return uninitialised memory, the same again for the same name.

        The operating system's fresh pages would cost more than the product that is written to them.
        """
        size = math.prod(shape)
        if name not in self._kept or len(self._kept[name]) < size:
            self._kept[name] = self.of_inputs.new_empty(size // self.active * self.losses)
        return self._kept[name][:size].view(shape)

    def join(self, weights: list[Tensor], terms: Tensor) -> None:
        """Begin with the losses that ``weights`` have on the training examples.

        Args:
            weights: those at the time of the losses.
            terms: 1 where an example's cross-entropy counts for a loss, else 0; (members, examples,
                losses).
        """
        at = _pass(weights, self.training.inputs, self.training.labels)
        first, count = self.active, terms.shape[2]
        self.active += count
        for value, below, delta in zip(self.values, at.activations, at.deltas, strict=True):
            outputs = delta.shape[2]
            place = slice(first * outputs, self.active * outputs)
            value[..., place] = below.mT @ (terms[..., None] * delta[:, :, None]).flatten(2)
        direct = at.deltas[0] @ weights[0][:, :-1].mT
        self.of_inputs[:, :, first : self.active] = terms[..., None] * direct[:, :, None]

    def pass_update(self, weights: list[Tensor], batch: Tensor) -> None:
        """Go back through an update that started from ``weights`` and used ``batch``."""
        rate, active = self.training.learning_rate, self.active
        members, size = batch.shape
        at = _pass_batch(self.training, weights, batch)
        directions = [
            value[..., : active * weight.shape[2]]
            for value, weight in zip(self.values, weights, strict=True)
        ]

        # R{·} is the derivative in the direction of the adjoint. Forward: R{output of a layer}.
        moved = []  # R{activations} that enter each layer but the first
        for k, (weight, direction) in enumerate(zip(weights, directions, strict=True)):
            output = self._memory(f"output {k}", members, size, direction.shape[2])
            torch.bmm(at.activations[k], direction, out=output)
            output = output.view(members, size, active, -1)
            if k:
                output.flatten(1, 2).baddbmm_(moved[-1].flatten(1, 2), weight[:, :-1])
            if k < len(at.slopes):
                output *= at.slopes[k][:, :, None]
            moved.append(output)

        # Backward: R{∂(mean loss)/∂(output)}, from the derivative of the softmax on.
        change, p = moved.pop(), at.probabilities[:, :, None]
        change -= change @ p.mT
        change *= p / size
        for k in reversed(range(len(weights))):
            weight, direction, below, delta = (
                weights[k],
                directions[k],
                at.activations[k],
                at.deltas[k],
            )
            inputs, outputs = weight.shape[1] - 1, weight.shape[2]
            of_loss = direction[:, :-1].view(members, inputs, active, outputs)
            # δ·directionᵀ for every loss: the losses must stand beside the inputs for once.
            turned = self._memory("turned", members, outputs, active, inputs)
            turned.copy_(of_loss.permute(0, 3, 2, 1))
            passed_on = self._memory(f"passed on {k}", members, size, active * inputs)
            torch.bmm(delta, turned.flatten(2), out=passed_on)
            passed_on = passed_on.view(members, size, active, inputs)
            passed_on.flatten(1, 2).baddbmm_(change.flatten(1, 2), weight[:, :-1].mT)
            direction.baddbmm_(below.mT, change.flatten(2), alpha=-rate)
            if k:
                product = torch.bmm(delta.mT, moved[k - 1].flatten(2))
                product = product.view(members, outputs, active, inputs).permute(0, 3, 2, 1)
                of_loss.sub_(product, alpha=rate)
                passed_on *= at.slopes[k - 1][:, :, None]
            change = passed_on
        for own, index, gradient in zip(self.of_inputs, batch, change, strict=True):
            own[:, :active].index_add_(0, index, gradient, alpha=-rate)


@torch.inference_mode()
def sweep(
    training: Training,
    kept: list[list[Tensor]],
    times: Sequence[int],
    terms: Tensor,
    report: Callable[[int], None] = lambda updates: None,
) -> Iterator[tuple[list[int], Tensor]]:
    """Yield ‖∂L_t/∂x‖₁, as (members, times, losses, examples), for some of ``times`` after others.

    Args:
        training: members, their data and their batches.
        kept: the weights that :func:`trajectory` yields, at least up to the last of ``times``.
        times: numbers of updates t after which L_t is taken, without repetition.
        terms: 1 where an example's cross-entropy counts for a loss, else 0: (members, examples,
            losses). The losses add up to the mean training loss if every example counts once.
        report: is called with the number of losses each time that they have passed an update; in
            the end, these add up to the sum of ``times``, times the number of losses.
    """
    times = sorted(times, reverse=True)
    losses = terms.shape[2]
    together = max(1, ACCUMULATED_BYTES // (training.inputs.nbytes * losses))
    adjoints = _Adjoints(training, min(together, len(times)) * losses)
    for first in range(0, len(times), together):
        some = times[first : first + together]
        adjoints.active = 0
        for s in range(some[0], -1, -1):
            if s in some:
                adjoints.join(kept[s], terms)
            if s:
                adjoints.pass_update(kept[s - 1], training.batches[s - 1])
                report(adjoints.active)
        norms = adjoints.of_inputs[:, :, : adjoints.active].abs_().sum(-1)
        yield some, norms.unflatten(2, (len(some), losses)).permute(0, 2, 3, 1)


def class_terms(labels: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """Return ``terms`` of :func:`sweep` that make a loss of each class; labels (members, examples).

    The loss L_t(y=i) holds the terms of L_t that belong to examples of class i.
    """
    return torch.nn.functional.one_hot(labels, classes).to(dtype)


def by_class(norms: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of ``norms`` (times, losses, examples) over times and examples of a class.

    The result is (losses, classes); NaN for a class without examples. ``labels`` is (examples,).
    """
    belongs = class_terms(labels, norms.shape[1], norms.dtype)
    return norms.mean(0) @ belongs / belongs.sum(0)


def loss_sensitivity(
    parameters: Sequence[tuple],
    inputs,
    labels,
    batches: Sequence,
    learning_rate: float,
    times: Sequence[int],
) -> Tensor:
    """Return g_x^t = ‖∂L_t/∂x‖₁ of every training example x, (times, examples).

    Args:
        parameters: of an MLP with ReLU between its layers before the first update: for each layer
            its weight (outputs, inputs), as ``nn.Linear`` keeps it, and its bias (outputs,).
        inputs: training inputs x, (examples, features), in the type to compute in.
        labels: class indices, (examples,).
        batches: the example indices of every update, (updates, batch); or, where batches are of
            different sizes, a list with the (batch,) of each update.
        learning_rate: η of plain SGD on the mean cross-entropy of each batch.
        times: the numbers of updates t, in any order, from 0 to the number of updates.

    Raises:
        ValueError: shapes that do not fit, an unknown label, a batch that is empty or names an
            example that does not exist, a time before the first update or after the last one.
    """
    training, kept, times = _checked(parameters, inputs, labels, batches, learning_rate, times)
    terms = training.inputs.new_ones(*training.labels.shape, 1)
    found = {}
    for some, norms in sweep(training, kept, list(dict.fromkeys(times)), terms):
        found |= dict(zip(some, norms[0, :, 0], strict=True))
    return torch.stack([found[t] for t in times])


def class_sensitivity(
    parameters: Sequence[tuple],
    inputs,
    labels,
    batches: Sequence,
    learning_rate: float,
    times: Sequence[int],
) -> Tensor:
    """Return ḡ_ij, (loss_class, example_class): how much class j matters to the loss of class i.

    ḡ_ij is the mean, over ``times`` and over the training examples x of class j, of
    ‖∂L_t(y=i)/∂x‖₁, where L_t(y=i) holds the terms of the mean training loss L_t that belong to
    examples of class i (Arpit et al. 2017, section 3.3). NaN for a class j without examples.

    Arguments and errors are those of :func:`loss_sensitivity`.
    """
    training, kept, times = _checked(parameters, inputs, labels, batches, learning_rate, times)
    labels = training.labels[0]
    terms = class_terms(training.labels, training.weights[-1].shape[2], training.inputs.dtype)
    found = {}
    for some, norms in sweep(training, kept, list(dict.fromkeys(times)), terms):
        found |= {t: by_class(norms[0, [k]], labels) for k, t in enumerate(some)}
    return torch.stack([found[t] for t in times]).mean(0)


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
        stacked, with_one(inputs[None]), labels.long()[None], updates, float(learning_rate)
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
