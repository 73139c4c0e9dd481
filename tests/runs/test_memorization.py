"""Runs of memorisation: what is trained on, what is right of all examples, and what is kept."""

import numpy as np
import pytest
import xarray as xr

import stores
from rote.data import noising
from rote.files.store import Store
from rote.machine.randomness import generator
from rote.measures.records import unpacked
from rote.runs import memorization, training
from rote.runs.device_data import DeviceData
from rote.runs.members import DataContent
from rote.study import plan
from rote.study.run_settings import of_run


@pytest.fixture
def trained(monkeypatch):
    """Counts the members that each call trains."""
    counts = []
    original = DeviceData.size_search

    def size_search(self, members):
        counts.append(len(members))
        return original(self, members)

    monkeypatch.setattr(DeviceData, "size_search", size_search)
    return counts


def run_of(noised, settings, store, run="percent-70", **options):
    own = of_run("memorization", settings, run, "float32")
    return memorization.compute_run(noised, own, store, name="test", **options)


def members_of(run) -> list[plan.Member]:
    columns = (run[name].values.tolist() for name in plan.Member._fields)
    return [plan.Member(*each) for each in zip(*columns, strict=True)]


def inputs_of(noised, member) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return inputs and labels trained on, and what noise replaces, by the data set alone."""
    real = noising.of_draw(noised, member.data_seed)
    corrupted = noising.corrupt(noised, member)
    mask, inputs = corrupted["mask"].values, real["image"].values.reshape(100, -1)
    if member.noise_kind == "randX":
        noise = noised["noise_image"].sel(noise_seed=member.noise_seed).values.reshape(100, -1)
        inputs = np.where(mask[:, None], noise, inputs)
    return inputs, corrupted["label"].values, mask


def predictions(parameters: xr.Dataset, inputs: np.ndarray) -> np.ndarray:
    """Return the classes that a kept MLP predicts, computed by NumPy."""
    layers = [parameters[f"parameter_{k}"].values.astype(float) for k in range(6)]
    x = inputs.astype(float)
    for k in range(0, len(layers), 2):
        x = x @ layers[k] + layers[k + 1]
        x = np.maximum(x, 0) if k + 2 < len(layers) else x
    return x.argmax(1)


def test_members_are_trained_on_subsets_of_their_own(noised, memorization_settings, tmp_path):
    run = run_of(noised, memorization_settings, Store(tmp_path))
    subsets = unpacked(run["trained_on"].values, 100)
    assert run.sizes["byte"] == 13  # 100 bits
    assert (subsets.sum(1) == 70).all()
    for member, found in zip(members_of(run), subsets, strict=True):
        order = generator("trained on", 70, member.order_seed).permutation(100)
        np.testing.assert_array_equal(np.flatnonzero(found), np.sort(order[:70]))
    # One for each of three conditions, by the models of a replicate; none for two of them alike.
    assert len(np.unique(subsets, axis=0)) == 2 * 3
    few = run_of(noised, memorization_settings, Store(tmp_path), "percent-30")
    assert (unpacked(few["trained_on"].values, 100).sum(1) == 30).all()


def test_what_is_right_is_what_the_kept_parameters_say(noised, memorization_settings, tmp_path):
    own = of_run("memorization", memorization_settings, "percent-70", "float32")
    store, own["keep_epochs"] = Store(tmp_path), [6]
    run = memorization.compute_run(noised, own, store, name="test")
    right = unpacked(run["right"].values, 100)
    validated = unpacked(run["validation_right"].values, 50)
    subsets = unpacked(run["trained_on"].values, 100)
    keys = training.member_keys(noised, own)
    for i, (key, member) in enumerate(zip(keys, members_of(run), strict=True)):
        parameters = store.load_parameters(key, 6)
        inputs, labels, _ = inputs_of(noised, member)
        np.testing.assert_array_equal(right[i], predictions(parameters, inputs) == labels)
        real = noising.of_draw(noised, member.data_seed)
        seen = predictions(parameters, real["validation_image"].values.reshape(50, -1))
        np.testing.assert_array_equal(validated[i], seen == real["validation_label"].values)
    accuracy = run["train_accuracy"].isel(epoch=-1)
    np.testing.assert_allclose(accuracy, (right & subsets).sum(1) / 70)
    np.testing.assert_allclose(run["validation_accuracy"].isel(epoch=-1), validated.mean(1))
    assert 0.3 < right.mean() < 1


def test_examples_are_those_of_each_draw(noised, memorization_settings, tmp_path):
    run = run_of(noised, memorization_settings, Store(tmp_path))
    names = [f"draw_{name}" for name in memorization.OF_DRAW]
    draws = list(zip(*(run[name].values.tolist() for name in names), strict=True))
    assert len(draws) == len(set(draws)) == 6  # real, randX, randY; two seeds
    of_label = False
    for i, draw in enumerate(draws):
        kind, level, noise_seed, data_seed, _ = draw
        member = plan.Member(kind, level, noise_seed, 0, 0.1, 0.0, data_seed=data_seed)
        real = noising.of_draw(noised, data_seed)
        inputs, labels, mask = inputs_of(noised, member)
        one = run.isel(draw=i)
        assert mask.sum() == round(100 * level)
        np.testing.assert_array_equal(one["replaced"], mask)
        np.testing.assert_array_equal(one["label"], labels)
        np.testing.assert_array_equal(one["index"], real["index"].values)
        differs = (inputs != real["image"].values.reshape(100, -1)).any(1)
        np.testing.assert_array_equal(one["changed"], differs | (labels != real["label"].values))
        of_label |= (one["changed"] != one["replaced"]).any().item()
    assert of_label  # a drawn label may be the true one
    assert run["class_name"].values.tolist() == list("abcde")


@pytest.mark.parametrize("scaling", ["unit", "standardized", "per_channel", "per_image"])
def test_images_are_the_real_ones_in_grey_levels(settings, source, scaling):
    rng = np.random.default_rng(3)
    bright = rng.permutation(np.linspace(40, 200, 400))[:, None, None, None]
    images = bright + rng.integers(0, 50, (400, 3, 8, 8))
    images[:, 1] = images[:, 1] ** 2 / 250  # a channel that is darker than the others
    images = images.astype(np.uint8)
    along = "example", "channel", "row", "column"
    colours = source.drop_vars("image").assign(image=(along, images))
    settings["data"] |= {"scaling": scaling, "image_size": 8}
    noised = xr.decode_cf(noising.noise_dataset(colours, plan.data_settings(settings)))
    members = [plan.Member("real", 0.0, 0, seed, 0.1, 0.0, data_seed=seed) for seed in (1, 0)]
    found = memorization.with_draws(xr.Dataset(), noised, members)
    assert found["image_seed"].values.tolist() == [1, 0]
    of_part = images[:300].astype(float)  # which is trained on and validated on
    pool = of_part[noised["index"].values]
    for i, seed in enumerate((1, 0)):
        real = noising.of_draw(noised, seed)
        for prefix in ("", "validation_"):
            pixels = of_part[real[f"{prefix}index"].values]
            if scaling == "per_image":
                pixels -= pixels.min((1, 2, 3), keepdims=True)
                pixels *= 255 / pixels.max((1, 2, 3), keepdims=True)
            else:
                axes = (0, 2, 3) if scaling == "per_channel" else None
                pixels -= pool.min(axes, keepdims=True)
            ours = found[f"{prefix}image"]
            assert ours.dtype == np.uint8
            np.testing.assert_allclose(ours[i], pixels, atol=0.501)
        np.testing.assert_array_equal(found["validation_label"][i], real["validation_label"])
        np.testing.assert_array_equal(found["validation_index"][i], real["validation_index"])


def test_more_models_refine_the_same_file(noised, memorization_settings, tmp_path, trained):
    store, of_model = Store(tmp_path), 3 * 2  # conditions, seeds
    first = run_of(noised, memorization_settings, store)
    xr.testing.assert_identical(run_of(noised, memorization_settings, store), first)
    more = run_of(noised, memorization_settings | {"models": 5}, store)
    assert trained == [3 * of_model, 2 * of_model]
    same = more.isel(member=np.flatnonzero(more["experiment"].values < 3))
    xr.testing.assert_identical(same, first)


def test_an_interrupted_run_goes_on_with_the_same_subsets(
    noised, memorization_settings, tmp_path, trained
):
    whole = run_of(noised, memorization_settings, Store(tmp_path / "whole"))

    class Killed(Exception):
        pass

    class Dying(Store):
        def save_checkpoints(self, states):
            states = list(states)
            super().save_checkpoints(states)
            if states[0][1].attrs["epoch"] == 4:
                raise Killed

    with pytest.raises(Killed):
        run_of(noised, memorization_settings, Dying(tmp_path / "a"), checkpoint_seconds=1e-9)
    assert stores.checkpoints(tmp_path / "a")
    resumed = run_of(noised, memorization_settings, Store(tmp_path / "a"))
    xr.testing.assert_identical(resumed, whole)


def test_members_that_leave_an_example_out(noised, memorization_settings, tmp_path):
    memorization_settings |= {"percent": [30], "noise_levels": [0], "seeds": 1, "left_out": 2}
    run = run_of(noised, memorization_settings, Store(tmp_path), "left-out")
    expected = np.tile(np.arange(100) < 30, (60, 1))
    expected[np.arange(60), np.arange(60) % 30] = False
    np.testing.assert_array_equal(unpacked(run["trained_on"].values, 100), expected)
    assert run["experiment"].values.tolist() == [0] * 30 + [1] * 30


def test_the_subset_is_in_the_fingerprint_where_there_is_one(noised, run_settings):
    member = plan.Member("randX", 0.4, 0, 0, 0.1, 0.0)
    others = [
        member._replace(percent=percent, left_out=left_out)
        for percent, left_out in ((70, 0), (30, 0), (70, 1), (70, 2), (100, 1), (100, 2))
    ]
    members = [list(each) for each in (member, *others)]
    keys = training.member_keys(noised, run_settings | {"members": members})
    assert len(set(keys)) == len(keys)
    # A member as it was before there were subsets, on all examples.
    before = DataContent(noised).determinants(member)
    assert set(before) == {"scale", "classes", "data", "seeds", "noise"}
    assert keys[0] == training.member_keys(noised, run_settings | {"members": [[*member[:-2]]]})[0]
