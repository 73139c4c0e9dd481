"""Many multilayer perceptrons of the same shape, computed as one.

Weights are stacked along a leading member axis, so that a layer of all members is one batched
matrix product. Forward and backward pass are written out: small models are bound by the cost of
calls and of fresh memory, and here each layer is one call into memory that is kept.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch
from torch import Tensor, nn

from rote.machine.products import multiply, multiply_and_add
from rote.machine.randomness import seed_of
from rote.models.optimizer import Optimizer
from rote.models.regularization import UNREGULARIZED, Regularization
from rote.models.workspace import Workspace, aligned, empty

LARGE = 2**20  # numbers of a model from which its drawing is worth a thread
Layers = list[tuple[Tensor, Tensor]]  # weight and bias of each


def initial_parameters(
    sizes: list[int],
    seeds: list[int],
    device: torch.device | str = "cpu",
    initialization: str = "pytorch",
    biases: bool = True,
) -> list[Tensor]:
    """Return [weight, bias, weight, bias, …] of one MLP a seed.

    Weights are (members, inputs, outputs), biases (members, 1, outputs), float32. As PyTorch
    initialises it, a member equals ``nn.Sequential(nn.Linear(sizes[0], sizes[1]), nn.ReLU(), …)``
    made after ``torch.manual_seed(seed_of("initial", seed))``; for ``initialization`` and
    ``biases`` see :func:`drawn_layer`.
    """
    stacks = [
        tensor
        for inputs, outputs in pairwise(sizes)
        for tensor in (
            empty((len(seeds), inputs, outputs), torch.float32, device),
            empty((len(seeds), 1, outputs), torch.float32, device),
        )
    ]

    def draw(seed: int) -> Layers:
        generator = torch.Generator().manual_seed(seed_of("initial", seed))
        return [drawn_layer(*size, generator, initialization, biases) for size in pairwise(sizes)]

    for members, layers in drawn_models(seeds, draw, sum(s[0].numel() for s in stacks)):
        for k, (weight, bias) in enumerate(layers):
            fill(stacks[2 * k], members, weight)
            fill(stacks[2 * k + 1], members, bias)
    return stacks


def drawn_models(
    seeds: list[int], draw: Callable[[int], Layers], numbers: int
) -> Iterator[tuple[list[int], Layers]]:
    """Yield the positions of each seed among ``seeds``, and the model that ``draw`` draws for it.

    A generator is drawn from on one core. So large models are drawn in threads, as many as torch
    may use, which changes no number.

    Args:
        seeds: one a member.
        draw: returns the layers of a model of this seed.
        numbers: in all layers.
    """
    members = {seed: [] for seed in seeds}
    for member, seed in enumerate(seeds):
        members[seed].append(member)
    distinct, threads = list(members), torch.get_num_threads() if numbers >= LARGE else 1
    if threads == 1 or len(distinct) == 1:
        yield from ((members[seed], draw(seed)) for seed in distinct)
        return
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(distinct), threads):  # all at once might fill the memory
            some = distinct[start : start + threads]
            yield from zip((members[seed] for seed in some), pool.map(draw, some), strict=True)


def fill(stack: Tensor, members: list[int], drawn: Tensor) -> None:
    """Set the part of some members to what was drawn; it is brought to the device once."""
    first = stack[members[0]].copy_(drawn)
    for member in members[1:]:
        stack[member].copy_(first)


def drawn_layer(
    inputs: int,
    outputs: int,
    generator: torch.Generator,
    initialization: str = "pytorch",
    biases: bool = True,
    window: int = 1,
) -> tuple[Tensor, Tensor]:
    """Return weight (inputs, outputs) and bias (outputs,) of a layer, as PyTorch draws them.

    Args:
        inputs: of a unit: of a convolution, channels × ``window``.
        outputs: units, or maps.
        generator: is drawn from, for the weight before the bias.
        initialization: ``pytorch``, as of ``nn.Linear`` and ``nn.Conv2d``; ``glorot_normal`` or
            ``glorot_uniform`` (Glorot & Bengio 2010), with biases of 0.
        biases: without, they are 0, and none are drawn.
        window: the weights of a filter in a channel, which a fan-out counts.
    """
    # nn.Linear keeps (outputs, inputs), nn.Conv2d (outputs, channels, height, width).
    weight, bias = torch.empty(outputs, inputs // window, window), torch.zeros(outputs)
    match initialization:
        case "glorot_normal":
            nn.init.xavier_normal_(weight, generator=generator)
        case "glorot_uniform":
            nn.init.xavier_uniform_(weight, generator=generator)
        case "pytorch":
            nn.init.kaiming_uniform_(weight, a=5**0.5, generator=generator)
            if biases:
                bias.uniform_(-(inputs**-0.5), inputs**-0.5, generator=generator)
    return weight.flatten(1).mT, bias


def loss_gradient(logits: Tensor, labels: Tensor, weights: Tensor | None, memory: Tensor) -> Tensor:
    """Return ∂loss/∂logits of the mean cross-entropy, (softmax − one-hot) / batch, in ``memory``.

    Args:
        logits: (members, classes, batch).
        labels: class indices, (members, batch).
        weights: of the examples in the loss instead of 1 / batch, (members, batch).
        memory: of the shape of ``logits``, in the type of the result.
    """
    members, _, batch = logits.shape
    gradient = torch.softmax(logits, 1, dtype=memory.dtype, out=memory)
    minus_one = gradient.new_full((), -1.0).expand(members, 1, batch)
    gradient.scatter_add_(1, labels[:, None], minus_one)
    return gradient.div_(batch) if weights is None else gradient.mul_(weights[:, None])


class _Logits(torch.autograd.Function):
    """Logits (members, batch, classes) of inputs (members, batch, features).

    Autograd would multiply by torch's own products, in memory that is not aligned for each member.
    Layers get no gradient.
    """

    @staticmethod
    def forward(ctx, inputs: Tensor, layers: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Return the logits; ``layers`` are weight and bias of each, (members, …, outputs)."""
        below, activations = aligned(inputs.detach()), []
        for weight, bias in layers:
            memory = empty((*below.shape[:2], weight.shape[2]), below.dtype, below.device)
            below = multiply_and_add(bias, below, weight, memory)
            if len(activations) < len(layers) - 1:
                activations.append(below.relu_())
        ctx.layers, ctx.activations = layers, activations
        return below

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        """Return ∂/∂inputs."""
        gradient = aligned(gradient)
        for k, (weight, _) in reversed(list(enumerate(ctx.layers))):
            shape = *gradient.shape[:2], weight.shape[1]
            memory = empty(shape, gradient.dtype, gradient.device)
            gradient = multiply(gradient, weight.mT, memory)
            if k:
                torch.ops.aten.threshold_backward.grad_input(
                    gradient, ctx.activations[k - 1], 0, grad_input=gradient
                )
        return gradient, None


class MLP:
    """An ensemble of MLPs with ReLU between the layers and logits at the end.

    Args:
        parameters: [weight, bias, …] with a leading member axis, see :func:`initial_parameters`;
            they are trained in place.
        workspace: memory for activations and their gradients.
    """

    smallest_batch, searched_together = 1, True

    def __init__(self, parameters: list[Tensor], workspace: Workspace):
        self.parameters = parameters
        # What members keep beside parameters: nothing.
        self.buffers: list[Tensor] = []
        self.population: list[Tensor] = []
        self.workspace = workspace

    @property
    def features(self) -> int:
        """The number of inputs of the first layer."""
        return self.parameters[0].shape[1]

    def _kept(self, name: str, batch: int) -> list[Tensor]:
        """Return memory (members, batch, units) for each hidden layer."""
        return [
            self.workspace(f"{name} {k}", (len(weight), batch, weight.shape[2]), weight.dtype)
            for k, weight in enumerate(self.parameters[:-2:2])
        ]

    def _layers(self) -> list[tuple[Tensor, Tensor]]:
        return list(zip(self.parameters[::2], self.parameters[1::2], strict=True))

    def _forward(
        self,
        layers: list[tuple[Tensor, Tensor]],
        inputs: Tensor,
        regularization: Regularization = UNREGULARIZED,
    ) -> tuple:
        """Return what enters each layer, hidden activations, and logits (members, classes, batch).

        What enters a layer are the activations of the one below, but for their noise. Classes stand
        before the batch, so that the softmax over few classes runs along whole rows of memory
        instead of ten numbers at a time.
        """
        entering, activations = [inputs], []
        for k, memory in enumerate(self._kept("activation", inputs.shape[1])):
            weight, bias = layers[k]
            activations.append(multiply_and_add(bias, entering[-1], weight, memory).relu_())
            entering.append(regularization.disturbed(k, activations[-1]))
        weight, bias = layers[-1]
        shape = len(weight), weight.shape[2], inputs.shape[1]
        memory = self.workspace("logits", shape, weight.dtype)
        logits = multiply_and_add(bias.mT, weight.mT, entering[-1].mT, memory)
        return entering, activations, logits

    def take_statistics(self, batches: Iterable[Tensor]) -> None:
        """Do nothing: no layer is normalised, see ``Model``."""

    def logits(self, inputs: Tensor) -> Tensor:
        """Return logits (members, classes, batch) of ``inputs`` (members, batch, features)."""
        return self._forward(self._layers(), inputs)[-1]

    def member_logits(self, member: int, inputs: Tensor, running: bool = False) -> Tensor:
        """Return logits of one member, see ``Model``."""
        return self.members_logits(inputs[None], running, slice(member, member + 1))[0]

    def members_logits(
        self, inputs: Tensor, running: bool = False, members: slice = slice(None)
    ) -> Tensor:
        """Return logits of some members, each of its own inputs, see ``Model``."""
        layers = [tuple(part[members].detach() for part in layer) for layer in self._layers()]
        return _Logits.apply(inputs, layers)

    def select(self, keep: list[int]) -> None:
        """Do nothing: there is nothing but stacks, see ``Model``."""

    def step(
        self,
        inputs: Tensor,
        labels: Tensor,
        optimizer: Optimizer,
        regularization: Regularization = UNREGULARIZED,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Make one update, see :meth:`rote.models.model.Model.step`."""
        layers = self._layers()
        entering, activations, logits = self._forward(layers, inputs, regularization)
        batch = labels.shape[1]
        memory = self.workspace("softmax", tuple(logits.shape), logits.dtype)
        gradient = loss_gradient(logits, labels, weights, memory).mT
        memory = self._kept("gradient", batch)
        for k in reversed(range(len(layers))):
            below, (weight, _) = entering[k], layers[k]
            if k:
                # Before the update of this layer, which must not change the gradient below it.
                passed_on = multiply(gradient, weight.mT, memory[k - 1])
            optimizer.descend(2 * k, below.mT, gradient)
            optimizer.descend(2 * k + 1, gradient.sum(1, keepdim=True))
            if k:
                regularization.rescale(passed_on)
                # Zero where the ReLU or dropout was; in place, without a mask of its own.
                torch.ops.aten.threshold_backward.grad_input(
                    passed_on, activations[k - 1], 0, grad_input=passed_on
                )
                gradient = passed_on
        return logits
