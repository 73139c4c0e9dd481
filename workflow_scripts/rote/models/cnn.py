"""Many convolutional networks of the same shape, computed as one: the study's "small AlexNet".

(Convolution → batch normalisation → ReLU → max-pooling), twice in the paper → (dense → batch
normalisation → ReLU), twice → dense (Arpit et al. 2017, footnote 2, after Zhang et al. 2017).

Forward and backward pass are written out, as those of the MLP are. Three identities save most of
the passes over the largest tensors, the products of the weights. A bias before a normalisation
changes its mean and nothing else: it is never added, and has no gradient. A normalisation of
positive scale and a ReLU are monotone: they follow the pooling, on fewer numbers; where a scale is
negative, its sign goes into the weights. And the gradient of the products is a multiple of the
products plus a constant plus what the pooling lets through: it takes their place in memory.

A model in training is normalised by the statistics of each batch. Whatever is said of a model as it
is, its scores and what is searched in it, goes by those of its whole training data (Ioffe & Szegedy
2015, algorithm 2): running averages lag behind weights that learn fast. Only adversarial training,
which searches the model between two updates, has to do with the running ones.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from rote.machine.products import multiply, multiply_and_add
from rote.machine.randomness import seed_of
from rote.models.convolution import Dense, by_member
from rote.models.dilated import filters_of
from rote.models.memberwise import convolution
from rote.models.mlp import Layers, drawn_layer, drawn_models, fill, loss_gradient
from rote.models.optimizer import Optimizer
from rote.models.regularization import UNREGULARIZED, Regularization
from rote.models.workspace import Workspace, aligned, empty
from rote.study.architecture import Architecture

MOMENTUM, EPSILON = 0.1, 1e-5  # of batch normalisation, as in torch.nn; of running averages
# At a time; a few hundred would need far more memory than training does.
EVALUATED = 125  # examples


def initial_parameters(
    architecture: Architecture,
    seeds: list[int],
    device: torch.device | str = "cpu",
    initialization: str = "pytorch",
    biases: bool = True,
) -> list[Tensor]:
    """Return the parameters of one CNN a seed.

    [weight, bias, scale, shift] of each normalised layer, then [weight, bias] of the logits.
    Weights are (members, inputs, outputs), all others (members, outputs, 1), float32; the inputs of
    a convolution are (channels, kernel, kernel), flat. As PyTorch initialises it, a member equals
    ``nn.Sequential`` of ``nn.Conv2d``, ``nn.BatchNorm2d``, … made after
    ``torch.manual_seed(seed_of("initial", seed))``; for ``initialization`` and ``biases`` see
    :func:`rote.models.mlp.drawn_layer`. Scales and shifts of normalisation are 1 and 0.
    """
    sizes = architecture.products()
    stacks = []
    for inputs, outputs in sizes:
        stacks.append(empty((len(seeds), inputs, outputs), torch.float32, device))
        stacks += [empty((len(seeds), outputs, 1), torch.float32, device) for _ in range(3)]
        stacks[-2].fill_(1.0)
        stacks[-1].zero_()
    del stacks[-2:]

    def draw(seed: int) -> Layers:
        generator = torch.Generator().manual_seed(seed_of("initial", seed))
        windows = [architecture.kernel**2] * len(architecture.maps)
        windows += [1] * (len(sizes) - len(windows))
        return [
            drawn_layer(*size, generator, initialization, biases, window)
            for size, window in zip(sizes, windows, strict=True)
        ]

    for members, layers in drawn_models(seeds, draw, sum(s[0].numel() for s in stacks)):
        for k, (weight, bias) in enumerate(layers):
            fill(stacks[4 * k], members, weight)
            fill(stacks[4 * k + 1], members, bias[:, None])
    return stacks


class _Passed(NamedTuple):
    """What the backward pass needs of a normalised layer."""

    below: Tensor  # the activations that entered it, padded, (members, …, batch)
    centred: Tensor  # products with the weights, less their mean, (members, outputs, …)
    kept: Tensor  # those that pooling let through, (members, outputs, …)
    winners: Tensor | None  # and where they stood; None without pooling
    inverse: Tensor  # 1 / standard deviation of the products, (members, outputs, 1)
    activations: Tensor  # of the shape of ``kept``


class CNN:
    """An ensemble of CNNs.

    Args:
        architecture: the sizes.
        parameters: see :func:`initial_parameters`; they are trained in place.
        workspace: memory for activations and their gradients.

    Raises:
        UserError: the images are too small.
    """

    smallest_batch = Architecture.smallest_batch
    searched_together = False  # on the CPU what autograd keeps of many is not aligned for each

    def __init__(
        self,
        architecture: Architecture,
        parameters: list[Tensor],
        workspace: Workspace,
    ):
        self.architecture = architecture
        self.parameters = parameters
        self.workspace = workspace
        # Mean and variance of each normalised layer, (members, outputs, 1): running averages, and
        # those of all training examples.
        self.buffers, self.population = (
            [
                aligned(torch.full_like(shift, start))
                for shift in parameters[3::4]
                for start in (0.0, 1.0)
            ]
            for _ in range(2)
        )
        self.layers = [
            convolution(str(k), sizes, architecture, workspace)
            for k, sizes in enumerate(architecture.planes())
        ]
        dense = range(len(self.layers), len(self.layers) + len(architecture.dense))
        self.layers += [Dense(str(k), workspace) for k in dense]

    @property
    def features(self) -> int:
        """The number of inputs: channels × height × width of an image."""
        return math.prod(self.architecture.image)

    @property
    def filters(self) -> Tensor:
        """The filters of the first layer, (members, maps, channels, kernel, kernel)."""
        return filters_of(self.parameters[0], self.architecture.kernel)

    def _memory(self, name: str, *shape: int) -> Tensor:
        return self.workspace(name, shape, self.parameters[0].dtype)

    def _planes(self, inputs: Tensor) -> Tensor:
        """Return inputs (members, batch, features) as planes (…, height, width, batch), a copy."""
        members, batch, features = inputs.shape
        memory = self._memory("image", members, features, batch)
        if memory.device.type == "cuda":
            memory.copy_(inputs.mT)
        else:  # one by one: in blocks, up to five times as fast on colour images
            for member, rows in zip(memory, inputs, strict=True):
                member.copy_(rows.T)
        return memory.unflatten(1, self.architecture.image)

    def _scaled(self, k: int, scale: Tensor) -> Tensor:
        """Return the weights of layer ``k`` times the ``scale`` of each output."""
        weight = self.parameters[4 * k]
        memory = self._memory(f"weights {k}", *weight.shape)
        return torch.mul(weight, scale.mT, out=memory)

    def _folded(
        self, k: int, statistics: list[Tensor], members: slice = slice(None)
    ) -> tuple[Tensor, Tensor]:
        """Return slope and shift by which layer ``k`` turns products into what enters its ReLU.

        They stand for the bias, and the normalisation by ``statistics``.
        """
        bias, scale, shift = (part[members] for part in self.parameters[4 * k + 1 : 4 * k + 4])
        mean, variance = (part[members] for part in statistics[2 * k : 2 * k + 2])
        slope = scale * (variance + EPSILON).rsqrt()
        return slope, shift + slope * (bias - mean)

    def take_statistics(self, batches: Iterable[Tensor]) -> None:
        """See :meth:`rote.models.model.Model.take_statistics`."""
        for start, average in zip((0.0, 1.0) * len(self.layers), self.population, strict=True):
            average.fill_(start)  # whatever it was: a mean with what is not finite stays so
        for number, inputs in enumerate(batches, 1):
            below, batch = self._planes(inputs), inputs.shape[1]
            for k, layer in enumerate(self.layers):
                # Of n batches, each is 1 / n of the average.
                passed = self._normalised(k, layer.padded(below), self.population, 1 / number)
                below = layer.shaped(passed.activations, batch)

    def logits(self, inputs: Tensor) -> Tensor:
        """Return logits (members, classes, batch) of ``inputs`` (members, batch, features).

        They are normalised by the statistics that were taken last, see :meth:`take_statistics`.
        """
        if inputs.stride(0) == 0:  # the same for all members: so are their patches
            inputs = inputs[:1]
        parts = inputs.split(EVALUATED, 1)
        return torch.cat([self._evaluated(part) for part in parts], 2)

    def _evaluated(self, inputs: Tensor) -> Tensor:
        below, batch = self._planes(inputs), inputs.shape[1]
        for k, layer in enumerate(self.layers):
            slope, shift = self._folded(k, self.population)
            products = layer.products(self._scaled(k, slope), layer.padded(below))
            kept, _ = layer.pooled(products, batch)
            memory = self._memory(f"activations {k}", *kept.shape)
            below = layer.shaped(torch.add(kept, shift, out=memory).relu_(), batch)
        return self._logits(below).clone()

    def _logits(self, below: Tensor) -> Tensor:
        weight, bias = self.parameters[-2:]
        memory = self._memory("logits", len(weight), weight.shape[2], below.shape[-1])
        return multiply_and_add(bias, weight.mT, below.flatten(1, -2), memory)

    def member_logits(self, member: int, inputs: Tensor, running: bool = False) -> Tensor:
        """Return logits of one member, see ``Model``.

        Memory that autograd takes for all members would not be aligned for each, see
        :mod:`rote.models.workspace`.
        """
        own = slice(member, member + 1)
        if inputs.device.type == "cuda":
            return self.members_logits(inputs[None], running, own)[0]
        statistics = self.buffers if running else self.population
        below, batch = inputs[None].mT.unflatten(1, self.architecture.image), len(inputs)
        for k, layer in enumerate(self.layers):
            slope, shift = self._folded(k, statistics, own)
            kept = layer.differentiable(self.parameters[4 * k][own], slope, below)
            below = layer.shaped(torch.relu(kept + shift), batch)
        weight, bias = (parameter[own] for parameter in self.parameters[-2:])
        return torch.baddbmm(bias, weight.mT, below.flatten(1, -2))[0].mT

    def members_logits(
        self, inputs: Tensor, running: bool = False, members: slice = slice(None)
    ) -> Tensor:
        """Return logits of some members, each of its own inputs, see ``Model``.

        By plain convolutions of images, in one group a member: for CUDA, whose library is made for
        these, and not for the dilation by a batch, another one whenever the batch shrinks.
        """
        statistics = self.buffers if running else self.population
        below = inputs.transpose(0, 1).unflatten(2, self.architecture.image).flatten(1, 2)
        for k, layer in enumerate(self.layers):
            slope, shift = self._folded(k, statistics, members)
            kept = layer.of_images(self.parameters[4 * k][members], slope, below)
            below = torch.relu(kept + shift.view(-1, *[1] * (kept.ndim - 2)))
        weight, bias = (parameter[members] for parameter in self.parameters[-2:])
        return torch.baddbmm(bias.mT, by_member(below, len(weight)), weight)

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
        batch = inputs.shape[1]
        below = self._planes(inputs)
        passed = []
        for k, layer in enumerate(self.layers):
            passed.append(self._normalised(k, layer.padded(below), self.buffers, MOMENTUM))
            below = layer.shaped(regularization.disturbed(k, passed[-1].activations), batch)
        logits = self._logits(below)
        gradient = loss_gradient(logits, labels, weights, self._memory("softmax", *logits.shape))
        weight, below = self.parameters[-2], below.flatten(1, -2)
        passed_on = multiply(weight, gradient, self._memory("passed", *below.shape))
        last = len(self.parameters) - 2
        optimizer.descend(last, below, gradient.mT)
        optimizer.descend(last + 1, gradient.sum(2, keepdim=True))
        for k in reversed(range(len(self.layers))):
            regularization.rescale(passed_on)
            gradient = self._descend_normalisation(k, passed[k], passed_on, batch, optimizer)
            if k:
                # Before the update of these weights, which must not change the gradient below.
                passed_on = self.layers[k].passed_on(self.parameters[4 * k], gradient, batch)
            self.layers[k].descend(4 * k, passed[k].below, gradient, optimizer)
        return logits

    def _normalised(self, k: int, below: Tensor, averages: list[Tensor], share: float) -> _Passed:
        """Compute layer ``k`` by the statistics of the batch, which become a share of averages."""
        _, bias, scale, shift = self.parameters[4 * k : 4 * k + 4]
        average_mean, average_variance = averages[2 * k : 2 * k + 2]
        sign = _sign(scale)
        layer, batch = self.layers[k], below.shape[-1]
        centred = layer.products(self._scaled(k, sign), below)
        mean = centred.mean(2, keepdim=True)
        centred.sub_(mean)
        count = centred.shape[2]
        variance = torch.linalg.vector_norm(centred, dim=2, keepdim=True).square_().div_(count)
        average_mean.lerp_(mean.mul_(sign).add_(bias), share)
        average_variance.lerp_(variance * (count / (count - 1)), share)
        inverse = variance.add_(EPSILON).rsqrt_()
        kept, winners = layer.pooled(centred, batch)
        activations = self._memory(f"activations {k}", *kept.shape)
        torch.mul(kept, scale.abs() * inverse, out=activations).add_(shift).relu_()
        return _Passed(below, centred, kept, winners, inverse, activations)

    def _descend_normalisation(
        self, k: int, passed: _Passed, gradient: Tensor, batch: int, optimizer: Optimizer
    ) -> Tensor:
        """Update bias, scale and shift of layer ``k``, given ∂loss/∂activations.

        Returns:
            ∂loss/∂products (with the weights as they are, without the sign), in place of them.
        """
        _, centred, kept, winners, inverse, activations = passed
        scale, count = self.parameters[4 * k + 2], centred.shape[2]
        gradient = gradient.view(kept.shape)
        # Zero where the ReLU or dropout was; in place, without a mask of its own.
        torch.ops.aten.threshold_backward.grad_input(gradient, activations, 0, grad_input=gradient)
        total = gradient.sum(2, keepdim=True)
        # ∂loss/∂|scale|. Only the layer above needed the activations: their memory takes the terms.
        along = torch.mul(gradient, kept, out=activations).sum(2, keepdim=True).mul_(inverse)
        slope = scale * inverse
        each = slope / -count
        centred.mul_(each * along * inverse).add_(each * total)
        self.layers[k].add_unpooled(centred, gradient.mul_(slope), winners, batch)
        if optimizer.weight_decay is not None:  # without a gradient nothing else moves the bias
            optimizer.descend(4 * k + 1, torch.zeros_like(total))
        optimizer.descend(4 * k + 2, along.mul_(_sign(scale)))
        optimizer.descend(4 * k + 3, total)
        return centred


def _sign(scale: Tensor) -> Tensor:
    """Return −1 where ``scale`` is negative, and 1 elsewhere: unlike torch.sign, at 0 too."""
    return torch.ones_like(scale).copysign_(scale)
