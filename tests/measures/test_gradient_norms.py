"""GraNd and EL2N against torch.autograd, one example at a time, in float64."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import own_models
import small_cnns
from rote.measures import gradient_norms as module
from rote.measures.error_norm import error_norm, errors
from rote.measures.gradient_norms import gradient_norms
from rote.models.kinds import Models
from rote.models.workspace import Workspace
from small_mlps import make_ensemble, sequential

EXAMPLES = 50
IMAGE, CLASSES = (1, 8, 8), 5
BIASES = 1, 3, 5  # positions of those of an MLP of three layers
DOUBLE = {"mlp": {"dtype": "float64"}, "resnet": {"dtype": "float64"}}


def data_of(ensemble):
    return ensemble._gather(ensemble.rows).clone(), ensemble.labels


def one_by_one(model, inputs, labels, counts=lambda name: True):
    """Return the norms by autograd; ``counts`` tells by its name whether a parameter counts."""
    norms = []
    for x, y in zip(inputs, labels, strict=True):
        model.zero_grad()
        nn.functional.cross_entropy(model(x[None]), y[None]).backward()
        own = [p.grad for name, p in model.named_parameters() if counts(name)]
        norms.append(math.sqrt(sum((g**2).sum().item() for g in own if g is not None)))
    return norms


def no_bias(name):
    return not name.endswith("bias")


@pytest.mark.parametrize(
    ("fixed", "counts"), [((), lambda name: True), (BIASES, no_bias), ((0, 3), None)]
)
def test_those_of_mlps_are_those_of_autograd(fixed, counts, device, monkeypatch):
    monkeypatch.setattr(module, "EVALUATED", 20)
    ensemble = make_ensemble([0, 4, 5], device=device)
    inputs, labels = data_of(ensemble)
    with torch.inference_mode():
        found = gradient_norms(ensemble.model, inputs, labels, fixed).cpu()
    assert found.shape == (3, EXAMPLES)
    counts = counts or (lambda name: name not in ("0.weight", "2.bias"))
    for ours, seed, x, y in zip(found, (0, 4, 5), inputs.cpu(), labels.cpu(), strict=True):
        expected = one_by_one(sequential(seed).double(), x, y, counts)
        np.testing.assert_allclose(ours, expected, rtol=1e-10)


def test_they_are_of_the_model_as_it_is_which_they_leave_so():
    ensemble = make_ensemble([0, 4], rate=0.5)
    inputs, labels = data_of(ensemble)
    before = gradient_norms(ensemble.model, inputs, labels)
    ensemble.train_epoch(1)
    kept = [stack.clone() for stack in ensemble.model.parameters]
    after = gradient_norms(ensemble.model, inputs, labels)
    assert (before != after).all()
    for ours, theirs in zip(ensemble.model.parameters, kept, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_a_member_does_not_depend_on_its_company(kind):
    ensemble = (
        make_ensemble([0, 1, 2], dtype=torch.float32)
        if kind == "mlp"
        else small_cnns.make_ensemble(small_cnns.GREY, [0, 1, 2], dtype=torch.float32)
    )
    ensemble.take_statistics()
    inputs, labels = data_of(ensemble)
    together = gradient_norms(ensemble.model, inputs, labels)
    ensemble.model.parameters[0][0, 0, 0] = torch.nan
    assert torch.isnan(gradient_norms(ensemble.model, inputs, labels)[0]).all()
    ensemble.select([2, 1])
    left = gradient_norms(ensemble.model, inputs[[2, 1]], labels[[2, 1]])
    assert torch.equal(left, together[[2, 1]])


@pytest.mark.parametrize("architecture", [small_cnns.GREY, small_cnns.COLOUR, small_cnns.WIDE])
@pytest.mark.parametrize("biases", [True, False])
def test_those_of_cnns_are_in_evaluation(architecture, biases, device, monkeypatch):
    ensemble = small_cnns.make_ensemble(architecture, [0, 4], device=device)
    for epoch in range(1, 3):
        ensemble.train_epoch(epoch)
    ensemble.take_statistics()
    inputs, labels = data_of(ensemble)
    # Whatever the size, a few examples at a time.
    size = sum(stack[0].nbytes for stack in ensemble.model.parameters)
    monkeypatch.setattr(module, "GRADIENTS_BYTES", 8 * size)
    layers = len(architecture.maps) + len(architecture.dense)
    fixed = () if biases else range(1, 4 * layers + 2, 4)
    some = slice(0, 20)
    with torch.inference_mode():
        found = gradient_norms(ensemble.model, inputs[:, some], labels[:, some], fixed).cpu()
    for member, seed in enumerate((0, 4)):
        model = small_cnns.sequential(architecture, seed).double()
        own = [stack[member].cpu() for stack in ensemble.model.parameters]
        with torch.no_grad():
            for parameter, trained in zip(model.parameters(), own, strict=True):
                parameter.copy_((trained.mT if parameter.ndim > 1 else trained).view_as(parameter))
        x, y = inputs[member].cpu(), labels[member].cpu()
        small_cnns.with_population_statistics(model, x, ensemble.batch_size)
        biased = {
            f"{name}.bias"
            for name, part in model.named_modules()
            if isinstance(part, nn.Conv2d | nn.Linear)
        }
        counts = (lambda name: True) if biases else (lambda name, own=biased: name not in own)
        expected = one_by_one(model, x[some], y[some], counts)
        np.testing.assert_allclose(found[member], expected, rtol=1e-7)


@pytest.mark.parametrize("net", ["mlp", "resnet", "ViT", "Unusual"])
def test_those_of_modules_are_those_of_the_module_itself(net):
    models = Models(
        {"from": f"{Path(own_models.__file__)}:{net}", "arguments": DOUBLE.get(net, {})},
        IMAGE,
        CLASSES,
    )
    model = models.initial([3, 1], Workspace())
    rng = torch.Generator().manual_seed(0)
    inputs = torch.randn(2, 12, 64, generator=rng)
    labels = torch.randint(CLASSES, (2, 12), generator=rng)
    model.take_statistics([inputs])
    with torch.inference_mode():
        found = gradient_norms(model, inputs, labels)
    for member, plain in enumerate(model.modules):
        assert not plain.training
        images = inputs[member].view(-1, *IMAGE)
        expected = one_by_one(plain, images, labels[member])
        np.testing.assert_allclose(found[member], expected, rtol=1e-4)
        plain.zero_grad(set_to_none=True)


def test_those_of_a_module_are_those_of_an_mlp():
    models = Models(
        {"from": f"{Path(own_models.__file__)}:mlp", "arguments": DOUBLE["mlp"]}, IMAGE, CLASSES
    )
    model = models.initial([3], Workspace())
    by_hand = Models({"hidden_layers": 2, "hidden_units": [9, 7]}, IMAGE, CLASSES)
    stacks = [
        (p.detach().mT if p.ndim > 1 else p.detach()[None])[None]
        for p in model.modules[0].parameters()
    ]
    inputs, labels = torch.randn(1, 6, 64, dtype=torch.float64), torch.arange(6)[None] % CLASSES
    mlp = by_hand.make(stacks, Workspace())
    for fixed in ((), BIASES):
        ours, theirs = (gradient_norms(each, inputs, labels, fixed) for each in (mlp, model))
        torch.testing.assert_close(ours, theirs)


def test_errors_are_the_gradient_by_the_logits():
    rng = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, 5, 7, generator=rng, dtype=torch.float64)
    labels = torch.randint(5, (2, 7), generator=rng)
    logits.requires_grad_()
    loss = nn.functional.cross_entropy(logits, labels, reduction="sum")
    (expected,) = torch.autograd.grad(loss, logits)
    logits = logits.detach()
    torch.testing.assert_close(errors(logits, labels), expected)
    torch.testing.assert_close(errors(logits[0].mT, labels[0]), expected[0].mT)
    torch.testing.assert_close(error_norm(logits, labels), expected.norm(dim=1))


def test_the_norm_of_an_error_is_worked_out_by_hand():
    logits = torch.log(torch.tensor([[[0.5, 0.1], [0.3, 0.8], [0.2, 0.1]]]))
    expected = np.sqrt([0.5**2 + 0.3**2 + 0.2**2, 0.9**2 + 0.8**2 + 0.1**2])
    found = error_norm(logits, torch.tensor([[0, 0]]))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_small_error_is_not_rounded_off():
    logits = torch.tensor([[[0.0], [-40.0], [-41.0]]])
    small = np.exp([-40.0, -41.0])
    found = error_norm(logits, torch.tensor([[0]])).item()
    assert found == pytest.approx(np.sqrt((small**2).sum() + small.sum() ** 2), rel=1e-5, abs=0)
