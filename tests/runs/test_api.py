"""The front door for notebooks: what it gives is what the workflow's own functions give."""

import runpy
import textwrap

import numpy as np
import pytest
import xarray as xr
from torch import nn

import own_models
from rote import api
from rote.data.noising import of_draw
from rote.machine.errors import UserError
from rote.runs.device_data import DeviceData
from rote.runs.epochs import train
from rote.study.plan import Member

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(256, size=(200, 4, 4))
LABELS = np.array(["cat", "dog", "eel"])[RNG.integers(3, size=200)]
MLP = {"hidden_layers": 2, "hidden_units": 8}


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    drawn = {"train_examples": 60, "validation_examples": 40, "seeds": 2}
    return api.data(IMAGES, LABELS, noises=["randX", "randY"], **drawn)


def small(image, classes):
    pixels = image[0] * image[1] * image[2]
    return nn.Sequential(nn.Flatten(), nn.Linear(pixels, 8), nn.ReLU(), nn.Linear(8, classes))


def test_data_holds_the_arrays(data):
    own = of_draw(data, 1)
    at = own["index"].values
    np.testing.assert_allclose(own["image"][:, 0], IMAGES[at] / 255, rtol=1e-6)
    np.testing.assert_array_equal(data["class_name"].values[own["label"].values], LABELS[at])
    assert data["image"].dtype.kind == "f"  # decoded: packed numbers would be no inputs
    rows = of_draw(data, 0)["validation_index"].values
    assert not set(rows) & set(of_draw(data, 0)["index"].values)


@pytest.mark.parametrize(
    ("shape", "expected"), [((16,), (1, 1, 16)), ((4, 4), (1, 4, 4)), ((2, 2, 4), (2, 2, 4))]
)
def test_images_may_be_flat_grey_or_of_channels(shape, expected):
    images = IMAGES.reshape(200, *shape).astype(float)
    own = api.data(images, LABELS, train_examples=20)
    assert own["image"].shape[1:] == expected
    np.testing.assert_allclose(
        own["image"].values.reshape(-1, 16), images.reshape(200, 16)[own["index"]] / 255, rtol=1e-6
    )


def test_a_test_part_is_for_validation(data):
    test = IMAGES[:30], LABELS[:30]
    own = api.data(IMAGES[30:], LABELS[30:], train_examples=100, validation_examples=30, test=test)
    drawn = of_draw(own, 0)
    assert sorted(drawn["validation_index"].values) == list(range(30))
    np.testing.assert_allclose(
        drawn["validation_image"][:, 0], IMAGES[drawn["validation_index"].values] / 255, rtol=1e-6
    )


def test_curves_are_those_of_the_engine(data):
    conditions = [("real", 0), ("randY", 0.5)]
    models = api.train(
        data, MLP, conditions=conditions, epochs=3, learning_rate=0.2, momentum=0.9, batch_size=20
    )
    assert models.curves["train_accuracy"].sizes == {"member": 4, "epoch": 3}
    assert models.curves["noise_kind"].values.tolist() == ["real"] * 2 + ["randY"] * 2
    assert models.curves["noise_level"].values.tolist() == [0, 0, 0.5, 0.5]
    training = {"epochs": 3, "batch_size": 20, "evaluate_every": 1, "momentum": 0.9}
    settings = {"model": MLP, "training": {**training, "precision": "float32"}}
    seeds = {"data_seed": 1, "initial_seed": 1, "order_seed": 1}
    member = Member("randY", 0.5, 1, 1, 0.2, 0.0, **seeds)
    ensemble = DeviceData(data, settings, [member], "cpu").ensemble([member])
    (*_, last) = train(ensemble, training, [None])
    for name in ("train_loss", "train_accuracy", "validation_accuracy"):
        np.testing.assert_array_equal(models.curves[name][3], last.finished[0][name])


def test_a_function_is_a_model_and_its_logits_give_its_accuracy(data):
    models = api.train(data, small, epochs=2, learning_rate=0.1, optimizer="adam", dropout=0.1)
    for member, seed in enumerate(models.curves["seed"].values):
        own = of_draw(data, seed)
        logits = models.logits(own["validation_image"].values).isel(member=member)
        assert logits["class"].values.tolist() == ["cat", "dog", "eel"]
        right = logits.argmax("class").values == own["validation_label"].values
        last = models.curves["validation_accuracy"][member, -1].item()
        assert right.mean() == pytest.approx(last)


def test_two_functions_of_one_name_are_two_models(data):
    first = api.train(data, small, epochs=1, learning_rate=0.1).curves["train_loss"].values

    def other(image, classes):
        return small(image, classes).append(nn.Dropout(0.0)).append(nn.Linear(classes, classes))

    other.__name__ = "small"
    assert (api.train(data, other, epochs=1, learning_rate=0.1).curves["train_loss"] != first).all()


def test_critical_samples_of_every_kept_epoch(data):
    models = api.train(data, MLP, epochs=4, keep_epochs=[1], learning_rate=0.2)
    found = models.critical_samples(examples=20, radius=[1.0, 60.0])["critical_sample_ratio"]
    assert found["critical_epoch"].values.tolist() == [1, 4]
    real = found.sel(critical_inputs="real")
    assert (real.sel(radius=60) >= real.sel(radius=1)).all()
    assert real.notnull().all()
    assert real.max() > 0


def test_with_a_store_nothing_is_trained_twice(data, tmp_path, monkeypatch):
    arguments = {"epochs": 2, "learning_rate": 0.1, "store": tmp_path / "store"}
    first = api.train(data, MLP, **arguments).curves

    def not_again(*arguments, **others):
        raise AssertionError("trained again")

    monkeypatch.setattr(DeviceData, "ensemble", not_again)
    xr.testing.assert_identical(api.train(data, MLP, **arguments).curves, first)
    with pytest.raises(AssertionError, match="trained again"):
        api.train(data, MLP, **{**arguments, "learning_rate": 0.2})


def test_sensitivity_of_a_module_is_that_of_the_mlp(data):
    same = {"from": f"{own_models.__file__}:mlp", "arguments": {"units": [8, 8]}}
    arguments = {"epochs": 2, "learning_rate": 0.1, "evaluations": 2, "class_evaluations": 1}
    runs = [api.sensitivity(data, model, **arguments) for model in (MLP, same)]
    for name in ("sensitivity", "class_sensitivity"):
        np.testing.assert_allclose(runs[1][name], runs[0][name], rtol=1e-3, atol=1e-9)


def test_noises_of_ones_own_have_parameters():
    swapped = [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    noises = {"swapped": {"kind": "transitionY", "matrix": swapped}, "next": {"kind": "pairY"}}
    own = api.data(IMAGES, LABELS, train_examples=60, noises=noises)
    models = api.train(own, MLP, conditions=[("swapped", 1)], epochs=1, learning_rate=0.1)
    true = of_draw(own, 0)["label"].values
    run = api.training.with_examples(models.curves, own, [Member("swapped", 1.0, 0, 0, 0.1, 0.0)])
    np.testing.assert_array_equal(run["label"][0], np.array([1, 0, 2])[true])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda data: api.data(IMAGES / 255, LABELS, train_examples=9), "np.round.255"),
        (lambda data: api.data(IMAGES[0, 0], LABELS[:4], train_examples=2), r"shape \(4,\)"),
        (lambda data: api.data(IMAGES, LABELS[:9], train_examples=9), "200 images, but 9 labels"),
        (
            lambda data: api.train(data, MLP, epochs=1, learning_rate=0.1, momntum=0.9),
            "momntum is no setting of a training: did you mean momentum",
        ),
        (
            lambda data: api.train(data, MLP, epochs=1, learning_rate=0.1, adversarial=0.5),
            "adversarial needs adversarial_examples",
        ),
        (
            lambda data: api.train(data, {"hidden_unit": 3}, epochs=1, learning_rate=0.1),
            "hidden_unit",
        ),
        (
            lambda data: api.train(
                data, MLP, conditions=[("randZ", 1)], epochs=1, learning_rate=0.1
            ),
            "randZ",
        ),
    ],
)
def test_mistakes_get_a_sentence(data, call, sentence):
    with pytest.raises(UserError, match=sentence):
        call(data)


def test_the_example_of_the_module_runs(monkeypatch, tmp_path):
    """Its ten lines, at a small size."""
    text = api.__doc__.partition("::\n\n")[2].partition("\n\nNumbers")[0]
    text = textwrap.dedent(text).replace("train_examples=1000", "train_examples=60")
    text = text.replace("validation_examples=500", "validation_examples=40").replace("=30", "=2")
    monkeypatch.setattr("matplotlib.use", lambda backend: None)
    (tmp_path / "example.py").write_text(text)
    drawn = runpy.run_path(tmp_path / "example.py", {"X": IMAGES, "y": LABELS})
    assert drawn["models"].curves["train_accuracy"].sizes == {"member": 20, "epoch": 2}
    assert len([line for line in text.splitlines() if line.strip()]) <= 10
