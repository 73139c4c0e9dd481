"""Proxies of members on subsets, against torch.nn and autograd in double precision."""

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn
from torch.autograd.functional import hessian
from torch.nn.functional import cross_entropy

import own_models
from rote.data import noising
from rote.files.store import Store
from rote.measures.records import unpacked
from rote.models.ensemble import epoch_order
from rote.models.mlp import initial_parameters
from rote.runs import memorization, proxies, training
from rote.study import plan
from rote.study.run_settings import of_run

MEASURED = "gradient_norm", "input_curvature", "loss_sensitivity"
EPOCHS = 2, 3, 6  # at which models of 6 epochs are measured


def measure(noised, settings, store, **options):
    own = of_run("memorization", settings, "proxies", "float32")
    return proxies.compute_run(noised, own, store, name="test", **options)


def members_of(run) -> list[plan.Member]:
    columns = (run[name].values.tolist() for name in plan.Member._fields)
    return [plan.Member(*each) for each in zip(*columns, strict=True)]


def plain(parameters: xr.Dataset) -> nn.Sequential:
    """Return a kept MLP as nn.Sequential, in double precision."""
    stacks = [torch.from_numpy(parameters[f"parameter_{k}"].values).double() for k in range(6)]
    layers = []
    for weight, bias in zip(stacks[::2], stacks[1::2], strict=True):
        layer = nn.Linear(*weight.shape).double()
        layer.load_state_dict({"weight": weight.mT, "bias": bias.flatten()})
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def own_examples(noised, member, subset) -> tuple[torch.Tensor, torch.Tensor]:
    corrupted, real = noising.corrupt(noised, member), noising.of_draw(noised, member.data_seed)
    inputs = real["image"].values.reshape(100, -1)
    if member.noise_kind == "randX":
        noise = noised["noise_image"].sel(noise_seed=member.noise_seed).values.reshape(100, -1)
        inputs = np.where(corrupted["mask"].values[:, None], noise, inputs)
    labels = corrupted["label"].values.astype(np.int64)
    return torch.from_numpy(inputs[subset]).double(), torch.from_numpy(labels[subset])


def gradient_norm(model, x, y) -> float:
    gradients = torch.autograd.grad(cross_entropy(model(x[None]), y[None]), model.parameters())
    return torch.cat([each.flatten() for each in gradients]).norm().item()


def curvature(model, x, y) -> float:
    return hessian(lambda x: cross_entropy(model(x[None]), y[None]), x).norm().item()


def unrolled_sensitivity(member, inputs, labels, settings) -> np.ndarray:
    """Return the mean over 5 times of the shares of ‖∂L/∂x‖₁, by autograd through all updates."""
    own, examples = settings["training"], len(labels)
    x = inputs.clone().requires_grad_()
    parameters = [
        p[0].double().requires_grad_()
        for p in initial_parameters([x.shape[1], 12, 12, 5], [member.initial_seed])
    ]
    batches = [
        batch[0]
        for epoch in range(1, own["epochs"] + 1)
        for batch in epoch_order([member.order_seed], epoch, examples).split(own["batch_size"], 1)
    ]

    def loss(parameters, x, y):
        for k in range(0, 6, 2):
            x = x @ parameters[k] + parameters[k + 1]
            x = x.relu() if k < 4 else x
        return cross_entropy(x, y)

    found, times = [], [round(len(batches) * k / 4) for k in range(5)]
    for t in range(len(batches) + 1):
        if t in times:
            (gradient,) = torch.autograd.grad(loss(parameters, x, labels), x, retain_graph=True)
            norms = gradient.abs().sum(1)
            found.append(norms / norms.mean())
        if t < len(batches):
            batch = batches[t]
            steps = torch.autograd.grad(
                loss(parameters, x[batch], labels[batch]), parameters, create_graph=True
            )
            parameters = [
                p - own["learning_rate"] * g for p, g in zip(parameters, steps, strict=True)
            ]
    return torch.stack(found).mean(0).numpy()


@pytest.mark.slow
def test_models_are_the_first_ones_of_the_run_of_scores(noised, memorization_settings, tmp_path):
    own = of_run("memorization", memorization_settings, "percent-70", "float32")
    store, own["keep_epochs"] = Store(tmp_path), [6]
    scored = memorization.compute_run(noised, own, store, name="test")
    measured = measure(noised, memorization_settings, store)
    members = members_of(measured)
    assert len(members) == 2 * 2 * 3  # models, seeds, conditions
    same = [members_of(scored).index(member) for member in members]
    for name in ("train_accuracy", "validation_accuracy", "train_loss"):
        found, expected = (
            run[name].isel(epoch=-1).values for run in (measured, scored[{"member": same}])
        )
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(measured["trained_on"], scored["trained_on"][same])
    keys = training.member_keys(noised, own)
    again = proxies.member_keys(
        noised, of_run("memorization", memorization_settings, "proxies", "float32")
    )
    for position, key in zip(same, again[: len(members)], strict=True):
        xr.testing.assert_equal(
            store.load_parameters(key, 6), store.load_parameters(keys[position], 6)
        )
    assert "right" not in measured


@pytest.mark.slow
@pytest.mark.cpu("what is expected is of the CPU")
def test_measures_are_those_of_plain_modules(noised, memorization_settings, tmp_path):
    store = Store(tmp_path)
    run = measure(noised, memorization_settings, store)
    own = of_run("memorization", memorization_settings, "proxies", "float32")
    keys = proxies.member_keys(noised, own)
    subsets = unpacked(run["trained_on"].values, 100)
    kinds = set()
    for i in (0, 3, 5, 11):
        member = members_of(run)[i]
        kinds.add(member.noise_kind)
        x, y = own_examples(noised, member, subsets[i])
        models = [plain(store.load_parameters(keys[i], epoch)) for epoch in EPOCHS]
        of = run.isel(member=i)
        for name in MEASURED:
            assert np.isnan(of[name].values[~subsets[i]]).all()
        found = {name: of[name].values[subsets[i]] for name in MEASURED}
        norms = [gradient_norm(models[0], *one) for one in zip(x, y, strict=True)]
        np.testing.assert_allclose(found["gradient_norm"], norms, rtol=1e-4)
        bent = [[curvature(m, *one) for one in zip(x, y, strict=True)] for m in models]
        np.testing.assert_allclose(found["input_curvature"], np.mean(bent, 0), rtol=1e-3, atol=1e-6)
        expected = unrolled_sensitivity(member, x, y, own)
        np.testing.assert_allclose(found["loss_sensitivity"], expected, rtol=1e-3)
    assert kinds == {"real", "randX", "randY"}


def test_what_is_measured_is_kept_and_found_again(noised, memorization_settings, tmp_path, caplog):
    whole = measure(noised, memorization_settings, Store(tmp_path))
    caplog.clear()
    with caplog.at_level("INFO"):
        xr.testing.assert_identical(measure(noised, memorization_settings, Store(tmp_path)), whole)
    assert "12 of 12 members are in the store" in caplog.text
    assert "0 of 12" not in caplog.text


def test_measuring_goes_on_where_it_was_interrupted(
    noised, memorization_settings, tmp_path, monkeypatch
):
    whole = measure(noised, memorization_settings, Store(tmp_path / "whole"))
    original, measured = proxies._of_member, []

    def killing(*arguments):
        if len(measured) == 5:
            raise KeyboardInterrupt
        measured.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(proxies, "_of_member", killing)
    with pytest.raises(KeyboardInterrupt):
        measure(noised, memorization_settings, Store(tmp_path / "part"))
    measured.clear()
    monkeypatch.setattr(proxies, "_of_member", lambda *a: measured.append(a) or original(*a))
    resumed = measure(noised, memorization_settings, Store(tmp_path / "part"))
    xr.testing.assert_identical(resumed, whole)
    assert len(measured) == 12 - 5


@pytest.mark.slow
def test_other_models_are_measured_too(noised, memorization_settings, tmp_path):
    settings = memorization_settings | {"noise_levels": [0], "seeds": 1}
    settings["training"] |= {"epochs": 3}
    mlp = measure(noised, settings, Store(tmp_path))
    del settings["model"]
    units = {"units": [12, 12]}
    alike = settings | {"module": {"from": f"{own_models.__file__}:mlp", "arguments": units}}
    module = measure(noised, alike, Store(tmp_path))
    for name in MEASURED:
        np.testing.assert_allclose(module[name], mlp[name], rtol=2e-3, atol=1e-6, err_msg=name)
    cnn = {"maps": 3, "dense": [4], "padding": "same", "pooling_stride": 2}
    run = measure(noised, settings | {"cnn": cnn}, Store(tmp_path))
    subsets = unpacked(run["trained_on"].values, 100)
    for name in MEASURED:
        there = subsets & (name != "loss_sensitivity")  # which is not measured of a CNN
        np.testing.assert_array_equal(run[name].notnull(), there, err_msg=name)


@pytest.mark.parametrize("own", [{"momentum": 0.5}, {"weight_decay": 0.01}, {"schedule": "cosine"}])
def test_without_plain_sgd_there_is_no_loss_sensitivity(
    noised, memorization_settings, tmp_path, own
):
    memorization_settings |= {"noise_levels": [0], "seeds": 1}
    memorization_settings["training"] |= own | {"epochs": 3}
    run = measure(noised, memorization_settings, Store(tmp_path))
    subsets = unpacked(run["trained_on"].values, 100)
    assert run["loss_sensitivity"].isnull().all()
    for name in ("gradient_norm", "input_curvature", "error_norm", "area_under_margin"):
        np.testing.assert_array_equal(run[name].notnull(), subsets, err_msg=name)
    assert run["misclassified_after_one"].notnull().all()


def test_models_of_two_epochs_are_measured_at_the_second(noised, memorization_settings, tmp_path):
    memorization_settings |= {"noise_levels": [0], "seeds": 1, "proxies": 1}
    memorization_settings["training"] |= {"epochs": 2}
    store, own = (
        Store(tmp_path),
        of_run("memorization", memorization_settings, "proxies", "float32"),
    )
    run = measure(noised, memorization_settings, store).isel(member=0)
    (subset,) = unpacked(run["trained_on"].values[None], 100)
    model = plain(store.load_parameters(proxies.member_keys(noised, own)[0], 2))
    x, y = own_examples(noised, plan.Member(*own["members"][0]), subset)
    norms = [gradient_norm(model, *one) for one in zip(x, y, strict=True)]
    np.testing.assert_allclose(run["gradient_norm"].values[subset], norms, rtol=1e-3)


def test_a_model_that_diverges_has_no_measures_after_that(noised, memorization_settings, tmp_path):
    memorization_settings |= {"noise_levels": [0], "seeds": 1}
    memorization_settings["training"] |= {"learning_rate": [0.5, 1e30]}
    run = measure(noised, memorization_settings, Store(tmp_path))
    assert (run["diverged_epoch"] > 0).values.tolist() == [False, False, True, True]
    for name in MEASURED:
        assert (np.isfinite(run[name]).sum("example") == [70, 70, 0, 0]).all(), name
