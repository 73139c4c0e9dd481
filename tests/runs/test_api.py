"""The front door for notebooks: what it gives is what the workflow's own functions give."""

import errno
import os
import runpy
import shutil
import subprocess
import sys
import textwrap
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

import own_models
from conftest import ROOT
from rote import api
from rote.api.settings import of_model
from rote.data.noising import of_draw
from rote.files import provenance
from rote.machine.errors import UserError
from rote.runs.device_data import DeviceData
from rote.runs.epochs import train
from rote.runs.members import with_examples
from rote.study import own_module
from rote.study.plan import Member

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(256, size=(200, 4, 4))
COLOUR = RNG.integers(256, size=(200, 4, 4, 3))
LABELS = np.array(["cat", "dog", "eel"])[RNG.integers(3, size=200)]
MLP = {"hidden_layers": 2, "hidden_units": 8}
CNN = {"maps": 2, "dense": [4], "padding": "same", "pooling_stride": 2}


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


def test_data_of_a_study_that_does_not_say_its_scaling_takes_no_new_images():
    own = api.data(IMAGES, LABELS, train_examples=50, scaling="standardized")
    del own.attrs["black_input"]
    with pytest.raises(UserError, match="how its scaling, standardized, is done"):
        api.inputs(own, IMAGES)
    own = api.data(IMAGES, LABELS, train_examples=50)
    del own.attrs["black_input"]
    np.testing.assert_allclose(api.inputs(own, IMAGES)[:, 0], IMAGES / 255, rtol=1e-6)


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


def test_with_a_store_nothing_is_trained_twice(data, tmp_path, monkeypatch):
    arguments = {"epochs": 2, "learning_rate": 0.1, "store": tmp_path / "store"}
    first = api.train(data, MLP, **arguments).curves

    def not_again(*arguments, **others):
        raise AssertionError("trained again")

    monkeypatch.setattr(DeviceData, "ensemble", not_again)
    xr.testing.assert_identical(api.train(data, MLP, **arguments).curves, first)
    with pytest.raises(AssertionError, match="trained again"):
        api.train(data, MLP, **{**arguments, "learning_rate": 0.2})


def never(*arguments, **others):
    raise AssertionError("trained")


@pytest.mark.parametrize("call", [api.train, api.sensitivity])
def test_a_store_that_cannot_be_written_to_is_noticed_before_training(
    data, tmp_path, monkeypatch, call
):
    (tmp_path / "file").touch()
    monkeypatch.setattr(DeviceData, "ensemble", never)
    with pytest.raises(
        UserError, match="store .*/file/store cannot be written to .Not a direc"
    ) as e:
        call(data, MLP, epochs=2, learning_rate=0.1, store=tmp_path / "file" / "store")
    assert "\n" not in str(e.value)


def test_a_store_that_lacks_parameters_alone_is_seen_to_be_writable_too(
    data, tmp_path, monkeypatch
):
    arguments = {"epochs": 2, "learning_rate": 0.1, "store": tmp_path}
    api.train(data, MLP, **arguments)
    models = api.train(data, MLP, keep_epochs=[1], **arguments)
    monkeypatch.setattr(DeviceData, "ensemble", never)
    monkeypatch.setattr("tempfile.TemporaryFile", read_only)
    with pytest.raises(UserError, match=f"The store {tmp_path} cannot be written to .Read-only"):
        models.logits(data["image"].values, epoch=1)


def test_a_store_that_has_everything_may_be_read_only(data, tmp_path, monkeypatch):
    arguments = {"epochs": 2, "learning_rate": 0.1, "store": tmp_path}
    first = api.train(data, MLP, **arguments).curves
    monkeypatch.setattr("tempfile.TemporaryFile", read_only)
    xr.testing.assert_identical(api.train(data, MLP, **arguments).curves, first)


def read_only(*arguments, **others):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


@pytest.mark.parametrize("store", ["store", "$HERE/store"])
def test_a_store_stays_where_it_was_when_the_working_folder_changes(
    data, tmp_path, monkeypatch, store
):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HERE", str(tmp_path / "here"))
    monkeypatch.chdir(tmp_path / "here")
    models = api.train(data, MLP, epochs=1, learning_rate=0.1, store=store)
    monkeypatch.chdir(tmp_path / "there")
    monkeypatch.setattr(DeviceData, "ensemble", never)
    assert models.logits(data["image"].values).notnull().all()
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["store"]
    assert not [*(tmp_path / "there").iterdir()]


def test_a_module_in_a_file_stays_the_same_when_the_working_folder_changes(
    data, tmp_path, monkeypatch
):
    shutil.copy(own_models.__file__, tmp_path / "mm.py")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    model = {"from": "mm.py:mlp", "arguments": {"units": [4]}}
    models = api.train(data, model, epochs=1, learning_rate=0.1)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert models.logits(data["image"].values).notnull().all()
    found = models.critical_samples(examples=5)["critical_sample_ratio"]
    assert found.sel(critical_inputs="real").notnull().all()


def test_the_folder_of_a_module_makes_no_difference_to_fingerprints(tmp_path, monkeypatch):
    shutil.copy(own_models.__file__, tmp_path / "mm.py")
    monkeypatch.chdir(tmp_path)
    whole = of_model({"from": "mm.py:mlp"})
    assert whole["from"] == f"{tmp_path}/mm.py:mlp"
    as_given = {**whole, "from": "mm.py:mlp"}
    assert own_module.determining(whole) == own_module.determining(as_given)


def test_models_are_trained_and_kept_where_snakemake_is_not_installed(data, tmp_path, monkeypatch):
    def without_snakemake(name):
        if name == "snakemake":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(provenance, "version", without_snakemake)
    provenance._software.cache_clear()
    try:
        curves = api.train(data, MLP, epochs=1, learning_rate=0.1, store=tmp_path).curves
        assert "snakemake" not in provenance._software()
        assert f"torch: {version('torch')}" in provenance._software()
    finally:
        provenance._software.cache_clear()
    assert curves["train_loss"].notnull().all()


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


def wrong(call, **changed):
    """Return a call with sound arguments, but for those that are changed."""
    sound = {
        api.data: {"images": IMAGES, "labels": LABELS, "train_examples": 20},
        api.train: {"model": MLP, "epochs": 2, "learning_rate": 0.1},
        api.sensitivity: {"model": MLP, "epochs": 1, "learning_rate": 0.1, "evaluations": 1},
        api.Trained.critical_samples: {"examples": 5},
        api.Trained.logits: {"images": np.zeros((5, 1, 4, 4))},
    }
    return call, {**sound[call], **changed}


MISTAKES = [
    (
        wrong(api.train, optimizer="AdamW"),
        "optimizer is .AdamW., .* choose one of sgd, adam, adamw",
    ),
    (wrong(api.train, optimizer="adamm"), "optimizer is .adamm., .* choose one of sgd, adam"),
    (wrong(api.train, schedule="cos"), "schedule is .cos., .* choose one of steps, cosine"),
    (wrong(api.train, optimizer="adam", momentum=0.9), "momentum, which is that of sgd"),
    (wrong(api.train, schedule="cosine", decay_every=1), "along a cosine, and steps too"),
    (wrong(api.train, device="gpu"), "device is .gpu., .* choose one of auto, cpu, cuda"),
    (wrong(api.train, epochs=0), "epochs is 0: it must be at least 1"),
    (wrong(api.train, epochs=3.0), "epochs is 3.0: write a value of type integer; 3 is one"),
    (wrong(api.train, learning_rate=[0.1]), "learning_rate is .0.1.: write a number above 0"),
    (wrong(api.train, learning_rate=0), "learning_rate is 0: write a number above 0"),
    (wrong(api.train, learning_rate=np.nan), "learning_rate is NaN: write a number above 0"),
    (wrong(api.train, batch_size=0), "batch_size is 0: it must be at least 1"),
    (wrong(api.train, evaluate_every=-1), "evaluate_every is -1: it must be at least 1"),
    (wrong(api.train, plateau=3), "plateau is 3: write a value of type object"),
    (wrong(api.train, plateau={"epochs": 2, "gain": 0.1}), "set plateau.epochs to 3 or more"),
    (wrong(api.train, threshold=2), "threshold is 2: a threshold is an accuracy"),
    (wrong(api.train, dropout=1.5), "dropout is 1.5: dropout sets .* below 1"),
    (wrong(api.train, dropout="much"), "dropout is .much.: dropout sets"),
    (wrong(api.train, weight_decay=-0.1), "weight_decay is -0.1: it must be at least 0"),
    (wrong(api.train, keep_epochs=[3]), "keep_epochs names the epoch 3, but models train for 2"),
    (wrong(api.train, keep_epochs=1), "keep_epochs is 1: write a value of type array"),
    (wrong(api.train, record=["rigth"]), "record.0. is .rigth., .* did you mean right"),
    (wrong(api.train, momntum=0.9), "unknown key momntum: did you mean momentum"),
    (wrong(api.train, adversarial=0.5), "adversarial needs adversarial_examples, the search"),
    (
        wrong(api.train, adversarial=0.5, adversarial_examples={"alpha": 8}),
        "adversarial_examples lacks the key beta: add it",
    ),
    (wrong(api.train, conditions=("randY", 1)), "conditions hold .randY.: give a list of pairs"),
    (wrong(api.train, conditions=[]), "conditions name nothing"),
    (wrong(api.train, conditions=[("randZ", 1)]), "randZ.* is none of this data"),
    (wrong(api.train, conditions=[("randY", "1")]), "a level from 0 to 1"),
    (wrong(api.train, conditions=[("real", 0.5)]), "real has no level 0.5"),
    (
        wrong(api.train, conditions=[("randY", 1), ("real", 0), ("randY", np.float64(1))]),
        r"conditions hold \(.randY., 1\) twice, .*: keep one of them",
    ),
    (wrong(api.sensitivity, conditions=[("real", 0)] * 2), r"conditions hold \(.real., 0\) twice"),
    (wrong(api.train, model={"hidden_unit": 3}), "unknown key hidden_unit under model: did you m"),
    (
        wrong(api.train, model={"hidden_layers": 3, "hidden_units": [4, 4]}),
        "has 3 hidden_layers, but hidden_units names the widths of 2",
    ),
    (wrong(api.train, model=nn.Linear(16, 3)), "model is a Linear: give .* a function that makes"),
    (
        wrong(api.train, model={"from": "act.py:f", "arguments": {"act": nn.ReLU}}),
        "arguments.act is a type, which is no value of an argument: give numbers, text",
    ),
    (
        wrong(api.train, model={"from": "act.py:f", "arguments": {"a": ({"b": {1, 2}}, None)}}),
        r"arguments.a\[0\].b is a set, which is no value of an argument",
    ),
    (wrong(api.train, store=3), "store is a int: give the path of a folder, or None"),
    (wrong(api.train, data=IMAGES), "data is a ndarray: give what api.data returns"),
    (wrong(api.data, vary="data"), "vary is .data.: write a value of type array"),
    (wrong(api.data, vary=["dta"]), "vary.0. is .dta., which is unknown: did you mean data"),
    (wrong(api.data, scaling="standardised"), "scaling is .* did you mean standardized"),
    (wrong(api.data, random_labels="balancd"), "random_labels is .* did you mean balanced"),
    (wrong(api.data, seeds=0), "seeds is 0: it must be at least 1"),
    (wrong(api.data, first_seed=-1), "first_seed is -1: it must be at least 0"),
    (wrong(api.data, train_examples=-1), "train_examples is -1: it must be at least 1"),
    (wrong(api.data, validation_examples=-1), "validation_examples is -1: it must be at least 0"),
    (wrong(api.data, image_size=0), "image_size is 0: write a number of rows"),
    (wrong(api.data, noises="randY"), "noises is .randY.: write a list of names"),
    (wrong(api.data, noises=["randZ"]), "noises names .randZ., which is unknown: did you mean"),
    (wrong(api.data, noises=["transitionY"]), "transitionY, which needs matrix: define one of y"),
    (wrong(api.data, noises={"a": {"kind": "nope"}}), "noises.a.kind is .nope., which is unknow"),
    (wrong(api.data, noises={"a": {}}), "noises.a lacks the key kind: add it"),
    (wrong(api.data, noises={"a": {"kind": "transitionY"}}), "noises.a lacks the key matrix"),
    (wrong(api.data, noises={"randY": {"kind": "pairY"}}), "bears the name of what there is"),
    (wrong(api.data, images=IMAGES / 255), "np.round.255"),
    (wrong(api.data, images=np.where(IMAGES > 9, np.nan, 0)), "np.round.255"),
    (wrong(api.data, images=IMAGES[0, 0]), r"shape \(4,\)"),
    (wrong(api.data, images=[*IMAGES[:-1], IMAGES[0, :2]]), "images are of several sizes"),
    (wrong(api.data, images=COLOUR[:, :3]), "both the second dimension and the last one could"),
    (wrong(api.data, images=IMAGES.reshape(200, 2, 2, 4)), "neither the second dimension and t"),
    (wrong(api.data, channels="3"), "channels is .3.: write 'first', 'last'"),
    (wrong(api.data, test=IMAGES), "test is no pair: give images and their labels"),
    (wrong(api.data, labels=[[1], [2, 3]]), "labels are of several sizes"),
    (wrong(api.data, test=(IMAGES[:, :2], LABELS)), "those of test of .1, 2, 4.: make all alike"),
    (wrong(api.data, labels=LABELS[:9]), "200 images, but 9 labels"),
    (wrong(api.data, labels=LABELS[:, None]), r"shape \(200, 1\): have one for each image"),
    (wrong(api.data, labels=np.where(LABELS == "cat", np.nan, 1)), "labels are missing .NaN."),
    (wrong(api.data, labels=np.array(["a", 1] * 100, object)), "labels are of several types"),
    (wrong(api.sensitivity, norms="l1"), "norms is .l1.: write a value of type array"),
    (wrong(api.sensitivity, norms=["l3"]), "norms.0. is .l3., which is unknown"),
    (wrong(api.sensitivity, evaluations=0), "evaluations is 0: it must be at least 1"),
    (wrong(api.sensitivity, epochs=0), "epochs is 0: it must be at least 1"),
    (wrong(api.sensitivity, model=CNN), "model is a CNN, .* give a function that makes the same"),
    (wrong(api.sensitivity, device="gpu"), "device is .gpu., which is unknown"),
    (
        wrong(api.sensitivity, unique_labels=True, class_evaluations=1),
        "class_evaluations measures between the classes",
    ),
    (wrong(api.Trained.critical_samples, examples=41), "examples is 41, but the data has 40 valid"),
    (wrong(api.Trained.critical_samples, examples=0), "examples is 0: it must be at least 1"),
    (
        wrong(api.Trained.critical_samples, train_examples=61),
        "train_examples is 61, but the data has 60 train examples: lower it, or raise train_e",
    ),
    (wrong(api.Trained.critical_samples, radius=[0.0, 1.0]), "radius.0. is 0.0: it must be more"),
    (wrong(api.Trained.critical_samples, alpha=-1), "alpha is -1: a length is"),
    (wrong(api.Trained.logits, images=np.zeros((5, 15))), r"shape \(5, 15\), but models take"),
    (wrong(api.Trained.logits, images=["x"]), "images are no array of numbers"),
    (wrong(api.Trained.logits, epoch=1), "epoch 1 were not kept: name it in keep_epochs"),
]


@pytest.fixture(scope="module")
def trained(data) -> api.Trained:
    return api.train(data, MLP, epochs=2, learning_rate=0.1)


@pytest.mark.parametrize(("call", "sentence"), MISTAKES, ids=[words for _, words in MISTAKES])
def test_mistakes_get_a_sentence(data, trained, call, sentence):
    function, arguments = call
    if function in (api.train, api.sensitivity):
        arguments = {"data": data, **arguments}
    elif function is not api.data:
        arguments = {"self": trained, **arguments}
    with pytest.raises(UserError, match=sentence) as raised:
        function(**arguments)
    assert "\n" not in str(raised.value)
    assert not str(raised.value).startswith("config")


SHOWN = "The attribute {} of the data is {}, which is no text of names and values: assign"
ONE = "{{seeds: {}, first_seed: {}, vary: {}}}"


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"settings": "[]"}, SHOWN.format("settings", r".\[\].")),
        ({"settings": "a: b: c"}, SHOWN.format("settings", ".a: b: c.")),
        ({"settings": 3}, SHOWN.format("settings", "3")),
        ({"settings": "{}"}, "settings of the data has no list of noise_kinds: assign the one"),
        ({"replicates": "x"}, SHOWN.format("replicates", ".x.") + " one such as .{seeds: 3"),
        ({"replicates": {"seeds": 3}}, SHOWN.format("replicates", ".*seeds.*")),
        ({"replicates": "{seeds: 3}"}, "replicates lacks the key first_seed: add it"),
        ({"replicates": ONE.format(0, 0, "[]")}, "replicates.seeds is 0: it must be at least 1"),
        ({"replicates": ONE.format(1, 0, "[nose]")}, "replicates.vary.0. is .nose.,.* noise"),
        (
            {"replicates": ONE.format(3, 0, "[data]")},
            "the seed 2, by which the data has no draw of data",
        ),
        (
            {"replicates": ONE.format(1, 5, "[data]")},
            "the seed 5, by which the data has no draw of data",
        ),
        (
            {"replicates": ONE.format(4, 0, "[noise]")},
            "the seed 2, by which the data has no draw of noise",
        ),
    ],
)
def test_wrong_attributes_of_data_get_a_sentence(data, attributes, sentence):
    with pytest.raises(UserError, match=sentence) as raised:
        api.train(data.assign_attrs(attributes), MLP, epochs=1, learning_rate=0.1)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["image", "label", "order", "class_name", "drawn_from"])
def test_data_that_lacks_something_gets_a_sentence(data, name):
    own = data.drop_vars(name, errors="ignore")
    own.attrs.pop(name, None)
    for call in (api.train, api.sensitivity):
        with pytest.raises(UserError, match=f"data lacks {name}: give what api.data returns"):
            call(own, MLP, epochs=1, learning_rate=0.1)
    assert "drawn_from" in data.attrs


@pytest.mark.parametrize("name", ["data_seed", "noise_seed", "channel", "row"])
def test_a_dimension_that_was_selected_away_gets_a_sentence(data, name):
    with pytest.raises(UserError, match=f"data lacks {name}: give .*a list, such as data_seed=.0."):
        api.train(data.isel({name: 0}), MLP, epochs=1, learning_rate=0.1)


def test_critical_samples_need_validation_examples():
    own = api.data(IMAGES, LABELS, train_examples=20)
    models = api.train(own, MLP, epochs=1, learning_rate=0.1)
    with pytest.raises(UserError, match="data has 0 validation examples: lower it, or raise valid"):
        models.critical_samples(examples=1)


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


TRAINED_AFTER_AN_EDIT = """
import sys
from pathlib import Path
import numpy as np
from rote import api

file = Path(api.__file__).parents[1] / sys.argv[1]
file.write_text(file.read_text() + "edited = True\\n")
data = api.data(np.arange(160).reshape(40, 2, 2), np.arange(40) % 2, train_examples=20)
model = {"hidden_layers": 1, "hidden_units": 2}
api.train(data, model, epochs=1, learning_rate=0.1, store="store")
"""


@pytest.mark.slow
@pytest.mark.parametrize("file", ["models/sgd.py", "figures/fig1.py"])
def test_code_that_was_edited_since_its_import_trains_nothing_for_a_store(tmp_path, file):
    """A store would have models of the code before under the fingerprint of that behind."""
    package = tmp_path / "rote"
    shutil.copytree(
        ROOT / "workflow_scripts" / "rote", package, ignore=shutil.ignore_patterns("__pycache__")
    )
    ran = subprocess.run(
        [sys.executable, "-c", TRAINED_AFTER_AN_EDIT, file],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    said = f"UserError: {package / file} was edited since rote was imported: restart Python."
    trains = file == "models/sgd.py"
    assert (said in ran.stderr) == trains, ran.stderr
    assert (ran.returncode != 0) == trains, ran.stderr
    assert (tmp_path / "store").exists() != trains
