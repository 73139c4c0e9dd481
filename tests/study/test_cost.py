"""Counts of work: cases worked by hand, and the sizes that the models themselves have."""

import json
import subprocess
import sys

import pytest
import yaml

import estimate
from conftest import ROOT
from rote.models.cnn import Architecture
from rote.study import cost, plan

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
MNIST, CIFAR = (
    {"source": "torchvision", "name": "MNIST"},
    {"source": "torchvision", "name": "CIFAR10"},
)
MLP = {"hidden_layers": 2, "hidden_units": 4}
TRAINING = {
    "epochs": 2,
    "batch_size": 5,
    "learning_rate": 0.1,
    "halve_every": None,
    "momentum": 0,
    "weight_decay": 0,
    "evaluate_every": 1,
}
MEMBER = ["real", 0.0, 0, 0, 0.0]
DATA = {"image_size": None, "train_examples": 10, "validation_examples": 3}


def test_an_mlp_by_hand():
    model = cost.layers(MLP, (1, 1, 3))
    weights = [3 * 4, 4 * 4, 4 * cost.CLASSES]
    assert [layer.weights for layer in model] == weights
    update = cost.update(model, batch=5, momentum=0.0)
    # Forward, and for the gradient of the weights: 2 operations a weight and example each. The same
    # for the gradient that is passed on, but the first layer passes nothing on.
    assert update.operations == 5 * 2 * (3 * sum(weights) - weights[0])
    # Every weight is read forward, read backward where something is passed on, read and written by
    # SGD. Of each example: the inputs, 4 times; each output of a layer, 12 times.
    numbers = 4 * sum(weights) - weights[0] + 5 * (4 * 3 + 12 * (4 + 4 + cost.CLASSES))
    assert update.bytes == 4 * numbers
    # With momentum SGD passes over numbers as large as the weights 7 times instead of twice.
    more = cost.update(model, 5, momentum=0.9).bytes - update.bytes
    assert more == 4 * 5 * sum(weights)


def test_a_training_by_hand():
    run = {"model": MLP, "training": TRAINING, "members": [MEMBER, MEMBER, MEMBER]}
    work = cost.training(run, (1, 1, 3), DATA)
    weights = 3 * 4 + 4 * 4 + 4 * cost.CLASSES
    # Two epochs of two updates on 5 examples each, and two evaluations of 10 + 3 examples.
    updates = 2 * 2 * 5 * 2 * (3 * weights - 3 * 4)
    assert work.operations == 3 * (updates + 2 * 13 * 2 * weights)


def test_a_cnn_by_hand():
    model = cost.layers({"maps": 200, "dense": [384, 192], "crop": 2}, (3, 32, 32))
    # 32 − 2·2 = 28 pixels a side; 28 − 4 = 24, pooled 8; 8 − 4 = 4, pooled 1.
    assert model[0] == cost.Layer(3 * 28 * 28, 3 * 25, 200, 24 * 24, 200 * 8 * 8)
    assert model[1] == cost.Layer(200 * 8 * 8, 200 * 25, 200, 4 * 4, 200)
    assert [layer[1:3] for layer in model[2:]] == [(200, 384), (384, 192), (192, 10)]
    forward = [2 * 75 * 200 * 576, 2 * 5000 * 200 * 16, 2 * 200 * 384, 2 * 384 * 192, 2 * 192 * 10]
    assert [layer.operations for layer in model] == forward
    update = cost.update(model, 100, momentum=0.9)
    assert update.operations == 100 * (3 * sum(forward) - forward[0])


@pytest.mark.parametrize("shape, crop", [((3, 32, 32), 2), ((1, 28, 28), 0), ((1, 28, 28), 1)])
def test_sizes_are_those_of_the_models(shape, crop):
    model = cost.layers({"maps": 7, "dense": [6, 5], "crop": crop}, shape)
    architecture = Architecture(shape, cost.CLASSES, (7, 7), (6, 5), crop)
    assert [(layer.inputs, layer.outputs) for layer in model] == architecture.products()
    for layer, planes in zip(model, architecture.planes(), strict=False):
        assert layer.positions == planes.convolved[1] * planes.convolved[2]
        assert layer.leaving == planes.pooled[0] * planes.pooled[1] * planes.pooled[2]


@pytest.mark.parametrize(
    "model, calls",
    [(MLP, 4 * 3 + 6), ({"maps": 2, "dense": [3], "crop": 0}, 2 * (4 * 4 + 6))],
)
def test_a_cnn_is_evaluated_on_half_as_many_examples_at_a_time(model, calls):
    data = {"train_examples": 250, "validation_examples": 0}
    twice, once = (
        cost.training(
            {"model": model, "training": TRAINING | {"evaluate_every": n}, "members": [MEMBER]},
            (1, 28, 28),
            data,
        )
        for n in (1, 2)
    )
    assert twice.calls - once.calls == calls


def test_a_time_is_work_over_rates():
    work = cost.Work(operations=6e9, bytes=2e9, calls=100)
    slow = cost.Device("slow", {"float32": 1e9, "tf32": 6e9}, 1e9, 0.1, asynchronous=False)
    assert slow.seconds(work) == pytest.approx(6 + 2 + 10)
    assert slow._replace(asynchronous=True).seconds(work) == pytest.approx(10)  # calls take longest
    assert slow._replace(call=0.01).seconds(work, "tf32") == pytest.approx(1 + 2 + 1)
    assert slow.floor(work) == pytest.approx(6)
    assert slow.floor(work, "tf32") == pytest.approx(2)


def test_every_run_of_every_preset_is_counted():
    for preset in CONFIG["presets"]:
        figures = estimate.estimate(CONFIG, preset, "float32")
        assert list(figures) == list(plan.EXPERIMENT_OF_FIGURE)
        for runs in figures.values():
            assert runs
            assert all(min(work) > 0 for work in runs.values())


def test_work_grows_with_what_is_asked_for():
    settings = CONFIG["presets"]["poster"]
    adversarial = cost.runs("regularization", settings["regularization"], CIFAR, "float32")
    each = {name: work.operations for name, work in adversarial.items()}
    assert each["dropout"] == pytest.approx(5 * each["none"])
    # Four strengths of twice the examples, and ten iterations of search.
    assert each["adversarial"] > 2 * 4 * each["none"]
    sensitivity = settings["sensitivity"]
    more = {**sensitivity, "evaluations": 2 * sensitivity["evaluations"]}
    once, twice = (
        cost.runs("sensitivity", own, MNIST, "float32")["unique"].operations
        for own in (sensitivity, more)
    )
    assert 1.8 * once < twice < 2.1 * once


def test_data_in_memory():
    data = {**DATA, "noise_kinds": ["randX"], "noise_seeds": [0, 1]}
    assert cost.data_bytes(data, (1, 2, 2)) == 4 * (8 * 13 + 4 * 2 * 10)
    assert cost.data_bytes({**data, "noise_kinds": ["randY"]}, (1, 2, 2)) == 4 * 8 * 13
    assert cost.image(MNIST, {"image_size": 14}) == (1, 14, 14)
    assert cost.image(CIFAR, DATA) == (3, 32, 32)
    assert cost.image({"source": "folder"}, {"image_size": 8}) == (3, 8, 8)


def test_time_limits_have_their_bounds_and_grow_with_the_attempt():
    hour = cost.Work(operations=3600 * cost.DEVICES["h100"].operations["float32"])
    assert cost.minutes(cost.Work(), "auto", "float32") == 30
    assert cost.minutes(hour, "auto", "float32") == 240
    assert cost.minutes(hour, "cuda", "float32", attempt=2) == 480
    assert cost.minutes(hour, "auto", "tf32") < 240
    assert cost.minutes(hour, "cpu", "float32") == 24 * 60


def test_the_rules_need_nothing_but_the_standard_library():
    code = "import json, sys; from rote.study import cost; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(ROOT / "workflow_scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"numpy", "torch", "yaml"} & set(json.loads(ran.stdout))


def test_the_estimate_is_printed_figure_by_figure(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["estimate.py", "--preset", "demo", "--device", "h100"])
    estimate.main()
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[0] == "Preset demo on one H100 SXM, float32:"
    names = [line.split()[0] for line in lines[2:13]]
    assert names == [*plan.EXPERIMENT_OF_FIGURE, "total"]
    assert "costs most" in printed
    assert "None of them is measured" in printed


def test_the_estimate_merges_a_file_as_snakemake_does(monkeypatch, capsys, tmp_path):
    changes = tmp_path / "changes.yaml"
    changes.write_text(
        "presets: {demo: {capacity: null, regularization: {strengths: {dropout: null}}, "
        "complexity: {cases: {digits_mlp: {training: {epochs: 41}, critical_epochs: [41]}}}}}"
    )
    command = ["estimate.py", "--preset", "demo", "--configfile", str(changes)]
    monkeypatch.setattr("sys.argv", command)
    estimate.main()
    lines = capsys.readouterr().out.splitlines()
    runs = {line.split()[0]: line.split()[2] for line in lines[2:11]}
    assert "fig1" not in runs
    assert runs["filters"] == "1"  # the last case is still the CNN
    assert runs["fig5_1"] == "7"


def test_an_unknown_preset_is_one_sentence(monkeypatch):
    monkeypatch.setattr("sys.argv", ["estimate.py", "--preset", "postre"])
    with pytest.raises(SystemExit, match="Error: .*did you mean poster"):
        estimate.main()
