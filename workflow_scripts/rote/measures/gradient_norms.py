"""GraNd: the norm of the gradient of an example's loss by the parameters (Paul et al. 2021).

Paul, Ganguli & Dziugaite 2021, Deep Learning on a Data Diet, definition 2.1, arXiv 2107.07075: the
mean over several models, early in training, of ‖∂ℓ/∂θ‖₂. Here it is of each model as it is, in
evaluation: without the noise of regularisers, and normalised by the statistics of its whole
training data, which stay as they are: the loss of an example is that of it alone.

Models are computed one after another: a member's numbers do not depend on its company.
"""

import copy
from collections.abc import Collection

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rote.measures.error_norm import errors

# At a time, of models without normalisation. It decides how sums are rounded.
EVALUATED = 250  # examples
GRADIENTS_BYTES = 2**26  # of as many examples as fit here, of models with normalisation


# Not inference mode: within it autograd records nothing, even where gradients are enabled.
@torch.inference_mode(False)
@torch.enable_grad()
def gradient_norms(model, inputs: Tensor, labels: Tensor, fixed: Collection[int] = ()) -> Tensor:
    """Return ‖∂ℓ/∂θ‖₂ of every example, (members, examples); NaN where it is not finite.

    Args:
        model: the stacked models, a ``Model`` of ``rote.models``, of which the statistics have been
            taken since the last update. It stays as it is. Modules of ``torch.nn`` are known by
            their ``modules``, CNNs by their ``buffers``, the statistics of normalisation. What has
            neither is an MLP: [weight, bias, …] with ReLU between the layers.
        inputs: of each member its own, (members, examples, features).
        labels: those trained on, (members, examples).
        fixed: positions of the parameters that are not trained, such as biases without biases. They
            do not count, nor does what a module does not train.
    """
    if hasattr(model, "modules"):
        of_member = _of_module
    else:
        of_member = _of_normalised if model.buffers else _of_mlp
    each = zip(inputs, labels, strict=True)
    return torch.stack(
        [of_member(model, m, x.clone(), y.clone(), fixed) for m, (x, y) in enumerate(each)]
    )


@torch.no_grad()
def _of_mlp(model, member: int, inputs: Tensor, labels: Tensor, fixed: Collection[int]) -> Tensor:
    """By hand: of a layer's weights it is the product of two norms, δ's and that of its inputs.

    δ is ∂ℓ/∂(output of the layer), which is also the gradient by the bias.
    """
    parameters = [stack[member] for stack in model.parameters]
    weights, biases = parameters[::2], parameters[1::2]
    found = []
    for below, own in zip(inputs.split(EVALUATED), labels.split(EVALUATED), strict=True):
        entering = [below]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            entering.append(torch.addmm(bias, entering[-1], weight).relu_())
        delta = errors(torch.addmm(biases[-1], entering[-1], weights[-1]), own)
        squares = torch.zeros_like(delta[:, 0])
        for k in reversed(range(len(weights))):
            of_delta = delta.square().sum(1)
            if 2 * k not in fixed:
                squares += of_delta * entering[k].square().sum(1)
            if 2 * k + 1 not in fixed:
                squares += of_delta
            if k:
                delta = (delta @ weights[k].mT).mul_(entering[k].sign())
        found.append(squares.sqrt_())
    return torch.cat(found)


def _of_normalised(
    model, member: int, inputs: Tensor, labels: Tensor, fixed: Collection[int]
) -> Tensor:
    """By autograd, through an ensemble of copies of the member: of each copy one example."""
    own = [stack[member] for stack in model.parameters]
    together = max(1, GRADIENTS_BYTES // sum(part.nbytes for part in own))
    copies, found = copy.copy(model), []
    for some, classes in zip(inputs.split(together), labels.split(together), strict=True):
        copies.parameters, copies.population = (
            [stack[member].expand(len(some), -1, -1).clone() for stack in stacks]
            for stacks in (model.parameters, model.population)
        )
        trained = [p.requires_grad_() for k, p in enumerate(copies.parameters) if k not in fixed]
        logits = copies.members_logits(some[:, None])[:, 0]
        loss = cross_entropy(logits, classes, reduction="sum")
        gradients = torch.autograd.grad(loss, trained)
        found.append(sum(part.square().sum((1, 2)) for part in gradients).sqrt())
    return torch.cat(found)


def _of_module(
    model, member: int, inputs: Tensor, labels: Tensor, fixed: Collection[int]
) -> Tensor:
    """By autograd, one example after another: ``torch.vmap`` knows not all that modules may do."""
    trained = [
        parameter
        for k, parameter in enumerate(model.modules[member].parameters())
        if k not in fixed and parameter.requires_grad
    ]
    found = []
    for own, classes in zip(inputs.split(1), labels.split(1), strict=True):
        loss = cross_entropy(model.member_logits(member, own), classes)
        gradients = torch.autograd.grad(loss, trained, allow_unused=True)
        squares = [part.square().sum() for part in gradients if part is not None]
        found.append(torch.stack(squares).sum().sqrt())
    return torch.stack(found)
