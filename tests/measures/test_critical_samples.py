"""LASS against a plain search of one example at a time, and against closed forms."""

import pytest
import torch
import xarray as xr
from torch import nn

from rote.data import noising
from rote.measures.critical_samples import (
    adversarial_examples,
    adversarial_examples_together,
    commonest_class_share,
    critical_samples,
    in_input_units,
)
from rote.study import plan

SETTINGS = {"alpha": 0.25, "beta": 0.2, "radius": 0.3, "max_iterations": 10}
WITHOUT_NOISE = {**SETTINGS, "beta": 0.0}


def seeded(device, seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def model_of(device, features: int = 12, classes: int = 5) -> nn.Sequential:
    """Return a model, the same on all devices."""
    torch.manual_seed(0)
    layers = [nn.Linear(features, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(16, classes)).double().to(device)


def normal(device, *shape: int, seed: int = 0) -> torch.Tensor:
    """Return normal numbers, the same on all devices."""
    return torch.randn(shape, generator=seeded("cpu", seed), dtype=torch.float64).to(device)


def plain_search(model, inputs, *, alpha, beta, radius, max_iterations, generator):
    """LASS as it is written down: each example by itself, with the numbers it gets in company."""
    critical = torch.zeros(len(inputs), dtype=torch.bool, device=inputs.device)
    classes = [model(x[None]).argmax(1) for x in inputs]
    moved = dict(enumerate(inputs))  # x̃ of those not found yet
    for _ in range(max_iterations):
        noise = iter(torch.zeros(len(moved), *inputs.shape[1:]).to(inputs))
        if beta and moved:
            shape = len(moved), *inputs.shape[1:]
            kind = {"dtype": inputs.dtype, "device": inputs.device}
            noise = iter(torch.randn(shape, generator=generator, **kind))
        for i, x in list(moved.items()):
            x = x.detach().requires_grad_()
            nn.functional.cross_entropy(model(x[None]), classes[i]).backward()
            x = x.detach() + alpha * x.grad.sign() + beta * next(noise)
            moved[i] = torch.minimum(torch.maximum(x, inputs[i] - radius), inputs[i] + radius)
            if model(moved[i][None]).argmax(1) != classes[i]:
                critical[i] = True
                del moved[i]
    return critical


@pytest.mark.parametrize("beta", [0.0, 0.2])
@pytest.mark.parametrize("radius", [0.1, 0.3, 1.0])
def test_search_equals_one_example_at_a_time(beta, radius, device):
    model, inputs = model_of(device), normal(device, 100, 12, seed=1)
    settings = {**SETTINGS, "beta": beta, "radius": radius}
    expected = plain_search(model, inputs, generator=seeded(device), **settings)
    assert 0 < expected.sum() < 100
    found = critical_samples(model, inputs, generator=seeded(device), **settings)
    assert torch.equal(found, expected)


@pytest.mark.parametrize("beta", [0.0, 0.2])
def test_adversarial_examples_are_where_the_search_ends(beta, device):
    model, inputs = model_of(device), normal(device, 100, 12, seed=1)
    settings = {**SETTINGS, "beta": beta}
    critical = critical_samples(model, inputs, generator=seeded(device), **settings)
    ends = adversarial_examples(model, inputs, generator=seeded(device), **settings)
    assert (ends - inputs).abs().max() <= settings["radius"] + 1e-12
    assert torch.equal(model(ends).argmax(1) != model(inputs).argmax(1), critical)
    if not beta:  # the others have been pushed as far as they could
        other = ~critical
        pushed = (ends - inputs).abs().amax(1)
        torch.testing.assert_close(pushed[other], torch.full_like(pushed[other], 0.3))


def three_models(device) -> nn.ModuleList:
    """Return models of which the same inputs are critical to a different extent."""
    models = nn.ModuleList(model_of(device) for _ in range(3))
    for model, factor in zip(models, (1.0, 0.8, 1.5), strict=True):
        model[0].weight.data *= factor
    return models


def together(models):
    """Return the models as one function of (models, batch, features)."""
    return lambda x: torch.stack([model(own) for model, own in zip(models, x, strict=True)])


@pytest.mark.parametrize("kind", ["numbers", "features", "examples"])
def test_many_models_at_once_find_the_same_as_one_after_another(kind, device):
    models, inputs = three_models(device), normal(device, 3, 50, 12, seed=1)
    shape = {"numbers": (), "features": (12,), "examples": (3, 50, 1)}[kind]
    scale = torch.linspace(0.5, 2, int(torch.tensor(shape).prod()), device=device).double()
    scale = scale.view(shape) if shape else 1.0
    lengths = {name: SETTINGS[name] * scale for name in ("alpha", "radius")} | {"beta": 0.0}
    common = {"max_iterations": 10}
    found = adversarial_examples_together(together(models), inputs, **lengths, **common, noise=None)
    for m, (model, own) in enumerate(zip(models, inputs, strict=True)):
        of_model = {
            k: v[m] if kind == "examples" and k != "beta" else v for k, v in lengths.items()
        }
        expected = adversarial_examples(model, own, **of_model, **common, generator=None)
        torch.testing.assert_close(found[m], expected, rtol=1e-12, atol=1e-12)
        changed = model(expected).argmax(1) != model(own).argmax(1)
        assert 0 < changed.sum() < 50


def test_many_models_at_once_make_the_steps_that_are_written_down(device):
    models, inputs = three_models(device), normal(device, 3, 50, 12, seed=1)
    noise = normal(device, 3, 4, 50, 12, seed=2)
    settings = {**SETTINGS, "max_iterations": 4}
    found = adversarial_examples_together(together(models), inputs, **settings, noise=noise)
    alpha, beta, radius = (SETTINGS[name] for name in ("alpha", "beta", "radius"))
    for m, (model, own) in enumerate(zip(models, inputs, strict=True)):
        for i, start in enumerate(own):
            x, label = start, model(start[None]).argmax(1)
            for step in noise[m, :, i]:
                x = x.detach().requires_grad_()
                if model(x[None]).argmax(1) != label:
                    break
                nn.functional.cross_entropy(model(x[None]), label).backward()
                x = x.detach() + alpha * x.grad.sign() + beta * step
                x = torch.minimum(torch.maximum(x, start - radius), start + radius)
            torch.testing.assert_close(found[m, i], x.detach(), rtol=1e-12, atol=1e-12)


def boundary_at_zero(x):
    """Return logits of a number: of one class above 0, of the other below."""
    return torch.cat([x, -x], 1)


UNIT_STEPS = {"alpha": 1.0, "beta": 0.0, "radius": 100.0}


def test_an_adversarial_example_is_the_first_that_is_found(device):
    inputs = torch.arange(0.5, 9, device=device)[:, None]
    settings = {**UNIT_STEPS, "max_iterations": 3, "generator": seeded(device)}
    with torch.inference_mode():
        ends = adversarial_examples(boundary_at_zero, inputs, **settings)
    assert torch.equal(ends, torch.where(inputs < 3, -0.5, inputs - 3))


def test_many_inputs_are_searched_part_by_part(device):
    model, inputs = model_of(device), normal(device, 150, 12, seed=1)
    generator = seeded(device)
    parts = [plain_search(model, x, generator=generator, **SETTINGS) for x in inputs.split(64)]
    found = critical_samples(model, inputs, generator=seeded(device), batch_size=64, **SETTINGS)
    assert torch.equal(found, torch.cat(parts))


@pytest.mark.parametrize("max_iterations", [1, 2, 7])
def test_exactly_so_many_steps_are_made(max_iterations, device):
    inputs = torch.arange(0.5, 9, device=device)[:, None]
    settings = {**UNIT_STEPS, "max_iterations": max_iterations, "generator": seeded(device)}
    found = critical_samples(boundary_at_zero, inputs, **settings, batch_size=8)
    assert torch.equal(found, inputs[:, 0] < max_iterations)


def linear(weight, bias):
    """Return a model of two classes: its logits differ by w·x + b, and share a part."""
    shared = normal(weight.device, len(weight), seed=9)
    return lambda x: torch.stack([x @ (weight + shared) + bias, x @ shared], 1)


def test_critical_inputs_of_a_linear_model_are_those_near_its_boundary(device):
    weight, bias, radius = normal(device, 20, seed=1), 0.7, 0.3
    inputs = normal(device, 2000, 20, seed=2)
    # The largest change of w·x within the box is r‖w‖₁.
    distance = (inputs @ weight + bias).abs() / weight.abs().sum()
    inputs = inputs[(distance - radius).abs() > 1e-9]
    distance = (inputs @ weight + bias).abs() / weight.abs().sum()
    model = linear(weight, bias)
    found = critical_samples(model, inputs, **WITHOUT_NOISE, generator=seeded(device))
    assert 0.1 < found.double().mean() < 0.9
    assert torch.equal(found, distance <= radius)


def test_noise_finds_no_more_than_there_is(device):
    weight, inputs = normal(device, 20, seed=1), normal(device, 500, 20, seed=2)
    reachable = (inputs @ weight).abs() <= 0.3 * weight.abs().sum() * (1 + 1e-9)
    found = critical_samples(linear(weight, 0.0), inputs, **SETTINGS, generator=seeded(device))
    assert found.any()
    assert not (found & ~reachable).any()


@pytest.mark.parametrize("radius", [0.0, 1e-9])
def test_nothing_is_critical_where_nothing_can_move(radius, device):
    model, inputs = model_of(device), normal(device, 50, 12)
    settings = {**SETTINGS, "radius": radius, "generator": seeded(device)}
    assert not critical_samples(model, inputs, **settings).any()


def test_gradients_of_a_confident_model_do_not_vanish(device):
    weight = torch.tensor([[1.0], [-1.0], [0.0]], device=device).expand(3, 20)
    # The margin is 200 over the second class, 100 over the third.
    inputs = torch.full((30, 20), 5.0, device=device)

    def model(x):
        return x @ weight.T

    x = inputs.clone().requires_grad_()
    z = model(x)
    assert (z[:, 0] - z[:, 1]).min() == 200
    nn.functional.cross_entropy(z, z.argmax(1), reduction="sum").backward()
    assert not x.grad.any()
    settings = {"alpha": 1.0, "beta": 0.0, "max_iterations": 10, "generator": seeded(device)}
    assert critical_samples(model, inputs, radius=5.5, **settings).all()
    assert not critical_samples(model, inputs, radius=4.5, **settings).any()


def test_all_pixels_may_share_one_gradient(device):
    def logits(x):  # autograd keeps the gradient of a sum as one number, whatever its shape
        return boundary_at_zero(x.sum(1, keepdim=True))

    inputs = normal(device, 200, 5)
    found = critical_samples(logits, inputs, **WITHOUT_NOISE, generator=seeded(device))
    assert torch.equal(found, inputs.sum(1).abs() < 5 * 0.3)


def test_direction_is_that_of_the_cross_entropy(device):
    model, inputs = model_of(device), normal(device, 40, 12, seed=3)
    x = inputs.clone().requires_grad_()
    classes = model(x).argmax(1)
    nn.functional.cross_entropy(model(x), classes, reduction="sum").backward()
    seen = []

    def watched(batch):
        seen.append(batch.detach().clone())
        return model(batch)

    settings = {"alpha": 1e-6, "beta": 0.0, "radius": 1.0, "max_iterations": 1}
    critical_samples(watched, inputs, **settings, generator=seeded(device))
    torch.testing.assert_close(seen[1] - seen[0], 1e-6 * x.grad.sign(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("beta", [0.0, 0.2])
def test_lengths_may_differ_by_feature(device, beta):
    model, inputs = model_of(device), normal(device, 150, 12, seed=1)
    scale = torch.linspace(0.2, 3.0, 12, dtype=torch.float64, device=device)

    def in_units_of_scale(x):
        return model(x * scale)

    settings = {**SETTINGS, "beta": beta}
    expected = critical_samples(
        in_units_of_scale, inputs / scale, generator=seeded(device), **settings
    )
    assert 10 < expected.sum() < 140
    lengths = in_input_units(scale, **{k: settings.pop(k) for k in ("alpha", "beta", "radius")})
    common = {**settings, "batch_size": 150, "generator": seeded(device)}
    assert torch.equal(critical_samples(model, inputs, **lengths, **common), expected)


def test_lengths_may_differ_by_example_and_go_along_with_those_that_are_left(device):
    model, inputs = model_of(device), normal(device, 150, 12, seed=1)
    scale = torch.linspace(0.2, 3.0, 150, dtype=torch.float64, device=device)[:, None]
    lengths = in_input_units(scale, alpha=0.25, beta=0.0, radius=0.3)
    common = {"max_iterations": 10, "generator": seeded(device)}
    found = critical_samples(model, inputs, **lengths, **common, batch_size=64)
    ends = adversarial_examples(model, inputs, **lengths, **common)
    assert 10 < found.sum() < 140
    for i, s in enumerate(scale.flatten().tolist()):
        alone = {"alpha": 0.25 * s, "beta": 0.0, "radius": 0.3 * s, **common}
        torch.testing.assert_close(
            ends[i : i + 1], adversarial_examples(model, inputs[i : i + 1], **alone)
        )
        assert torch.equal(found[i : i + 1], critical_samples(model, inputs[i : i + 1], **alone))


def test_lengths_that_are_all_alike_are_one(device):
    model, inputs = model_of(device), normal(device, 150, 12, seed=1)
    expected = critical_samples(model, inputs, generator=seeded(device), **SETTINGS)
    for shape in ((12,), (150, 1)):
        alike = torch.ones(shape, dtype=torch.float64, device=device)
        lengths = {name: SETTINGS[name] * alike for name in ("alpha", "beta", "radius")}
        common = {"max_iterations": 10, "generator": seeded(device)}
        assert torch.equal(critical_samples(model, inputs, **lengths, **common), expected)


@pytest.mark.parametrize("shape", [(11,), (149, 1), (150, 12)])
def test_lengths_of_another_shape_are_refused(device, shape):
    lengths = {"alpha": torch.ones(shape), "beta": 0.0, "radius": 1.0, "max_iterations": 1}
    with pytest.raises(ValueError, match=r"alpha must be a number or \(12,\) or \(150, 1\) for"):
        critical_samples(
            model_of(device), normal(device, 150, 12), **lengths, generator=seeded(device)
        )


@pytest.mark.parametrize("scaling", ["unit", "standardized"])
def test_grey_levels_are_converted_to_the_units_of_the_inputs(source, settings, scaling, device):
    data = {**plan.data_settings(settings), "scaling": scaling}
    noised = xr.decode_cf(noising.noise_dataset(source, data)).load()
    inputs = torch.tensor(noised["image"].values.astype("float64"), device=device).flatten(1)
    per_level = noised.attrs["inputs_per_grey_level"]
    offset = noised["image"].encoding["add_offset"]
    raw = (inputs - offset) / per_level
    assert 100 < raw.max() <= 255 + 1e-9
    assert raw.min() >= -1e-9
    model = model_of(device, features=inputs.shape[1])
    model[-1].bias.data -= model(inputs).mean(0)  # so that every class is predicted somewhere

    def absorbing(pixels):  # the scaling is part of the first layer
        first = nn.functional.linear(
            pixels, model[0].weight * per_level, model[0].bias + model[0].weight.sum(1) * offset
        )
        return model[1:](first)

    grey_levels = {"alpha": 2.5, "beta": 2.0, "radius": 5.0}
    lengths = in_input_units(per_level, **grey_levels)
    common = {"max_iterations": 10}
    expected = critical_samples(absorbing, raw, **grey_levels, **common, generator=seeded(device))
    assert 0.1 < expected.double().mean() < 0.9
    found = critical_samples(model, inputs, **lengths, **common, generator=seeded(device))
    assert torch.equal(found, expected)
    unconverted = critical_samples(model, inputs, **grey_levels, **common, generator=seeded(device))
    assert not torch.equal(unconverted, expected)


@pytest.mark.parametrize("batch_size", [7, 200])
def test_the_share_of_the_commonest_class(batch_size, device):
    model, inputs = model_of(device), normal(device, 100, 12)
    predicted = model(inputs).argmax(1).tolist()
    share = commonest_class_share(model, inputs, batch_size=batch_size)
    assert share == max(map(predicted.count, range(5))) / 100
    assert 0.2 < share < 1


def test_same_generator_same_result(device):
    model, inputs = model_of(device), normal(device, 200, 12)
    first, again, other = (
        critical_samples(model, inputs, **SETTINGS, generator=seeded(device, seed))
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_noise_order_and_batches_do_not_matter(device):
    model, inputs = model_of(device), normal(device, 200, 12)
    expected = critical_samples(model, inputs, **WITHOUT_NOISE, generator=seeded(device))
    order = torch.randperm(200, generator=seeded("cpu")).to(device)
    shuffled = critical_samples(
        model, inputs[order], **WITHOUT_NOISE, generator=seeded(device), batch_size=23
    )
    assert torch.equal(shuffled, expected[order])
    one_by_one = [critical_samples(model, x[None], **WITHOUT_NOISE, generator=None) for x in inputs]
    assert torch.equal(torch.cat(one_by_one), expected)


def test_images_reach_the_model_in_their_shape(device):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 4)
    )
    model.double().to(device)
    inputs = normal(device, 60, 3, 8, 8)
    settings = {**SETTINGS, "radius": 0.03}
    expected = plain_search(model, inputs, **settings, generator=seeded(device))
    assert 0 < expected.sum() < 60
    found = critical_samples(model, inputs, **settings, generator=seeded(device))
    assert torch.equal(found, expected)


def test_works_within_inference_mode_and_leaves_the_model_alone(device):
    model, inputs = model_of(device), normal(device, 50, 12)
    kept = inputs.clone()
    expected = critical_samples(model, inputs, **SETTINGS, generator=seeded(device))
    with torch.inference_mode():
        found = critical_samples(model, inputs.clone(), **SETTINGS, generator=seeded(device))
    assert torch.equal(found, expected)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(inputs, kept)


@pytest.fixture
def sizes() -> list[int]:
    return []


def watched(model, sizes):
    """The model, which tells of how many inputs it computes the logits."""

    def logits(batch):
        sizes.append(len(batch))
        return model(batch)

    return logits


def test_examples_that_are_found_are_not_computed_again(sizes, device):
    model, inputs = model_of(device), normal(device, 200, 12, seed=2)
    found = [
        critical_samples(
            model, inputs, **SETTINGS | {"max_iterations": n}, generator=seeded(device)
        )
        for n in range(1, 10)
    ]
    critical_samples(watched(model, sizes), inputs, **SETTINGS, generator=seeded(device))
    # One call to know the classes, and one a step.
    assert sizes == [200, 200, *((~each).sum().item() for each in found)]
    assert sizes[-1] < sizes[4] < sizes[2] < 200
    sizes.clear()
    logits = watched(linear(normal(device, 20, seed=1), 0.0), sizes)
    settings = {**UNIT_STEPS, "max_iterations": 99, "generator": seeded(device)}
    assert critical_samples(logits, normal(device, 200, 20, seed=2), **settings).all()
    assert len(sizes) < 20


@pytest.mark.parametrize("beta", [0.0, 0.2])
def test_the_last_place_of_an_adversarial_example_is_not_computed(sizes, beta, device):
    # One call a step: it tells who is found, and serves the step of the others.
    model, inputs = model_of(device), normal(device, 200, 12, seed=2)
    settings = {**SETTINGS, "beta": beta, "max_iterations": 3}
    adversarial_examples(watched(model, sizes), inputs, **settings, generator=seeded(device))
    assert len(sizes) == 3


def test_without_noise_examples_that_have_come_to_rest_are_not_computed_again(sizes, device):
    logits = watched(linear(normal(device, 20, seed=1), 0.0), sizes)
    inputs = normal(device, 200, 20, seed=2)
    found = critical_samples(logits, inputs, **WITHOUT_NOISE, generator=seeded(device))
    # After two steps all are in their corners, and the third moves none.
    assert sizes[:2] == [200, 200]
    assert len(sizes) == 3
    assert not found.all()


def test_an_example_that_rests_in_most_of_its_pixels_goes_on(device):
    def logits(x):  # the first pixel creeps to the boundary, the others count up to 0.05 only
        return torch.stack([0.95 - x[:, 0], x[:, 1:].clamp(max=0.05).sum(1) * 1e-9], 1)

    inputs = torch.zeros(1, 9, device=device).double()
    settings = {"alpha": 0.1, "beta": 0.0, "max_iterations": 10, "generator": seeded(device)}
    assert critical_samples(logits, inputs, radius=1.0, **settings).all()
    assert not critical_samples(logits, inputs, radius=0.9, **settings).any()


def test_an_input_may_be_a_single_number(device):
    def logits(x):
        return torch.stack([x, -x], 1)

    found = critical_samples(logits, normal(device, 50), **WITHOUT_NOISE, generator=seeded(device))
    assert torch.equal(found, normal(device, 50).abs() < 0.3)


def test_empty_inputs_have_an_empty_result(device):
    model, inputs = model_of(device), normal(device, 0, 12)
    found = critical_samples(model, inputs, **SETTINGS, generator=seeded(device))
    assert found.shape == (0,)
    assert found.dtype == torch.bool


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alpha": -1.0}, "alpha must be 0 or more, not -1.0"),
        ({"beta": -0.1}, "beta must be 0 or more"),
        ({"radius": -0.1}, "radius must be 0 or more"),
        ({"radius": float("nan")}, "radius must be 0 or more, not nan"),
        ({"max_iterations": 0}, "max_iterations must be 1 or more, not 0"),
        ({"batch_size": 0}, "batch_size must be 1 or more"),
        ({"inputs": torch.zeros(3, 12, dtype=torch.uint8)}, "floating point, not torch.uint8"),
        ({"logits": lambda x: x.sum(1)}, "logits of 3 inputs must be"),
        ({"logits": lambda x: x[:, :1]}, "logits of 3 inputs must be"),
        ({"logits": lambda x: x[:-1]}, "logits of 3 inputs must be"),
        ({"logits": lambda x: x[..., None]}, "logits of 3 inputs must be"),
    ],
)
def test_arguments_out_of_range_raise(changes, message):
    arguments = {"logits": model_of("cpu"), "inputs": normal("cpu", 3, 12), **SETTINGS}
    arguments["generator"] = seeded("cpu")
    with pytest.raises(ValueError, match=message):
        critical_samples(**{**arguments, **changes})
