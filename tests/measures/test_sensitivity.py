"""Loss-sensitivity against unrolled autograd, and against training again with a changed example."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from rote.measures import adjoints, sensitivity
from rote.measures.sensitivity import class_sensitivity, loss_sensitivity

EXAMPLES, FEATURES, RATE = 24, 7, 0.3
# The last example is in no batch, the last batch is smaller, and one batch names an example twice.
BATCHES = [list(range(k, min(k + 10, 23))) for _ in range(4) for k in (0, 10, 20)] + [[3, 5, 3]]
TIMES = [13, 0, 1, 7, 3, 7]
CLASSES = {"class": 4, "unique": EXAMPLES}


def layers(classes: int, depth: int = 2) -> list[tuple[torch.Tensor, torch.Tensor]]:
    torch.manual_seed(depth)
    sizes = [FEATURES, *[6, 5, 4][:depth], classes]
    linear = [nn.Linear(a, b).double() for a, b in pairwise(sizes)]
    return [(layer.weight.detach(), layer.bias.detach()) for layer in linear]


def data(labelling: str) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(3)
    inputs = torch.randn(EXAMPLES, FEATURES, generator=rng, dtype=torch.float64)
    if labelling == "unique":
        return inputs, torch.arange(EXAMPLES)
    return inputs, torch.randint(4, (EXAMPLES,), generator=rng)


def moved(device, parameters, inputs, labels):
    """Return the arguments of a measure, these ones on the device."""
    parameters = [tuple(part.to(device) for part in layer) for layer in parameters]
    return parameters, inputs.to(device), labels.to(device), BATCHES, RATE, TIMES


def logits(parameters, inputs):
    for weight, *bias in parameters[:-1]:
        inputs = (inputs @ weight.T + sum(bias)).relu()
    weight, *bias = parameters[-1]
    return inputs @ weight.T + sum(bias)


ORDERS = {"l1": 1, "l2": 2, "linf": torch.inf}


def unrolled(parameters, inputs, labels, terms, norm="l1"):
    """Return ‖∂L_t/∂x‖ (times, losses, examples) by backpropagation through the whole training."""
    inputs = inputs.clone().requires_grad_()
    parameters = [tuple(p.clone().requires_grad_() for p in layer) for layer in parameters]
    found = {}
    for t in range(max(TIMES) + 1):
        if t in TIMES:
            each = cross_entropy(logits(parameters, inputs), labels, reduction="none")
            losses = (each[:, None] * terms).sum(0) / len(labels)
            gradients = [torch.autograd.grad(loss, inputs, retain_graph=True)[0] for loss in losses]
            found[t] = torch.linalg.vector_norm(torch.stack(gradients), ORDERS[norm], -1)
        if t < max(TIMES):
            batch = BATCHES[t]
            loss = cross_entropy(logits(parameters, inputs[batch]), labels[batch])
            flat = [p for layer in parameters for p in layer]
            gradients = iter(torch.autograd.grad(loss, flat, create_graph=True))
            parameters = [tuple(p - RATE * next(gradients) for p in pair) for pair in parameters]
    return torch.stack([found[t] for t in TIMES])


@pytest.mark.parametrize("norm", ORDERS)
@pytest.mark.parametrize("labelling", ["class", "unique"])
@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_it_equals_backpropagation_through_unrolled_training(labelling, depth, norm, device):
    parameters = layers(CLASSES[labelling], depth)
    inputs, labels = data(labelling)
    ours = loss_sensitivity(*moved(device, parameters, inputs, labels), norm=norm)
    exact = unrolled(parameters, inputs, labels, torch.ones(EXAMPLES, 1), norm)[:, 0]
    assert ours.shape == (len(TIMES), EXAMPLES)
    assert not ours.is_inference()
    torch.testing.assert_close(ours.cpu(), exact, rtol=1e-10, atol=0)


@pytest.mark.parametrize("labelling", ["class", "unique"])
@pytest.mark.parametrize("depth", [0, 2])
def test_without_biases_it_is_that_of_layers_without(labelling, depth):
    weights = [weight for weight, _ in layers(CLASSES[labelling], depth)]
    inputs, labels = data(labelling)
    training = adjoints.Training(
        [torch.cat([weight.mT, torch.zeros(1, len(weight))])[None] for weight in weights],
        adjoints.with_constant(inputs[None], 0.0),
        labels[None],
        [torch.tensor(batch)[None] for batch in BATCHES],
        RATE,
        0.0,
    )
    kept = list(adjoints.trajectory(training))
    found = {}
    terms = torch.ones(1, EXAMPLES, 1, dtype=torch.float64)
    for some, norms in adjoints.sweep(training, kept, sorted({*TIMES}), terms):
        found |= dict(zip(some, norms.flatten(0, -3)[:, 0], strict=True))
    ours = torch.stack([found[t] for t in TIMES])
    of_weights = [(weight,) for weight in weights]
    exact = unrolled(of_weights, inputs, labels, torch.ones(EXAMPLES, 1))[:, 0]
    torch.testing.assert_close(ours, exact, rtol=1e-10, atol=0)
    assert all((weight[:, -1] == 0).all() for weight in kept[-1])


@pytest.mark.parametrize("labelling", ["class", "unique"])
def test_it_equals_finite_differences_of_training_again(labelling, device):
    parameters = layers(CLASSES[labelling])
    inputs, labels = data(labelling)
    ours = loss_sensitivity(*moved(device, parameters, inputs, labels)).cpu()

    def losses(changed: torch.Tensor) -> np.ndarray:
        linear = [nn.Linear(w.shape[1], w.shape[0]).double() for w, _ in parameters]
        for layer, (weight, bias) in zip(linear, parameters, strict=True):
            layer.weight.data.copy_(weight)
            layer.bias.data.copy_(bias)
        modules = [module for layer in linear for module in (layer, nn.ReLU())]
        model = nn.Sequential(*modules[:-1])
        optimizer = torch.optim.SGD(model.parameters(), RATE)
        after = [cross_entropy(model(changed), labels).item()]
        for batch in BATCHES:
            optimizer.zero_grad()
            cross_entropy(model(changed[batch]), labels[batch]).backward()
            optimizer.step()
            after.append(cross_entropy(model(changed), labels).item())
        return np.array(after)[TIMES]

    step = 1e-4
    for example in (3, 11, 23):  # used in many batches, in some, and in none
        norm = np.zeros(len(TIMES))
        for feature in range(FEATURES):
            ends = []
            for shift in (-2, -1, 1, 2):
                changed = inputs.clone()
                changed[example, feature] += shift * step
                ends.append(losses(changed))
            a, b, c, d = ends  # five-point stencil: the error is of fourth order
            norm += np.abs(a - 8 * b + 8 * c - d) / (12 * step)
        np.testing.assert_allclose(ours[:, example], norm, rtol=1e-8)


def test_before_the_first_update_only_the_direct_gradient_is_left(device):
    parameters, (inputs, labels) = layers(4), data("class")
    inputs.requires_grad_()
    loss = cross_entropy(logits(parameters, inputs), labels)
    (gradient,) = torch.autograd.grad(loss, inputs)
    parameters, inputs, labels, *_ = moved(device, parameters, inputs.detach(), labels)
    ours = loss_sensitivity(parameters, inputs, labels, [], RATE, [0])
    torch.testing.assert_close(ours[0].cpu(), gradient.abs().sum(1), rtol=1e-12, atol=0)


def test_l1_is_the_norm_unless_another_is_named():
    arguments = layers(4), *data("class"), BATCHES, RATE, TIMES
    for function in (loss_sensitivity, class_sensitivity):
        assert torch.equal(function(*arguments), function(*arguments, norm="l1"))


@pytest.mark.parametrize("scale", [0, 1e-38, 1e-30, 1, 1e30, 1e38, torch.inf, torch.nan])
def test_norms_of_small_and_large_gradients_are_not_lost(scale):
    gradients = scale * torch.tensor([3.0, -4.0, 0.0]).expand(2, 5, 2, 3).clone()
    gradients[:, :, 1] = 0.25
    found = adjoints.norms_of(gradients.clone(), ["linf", "l1", "l2"])
    assert found.shape == (2, 3, 5, 2)
    for norm, own in zip(["linf", "l1", "l2"], found.unbind(1), strict=True):
        exact = torch.linalg.vector_norm(gradients.double(), ORDERS[norm], -1).float()
        torch.testing.assert_close(own, exact, rtol=1e-6, atol=0, equal_nan=True)


@pytest.mark.parametrize("norm", ORDERS)
def test_class_sensitivity_is_the_mean_over_times_and_examples(norm, device):
    parameters, (inputs, labels) = layers(4), data("class")
    labels[labels == 2] = 1  # a class without examples
    ours = class_sensitivity(*moved(device, parameters, inputs, labels), norm=norm).cpu()
    exact = unrolled(parameters, inputs, labels, one_hot(labels, 4), norm).mean(0)
    assert ours.shape == (4, 4)
    for j in range(4):
        expected = exact[:, labels == j].mean(1)
        torch.testing.assert_close(ours[:, j], expected, rtol=1e-10, atol=0, equal_nan=True)
    assert ours[:, 2].isnan().all()
    assert (ours[2, [0, 1, 3]] == 0).all()


def test_few_times_at_once_give_the_same_as_all(monkeypatch, device):
    arguments = moved(device, layers(4), *data("class"))
    together = loss_sensitivity(*arguments), class_sensitivity(*arguments)
    monkeypatch.setattr(adjoints, "bytes_at_once", lambda device, cached: 1)
    one_by_one = loss_sensitivity(*arguments), class_sensitivity(*arguments)
    for ours, expected in zip(one_by_one, together, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-12, atol=0)


def test_members_that_are_swept_together_are_those_swept_alone(device):
    inputs, _ = data("class")
    alone = []
    for seed in (0, 1, 2):
        rng = torch.Generator().manual_seed(seed)
        labels = torch.randint(4, (EXAMPLES,), generator=rng)
        order = torch.randperm(EXAMPLES, generator=rng)
        batches = [batch.tolist() for batch in order.split(9)]
        parameters = [(w * (1 + seed / 10), b) for w, b in layers(4)]
        arguments = moved(device, parameters, inputs * (seed + 1), labels)
        alone.append(sensitivity._checked(*arguments[:3], batches, RATE, [3])[0])
    together = adjoints.Training(
        [torch.cat(weights) for weights in zip(*(one.weights for one in alone), strict=True)],
        torch.cat([one.inputs for one in alone]),
        torch.cat([one.labels for one in alone]),
        [torch.cat(batches) for batches in zip(*(one.batches for one in alone), strict=True)],
        RATE,
    )

    def swept(training):
        kept = list(adjoints.trajectory(training))
        terms = sensitivity.class_terms(training.labels, 4, torch.float64)
        return next(iter(adjoints.sweep(training, kept, [0, 2, 3], terms)))[1]

    norms = swept(together)
    assert norms.shape == (3, 1, 3, 4, EXAMPLES)
    for member, one in enumerate(alone):
        torch.testing.assert_close(norms[member], swept(one)[0], rtol=1e-12, atol=1e-18)


def test_score_is_the_loss_and_accuracy_of_the_training_examples(device):
    parameters, (inputs, labels) = layers(4), data("class")
    training, _, _ = sensitivity._checked(*moved(device, parameters, inputs, labels))
    loss, accuracy = (part.cpu() for part in adjoints.score(training, training.weights))
    outputs = logits(parameters, inputs)
    torch.testing.assert_close(loss[0], cross_entropy(outputs, labels), rtol=1e-12, atol=0)
    assert accuracy[0] == (outputs.argmax(1) == labels).double().mean()


def test_progress_adds_up_to_all_work():
    parameters, (inputs, labels) = layers(4), data("class")
    training, kept, _ = sensitivity._checked(parameters, inputs, labels, BATCHES, RATE, [13])
    steps = []
    terms = sensitivity.class_terms(training.labels, 4, torch.float64)
    list(adjoints.sweep(training, kept, [0, 2, 13], terms, steps.append))
    assert sum(steps) == 4 * (2 + 13)


def test_float32_agrees_with_float64(device):
    parameters, inputs, labels, *_ = arguments = moved(device, layers(4), *data("class"))
    exact = loss_sensitivity(*arguments)
    single = [(w.float(), b.float()) for w, b in parameters]
    rounded = loss_sensitivity(single, inputs.float(), labels, BATCHES, RATE, TIMES)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded.double(), exact, rtol=1e-4, atol=1e-7)


def test_arrays_of_numpy_do_as_well():
    parameters, (inputs, labels) = layers(4), data("class")
    tensors = loss_sensitivity(parameters, inputs, labels, BATCHES, RATE, TIMES)
    arrays = [tuple(p.numpy() for p in layer) for layer in parameters]
    batches = [np.array(batch) for batch in BATCHES]
    ours = loss_sensitivity(
        arrays, inputs.numpy(), labels.numpy().astype(np.int16), batches, RATE, np.array(TIMES)
    )
    assert torch.equal(ours, tensors)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batches": [[0, 24]]}, "batch 0 names examples from 0 to 24, but there are only 0 to 23"),
        ({"batches": [[0], [-1]]}, "batch 1 names examples from -1 to -1"),
        ({"batches": [[0], []]}, "batch 1 must hold at least one example index"),
        ({"batches": [[0.5]]}, "batch 0 must hold at least one example index"),
        ({"times": [14]}, "time 14 is not a number of updates from 0 to 13"),
        ({"times": [-1]}, "time -1 is not a number of updates"),
        ({"times": [1.5]}, "time 1.5 is not a number of updates"),
        ({"times": []}, "times hold no number of updates"),
        ({"labels": torch.zeros(23, dtype=int)}, "labels must be 24 integers"),
        ({"labels": torch.zeros(24)}, "labels must be 24 integers"),
        ({"labels": torch.full((24,), 4)}, "labels must be from 0 to 3"),
        ({"labels": torch.full((24,), -1)}, "labels must be from 0 to 3"),
        ({"inputs": torch.zeros(24, 7, 1)}, r"inputs must be floating point numbers \(examples"),
        ({"inputs": torch.zeros(24, 7, dtype=int)}, "inputs must be floating point numbers"),
        ({"inputs": torch.zeros(24, 8, dtype=torch.float64)}, r"the weight must be \(outputs, 8\)"),
        ({"inputs": torch.zeros(24, 7)}, "layer 0 is not of the inputs' type"),
        ({"parameters": []}, "parameters hold no layer"),
        ({"parameters": [(torch.zeros(4, 7), torch.zeros(3))]}, "a bias of shape"),
        ({"norm": "l3"}, "norm must be one of l1, l2, linf, not 'l3'."),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(change, message):
    inputs, labels = data("class")
    arguments = {
        "parameters": layers(4),
        "inputs": inputs,
        "labels": labels,
        "batches": BATCHES,
        "learning_rate": RATE,
        "times": TIMES,
    }
    for function in (loss_sensitivity, class_sensitivity):
        with pytest.raises(ValueError, match=message):
            function(**arguments | change)
