import copy

import numpy as np
import pytest
import torch
import xarray as xr

from rote.data.noising import corrupt, of_draw
from rote.files.store import Store
from rote.measures.sensitivity import class_sensitivity, loss_sensitivity
from rote.models.ensemble import epoch_order
from rote.models.mlp import initial_parameters
from rote.runs import sensitivity as sensitivity_run
from rote.runs.device_data import DeviceData
from rote.study import plan, versions
from rote.study.run_settings import of_run


def measure(noised, settings, store):
    return sensitivity_run.compute_run(noised, settings, store, name="test", device="auto")


@pytest.mark.parametrize("labelling", ["class", "unique"])
def test_a_run_holds_what_the_public_functions_compute(
    noised, sensitivity_settings, tmp_path, labelling, device
):
    tolerance = 1e-5 if device.type == "cpu" else 1e-3  # what is expected is of the CPU
    settings = of_run("sensitivity", sensitivity_settings, labelling, "float32")
    run = measure(noised, settings, Store(tmp_path))
    epochs = settings["training"]["epochs"]
    updates = 4 * epochs  # 100 examples in batches of 30
    assert run["update"].values.tolist() == plan.evaluation_times(updates, 4)
    assert run["sensitivity"].sizes == {"member": 6, "norm": 3, "update": 5, "example": 100}
    assert ("class_sensitivity" in run) == (labelling == "class")
    member = 3  # 50 % randX, seed 1
    assert run["noise_level"][member] == 0.5
    corrupted = corrupt(noised, plan.Member(*settings["members"][member]))
    inputs = np.where(
        corrupted["mask"].values[:, None],
        noised["noise_image"].sel(noise_seed=1).values.reshape(100, -1),
        of_draw(noised, 1)["image"].values.reshape(100, -1),
    )
    labels = np.arange(100) if labelling == "unique" else corrupted["label"].values
    classes = 100 if labelling == "unique" else 5
    parameters = initial_parameters([inputs.shape[1], 6, 6, classes], [1])
    layers = [
        (weight[0].mT, bias[0, 0])
        for weight, bias in zip(parameters[::2], parameters[1::2], strict=True)
    ]
    batches = [
        batch[0]
        for epoch in range(1, epochs + 1)
        for batch in epoch_order([1], epoch, 100).split(30, 1)
    ]
    arguments = layers, inputs.astype(np.float32), labels, batches, 0.2
    for norm in ("l1", "l2", "linf"):
        own = run.isel(member=member).sel(norm=norm)
        expected = loss_sensitivity(*arguments, run["update"].values, norm=norm)
        np.testing.assert_allclose(own["sensitivity"], expected, rtol=tolerance)
        if labelling == "class":
            times = plan.evaluation_times(updates, 2)
            expected = class_sensitivity(*arguments, times, norm=norm)
            found = own["class_sensitivity"]
            assert found["class_update"].values.tolist() == times
            np.testing.assert_allclose(found.mean("class_update"), expected, rtol=tolerance)
            first = class_sensitivity(*arguments, times[:1], norm=norm)
            np.testing.assert_allclose(found[0], first, rtol=tolerance)


@pytest.mark.parametrize(
    "own",
    [{}, {"biases": False}, {"initialization": "glorot_normal"}, {"hidden_units": [7, 4]}],
)
def test_the_training_is_that_of_the_ensemble(
    noised, run_settings, sensitivity_settings, tmp_path, own
):
    sensitivity_settings["model"] |= own
    settings = of_run("sensitivity", sensitivity_settings, "class", "float32")
    run = measure(noised, settings, Store(tmp_path))
    member = plan.Member(*settings["members"][5])
    training = {**run_settings["training"], "batch_size": 30}
    ensemble = DeviceData(
        noised, {"model": settings["model"], "training": training}, [member]
    ).ensemble([member])
    for epoch in (1, 2, 3):
        ensemble.train_epoch(epoch)
    score = ensemble.evaluate()
    assert run["train_loss"][5, -1].item() == pytest.approx(score.train_loss[0], rel=1e-5)
    assert run["train_accuracy"][5, -1].item() == pytest.approx(score.train_accuracy[0])


def test_only_what_is_missing_is_measured(noised, sensitivity_settings, tmp_path, monkeypatch):
    counts = []
    original = sensitivity_run._measure

    def counting(data, settings, members, *rest):
        counts.append(len(members))
        return original(data, settings, members, *rest)

    monkeypatch.setattr(sensitivity_run, "_measure", counting)
    settings = of_run("sensitivity", sensitivity_settings, "class", "float32")
    store = Store(tmp_path)
    first = measure(noised, settings, store)
    assert sum(counts) == 6
    xr.testing.assert_identical(measure(noised, settings, store), first)
    assert sum(counts) == 6
    sensitivity_settings["seeds"] = 1
    sensitivity_settings["conditions"] = ["randX"]
    part = measure(noised, of_run("sensitivity", sensitivity_settings, "class", "float32"), store)
    assert sum(counts) == 6
    xr.testing.assert_identical(part, first.isel(member=[4]))


def test_norms_are_all_kept_and_those_asked_for_are_shown(noised, sensitivity_settings, tmp_path):
    store = Store(tmp_path)
    sensitivity_settings["norms"] = ["l2"]
    measure(noised, of_run("sensitivity", sensitivity_settings, "class", "float32"), store)
    before = len(store.records())
    sensitivity_settings["norms"] = ["linf", "l1"]
    run = measure(noised, of_run("sensitivity", sensitivity_settings, "class", "float32"), store)
    assert len(store.records()) == before
    assert run["norm"].values.tolist() == ["linf", "l1"]
    assert (run["sensitivity"].mean("example").diff("norm") > 0).all()


def test_whatever_determines_a_member_is_in_its_fingerprint(
    noised, sensitivity_settings, monkeypatch
):
    keys = []

    def spy(members, own, load, name, compute):
        keys.append(own[0])
        return xr.Dataset(coords={"norm": ["l1", "l2", "linf"]})

    monkeypatch.setattr(sensitivity_run, "stored_or_computed", spy)

    def note(settings):
        measure(noised, settings, Store("unused"))

    settings = of_run("sensitivity", sensitivity_settings, "class", "float32")
    note(settings)
    for block, key, value in (
        ("training", "learning_rate", 0.3),
        ("training", "epochs", 7),
        ("training", "batch_size", 10),
        ("model", "hidden_units", 7),
    ):
        changed = copy.deepcopy(settings)
        changed[block][key] = value
        note(changed)
    for key, value in (("evaluations", 5), ("class_evaluations", 3), ("labelling", "unique")):
        note(settings | {key: value})
    real = plan.Member("real", 0.0, 0, 0, 0.1, 0.0)
    seeds = ({"data_seed": 1}, {"initial_seed": 1}, {"order_seed": 1})
    for member in (
        real._replace(noise_kind="randX", noise_level=0.5),
        *(real._replace(**own) for own in seeds),
    ):
        note(settings | {"members": [list(member)]})
    monkeypatch.setattr(versions, "SENSITIVITY", versions.SENSITIVITY + 1)
    note(settings)
    assert len(set(keys)) == len(keys) == 13


def test_training_that_diverges_is_recorded(noised, sensitivity_settings, tmp_path):
    sensitivity_settings["labellings"]["class"]["learning_rate"] = 1e30
    settings = of_run("sensitivity", sensitivity_settings, "class", "float32")
    run = measure(noised, settings, Store(tmp_path))
    assert (run["diverged_epoch"] == 1).all()
    assert np.isfinite(run["sensitivity"].sel(update=0)).all()


def test_members_together_are_those_one_by_one(
    noised, sensitivity_settings, tmp_path, monkeypatch, device
):
    settings = of_run("sensitivity", sensitivity_settings, "class", "float32")
    monkeypatch.setitem(sensitivity_run.MEMBERS_TOGETHER, device.type, 1)
    alone = measure(noised, settings, Store(tmp_path / "alone"))
    monkeypatch.setitem(sensitivity_run.MEMBERS_TOGETHER, device.type, 4)
    together = measure(noised, settings, Store(tmp_path / "together"))
    for name in alone.data_vars:
        np.testing.assert_allclose(together[name], alone[name], rtol=1e-4)


def test_a_batch_is_drawn_for_each_seed_and_epoch():
    orders = [epoch_order([seed], epoch, 50)[0] for seed in (0, 1) for epoch in (1, 2)]
    assert len({tuple(order.tolist()) for order in orders}) == 4
    assert all(torch.equal(order.sort().values, torch.arange(50)) for order in orders)


@pytest.mark.parametrize(
    ("loss", "epoch"), [([1, 1, 1, 1], 0), ([1, 1, 1, np.inf], 3), ([1, np.nan, 1, 1], 1)]
)
def test_divergence_is_dated(loss, epoch):
    found = sensitivity_run._diverged([0, 4, 8, 12], np.array(loss, float), updates_per_epoch=4)
    assert found == epoch
