"""Input curvature against Hessians of torch.autograd, and against its estimate by random signs."""

import itertools
from functools import partial

import pytest
import torch
from torch import nn
from torch.autograd.functional import hessian, jacobian

import small_cnns
from rote.measures import input_curvature as module
from rote.measures.input_curvature import input_curvature
from small_mlps import make_ensemble, sequential


def loss_of(model, label, x):
    return nn.functional.cross_entropy(model(x[None]), label[None])


def by_hessian(model, inputs, labels):
    return torch.stack(
        [hessian(partial(loss_of, model, y), x).norm() for x, y in zip(inputs, labels, strict=True)]
    )


def trained(epochs=20):
    ensemble = make_ensemble([0, 4], rate=0.5)
    for epoch in range(1, epochs + 1):
        ensemble.train_epoch(epoch)
    return ensemble


def plain(ensemble, member):
    """Return a member as a module."""
    model = sequential(0).double()
    with torch.no_grad():
        for own, stack in zip(model.parameters(), ensemble.model.parameters, strict=True):
            own.copy_(stack[member].mT if own.ndim > 1 else stack[member, 0])
    return model


@pytest.mark.parametrize("member", [0, 1])
def test_that_of_an_mlp_is_the_norm_of_its_hessian(member, monkeypatch):
    monkeypatch.setattr(module, "EVALUATED", 20)
    ensemble = trained()
    inputs = ensemble._gather(ensemble.rows)[member]
    with torch.inference_mode():
        inputs = inputs.clone()
        found = input_curvature(partial(ensemble.model.member_logits, member), inputs)
    expected = by_hessian(plain(ensemble, member), inputs.clone(), ensemble.labels[member])
    assert found.shape == (50,)
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-12)
    other = by_hessian(plain(ensemble, member), inputs.clone(), (ensemble.labels[member] + 1) % 5)
    torch.testing.assert_close(found, other, rtol=1e-8, atol=1e-12)  # whatever the label


def test_its_square_is_what_random_signs_estimate():
    ensemble = trained()
    inputs, labels = ensemble._gather(ensemble.rows)[0, :5].clone(), ensemble.labels[0, :5]
    model, step = plain(ensemble, 0), 1e-6
    signs = torch.tensor([*itertools.product([-1.0, 1.0], repeat=12)], dtype=torch.float64)

    def gradients(x, label):
        x = x.requires_grad_()
        loss = nn.functional.cross_entropy(model(x), label.expand(len(x)), reduction="sum")
        return torch.autograd.grad(loss, x)[0]

    found = input_curvature(partial(ensemble.model.member_logits, 0), inputs)
    for curvature, x, y in zip(found, inputs, labels, strict=True):
        here, there = gradients(x[None].clone(), y), gradients(x + step * signs, y)
        estimates = ((there - here) / step).square().sum(1)
        assert estimates.std() > 0.01 * estimates.mean()  # the mean of all signs tells
        assert curvature.item() ** 2 == pytest.approx(estimates.mean().item(), rel=1e-5)


def test_that_of_a_cnn_is_the_norm_of_its_hessian(device):
    ensemble = small_cnns.make_ensemble(small_cnns.GREY, [0, 4], device=device)
    ensemble.take_statistics()
    inputs = ensemble._gather(ensemble.rows)[1].clone()
    found = input_curvature(partial(ensemble.model.member_logits, 1), inputs[:4]).cpu()
    model = small_cnns.sequential(small_cnns.GREY, 4).double()
    inputs, labels = inputs.cpu(), ensemble.labels[1].cpu()
    small_cnns.with_population_statistics(model, inputs, ensemble.batch_size)
    expected = by_hessian(model, inputs[:4], labels[:4])
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-12)


def test_that_of_other_networks_is_of_the_gauss_newton_part():
    torch.manual_seed(0)
    logits = nn.Sequential(nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    inputs = torch.randn(4, 16, dtype=torch.float64)
    found = input_curvature(logits, inputs)
    for curvature, x in zip(found, inputs, strict=True):
        j = jacobian(lambda own: logits(own[None])[0], x)
        p = logits(x[None])[0].softmax(0)
        part = j.T @ (torch.diag(p) - torch.outer(p, p)) @ j
        torch.testing.assert_close(curvature, part.norm().detach())
    whole = by_hessian(logits, inputs, torch.zeros(4, dtype=torch.int64))
    assert ((found - whole).abs() > 1e-3 * whole).all()


def test_that_of_a_confident_model_is_not_rounded_off():
    rng = torch.Generator().manual_seed(0)
    weight, inputs = torch.randn(5, 12, generator=rng), torch.randn(30, 12, generator=rng)
    weight[:, 0], inputs[:, 0] = torch.tensor([32.0, 0, 0, 0, 0]), 1.0
    single = input_curvature(lambda x: x @ weight.T, inputs)
    double = input_curvature(lambda x: x @ weight.double().T, inputs.double())
    assert 0 < double.max() < 1e-3  # all but certain
    torch.testing.assert_close(single.double(), double, rtol=1e-3, atol=0)


def test_what_is_not_finite_concerns_its_example_alone():
    weight, inputs = torch.randn(5, 12), torch.randn(4, 12)
    inputs[1] = torch.inf
    found = input_curvature(lambda x: x @ weight.T, inputs)
    assert found.isfinite().tolist() == [True, False, True, True]
