"""Critical samples: inputs with another predicted class close by.

An input x is critical if some x̂ with ‖x̂ − x‖∞ ≤ r has another predicted class than x; the true
label plays no part (Arpit et al. 2017, section 4). They are searched for by LASS, Langevin
adversarial sample search (section 4; α and β stand in footnote 4, r in footnote 6): from x̃ = x,
repeat

    x̃ ← x̃ + α·sign(∂ℓ/∂x̃) + β·η, clipped to the box of radius r around x,

with ℓ the loss of the class predicted at x and η standard normal, until the prediction at x̃ is
another one. What it finds is critical; what it does not find may be critical all the same.

A version that one of the paper's authors released (lass_tf.py of
github.com/xingjunm/dimensionality-driven-learning) stops after 100 iterations, or once an iteration
finds fewer than 20 new critical samples: on few inputs, or with few that are critical, that is at
once, and the ratio comes out too low. It also takes the sign of the cross-entropy's gradient, which
is exactly 0 where a model is confident, so that only noise moves x̃; see ``_ascent``. With the same
number of iterations, and where gradients are not 0, the two agree:
``tests/benchmarks/released_lass.py``.

Models are searched one at a time. To search many at once, 1,024 examples each, was not faster on
the CPU (within 5 % where few inputs are critical, 10 to 60 % slower where many are, for models of
32 and 128 units): a batch of examples is work enough for a call, and examples leave each model at
another pace.

Nor does it pay to certify first that nothing in the box has another prediction. For the demo's
models, at its radius of 0.3 grey levels, interval bounds certify 2 (CNN) to 19 % (MLP) of the
inputs that are not found, and a linear relaxation (CROWN, Zhang et al. 2018) 30 to 73 %; that takes
two thirds of the MLPs' search, and in the end saves nothing. At 3 grey levels, where half of the
inputs are critical, the relaxation certifies 20 % for the MLPs and none for the CNNs.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from rote.measures.softmax import softmax

# Searched at a time. It decides how sums are rounded, and which random numbers an example gets.
SEARCHED = 1024  # examples

Length = float | Tensor  # a number; or one a feature, (features,); or one an example, (examples, 1)


def in_input_units(inputs_per_grey_level: Length, **grey_levels: float) -> dict[str, Length]:
    """Return lengths given in grey levels (pixels from 0 to 255) in the units of model inputs.

    Args:
        inputs_per_grey_level: what a grey level is in inputs: a number, or a tensor, one a feature
            (features,) or one an example (examples, 1).
        grey_levels: by name, such as the paper's ``alpha=0.25, beta=0.2, radius=0.3``.
    """
    return {name: length * inputs_per_grey_level for name, length in grey_levels.items()}


def of_examples(length: Length, examples: Tensor | slice) -> Length:
    """Return a length for some of the examples: one that is the same for all is itself."""
    return length[examples] if isinstance(length, Tensor) and length.ndim > 1 else length


@torch.no_grad()
def commonest_class_share(
    logits: Callable[[Tensor], Tensor], inputs: Tensor, *, batch_size: int = SEARCHED
) -> float:
    """Return the fraction of ``inputs`` in the class that is predicted most often.

    It says how to read a critical sample ratio: a model that puts nearly all inputs into one class
    has a low one, whatever its boundary. Arguments are those of :func:`critical_samples`.
    """
    predicted = [logits(batch).argmax(1) for batch in inputs.split(batch_size)]
    return torch.cat(predicted).bincount().max().item() / len(inputs)


# Not inference mode: within it autograd records nothing, even where gradients are enabled.
@torch.inference_mode(False)
@torch.enable_grad()
def critical_samples(
    logits: Callable[[Tensor], Tensor],
    inputs: Tensor,
    *,
    alpha: Length,
    beta: Length,
    radius: Length,
    max_iterations: int,
    generator: torch.Generator,
    batch_size: int = SEARCHED,
) -> Tensor:
    """Return which inputs LASS finds to be critical, as booleans (examples,).

    Args:
        logits: maps (batch, …) to (batch, classes), differentiable by autograd, each example for
            itself: a model in evaluation mode. The memory of a batch is used again after the call.
        inputs: (examples, …), floating point.
        alpha: length of a step along the sign of the gradient, in the units of ``inputs``: a number
            or, where inputs are (examples, features), a tensor (features,) or (examples, 1), as
            beta and radius may be too.
        beta: standard deviation of the noise of a step, in the units of ``inputs``.
        radius: r, in the units of ``inputs``.
        max_iterations: steps after which an input counts as not critical.
        generator: of the noise, on the device of ``inputs``; left alone if ``beta`` is 0.
        batch_size: examples searched at a time. It decides about memory and speed, and about which
            numbers of the generator an example gets.

    Raises:
        ValueError: an argument is out of its range, or logits have another shape.
    """
    _check(inputs, alpha, beta, radius, max_iterations=max_iterations, batch_size=batch_size)
    inputs, found = inputs.detach(), []
    for start in range(0, max(1, len(inputs)), batch_size):
        batch = slice(start, start + batch_size)
        lengths = [of_examples(length, batch) for length in (alpha, beta, radius)]
        found.append(_search(logits, *lengths, max_iterations, generator, inputs[batch]))
    return torch.cat(found)


@torch.inference_mode(False)
@torch.enable_grad()
def adversarial_examples(
    logits: Callable[[Tensor], Tensor],
    inputs: Tensor,
    *,
    alpha: Length,
    beta: Length,
    radius: Length,
    max_iterations: int,
    generator: torch.Generator,
) -> Tensor:
    """Return where LASS ends, started at each input: x̂ if that is critical, else the last x̃.

    The arguments are those of :func:`critical_samples`; all inputs are searched at once. The result
    is (examples, …), within ``radius`` of ``inputs``.

    Raises:
        ValueError: as there.
    """
    _check(inputs, alpha, beta, radius, max_iterations=max_iterations)
    ends = torch.empty(inputs.shape, dtype=inputs.dtype, device=inputs.device)
    _search(logits, alpha, beta, radius, max_iterations, generator, inputs.detach(), ends)
    return ends


@torch.inference_mode(False)
@torch.enable_grad()
def adversarial_examples_together(
    logits: Callable[[Tensor], Tensor],
    inputs: Tensor,
    *,
    alpha: Length,
    beta: Length,
    radius: Length,
    max_iterations: int,
    noise: Tensor | None,
) -> Tensor:
    """Return adversarial examples of many models at once, waiting for nothing.

    Without noise they are those of :func:`adversarial_examples`, whose checks are not made here.

    Every example is computed in every step, and stays where it is once it is found: how many are
    left need not be known, and the number of calls does not grow with that of the models. For the
    few examples of a training batch that counts for more than the steps that are made in vain.

    Args:
        logits: maps (models, batch, …) to (models, batch, classes), each model its own batch.
        inputs: (models, batch, …), floating point.
        alpha: see :func:`critical_samples`; where it is one an example, (models, batch, 1). That it
            is not negative is not checked if it is a tensor; the same holds for beta and radius.
        beta: likewise.
        radius: likewise.
        max_iterations: steps of an example that is not found.
        noise: η of each model's steps, (models, steps, batch, …); None if ``beta`` is 0.
    """
    inputs = inputs.detach()
    offset, left, predicted = torch.zeros_like(inputs), None, None
    for step in range(max_iterations):
        x = (inputs + offset).requires_grad_()
        z = logits(x)
        prediction = z.detach().argmax(-1)
        if predicted is None:
            predicted = prediction
        else:
            same = (prediction == predicted).view(*predicted.shape, *[1] * (x.ndim - 2))
            left = same if left is None else left & same
        (gradient,) = torch.autograd.grad(z, x, _ascent(z.detach(), predicted))
        moved = _add(offset.clone(), gradient.sign(), alpha)
        if noise is not None:
            _add(moved, noise[:, step], beta)
        moved.clamp_(-radius, radius)
        offset = moved if left is None else torch.where(left, moved, offset)
    return inputs + offset


def _check(inputs: Tensor, alpha: Length, beta: Length, radius: Length, **counts: int) -> None:
    for name, length in {"alpha": alpha, "beta": beta, "radius": radius}.items():
        if isinstance(length, Tensor):
            allowed = [(*inputs.shape[1:],), (len(inputs), 1)] if inputs.ndim == 2 else []
            if (shape := tuple(length.shape)) not in allowed:
                words = " or ".join(map(str, ["a number", *allowed]))
                raise ValueError(f"{name} must be {words} for these inputs, not {shape}")
        # A number is compared as it is: in a tensor it would be waited for.
        valid = length >= 0
        if not (valid.all() if isinstance(valid, Tensor) else valid):
            raise ValueError(f"{name} must be 0 or more, not {length}")
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be 1 or more, not {count}")
    if not inputs.is_floating_point():
        raise ValueError(f"inputs must be floating point, not {inputs.dtype}")


def _search(
    logits: Callable[[Tensor], Tensor],
    alpha: Length,
    beta: Length,
    radius: Length,
    max_iterations: int,
    generator: torch.Generator,
    inputs: Tensor,
    ends: Tensor | None = None,
) -> Tensor:
    """Return which inputs are critical; those still open go on together, in their order.

    If ``ends`` is given, the last x̃ of each goes there, and nobody asks whether the last step has
    found it: that forward pass is not made.
    """
    critical = torch.zeros(len(inputs), dtype=torch.bool, device=inputs.device)
    example, start, predicted = torch.arange(len(inputs), device=inputs.device), inputs, None
    # x̃ − x is what is kept: it is clipped by two numbers instead of two tensors.
    offset = torch.zeros(inputs.shape, dtype=inputs.dtype, device=inputs.device)
    # Of x̃, and then of the noise: fresh memory costs more than the sums that go there.
    memory = torch.empty_like(offset)
    noisy = bool(beta.any() if isinstance(beta, Tensor) else beta)
    for steps_left in reversed(range(max_iterations + 1)):
        if not len(example):
            break
        x = torch.add(start, offset, out=memory[: len(start)]).detach()
        if ends is not None:
            ends.index_copy_(0, example, x)
            if not steps_left:
                break
        x.requires_grad_()
        z = logits(x)
        if z.ndim != 2 or len(z) != len(x) or z.shape[1] < 2:
            raise ValueError(
                f"logits of {len(x)} inputs must be ({len(x)}, two classes or more), "
                f"not {tuple(z.shape)}"
            )
        prediction = z.detach().argmax(1)
        if predicted is None:
            predicted = prediction
        changed = prediction != predicted
        critical[example] = changed
        if not steps_left:
            break
        # The one forward pass has served the comparison, and now serves the step.
        (gradient,) = torch.autograd.grad(z, x, _ascent(z.detach(), predicted))
        if 0 in gradient.stride():  # one number for many pixels: the sign is taken in place
            gradient = gradient.contiguous()
        leaves = changed
        if not noisy:
            before = memory[: len(offset)].copy_(offset)
        _add(offset, gradient.sign_(), alpha)
        if not noisy:
            # All steps from the same place are the same: who has not moved never will.
            unmoved = offset.clamp_(-radius, radius) == before
            leaves = changed | unmoved.view(len(unmoved), -1).all(1)
        (keep,) = torch.nonzero(~leaves, as_tuple=True)
        if len(keep) < len(example):
            # By index_select, which takes a fifth of the time of indexing.
            example, start, predicted, offset = (
                tensor.index_select(0, keep) for tensor in (example, start, predicted, offset)
            )
            alpha, beta, radius = (of_examples(length, keep) for length in (alpha, beta, radius))
        if noisy:
            noise = memory[: len(offset)].normal_(generator=generator)
            _add(offset, noise, beta).clamp_(-radius, radius)
    return critical


def _add(offset: Tensor, direction: Tensor, length: Length) -> Tensor:
    """Add ``length`` times ``direction`` to ``offset``, in place, and return it."""
    if isinstance(length, Tensor):
        return offset.addcmul_(direction, length)
    return offset.add_(direction, alpha=length)


def _ascent(logits: Tensor, predicted: Tensor) -> Tensor:
    """Return ∂/∂z of log Σ_{j≠c} exp z_j − z_c at the logits z (…, classes), c = ``predicted``.

    The gradient of the cross-entropy is this one times 1 − p_c, so that its sign is the same. But
    1 − p_c is rounded to 0 as soon as a model is confident, in float32 at a margin of some 17.
    """
    predicted = predicted[..., None]
    others = softmax(logits.scatter(-1, predicted, -torch.inf))
    return others.scatter_(-1, predicted, -1.0)
