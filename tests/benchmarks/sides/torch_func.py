"""Training by ``torch.func``: one ``nn.Sequential``, called with the parameters of all members."""

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

from rote.models.ensemble import EVALUATED, Ensemble, epoch_order
from rote.study.plan import evaluated_epochs
from rote.study.schedule import decayed


def train(model: nn.Module, start: Ensemble, rates: list[float], training: dict) -> Tensor:
    """Train the members of ``start`` from their parameters; return what they misclassify at last.

    Args:
        model: of the shape of a member, whose own parameters are not used.
        start: rote's ensemble before its first update, from which all inputs are taken.
        rates: the learning rate of each member.
        training: the settings; momentum and decay must be 0.

    Returns:
        (members, examples)
    """
    names = [name for name, _ in model.named_parameters()]
    own = (
        p.mT.contiguous() if k % 2 == 0 else p[:, 0] for k, p in enumerate(start.model.parameters)
    )
    parameters = {name: p.clone() for name, p in zip(names, own, strict=True)}
    table = start.table[:, : start.model.features].contiguous()
    rows, labels, validation = start.rows, start.labels, start.validation

    def loss(parameters: dict, inputs: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(functional_call(model, parameters, (inputs,)), labels)

    def logits(parameters: dict, inputs: Tensor) -> Tensor:
        return functional_call(model, parameters, (inputs,))

    gradient = vmap(grad(loss))
    for epoch in range(1, training["epochs"] + 1):
        order = epoch_order(start.seeds, epoch, rows.shape[1]).to(rows.device)
        shuffled = rows.gather(1, order), labels.gather(1, order)
        rate = torch.tensor(rates, device=rows.device) * decayed(training, epoch)
        for batch in zip(*(part.split(start.batch_size, 1) for part in shuffled), strict=True):
            gradients = gradient(parameters, table[batch[0]], batch[1])
            for name, p in parameters.items():
                p.sub_(gradients[name] * rate.view(-1, *[1] * (p.ndim - 1)))
        if epoch not in evaluated_epochs(training):
            continue
        with torch.inference_mode():
            wrong, losses = [], []
            for batch in zip(rows.split(EVALUATED, 1), labels.split(EVALUATED, 1), strict=True):
                found = vmap(logits)(parameters, table[batch[0]])
                losses.append(cross_entropy(found.mT, batch[1], reduction="none").sum(1))
                wrong.append(found.argmax(2) != batch[1])
            right = [
                (vmap(logits)(parameters, table[batch[0]]).argmax(2) == batch[1]).sum(1)
                for batch in zip(*(part.split(EVALUATED, 1) for part in validation), strict=True)
                if batch[0].numel()
            ]
            # As for the others, numbers are what is wanted.
            _ = sum(losses).tolist(), torch.as_tensor(sum(right)).tolist()
    return torch.cat(wrong, 1)
