"""Ensembles of small MLPs, and the same models of plain PyTorch."""

import numpy as np
import pytest
import torch
from torch import nn

from rote.machine.randomness import generator, seed_of
from rote.models.ensemble import Ensemble
from rote.models.mlp import MLP, initial_parameters
from rote.models.sgd import SGD
from rote.models.workspace import Workspace, aligned, aligned_rows

SIZES = [12, 9, 7, 5]

EXAMPLES = 50


def sequential(seed: int) -> nn.Sequential:
    torch.manual_seed(seed_of("initial", seed))
    layers = [nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 7), nn.ReLU(), nn.Linear(7, 5)]
    return nn.Sequential(*layers)


def make_data(
    members: int,
    dtype=torch.float64,
    device="cpu",
    *,
    features=12,
    examples=EXAMPLES,
    validation=30,
):
    """Return table, rows and labels of training and of validation: the same on every device.

    The first half of the validation examples is that of all members, the other half their own.
    """
    rng = torch.Generator().manual_seed(0)
    table = torch.randn(2 * examples, features, generator=rng, dtype=dtype)
    rows = torch.stack(
        [torch.randint(2 * examples, (examples,), generator=rng) for _ in range(members)]
    )
    labels = torch.randint(5, (members, examples), generator=rng)
    inputs = torch.randn(validation, features, generator=rng, dtype=dtype)
    validated = 2 * examples + torch.arange(validation).expand(members, -1).clone()
    validated[:, validation // 2 :] -= torch.arange(members)[:, None]
    classes = torch.randint(5, (members, validation), generator=rng)
    rows, labels, validated, classes = (
        part.to(device) for part in (rows, labels, validated, classes)
    )
    return aligned_rows([table, inputs], device=device), rows, labels, (validated, classes)


def of_members(data, members):
    """Return the data of some of the members."""
    table, rows, labels, validation = data
    return table, rows[members], labels[members], tuple(each[members] for each in validation)


def make_ensemble(
    seeds,
    *,
    dtype=torch.float64,
    device="cpu",
    rate=0.1,
    momentum=0.0,
    decay=None,
    nesterov=False,
    data=None,
):
    """Return an ensemble on the device of ``data``, if they are given."""
    table, rows, labels, validation = data or make_data(len(seeds), dtype, device)
    device = table.device
    parameters = [aligned(p.to(dtype)) for p in initial_parameters(SIZES, seeds, device)]
    decay = torch.tensor(decay or [0.0] * len(seeds), dtype=dtype, device=device)
    return Ensemble(
        MLP(parameters, Workspace(device)),
        SGD(parameters, rate, momentum, decay, nesterov),
        table,
        rows,
        labels,
        validation,
        list(seeds),
        batch_size=20,
    )


def train_plainly(ensemble, member, epoch, model, optimizer):
    """Train a plain model for an epoch on the examples of a member, in the member's order."""
    inputs = ensemble.table[ensemble.rows[member], : ensemble.model.features].cpu()
    labels = ensemble.labels[member].cpu()
    order = generator("shuffle", ensemble.seeds[member], epoch).permutation(len(labels))
    for batch in torch.from_numpy(order).split(ensemble.batch_size):  # the last one may be smaller
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs[batch]), labels[batch]).backward()
        optimizer.step()


def logits_of_each(model, inputs, running=False):
    return torch.stack([model.member_logits(m, own, running) for m, own in enumerate(inputs)])


def check_score(ensemble, models, rel):
    """Check the score of all members against plain models, of which each sees all data at once."""
    score, features = ensemble.evaluate(), ensemble.model.features
    for member, model in enumerate(models):
        inputs = ensemble.table[ensemble.rows[member], :features].cpu()
        labels = ensemble.labels[member].cpu()
        validated, y = (part[member].cpu() for part in ensemble.validation)
        x = ensemble.table.cpu()[validated, :features]
        with torch.no_grad():
            logits, right = model(inputs), model(x).argmax(1) == y
        wrong = (logits.argmax(1) != labels).numpy()
        loss = nn.functional.cross_entropy(logits, labels).item()
        assert score.train_loss[member] == pytest.approx(loss, rel=rel)
        assert score.train_accuracy[member] == pytest.approx(1 - wrong.mean())
        assert score.validation_accuracy[member] == pytest.approx(right.double().mean().item())
        np.testing.assert_array_equal(score.misclassified[member], wrong)


def assert_same(ours: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal to the last bit on the CPU; elsewhere a group of another size is rounded otherwise."""
    if ours.device.type == "cpu":
        assert torch.equal(ours, expected)
    else:
        torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-11)
