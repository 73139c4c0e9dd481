"""Ensembles of small MLPs, and the same models of plain PyTorch."""

import torch
from torch import nn

from rote.machine.randomness import seed_of
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


def make_data(members: int, dtype=torch.float64):
    rng = torch.Generator().manual_seed(0)
    table = torch.randn(2 * EXAMPLES, 12, generator=rng, dtype=dtype)
    rows = torch.stack(
        [torch.randint(2 * EXAMPLES, (EXAMPLES,), generator=rng) for _ in range(members)]
    )
    labels = torch.randint(5, (members, EXAMPLES), generator=rng)
    validation = (
        torch.randn(30, 12, generator=rng, dtype=dtype),
        torch.randint(5, (30,), generator=rng),
    )
    return aligned_rows([table]), rows, labels, validation


def make_ensemble(seeds, *, dtype=torch.float64, momentum=0.0, decay=None, data=None):
    parameters = [aligned(p.to(dtype)) for p in initial_parameters(SIZES, seeds)]
    table, rows, labels, validation = data or make_data(len(seeds), dtype)
    decay = torch.tensor(decay or [0.0] * len(seeds), dtype=dtype)
    return Ensemble(
        MLP(parameters, Workspace()),
        SGD(parameters, 0.1, momentum, decay),
        table,
        rows,
        labels,
        validation,
        list(seeds),
        batch_size=20,
    )


def logits_of_each(model, inputs):
    return torch.stack([model.member_logits(m, own) for m, own in enumerate(inputs)])
