"""Many modules of ``torch.nn`` of one kind, trained by autograd: any model beside MLP and CNN.

Members are computed one after another, so a member's numbers do not depend on its company; the
update of a parameter is one call for all of them. ``torch.vmap`` computes them at once, but not to
the same last bit in any company, and loses running statistics on memory that is not contiguous.

Parameters and buffers of all members lie in stacks, into which the members' own are views.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules import activation
from torch.nn.modules.batchnorm import _BatchNorm

from rote.machine.errors import UserError
from rote.models.made_module import Maker
from rote.models.optimizer import Optimizer
from rote.models.regularization import UNREGULARIZED, Regularization
from rote.models.workspace import Workspace, empty

# After these dropout and noise of the hidden layers are applied.
ACTIVATIONS = tuple(
    getattr(activation, name)
    for name in activation.__all__
    if "softmax" not in name.lower() and name not in ("MultiheadAttention", "Softmin", "Threshold")
)
HIDDEN = "dropout", "hidden_noise"  # regularisers of hidden layers


class Modules:
    """An ensemble of modules.

    Args:
        maker: makes one.
        seeds: those by which the members' parameters are drawn, of each one.
        workspace: memory for the gradients.
    """

    searched_together = False  # autograd goes through one after another all the same

    def __init__(self, maker: Maker, seeds: list[int], workspace: Workspace):
        self.maker, self.workspace = maker, workspace
        self.modules = [maker(seed).to(workspace.device) for seed in seeds]
        self.parameters = _stacked([list(m.parameters()) for m in self.modules], workspace)
        self._slots = [list(_slots(module)) for module in self.modules]
        buffers = [[part._buffers[name] for part, name in own] for own in self._slots]
        self.buffers, self.population = _stacked(buffers, workspace), _stacked(buffers, workspace)
        self.smallest_batch = maker.smallest_batch
        # What the modules' own tensors are views into by now, and whether they are in training.
        self._bound: Tensor | None = None
        self._used: list[Tensor] | None = None
        self._views: list[list[Tensor]] = []
        self._gradient: Tensor | None = None
        self._training: bool | None = None
        # Whose activations are disturbed by what, in an update.
        self._disturbing: tuple[int, Regularization] | None = None
        self._hooked = False

    @property
    def features(self) -> int:
        """The number of inputs: channels × height × width of an image."""
        return math.prod(self.maker.image)

    def _prepare(self, training: bool, buffers: list[Tensor]) -> None:
        """Have all members use these stacks as they are now, in training or in evaluation."""
        if self._bound is not self.parameters[0]:  # members have left, or were taken from a store
            self._bound, self._used, self._gradient = self.parameters[0], None, None
            for member, module in enumerate(self.modules):
                for stack, own in zip(self.parameters, module.parameters(), strict=True):
                    own.data = stack[member].view(own.shape)
        if self._used is not buffers:
            self._used, self._views = buffers, []
            for member, slots in enumerate(self._slots):
                self._views.append([])
                for stack, (part, name) in zip(buffers, slots, strict=True):
                    view = stack[member].view(part._buffers[name].shape)
                    part._buffers[name] = view
                    self._views[-1].append(view)
        if self._training != training:
            for module in self.modules:
                module.train(training)
            self._training = training

    def select(self, keep: list[int]) -> None:
        """Keep only the members at the positions ``keep``; the stacks are already theirs."""
        self.modules = [self.modules[position] for position in keep]
        self._slots = [self._slots[position] for position in keep]
        self._bound = None

    def _images(self, inputs: Tensor) -> Tensor:
        """Return inputs (batch, features) as images, a copy in the format that suits the module."""
        images = inputs.reshape(len(inputs), *self.maker.image)
        return images.clone(memory_format=self.maker.memory_format)

    @torch.no_grad()
    def take_statistics(self, batches: Iterable[Tensor]) -> None:
        """See :meth:`rote.models.model.Model.take_statistics`; other buffers are copied."""
        for stack, running in zip(self.population, self.buffers, strict=True):
            stack.copy_(running)
        self._prepare(True, self.population)
        layers = [[part for part in m.modules() if _is_normalising(part)] for m in self.modules]
        self._prepare(False, self.population)
        if not any(layers):
            return
        momenta = [layer.momentum for layer in layers[0]]
        for layer in (layer for own in layers for layer in own):
            layer.reset_running_stats()
            layer.train()
            layer.momentum = None  # a mean over all batches
        try:
            for inputs in batches:
                for module, own in zip(self.modules, inputs, strict=True):
                    module(self._images(own))
        finally:
            for own in layers:
                for layer, momentum in zip(own, momenta, strict=True):
                    layer.momentum = momentum
                    layer.train(False)

    @torch.no_grad()
    def logits(self, inputs: Tensor) -> Tensor:
        """Return logits (members, classes, batch) of ``inputs`` (members, batch, features)."""
        self._prepare(False, self.population)
        each = zip(self.modules, inputs, strict=True)
        return torch.stack([module(self._images(own)) for module, own in each]).mT

    def member_logits(self, member: int, inputs: Tensor, running: bool = False) -> Tensor:
        """Return logits of one member, see ``Model``."""
        self._prepare(False, self.buffers if running else self.population)
        return self.modules[member](self._images(inputs))

    def members_logits(self, inputs: Tensor, running: bool = False) -> Tensor:
        """Return logits of all members, each of its own inputs, see ``Model``."""
        each = enumerate(inputs)
        return torch.stack([self.member_logits(member, own, running) for member, own in each])

    # Tensors of inference mode, as the caller's are, are nothing that autograd could keep.
    @torch.inference_mode(False)
    def step(
        self,
        inputs: Tensor,
        labels: Tensor,
        optimizer: Optimizer,
        regularization: Regularization = UNREGULARIZED,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Make one update, see :meth:`rote.models.model.Model.step`.

        A parameter on which the loss does not depend has a gradient of 0.
        """
        self._prepare(True, self.buffers)
        if set(HIDDEN) & set(regularization.strengths):
            self._hook()
        gradients, found = self._zeroed_gradients(), []
        with _own_generators(self.workspace.device) as generators:
            for member, module in enumerate(self.modules):
                seed = regularization.seed_of_update(member)
                for generator in generators:
                    generator.manual_seed(seed)
                self._disturbing = member, regularization
                images, own = self._images(inputs[member]), labels[member].clone()
                with torch.enable_grad():
                    logits = module(images)
                    if weights is None:
                        loss = nn.functional.cross_entropy(logits, own)
                    else:
                        each = nn.functional.cross_entropy(logits, own, reduction="none")
                        loss = (each * weights[member].clone()).sum()
                    loss.backward()
                found.append(logits.detach())
                self._keep_buffers(member)
        self._disturbing = None
        with torch.no_grad():
            for k, gradient in enumerate(gradients):
                optimizer.descend(k, gradient)
        return torch.stack(found).mT

    def _zeroed_gradients(self) -> list[Tensor]:
        """Return memory of zeros, to which autograd adds the gradients of the members."""
        gradients = [
            self.workspace(f"of parameter {k}", tuple(stack.shape), stack.dtype).zero_()
            for k, stack in enumerate(self.parameters)
        ]
        if self._gradient is not gradients[0]:
            self._gradient = gradients[0]
            for member, module in enumerate(self.modules):
                for gradient, own in zip(gradients, module.parameters(), strict=True):
                    own.grad = gradient[member].view(own.shape) if own.requires_grad else None
        return gradients

    def _keep_buffers(self, member: int) -> None:
        """Write buffers that the module has replaced, instead of changing them, into the stacks."""
        for view, (part, name) in zip(self._views[member], self._slots[member], strict=True):
            if part._buffers[name] is not view:
                view.copy_(part._buffers[name].detach())
                part._buffers[name] = view

    def _hook(self) -> None:
        """Have what regularises hidden layers applied after every activation, in updates alone."""
        if self._hooked:
            return
        self._hooked = True

        def disturb(part: nn.Module, inputs: tuple, output: Tensor) -> Tensor | None:
            if self._disturbing is None:
                return None
            member, regularization = self._disturbing
            return regularization.disturbed_of_member(member, output)

        for module in self.modules:
            parts = [part for part in module.modules() if isinstance(part, ACTIVATIONS)]
            if not parts:
                raise UserError(
                    f"dropout and hidden_noise come after activations, of which {self.maker.name} "
                    "has none that is a module: use modules such as torch.nn.ReLU() there, or "
                    "leave these regularisers out."
                )
            for part in parts:
                part.register_forward_hook(disturb)


def _stacked(members: list[list[Tensor]], workspace: Workspace) -> list[Tensor]:
    """Return tensors of members, (…) each, as stacks (members, 1, numbers)."""
    stacks = []
    for tensors in zip(*members, strict=True):
        shape = len(tensors), 1, tensors[0].numel()
        stack = empty(shape, tensors[0].dtype, workspace.device)
        for place, tensor in zip(stack, tensors, strict=True):
            place.copy_(tensor.detach().reshape(1, -1))
        stacks.append(stack)
    return stacks


def _slots(module: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """Yield where each buffer of a module stands, and its name there."""
    for part in module.modules():
        yield from ((part, name) for name, buffer in part._buffers.items() if buffer is not None)


def _is_normalising(part: nn.Module) -> bool:
    """Return whether a part normalises batches, and keeps statistics of them.

    One that its module keeps in evaluation, so that it stays as it is, is none.
    """
    return isinstance(part, _BatchNorm) and part.track_running_stats and part.training


@contextmanager
def _own_generators(device: torch.device | str) -> Iterator[list[torch.Generator]]:
    """Yield the generators that modules draw from, which are the caller's again in the end."""
    generators = [torch.default_generator]
    if torch.device(device).type == "cuda":
        generators.append(torch.cuda.default_generators[torch.cuda.current_device()])
    states = [generator.get_state() for generator in generators]
    try:
        yield generators
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
