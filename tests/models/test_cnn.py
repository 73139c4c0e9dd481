"""The CNN against independent computation: nn.Sequential, torch.optim.SGD."""

import numpy as np
import pytest
import torch
from torch import nn

from operations import Watch
from rote.machine.errors import UserError
from rote.models import convolution, memberwise
from rote.models.cnn import CNN, EVALUATED, Architecture, initial_parameters
from rote.models.kinds import Models
from rote.models.workspace import Workspace
from rote.runs.epochs import train
from rote.study.schedule import decayed
from small_cnns import (
    ARCHITECTURES,
    COLOUR,
    GREY,
    OTHER,
    VALID,
    WIDE,
    as_stacked,
    make_data,
    make_ensemble,
    normalisations,
    sequential,
    with_population_statistics,
)
from small_mlps import assert_same, check_score, logits_of_each, of_members, train_plainly


def test_the_sizes_of_the_paper():
    image = 3, 28, 28
    first, second = Architecture(image, 10).planes()
    assert first.convolved == (200, 28, 28) and first.pooled == (200, 14, 14)
    assert second.convolved == (200, 14, 14) and second.pooled == (200, 7, 7)
    first, second = Architecture(image, 10, **VALID).planes()
    assert first.convolved == (200, 24, 24) and first.pooled == (200, 8, 8)
    assert second.convolved == (200, 4, 4) and second.pooled == (200, 1, 1)


@pytest.mark.parametrize(
    ("settings", "printed"),
    [
        ({"maps": (64, 64)}, 1_387_786),  # Zhang et al. 2017, table 1: small AlexNet
        ({}, 4_854_834),
        (VALID, 1_168_434),
    ],
)
def test_parameters_are_as_many_as_are_printed(settings, printed):
    architecture = Architecture((3, 28, 28), 10, **settings)
    assert architecture.parameters == printed
    stacks = initial_parameters(architecture, [0])
    counted = [p.numel() for p in (*stacks[:-2:4], *stacks[1:-2:4], *stacks[-2:])]
    assert sum(counted) == printed  # without scales and shifts of normalisation


@pytest.mark.parametrize(("layers", "printed"), [(1, 1_209_866), (3, 1_735_178)])
def test_parameters_of_the_mlps_of_zhang_et_al(layers, printed):
    models = Models({"hidden_layers": layers, "hidden_units": 512}, (3, 28, 28), 10)
    assert sum(p.numel() for p in models.initial([0], Workspace()).parameters) == printed


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("seed", [0, 5])
def test_initialisation_is_that_of_pytorch(architecture, seed, device):
    ours = initial_parameters(architecture, [seed, seed, 3], device)
    assert all(torch.equal(stack[0], stack[1]) for stack in ours)
    model = sequential(architecture, seed)
    for stack, parameter in zip(ours, model.parameters(), strict=True):
        assert torch.equal(stack[1].cpu(), as_stacked(parameter))
    filters = CNN(architecture, ours, Workspace(device)).filters
    assert torch.equal(filters[1].cpu(), model[1].weight)


# Bytes of a strip, and whether gradients are gathered: the first two are the CPU's, the others
# CUDA's. Each is right on either device.
WAYS = {
    "strips": (convolution.STRIP, False),
    "small strips": (8000, False),
    "whole batches": (2**40, True),
    "images": (2**40, True),
}


def made(way, monkeypatch, architecture, *arguments, **options):
    """Return an ensemble whose convolutions go one of these ways."""
    if way == "images":
        monkeypatch.setattr(memberwise, "kind_of", lambda *_: memberwise.ImageConvolution)
    ensemble = make_ensemble(architecture, *arguments, **options)
    for layer in ensemble.model.layers[: len(architecture.maps)]:
        layer.strip, layer.gathers = WAYS[way]
    return ensemble


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay", [[0.0, 0.0, 0.0], [0.0, 0.01, 0.1]])
@pytest.mark.parametrize("way", WAYS)
def test_training_equals_separate_models_with_torch_sgd(
    architecture, momentum, decay, way, device, monkeypatch
):
    seeds = [0, 1, 2]
    how = {"momentum": momentum, "decay": decay, "device": device}
    ensemble = made(way, monkeypatch, architecture, seeds, **how)
    schedule = {"epochs": 5, "decay_factor": 0.5, "decay_every": 2}
    for epoch in range(1, 6):
        ensemble.optimizer.decay(decayed(schedule, epoch))
        ensemble.train_epoch(epoch)
    models = [sequential(architecture, seed).double() for seed in seeds]
    for member, model in enumerate(models):
        optimizer = torch.optim.SGD(
            model.parameters(), 0.1, momentum=momentum, weight_decay=decay[member]
        )
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
        inputs = ensemble.table[ensemble.rows[member], : ensemble.model.features].cpu()
        for epoch in range(1, 6):
            train_plainly(ensemble, member, epoch, model, optimizer)
            scheduler.step()
        expected = [as_stacked(p) for p in model.parameters()]
        for stack, parameter in zip(ensemble.model.parameters, expected, strict=True):
            torch.testing.assert_close(stack[member].cpu(), parameter, rtol=1e-10, atol=1e-12)
        expected = [b for n in normalisations(model) for b in (n.running_mean, n.running_var)]
        for stack, buffer in zip(ensemble.model.buffers, expected, strict=True):
            torch.testing.assert_close(stack[member, :, 0].cpu(), buffer, rtol=1e-10, atol=1e-12)
        with_population_statistics(model, inputs, 20)
    check_score(ensemble, models, rel=1e-10)
    expected = [
        [b for n in normalisations(m) for b in (n.running_mean, n.running_var)] for m in models
    ]
    for member, own in enumerate(expected):
        for stack, buffer in zip(ensemble.model.population, own, strict=True):
            torch.testing.assert_close(stack[member, :, 0].cpu(), buffer, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("architecture", [GREY, OTHER])
def test_a_score_counts_every_example_once(architecture, device):
    # A CNN splits a batch of evaluation again: into equal parts, into unequal ones, or not at all.
    sizes = {"examples": 5 * EVALUATED + 12, "validation": 4 * EVALUATED + 3}
    data = make_data(architecture, 2, device=device, **sizes)
    ensemble = make_ensemble(architecture, [0, 1], data=data)
    models = [
        with_population_statistics(
            sequential(architecture, seed).double(),
            ensemble.table[ensemble.rows[seed], : ensemble.model.features].cpu(),
            ensemble.batch_size,
        )
        for seed in (0, 1)
    ]
    check_score(ensemble, models, rel=1e-10)


def test_a_score_changes_nothing_in_training(device):
    """A member that is scored after every epoch is what it is without: its statistics are taken
    aside."""
    scored, plain = (make_ensemble(GREY, [0, 1], device=device) for _ in range(2))
    for epoch in (1, 2):
        scored.train_epoch(epoch)
        plain.train_epoch(epoch)
        first, again = scored.evaluate(), scored.evaluate()
        for ours, expected in zip(first, again, strict=True):
            np.testing.assert_array_equal(ours, expected)
    for name in ("parameters", "buffers"):
        for ours, expected in zip(
            getattr(scored.model, name), getattr(plain.model, name), strict=True
        ):
            assert torch.equal(ours, expected)


def test_statistics_do_not_depend_on_earlier_ones(device):
    ensemble = make_ensemble(GREY, [0, 1], device=device)
    before = ensemble.evaluate()
    for average in ensemble.model.population:
        average.fill_(float("inf"))
    for ours, expected in zip(ensemble.evaluate(), before, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_a_kept_model_is_that_of_its_score(device):
    """Kept parameters come with the statistics that the score goes by, not with running ones."""
    ensemble = make_ensemble(GREY, [0, 1], device=device)
    settings = {"epochs": 3, "evaluate_every": 2, "decay_every": None, "decay_factor": 0.5}
    kept = {}
    for now in train(ensemble, settings, [None, None], keep_epochs=[1, 2, 3]):
        kept[now.epoch] = now.kept[1]
        ensemble.take_statistics()
        for k, stack in enumerate(ensemble.model.population):
            assert_same(torch.from_numpy(kept[now.epoch][f"buffer_{k}"].values), stack[1])
            assert not torch.equal(stack[1], ensemble.model.buffers[k][1])


def with_turned_scales(architecture, seeds, device):
    """An ensemble and its models of torch.nn; some scales are negative, and some are 0."""
    ensemble = make_ensemble(architecture, seeds, device=device)
    models = [sequential(architecture, seed).double() for seed in seeds]
    for k, scale in enumerate(ensemble.model.parameters[2::4]):
        scale[:, 1], scale[:, 2] = -0.5, 0.0
        ensemble.model.parameters[4 * k + 3][:, ::2] = 0.3
        for model in models:
            with torch.no_grad():
                normalisations(model)[k].weight[1:3] = torch.tensor([-0.5, 0.0])
                normalisations(model)[k].bias[::2] = 0.3
    return ensemble, models


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_negative_scales_and_evaluation(architecture, device):
    ensemble, models = with_turned_scales(architecture, [0, 1], device)
    inputs = torch.randn(2, 20, ensemble.model.features, dtype=torch.float64)
    labels = torch.randint(5, (2, 20))
    ensemble.model.step(inputs.to(device), labels.to(device), ensemble.optimizer)
    for member, model in enumerate(models):
        nn.functional.cross_entropy(model(inputs[member]), labels[member]).backward()
        torch.optim.SGD(model.parameters(), 0.1).step()
        expected = [as_stacked(p) for p in model.parameters()]
        for k, (stack, parameter) in enumerate(
            zip(ensemble.model.parameters, expected, strict=True)
        ):
            if k % 4 == 2:  # where the scale is 0, all of a window are alike: any may pass its part
                stack, parameter = stack[:, [0, 1]], parameter[[0, 1]]
            ours = stack[member].cpu()
            torch.testing.assert_close(ours, parameter, rtol=1e-10, atol=1e-12)
        for k, stack in enumerate(ensemble.model.parameters):
            stack[member] = expected[k]
        model.eval()
    images = torch.randn(140, ensemble.model.features, dtype=torch.float64)
    shared = images.to(device).expand(2, -1, -1)
    ensemble.model.population[:] = ensemble.model.buffers
    logits, own = (ensemble.model.logits(each).cpu() for each in (shared, shared.clone()))
    for member, model in enumerate(models):
        expected = model(images).detach().T
        torch.testing.assert_close(logits[member], expected, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(own[member], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("of", [logits_of_each, CNN.members_logits])
def test_logits_are_differentiable_by_the_inputs(architecture, of, running, device):
    ensemble = make_ensemble(architecture, [0, 1], device=device)
    ensemble.train_epoch(1)
    ensemble.take_statistics()
    statistics = ensemble.model.buffers if running else ensemble.model.population
    features = ensemble.model.features
    inputs = torch.randn(2, 9, features, dtype=torch.float64)
    weights = torch.randn(9, 5, dtype=torch.float64)
    ours = inputs.to(device).requires_grad_()
    logits = of(ensemble.model, ours, running)
    (gradient,) = torch.autograd.grad((logits * weights.to(device)).sum(), ours)
    with torch.inference_mode():  # as the epoch before: its memory is used again
        by_population = ensemble.model.logits(ours)
    assert torch.allclose(logits.mT, by_population, rtol=1e-9) == (not running)
    for member, seed in enumerate([0, 1]):
        model = sequential(architecture, seed).double().eval()
        parameters = zip(model.parameters(), ensemble.model.parameters, strict=True)
        with torch.no_grad():
            for parameter, stack in parameters:
                own = stack[member].mT if parameter.ndim > 1 else stack[member]
                parameter.copy_(own.reshape(parameter.shape))
            for k, normalisation in enumerate(normalisations(model)):
                mean, variance = statistics[2 * k : 2 * k + 2]
                normalisation.running_mean.copy_(mean[member, :, 0])
                normalisation.running_var.copy_(variance[member, :, 0])
        own = inputs[member].requires_grad_()
        expected = model(own)
        (expected_gradient,) = torch.autograd.grad((expected * weights).sum(), own)
        for found, wanted in ((logits, expected), (gradient, expected_gradient)):
            torch.testing.assert_close(found[member].cpu(), wanted, rtol=1e-10, atol=1e-12)


def test_gradient_agrees_with_finite_differences(device):
    ensemble = make_ensemble(COLOUR, [0], momentum=0.0, device=device)
    before = [p.clone() for p in ensemble.model.parameters]
    inputs = torch.randn(1, 20, ensemble.model.features, dtype=torch.float64)
    labels = torch.randint(5, (1, 20))
    ensemble.model.step(inputs.to(device), labels.to(device), ensemble.optimizer)
    model = sequential(COLOUR, 0).double()

    def loss():
        return nn.functional.cross_entropy(model(inputs[0]), labels[0]).item()

    after = ensemble.model.parameters
    for start, end, parameter in zip(before, after, model.parameters(), strict=True):
        parameter.requires_grad_(False)
        gradient = ((start - end) / 0.1)[0]
        gradient = gradient.mT.reshape(parameter.shape)
        for place in {(0,) * parameter.ndim, (-1,) * parameter.ndim, (2,) * parameter.ndim}:
            value = parameter[place].item()
            ends = []
            for shift in (1e-6, -1e-6):
                parameter[place] = value + shift
                ends.append(loss())
            parameter[place] = value
            assert gradient[place].item() == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)


def test_calls_grow_with_neither_members_nor_kernel_where_batches_are_whole(monkeypatch):
    # As on CUDA, where calls are what a step costs.
    seen = {}
    for members, kernel in ((1, 3), (3, 3), (3, 5)):
        architecture = GREY._replace(kernel=kernel)
        ensemble = made("whole batches", monkeypatch, architecture, list(range(members)))
        layer = ensemble.model.layers[1]
        maps, height, width = layer.sizes.entering
        planes = torch.zeros(members, maps, height, width, 6, dtype=torch.float64)
        weight = ensemble.model.parameters[4]
        with Watch() as watch:
            products = layer.products(weight, layer.padded(planes))
            layer.passed_on(weight, products, 6)
        seen[members, kernel] = watch.seen
    assert len(set(seen.values())) == 1


def test_members_are_the_same_by_groups_and_one_by_one(monkeypatch, device):
    found = []
    for way in ("whole batches", "images"):
        ensemble = made(way, monkeypatch, WIDE, [0, 1, 2], device=device)
        features = ensemble.model.features
        inputs = torch.linspace(-1, 1, 3 * 6 * features, dtype=torch.float64).view(3, 6, features)
        inputs = inputs.to(device).sin().requires_grad_()
        logits = ensemble.model.members_logits(inputs)
        found.append([logits, *torch.autograd.grad(logits.square().sum(), inputs)])
    for ours, expected in zip(*found, strict=True):
        assert expected.any()
        torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


def test_what_computes_the_convolutions_of_the_paper():
    layers, kind_of = Architecture((3, 28, 28), 10).planes(), memberwise.kind_of
    published, even = Architecture((3, 28, 28), 10), Architecture((3, 28, 28), 10, kernel=4)
    by_products, by_images = convolution.Convolution, memberwise.ImageConvolution
    assert [kind_of(each, published, True) for each in layers] == [by_products, by_images]
    for layer in layers:
        assert kind_of(layer, published, False) is memberwise.MemberwiseConvolution
        assert kind_of(layer, even, True) is kind_of(layer, even, False) is by_products


# On the CPU, where groups of all sizes are rounded alike: see rote.models.workspace.
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("strip", [convolution.STRIP, 8000])
def test_a_member_does_not_depend_on_its_company(architecture, strip, monkeypatch):
    monkeypatch.setattr(convolution, "STRIP", strip)
    data = make_data(architecture, 7, torch.float32)
    decay = [0.0, 0.01, 0.0, 0.1, 0.0, 0.0, 0.001]

    def trained(members):
        ensemble = make_ensemble(
            architecture,
            members,
            dtype=torch.float32,
            decay=[decay[m] for m in members],
            data=of_members(data, members),
        )
        for epoch in (1, 2, 3):
            ensemble.train_epoch(epoch)
        place = members.index(3)
        score = [torch.tensor(values[place]) for values in ensemble.evaluate()]
        own = [*ensemble.model.parameters, *ensemble.model.buffers]
        inputs = data[0][:37, : ensemble.model.features]
        inputs = inputs.expand(len(members), -1, -1).clone().requires_grad_()
        logits = logits_of_each(ensemble.model, inputs)
        own += [logits, *torch.autograd.grad(logits.square().sum(), inputs)]
        return [p[place] for p in own] + score

    alone = trained([3])
    for company in ([3, 4], [0, 1, 2, 3, 4, 5, 6], [6, 3, 0]):
        for ours, expected in zip(trained(company), alone, strict=True):
            assert torch.equal(ours, expected)


def test_a_diverged_member_does_not_harm_the_others(device):
    sound, spoilt = (make_ensemble(GREY, [0, 1], device=device) for _ in range(2))
    spoilt.model.parameters[0][0] = float("nan")
    for ensemble in (sound, spoilt):
        ensemble.train_epoch(1)
    assert np.isnan(spoilt.evaluate().train_loss[0])
    for ours, expected in zip(spoilt.model.parameters, sound.model.parameters, strict=True):
        assert_same(ours[1], expected[1])


def test_members_that_leave_do_not_change_those_that_stay(device):
    whole, part = (make_ensemble(GREY, [0, 1, 2, 3], device=device) for _ in range(2))
    for epoch in (1, 2, 3):
        whole.train_epoch(epoch)
        part.train_epoch(epoch)
        if epoch == 1:
            part.select([1, 3])
    assert len(part) == 2
    for name in ("parameters", "buffers"):
        for stack, smaller in zip(
            getattr(whole.model, name), getattr(part.model, name), strict=True
        ):
            assert_same(stack[[1, 3]], smaller)


def test_a_restored_member_goes_on_as_if_it_had_never_stopped(device):
    whole = make_ensemble(GREY, [0, 1], device=device)
    whole.train_epoch(1)
    state = whole.state(1)
    whole.train_epoch(2)
    data = of_members((whole.table, whole.rows, whole.labels, whole.validation), [1])
    resumed = make_ensemble(GREY, [1], data=data)
    resumed.restore(0, state)
    resumed.train_epoch(2)
    for name in ("parameters", "buffers"):
        for stack, own in zip(
            getattr(whole.model, name), getattr(resumed.model, name), strict=True
        ):
            assert_same(stack[1], own[0])


@pytest.mark.parametrize(
    ("image", "stride", "message"),
    [
        ((1, 14, 14), 3, "14×14 pixels leave nothing .* images of 25×25 pixels or larger"),
        (
            (3, 18, 32),
            2,
            "18×32 pixels .* stride 2.* 19×19 pixels .* smaller crop, or padding: same",
        ),
    ],
)
def test_images_that_are_too_small(image, stride, message):
    small = Architecture(image, 10, padding="valid", pooling_stride=stride)
    with pytest.raises(UserError, match=message):
        initial_parameters(small, [0])
    side = small.smallest
    large = small._replace(image=(1, side, side), maps=(2, 2), dense=())
    assert large.planes()[-1].pooled == (2, 1, 1)


@pytest.mark.parametrize("side", [1, 2, 3, 5, 6])
def test_an_image_of_any_size_will_do_with_padding(side):
    architecture = GREY._replace(image=(1, side, side + 1))
    ensemble = make_ensemble(architecture, [0])
    ensemble.train_epoch(1)
    inputs = ensemble.table[ensemble.rows[0], : ensemble.model.features]
    model = sequential(architecture, 0).double()
    with torch.no_grad():
        parameters = zip(model.parameters(), ensemble.model.parameters, strict=True)
        for parameter, stack in parameters:
            own = stack[0].mT if parameter.ndim > 1 else stack[0]
            parameter.copy_(own.reshape(parameter.shape))
    check_score(ensemble, [with_population_statistics(model, inputs, 20)], rel=1e-10)


@pytest.mark.parametrize("batch_size", [49, 7, 1])
def test_a_last_batch_of_one_example(batch_size):
    with pytest.raises(UserError, match=f"batch_size {batch_size} .* 50 .* holds 1, .* change"):
        make_ensemble(GREY, [0], batch_size=batch_size)
