"""The front door for notebooks: what it gives is what the workflow's own functions give."""

import runpy
import textwrap

import numpy as np
import pytest
import torch
import xarray as xr

import own_models
from made_up_images import COLOUR, IMAGES, LABELS, MLP
from rote import api
from rote.data.noising import of_draw
from rote.machine.errors import UserError
from rote.runs.device_data import DeviceData
from rote.runs.epochs import train
from rote.runs.members import with_examples
from rote.study.plan import Member


def test_data_holds_the_arrays(data):
    own = of_draw(data, 1)
    at = own["index"].values
    np.testing.assert_allclose(own["image"][:, 0], IMAGES[at] / 255, rtol=1e-6)
    np.testing.assert_array_equal(data["class_name"].values[own["label"].values], LABELS[at])
    assert data["image"].dtype.kind == "f"  # decoded: packed numbers would be no inputs
    rows = of_draw(data, 0)["validation_index"].values
    assert not set(rows) & set(of_draw(data, 0)["index"].values)


@pytest.mark.parametrize(
    ("shape", "channels", "expected"),
    [
        ((16,), None, (1, 1, 16)),
        ((4, 4), None, (1, 4, 4)),
        ((1, 4, 4), None, (1, 4, 4)),
        ((2, 2, 4), "first", (2, 2, 4)),
    ],
)
def test_images_may_be_flat_grey_or_of_channels(shape, channels, expected):
    images = IMAGES.reshape(200, *shape).astype(float)
    own = api.data(images, LABELS, train_examples=20, channels=channels)
    assert own["image"].shape[1:] == expected
    np.testing.assert_allclose(
        own["image"].values.reshape(-1, 16), images.reshape(200, 16)[own["index"]] / 255, rtol=1e-6
    )


@pytest.mark.parametrize("channels", [None, "last"])
def test_channels_may_be_the_last_dimension(channels):
    own = api.data(COLOUR, LABELS, train_examples=20, channels=channels)
    assert own["image"].shape[1:] == (3, 4, 4)
    for channel in range(3):
        expected = COLOUR[own["index"].values, :, :, channel] / 255
        np.testing.assert_allclose(own["image"].values[:, channel], expected, rtol=1e-6)


@pytest.mark.parametrize("scaling", ["unit", "standardized", "per_channel", "per_image"])
@pytest.mark.parametrize(("images", "size"), [(IMAGES, None), (COLOUR, None), (COLOUR, 2)])
def test_new_images_become_inputs_as_those_of_the_data_did(scaling, images, size):
    own = api.data(images, LABELS, train_examples=50, scaling=scaling, image_size=size)
    found = api.inputs(own, images[own["index"].values])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, own["image"], rtol=1e-5, atol=1e-6)


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


def test_critical_samples_of_every_kept_epoch(data):
    models = api.train(data, MLP, epochs=4, keep_epochs=[1], learning_rate=0.2)
    found = models.critical_samples(examples=20, radius=[1.0, 60.0])["critical_sample_ratio"]
    assert found["critical_epoch"].values.tolist() == [1, 4]
    real = found.sel(critical_inputs="real")
    assert (real.sel(radius=60) >= real.sel(radius=1)).all()
    assert real.notnull().all()
    assert real.max() > 0


SHARED = ["initialization", "order"]


@pytest.mark.parametrize("drawn", [["data", "noise"], ["data"], ["noise"]])
def test_data_of_a_study_has_a_replicate_for_each_of_its_draws(drawn):
    varied = {"seeds": 3, "first_seed": 4, "vary": [*drawn, *SHARED]}
    said = api.data(IMAGES, LABELS, train_examples=60, noises=["randY"], **varied)
    own = said.copy()
    del own.attrs["replicates"]
    trained = {"conditions": [("randY", 0.5)], "epochs": 1, "learning_rate": 0.1}
    found, expected = (api.train(data, MLP, **trained).curves for data in (own, said))
    assert found["seed"].values.tolist() == [4, 5, 6]
    xr.testing.assert_identical(found, expected)


def test_data_of_a_study_that_has_one_draw_has_to_say_its_replicates():
    own = api.data(IMAGES, LABELS, train_examples=60, seeds=3, first_seed=4, vary=SHARED)
    del own.attrs["replicates"]
    trained = {"epochs": 1, "learning_rate": 0.1}
    with pytest.raises(UserError, match="does not say how many replicates share it: add") as raised:
        api.train(own, MLP, **trained)
    remedy = str(raised.value).partition("replicates='")[2].partition("'")[0]
    for seeds in (1, 3):
        said = own.assign_attrs(replicates=remedy.replace("seeds: 1", f"seeds: {seeds}"))
        curves = api.train(said, MLP, **trained).curves
        assert curves["seed"].values.tolist() == [*range(4, 4 + seeds)]


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
    run = with_examples(models.curves, own, [Member("swapped", 1.0, 0, 0, 0.1, 0.0)])
    np.testing.assert_array_equal(run["label"][0], np.array([1, 0, 2])[true])


def test_logits_of_a_kept_epoch_are_those_of_a_training_that_ends_there(data):
    same = {"conditions": [("real", 0)], "learning_rate": 0.2}
    long = api.train(data, MLP, epochs=3, keep_epochs=(np.int64(2),), **same)
    short = api.train(data, MLP, epochs=2, **same)
    images = of_draw(data, 0)["validation_image"].values
    logits = long.logits(images, epoch=2)
    assert logits.notnull().all()
    np.testing.assert_array_equal(logits, short.logits(images))
    assert (logits != long.logits(images)).any()
    with pytest.raises(UserError, match="epoch 1 were not kept: name it in keep_epochs"):
        long.logits(images, epoch=1)


def test_logits_of_tensors_of_all_kinds_are_those_of_their_numbers(data, trained):
    images = torch.from_numpy(data["image"].values[:3]).bfloat16()
    expected = trained.logits(images.float().numpy())
    np.testing.assert_array_equal(trained.logits(images.float().requires_grad_()), expected)
    np.testing.assert_array_equal(trained.logits(images), expected)


def test_logits_are_there_when_a_store_had_the_curves_alone(data, tmp_path):
    arguments = {"learning_rate": 0.2, "epochs": 3, "store": tmp_path}
    images = of_draw(data, 0)["validation_image"].values
    first = api.train(data, MLP, **arguments)
    second = api.train(data, MLP, keep_epochs=[1], **arguments)
    assert second.logits(images, epoch=1).notnull().all()
    np.testing.assert_array_equal(first.logits(images), second.logits(images))


def test_logits_and_later_moments_of_models_that_diverge_are_missing(data):
    growing = {"learning_rate": 0.1, "weight_decay": 1e3}  # weights grow a hundredfold an update
    models = api.train(data, MLP, epochs=9, record=["loss", "moments"], **growing)
    assert (models.curves["diverged_epoch"] > 1).all()
    assert models.logits(torch.zeros(2, 16)).isnull().all()
    loss = models.curves["loss"]
    np.testing.assert_allclose(models.curves["loss_mean"], loss.mean("epoch"), rtol=1e-5)


@pytest.mark.parametrize("end", [{"threshold": 0.2}, {"plateau": {"epochs": 3, "gain": 0.9}}])
def test_models_that_end_early_have_curves_alone(data, end):
    models = api.train(data, MLP, epochs=12, learning_rate=0.2, **end)
    assert models.curves["train_accuracy"].isnull().any()
    for measured in (
        lambda: models.critical_samples(examples=5),
        lambda: models.logits(data["image"].values),
    ):
        with pytest.raises(UserError, match=f"end at a {next(iter(end))} have curves alone"):
            measured()


def test_what_is_recorded_stands_beside_the_curves(data):
    models = api.train(data, MLP, epochs=3, learning_rate=0.2, record=["right", "loss"])
    right = np.unpackbits(models.curves["right"].values, axis=-1, count=60)
    np.testing.assert_allclose(right.mean(-1), models.curves["train_accuracy"], rtol=1e-6)
    np.testing.assert_allclose(
        models.curves["loss"].mean("example"), models.curves["train_loss"], rtol=1e-4
    )
    plain = api.train(data, MLP, epochs=3, learning_rate=0.2).curves
    xr.testing.assert_equal(plain["train_loss"], models.curves["train_loss"])
    swept = api.sensitivity(
        data, MLP, epochs=1, learning_rate=0.2, evaluations=2, record=("margin",)
    )
    assert swept["margin"].dims == ("member", "update", "example")


def test_a_learning_rate_decays_by_half_unless_it_is_said(data):
    rates = {"epochs": 3, "learning_rate": 0.2, "decay_every": 1}
    losses = [
        api.train(data, MLP, **rates, **factor).curves["train_loss"].values
        for factor in ({}, {"decay_factor": 0.5}, {"decay_factor": 0.1})
    ]
    np.testing.assert_array_equal(losses[0], losses[1])
    assert (losses[0][:, 1:] != losses[2][:, 1:]).all()


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


def test_numbers_do_not_depend_on_the_threads_of_the_notebook(data):
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(api.train(data, MLP, epochs=2, learning_rate=0.1).curves["train_loss"])
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(1)
    np.testing.assert_array_equal(*found)
