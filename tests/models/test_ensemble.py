"""The ensemble against independent computation: separate models of torch.nn, torch.optim.SGD."""

import threading

import numpy as np
import pytest
import torch
from torch import nn

from rote.machine.randomness import generator
from rote.models import ensemble as ensembles
from rote.models import mlp
from rote.models.ensemble import EVALUATED
from rote.models.mlp import MLP, drawn_layer, initial_parameters
from rote.study.schedule import decayed
from small_mlps import (
    SIZES,
    assert_same,
    check_score,
    logits_of_each,
    make_data,
    make_ensemble,
    of_members,
    sequential,
    train_plainly,
)


@pytest.mark.parametrize("seed", [0, 5])
def test_initialisation_is_that_of_pytorch(seed, device):
    ours = initial_parameters(SIZES, [3, seed], device)
    for stack, parameter in zip(ours, sequential(seed).parameters(), strict=True):
        expected = parameter.mT if parameter.ndim == 2 else parameter[None]
        assert torch.equal(stack[1].cpu(), expected)


def test_members_of_one_seed_are_drawn_once_and_large_models_in_threads(monkeypatch, device):
    drawn = []

    def watched(*arguments):
        drawn.append(threading.current_thread())
        return drawn_layer(*arguments)

    seeds = [3, 5, 3, 8, 5, 3]
    one_by_one = [initial_parameters(SIZES, [seed], device) for seed in seeds]
    monkeypatch.setattr(mlp, "drawn_layer", watched)
    for large, threads in ((mlp.LARGE, 1), (1, 2)):
        monkeypatch.setattr(mlp, "LARGE", large)
        monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
        drawn.clear()
        together = initial_parameters(SIZES, seeds, device)
        assert len(drawn) == 3 * len(set(seeds))
        assert (threading.current_thread() in drawn) == (threads == 1)
        for k, stack in enumerate(together):
            for ours, alone in zip(stack, one_by_one, strict=True):
                assert torch.equal(ours, alone[k][0])


def test_members_of_one_seed_have_one_order(monkeypatch):
    drawn = []

    def watched(*key):
        drawn.append(key)
        return generator(*key)

    monkeypatch.setattr(ensembles, "generator", watched)
    orders = ensembles.epoch_order([3, 5, 3, 8, 5], 2, 50)
    assert sorted(drawn) == [("shuffle", seed, 2) for seed in (3, 5, 8)]
    for order, seed in zip(orders, [3, 5, 3, 8, 5], strict=True):
        assert order.tolist() == generator("shuffle", seed, 2).permutation(50).tolist()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay", [[0.0, 0.0, 0.0], [0.0, 0.01, 0.1]])
@pytest.mark.parametrize("decay_every", [None, 2])
def test_training_equals_separate_models_with_torch_sgd(momentum, decay, decay_every, device):
    seeds = [0, 1, 2]
    ensemble = make_ensemble(seeds, momentum=momentum, decay=decay, device=device)
    schedule = {"epochs": 6, "decay_factor": 0.3, "decay_every": decay_every}
    for epoch in range(1, 7):
        ensemble.optimizer.decay(decayed(schedule, epoch))
        ensemble.train_epoch(epoch)
    models = [sequential(seed).double() for seed in seeds]
    for member, model in enumerate(models):
        optimizer = torch.optim.SGD(
            model.parameters(), 0.1, momentum=momentum, weight_decay=decay[member]
        )
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, decay_every or 1000, 0.3)
        for epoch in range(1, 7):
            train_plainly(ensemble, member, epoch, model, optimizer)
            scheduler.step()
        for stack, parameter in zip(ensemble.model.parameters, model.parameters(), strict=True):
            expected = parameter.mT if parameter.ndim == 2 else parameter[None]
            ours = stack[member].cpu()
            torch.testing.assert_close(ours, expected.detach(), rtol=1e-11, atol=1e-13)
    check_score(ensemble, models, rel=1e-11)


@pytest.mark.parametrize(
    ("examples", "validation"),
    [(2 * EVALUATED + 137, EVALUATED + 61), (EVALUATED + 61, 3 * EVALUATED + 1)],
)
def test_a_score_counts_every_example_once(examples, validation, device):
    data = make_data(2, device=device, examples=examples, validation=validation)
    models = [sequential(seed).double() for seed in (0, 1)]
    check_score(make_ensemble([0, 1], data=data), models, rel=1e-11)


def test_gradient_agrees_with_finite_differences(device):
    ensemble = make_ensemble([0], device=device)
    before = [p.clone() for p in ensemble.model.parameters]
    inputs, labels = ensemble.table[ensemble.rows][..., :12], ensemble.labels
    ensemble.model.step(inputs, labels, ensemble.optimizer)
    gradients = [(b - a) / 0.1 for b, a in zip(before, ensemble.model.parameters, strict=True)]

    def loss():
        return nn.functional.cross_entropy(ensemble.model.logits(inputs), labels).item()

    for parameter, original in zip(ensemble.model.parameters, before, strict=True):
        parameter.copy_(original)
    for parameter, gradient in zip(ensemble.model.parameters, gradients, strict=True):
        for place in [(0, 0, 0), (0, -1, -1), (0, 0, 2)]:
            value = parameter[place].item()
            ends = []
            for shift in (1e-6, -1e-6):
                parameter[place] = value + shift
                ends.append(loss())
            parameter[place] = value
            assert gradient[place].item() == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


# On the CPU, where groups of all sizes are rounded alike: see rote.models.workspace.
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_member_does_not_depend_on_its_company(momentum):
    data = make_data(7, torch.float32)
    decay = [0.0, 0.01, 0.0, 0.1, 0.0, 0.0, 0.001]

    def trained(members):
        ensemble = make_ensemble(
            members,
            dtype=torch.float32,
            momentum=momentum,
            decay=[decay[m] for m in members],
            data=of_members(data, members),
        )
        for epoch in (1, 2, 3):
            ensemble.train_epoch(epoch)
        place = members.index(3)
        score = [torch.tensor(values[place]) for values in ensemble.evaluate()]
        return [p[place] for p in ensemble.model.parameters] + score

    alone = trained([3])
    for company in ([3, 4], [0, 1, 2, 3, 4, 5, 6], [6, 3, 0]):
        for ours, expected in zip(trained(company), alone, strict=True):
            assert torch.equal(ours, expected)


def test_members_that_leave_do_not_change_those_that_stay(device):
    whole, part = (make_ensemble([0, 1, 2, 3], momentum=0.9, device=device) for _ in range(2))
    for epoch in (1, 2, 3):
        whole.train_epoch(epoch)
        part.train_epoch(epoch)
        if epoch == 1:
            part.select([1, 3])
    assert len(part) == 2
    for stack, smaller in zip(whole.model.parameters, part.model.parameters, strict=True):
        assert_same(stack[[1, 3]], smaller)


def test_a_restored_member_goes_on_as_if_it_had_never_stopped(device):
    whole = make_ensemble([0, 1], momentum=0.9, device=device)
    whole.train_epoch(1)
    state = whole.state(1)
    whole.train_epoch(2)
    data = of_members((whole.table, whole.rows, whole.labels, whole.validation), [1])
    resumed = make_ensemble([1], momentum=0.9, data=data)
    resumed.restore(0, state)
    resumed.train_epoch(2)
    for stack, smaller in zip(whole.model.parameters, resumed.model.parameters, strict=True):
        assert_same(stack[1], smaller[0])


@pytest.mark.parametrize("of", [logits_of_each, MLP.members_logits])
def test_logits_are_differentiable_by_the_inputs(of, device):
    model = make_ensemble([0, 1], device=device).model
    inputs = torch.randn(2, 6, 12, dtype=torch.float64)
    ours = inputs.to(device).requires_grad_()
    logits = of(model, ours)
    (gradient,) = torch.autograd.grad(logits.square().sum(), ours)
    for member, seed in enumerate([0, 1]):
        own = inputs[member].requires_grad_()
        expected = sequential(seed).double()(own)
        (expected_gradient,) = torch.autograd.grad(expected.square().sum(), own)
        for found, wanted in ((logits, expected), (gradient, expected_gradient)):
            torch.testing.assert_close(found[member].cpu(), wanted, rtol=1e-11, atol=1e-13)


def test_without_validation_examples_the_accuracy_is_missing():
    ensemble = make_ensemble([0, 1], data=make_data(2, validation=0))
    assert np.isnan(ensemble.evaluate().validation_accuracy).all()
