"""Loss-sensitivity of any ``torch.nn.Module``: the sweep of ``rote.measures.adjoints`` by autograd.

The products with the Hessian and with the mixed derivative are vector-Jacobian products of the
gradient, by ``torch.func``. The parameters after every update are needed on the way back. Where
they are more than ``KEPT_BYTES``, those after every k-th update are kept, and the others computed
again from there: memory grows with the root of the number of updates, time by one more training.

A layer of batch normalisation takes the statistics of the batch that it sees, in training and in
the loss L_t, where that are all training examples; other buffers stay as they are before training.
The losses are those of evaluation: without the module's own dropout. In training that draws by
seeds, within a transformation of ``torch.func`` other numbers than outside of one.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, replace_all_batch_norm_modules_, vjp
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.batchnorm import _BatchNorm

from rote.measures.adjoints import ACCUMULATED_BYTES, NORMS, norms_of

KEPT_BYTES = 2**30  # of parameters after updates
# At a time, where examples do not depend on each other. It decides about memory alone.
EVALUATED = 1000  # examples

Parameters = dict[str, Tensor]


class ModuleTraining(NamedTuple):
    """A module that SGD trains on batches given in advance."""

    module: nn.Module  # maps inputs (batch, …) to logits (batch, classes)
    inputs: Tensor  # (examples, …)
    labels: Tensor  # (examples,)
    batches: list[Tensor]  # example indices (batch,) of every update
    learning_rate: float
    seeds: Sequence[int]  # of what the module draws by itself in each update

    @classmethod
    def of(cls, module: nn.Module, *others) -> "ModuleTraining":
        """Return a training of ``module``, which is changed: see the statistics above."""
        return cls(replace_all_batch_norm_modules_(module), *others)

    def parameters(self) -> Parameters:
        """Return the parameters that are trained, as they are before the first update."""
        named = self.module.named_parameters()
        return {name: own.detach() for name, own in named if own.requires_grad}


@contextmanager
def _computed(module: nn.Module, training: bool, seed: int = 0) -> Iterator[None]:
    """Have the module compute as in training, or in evaluation, with this seed of its draws."""
    module.train(training)
    gpus = {own.device for own in module.parameters() if own.is_cuda}
    # That kernel alone has second derivatives.
    with torch.random.fork_rng(devices=gpus), sdpa_kernel(SDPBackend.MATH):
        torch.manual_seed(seed)
        yield


def _loss(
    training: ModuleTraining,
    parameters: Parameters,
    inputs: Tensor,
    labels: Tensor,
    weights: Tensor,
) -> Tensor:
    """Return the sum of the examples' cross-entropies times ``weights``."""
    buffers = {name: own.clone() for name, own in training.module.named_buffers()}
    logits = functional_call(training.module, {**parameters, **buffers}, (inputs,))
    return (nn.functional.cross_entropy(logits, labels, reduction="none") * weights).sum()


def _gradient_of_batch(training: ModuleTraining, s: int) -> tuple[Callable, Tensor]:
    """Return what maps parameters and inputs to the gradient of update ``s``; and its inputs."""
    batch = training.batches[s]
    labels, weights = training.labels[batch], training.inputs.new_full((), 1 / len(batch))

    def loss(parameters: Parameters, inputs: Tensor) -> Tensor:
        return _loss(training, parameters, inputs, labels, weights)

    return grad(loss), training.inputs[batch]


def _updated(training: ModuleTraining, parameters: Parameters, s: int) -> Parameters:
    """Return the parameters after update ``s``, given those before."""
    gradient_of, inputs = _gradient_of_batch(training, s)
    with _computed(training.module, True, training.seeds[s]):
        gradient = gradient_of(parameters, inputs)
    return {name: own - training.learning_rate * gradient[name] for name, own in parameters.items()}


class Trajectory:
    """The parameters of a module after each of the first ``updates``."""

    def __init__(self, training: ModuleTraining, updates: int):
        self.training = training
        parameters = training.parameters()
        size = sum(own.nbytes for own in parameters.values())
        fits = (updates + 1) * size <= KEPT_BYTES
        self.stride = 1 if fits else math.isqrt(updates) + 1
        self.kept = {0: parameters}
        for s in range(updates):
            parameters = _updated(training, parameters, s)
            if (s + 1) % self.stride == 0:
                self.kept[s + 1] = parameters
        self._part: dict[int, Parameters] = {}

    def __getitem__(self, t: int) -> Parameters:
        """Return those after ``t`` updates."""
        if self.stride == 1:
            return self.kept[t]
        if t not in self._part:
            start = t - t % self.stride
            self._part = {start: self.kept[start]}
            for s in range(start, t):
                self._part[s + 1] = _updated(self.training, self._part[s], s)
        return self._part[t]

    def logits(self, t: int) -> Tensor:
        """Return the logits of the training examples after ``t`` updates, (examples, classes)."""
        training, found = self.training, []
        with torch.no_grad(), _computed(training.module, False):
            for part in _parts(training):
                own = self[t], (training.inputs[part],)
                found.append(functional_call(training.module, *own))
        return torch.cat(found)

    def score(self, t: int) -> tuple[Tensor, Tensor]:
        """Return mean loss (nat) and accuracy on the training examples after ``t`` updates."""
        logits, labels = self.logits(t), self.training.labels
        right = (logits.argmax(1) == labels).to(logits.dtype)
        return nn.functional.cross_entropy(logits, labels), right.mean()


def _parts(training: ModuleTraining) -> list[slice]:
    """Return the parts of the examples that a loss of all of them may be computed by."""
    examples = len(training.labels)
    together = any(isinstance(part, _BatchNorm) for part in training.module.modules())
    size = examples if together else EVALUATED
    return [slice(start, start + size) for start in range(0, examples, size)]


def sweep(
    trajectory: Trajectory,
    times: Sequence[int],
    terms: Tensor,
    report: Callable[[int], None] = lambda updates: None,
    norms: Sequence[str] = NORMS[:1],
) -> Iterator[tuple[list[int], Tensor]]:
    """Yield norms of ∂L_t/∂x for some of ``times`` after others: see ``rote.measures.adjoints``.

    Each is a tensor (norms, times, losses, examples), beside the times that it holds.

    Args:
        trajectory: of the training, at least up to the last of ``times``.
        times: numbers of updates t after which L_t is taken, without repetition.
        terms: 1 where an example's cross-entropy counts for a loss, else 0: (examples, losses).
        report: is called with the number of losses each time that they have passed an update.
        norms: some of ``rote.measures.adjoints.NORMS``, in the order of the result.
    """
    times, losses = sorted(times, reverse=True), terms.shape[1]
    training = trajectory.training
    of_loss = training.inputs.nbytes + sum(own.nbytes for own in trajectory[0].values())
    together = max(1, ACCUMULATED_BYTES // (of_loss * losses))
    for first in range(0, len(times), together):
        some = times[first : first + together]
        adjoints: list[Parameters] = []
        of_inputs: list[Tensor] = []
        for s in range(some[0], -1, -1):
            if s in some:
                for own in terms.T:
                    by_parameters, by_inputs = _of_loss(training, trajectory[s], own)
                    adjoints.append(by_parameters)
                    of_inputs.append(by_inputs)
            if s:
                _pass_update(training, trajectory[s - 1], s - 1, adjoints, of_inputs)
                report(len(adjoints))
        gradients = torch.stack(of_inputs).flatten(2).transpose(0, 1)[None]
        found = norms_of(gradients, norms)[0]  # (norms, examples, losses)
        yield some, found.unflatten(2, (len(some), losses)).permute(0, 2, 3, 1)


def _of_loss(
    training: ModuleTraining, parameters: Parameters, terms: Tensor
) -> tuple[Parameters, Tensor]:
    """Return the derivatives of a loss by the parameters and, direct, by the inputs."""
    weights, found = terms / len(terms), []
    by_inputs = torch.empty_like(training.inputs)
    for part in _parts(training):
        rest = training.labels[part], weights[part]

        def loss(own: Parameters, inputs: Tensor, rest=rest) -> Tensor:
            return _loss(training, own, inputs, *rest)

        with _computed(training.module, False):
            by_parameters, by_inputs[part] = grad(loss, (0, 1))(parameters, training.inputs[part])
        found.append(by_parameters)
    return {name: sum(each[name] for each in found) for name in parameters}, by_inputs


def _pass_update(
    training: ModuleTraining,
    parameters: Parameters,
    s: int,
    adjoints: list[Parameters],
    of_inputs: list[Tensor],
) -> None:
    """Take losses back through update ``s``, which started from ``parameters``; in place."""
    gradient_of, inputs = _gradient_of_batch(training, s)
    rate, batch = training.learning_rate, training.batches[s]
    with _computed(training.module, True, training.seeds[s]):
        _, back = vjp(gradient_of, parameters, inputs)
    for number, adjoint in enumerate(adjoints):
        product, mixed = back(adjoint)
        of_inputs[number].index_add_(0, batch, mixed, alpha=-rate)
        adjoints[number] = {name: own - rate * product[name] for name, own in adjoint.items()}
