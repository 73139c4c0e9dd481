"""Input curvature: how strongly the loss of an example bends around its input.

Garg, Ravikumar & Roy 2023, Memorization Through the Lens of Curvature of Loss Function Around
Samples, arXiv 2307.05831. H is the Hessian of an example's cross-entropy by its input x, and J the
derivative of its logits. Where the logits are linear around x, as those of a network with ReLU are
almost everywhere, H is

    Jᵀ·(diag p − p·pᵀ)·J = Σ_c p_c·(J_c − J̄)ᵀ·(J_c − J̄),   J̄ = Σ_c p_c·J_c,

p being the softmax: the covariance of the rows of J by p. Of other networks this is the
Gauss–Newton part of H. It depends on no label: what the label does, it does by training.
"""

from collections.abc import Callable

import torch
from torch import Tensor

# At a time: it decides about memory, of ``classes`` gradients by an input each.
EVALUATED = 250  # examples


# Not inference mode: within it autograd records nothing, even where gradients are enabled.
@torch.inference_mode(False)
@torch.enable_grad()
def input_curvature(logits: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """Return ‖H‖_F of every example, the Gauss–Newton part alone, see above.

    Garg et al. estimate E‖(∇ℓ(x + h·v) − ∇ℓ(x)) / h‖² over random signs v, which tends to ‖H‖_F² as
    h does to 0: this is the root of the limit, without steps and draws. Where a ReLU changes
    between x and x + h·v theirs counts its kink, too, which is no part of H. Theirs is the mean
    over the epochs of a training; this is of a model as it is.

    The d×d matrix H is never formed: ‖H‖_F² = Σ_cd p_c·p_d·((J_c − J̄)·(J_d − J̄))².

    Args:
        logits: maps (batch, features) to (batch, classes), differentiable by autograd, each example
            for itself, such as ``Model.member_logits`` of a member.
        inputs: (examples, features).

    Returns:
        (examples,), in nat per square of an input's unit; NaN where logits are not finite.
    """
    return torch.cat([_curvature(logits, part.clone()) for part in inputs.split(EVALUATED)])


def _curvature(logits: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    own = logits(inputs.requires_grad_())
    each = own.sum(0)
    rows = [torch.autograd.grad(logit, inputs, retain_graph=True)[0] for logit in each]
    of_logits = torch.stack(rows, 1)  # (batch, classes, features)
    # In double precision: where a model is confident, little is left of p and of J_c − J̄.
    gram, p = (of_logits @ of_logits.mT).double(), own.detach().double().softmax(1)
    mean = gram @ p[..., None]  # J_c·J̄, (batch, classes, 1)
    gram = gram - mean - mean.mT + p[:, None] @ mean
    weights = p.sqrt()
    return torch.linalg.matrix_norm(weights[..., None] * gram * weights[:, None]).to(inputs.dtype)
