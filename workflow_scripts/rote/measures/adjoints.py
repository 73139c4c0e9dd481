"""The derivatives of training losses by the training inputs: one sweep back through all updates.

The parameters θ_s after every update are kept, and one sweep from the last update to the first
carries the adjoints λ of the losses L_t at *all* times t at once. With ℓ_s the mean loss of the
batch of update s:

    λ_t = ∂L_t/∂θ,   λ_s = λ_{s+1} − η·H_s·λ_{s+1},   ∂L_t/∂x −= η·(∂²ℓ_s/∂x∂θ)ᵀ·λ_{s+1},

H_s being the Hessian of ℓ_s at θ_s. Both products are the derivative of one backward pass in the
direction λ (Pearlmutter 1994), written out here: no graph is built, so memory does not grow with
one. It holds the parameters after every update, the gradients ∂L_t/∂x of some times (at most
``ACCUMULATED_BYTES``, or those of a single time if these are more), and the result. On CUDA it is
as many times as fit a quarter of the memory with all that belongs to them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from rote.machine.device import bytes_at_once
from rote.machine.products import add_product, multiply
from rote.measures.softmax import softmax

NORMS = "l1", "l2", "linf"
# Gradients of as many times as fit here are swept together. Fewer repeat the passes over the
# updates more often (4 MiB: twice the time), more leave the cache and gain nothing from 32 MiB on.
# That is the CPU's cache: see rote.machine.device.bytes_at_once.
ACCUMULATED_BYTES = 20 * 2**20


class Training(NamedTuple):
    """Members that SGD trains on batches given in advance; tensors (members, …).

    A bias is the weight of an input that is always one: the last row of a layer's weights, and the
    last column of the inputs. Of models without biases that row is 0, and so is that input: then
    the row has no gradient, and nothing passes through it.
    """

    weights: list[Tensor]  # of each layer before the first update, (inputs + 1, outputs)
    inputs: Tensor  # (examples, features + 1)
    labels: Tensor  # (examples,)
    batches: list[Tensor]  # example indices (batch,) of every update
    learning_rate: float
    constant: float = 1.0  # the input of the biases; 0 without them


class _Pass(NamedTuple):
    """What a forward and a backward pass leave behind, layer by layer."""

    activations: list[Tensor]  # that enter each layer, (members, batch, inputs + 1)
    probabilities: Tensor  # (members, batch, classes)
    deltas: list[Tensor]  # ∂(mean loss)/∂(output of each layer), (members, batch, outputs)
    slopes: list[Tensor]  # of the ReLU after each layer but the last, 0 or 1, as the deltas


def with_constant(values: Tensor, constant: float = 1.0) -> Tensor:
    """Append the input of the biases to ``values`` (members, examples, features)."""
    return torch.nn.functional.pad(values, (0, 1), value=constant)


def _forward(weights: list[Tensor], inputs: Tensor, constant: float) -> tuple[list[Tensor], Tensor]:
    """Return the activations that enter each layer, and the logits (members, batch, classes)."""
    activations = [inputs]
    for weight in weights[:-1]:
        activations.append(with_constant(torch.bmm(activations[-1], weight).relu_(), constant))
    return activations, torch.bmm(activations[-1], weights[-1])


def _pass(weights: list[Tensor], inputs: Tensor, labels: Tensor, constant: float) -> _Pass:
    activations, logits = _forward(weights, inputs, constant)
    probabilities = softmax(logits)
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
    return _pass(weights, inputs, training.labels.gather(1, batch), training.constant)


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


def logits(training: Training, weights: list[Tensor]) -> Tensor:
    """Return the logits of the training examples, (members, examples, classes)."""
    return _forward(weights, training.inputs, training.constant)[1]


def score(training: Training, weights: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the mean loss (nat) and the accuracy on the training examples, (members,) each."""
    each = logits(training, weights).flatten(0, 1)
    labels = training.labels.flatten()
    loss = torch.nn.functional.cross_entropy(each, labels, reduction="none")
    right = (each.argmax(-1) == labels).to(loss.dtype)
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
        self._parts: dict[tuple, Tensor] = {}  # of what is kept, as they were asked for

    def _memory(self, name: str, *shape: int) -> Tensor:
        """Return uninitialised memory, the same again for the same name and shape.

        The operating system's fresh pages would cost more than the product that is written to them.
        """
        part = self._parts.get((name, shape))
        if part is None:
            size = math.prod(shape)
            if name not in self._kept or len(self._kept[name]) < size:
                self._kept[name] = self.of_inputs.new_empty(size // self.active * self.losses)
            part = self._parts[name, shape] = self._kept[name][:size].view(shape)
        return part

    def join(self, weights: list[Tensor], terms: Tensor) -> None:
        """Begin with the losses that ``weights`` have on the training examples.

        Args:
            weights: those at the time of the losses.
            terms: 1 where an example's cross-entropy counts for a loss, else 0; (members, examples,
                losses).
        """
        training = self.training
        at = _pass(weights, training.inputs, training.labels, training.constant)
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
            multiply(at.activations[k], direction, output)
            output = output.view(members, size, active, -1)
            if k:
                add_product(output.flatten(1, 2), moved[-1].flatten(1, 2), weight[:, :-1])
            if k < len(at.slopes):
                output *= at.slopes[k][:, :, None]
            moved.append(output)

        # Backward: R{∂(mean loss)/∂(output)}, from the derivative of the softmax on.
        change, p = moved.pop(), at.probabilities[:, :, None]
        change -= (change * p).sum(-1, keepdim=True)
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
            multiply(delta, turned.flatten(2), passed_on)
            passed_on = passed_on.view(members, size, active, inputs)
            add_product(passed_on.flatten(1, 2), change.flatten(1, 2), weight[:, :-1].mT)
            add_product(direction, below.mT, change.flatten(2), -rate)
            if k:
                product = self._memory(f"product {k}", members, outputs, active * inputs)
                multiply(delta.mT, moved[k - 1].flatten(2), product)
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
    norms: Sequence[str] = NORMS[:1],
) -> Iterator[tuple[list[int], Tensor]]:
    """Yield norms of ∂L_t/∂x for some of ``times`` after others.

    Each is a tensor (members, norms, times, losses, examples), beside the times that it holds.

    Args:
        training: members, their data and their batches.
        kept: the weights that :func:`trajectory` yields, at least up to the last of ``times``.
        times: numbers of updates t after which L_t is taken, without repetition.
        terms: 1 where an example's cross-entropy counts for a loss, else 0: (members, examples,
            losses). The losses add up to the mean training loss if every example counts once.
        report: is called with the number of losses each time that they have passed an update; in
            the end, these add up to the sum of ``times``, times the number of losses.
        norms: some of ``NORMS``, in the order of the result: of the same gradients.
    """
    times = sorted(times, reverse=True)
    losses = terms.shape[2]
    together = _times_together(training, losses)
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
        found = norms_of(adjoints.of_inputs[:, :, : adjoints.active], norms)
        yield some, found.unflatten(3, (len(some), losses)).permute(0, 1, 3, 4, 2)


def _times_together(training: Training, losses: int) -> int:
    """Return how many times, of so many losses each, are best swept together."""
    device = training.inputs.device
    of_loss = training.inputs.nbytes
    if device.type == "cuda":  # where adjoints, and what is made of them, stand in no cache either
        of_loss += 4 * sum(weight.nbytes for weight in training.weights)
    return max(1, bytes_at_once(device, ACCUMULATED_BYTES) // (of_loss * losses))


def norms_of(gradients: Tensor, names: Sequence[str]) -> Tensor:
    """Return norms of ``gradients`` (members, examples, losses, features), and overwrite these.

    The result is (members, norms, examples, losses).
    """
    found = {"l1": gradients.abs_().sum(-1)}
    if {"l2", "linf"} & set(names):
        found["linf"] = gradients.amax(-1)
    if "l2" in names:
        # Squares of numbers that a norm of a gradient can be are not all numbers of this type: they
        # are those of parts of the largest component.
        largest = found["linf"]
        unit = torch.where((largest > 0) & largest.isfinite(), largest, 1.0)
        found["l2"] = torch.linalg.vector_norm(gradients.div_(unit[..., None]), dim=-1) * unit
    return torch.stack([found[name] for name in names], 1)
