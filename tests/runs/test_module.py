"""Runs of modules of a user's own: as those of the MLP that they are, kept and found again."""

import copy
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import own_models
import stores
from rote.files.store import Store
from rote.machine.errors import UserError
from rote.runs import complexity, proxies, sensitivity, training
from rote.runs.device_data import DeviceData
from rote.study import own_module
from rote.study.run_settings import of_run

FILE = own_models.__file__


def module(function, path=FILE, **arguments):
    return {"from": f"{path}:{function}", **({"arguments": arguments} if arguments else {})}


def as_module(settings: dict, kind: str) -> dict:
    """Return the settings of an experiment whose MLP is a module of the same layers."""
    settings = copy.deepcopy(settings)
    mlp = settings.pop(kind)
    settings["module"] = module("mlp", units=[mlp["hidden_units"]] * mlp["hidden_layers"])
    return settings


@pytest.mark.parametrize("labelling", ["class", "unique"])
def test_sensitivity_is_that_of_the_mlp(noised, sensitivity_settings, tmp_path, labelling):
    runs = []
    for settings in (sensitivity_settings, as_module(sensitivity_settings, "model")):
        own = of_run("sensitivity", settings, labelling, "float32")
        runs.append(sensitivity.compute_run(noised, own, Store(tmp_path), name="test"))
    expected, found = runs
    assert set(found.data_vars) == set(expected.data_vars)
    for name, values in expected.data_vars.items():
        np.testing.assert_allclose(found[name], values, rtol=3e-4, atol=1e-8, err_msg=name)


def test_critical_samples_are_those_of_the_mlp(noised, complexity_settings, tmp_path):
    runs, case = [], complexity_settings["cases"]["synthetic_mlp"]
    for own in (case, as_module(case, "mlp")):
        settings = {**complexity_settings, "cases": {"synthetic_mlp": own}}
        run = of_run("complexity", settings, "synthetic_mlp", "float32")
        runs.append(complexity.compute_run(noised, run, Store(tmp_path), name="test"))
    expected, found = runs
    assert "filter" not in found
    for name in ("train_loss", "train_accuracy", "validation_accuracy", "critical_sample_ratio"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=0.011)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_module_is_kept_in_the_store_and_resumed(
    noised, complexity_settings, tmp_path, optimizer
):
    case = complexity_settings["cases"]["synthetic_mlp"]
    del case["mlp"]
    case["module"] = module("resnet")
    if optimizer != "sgd":
        case["training"] |= {"optimizer": optimizer, "momentum": 0, "schedule": "cosine"}
    run = of_run("complexity", complexity_settings, "synthetic_mlp", "float32")
    whole = complexity.compute_run(noised, run, Store(tmp_path / "whole"), name="test")
    assert whole["train_accuracy"].notnull().all()
    again = complexity.compute_run(noised, run, Store(tmp_path / "whole"), name="test")
    xr.testing.assert_identical(again, whole)

    class Killed(Exception):
        pass

    class Dying(Store):
        def save_checkpoints(self, states):
            states = list(states)
            super().save_checkpoints(states)
            if states[0][1].attrs["epoch"] == 2:
                raise Killed

    alone = {**run, "members": run["members"][:2]}
    with pytest.raises(Killed):
        store = Dying(tmp_path / "part")
        training.compute_run(noised, alone, store, name="test", checkpoint_seconds=1e-9)
    assert stores.checkpoints(store.root)
    resumed = training.compute_run(noised, alone, Store(tmp_path / "part"), name="test")
    for name in ("train_loss", "validation_accuracy"):
        np.testing.assert_array_equal(resumed[name], whole[name][:2])


def test_a_module_is_told_by_its_code_and_not_by_its_place(noised, complexity_settings, tmp_path):
    here, there = tmp_path / "mine.py", tmp_path / "elsewhere" / "other.py"
    there.parent.mkdir()
    shutil.copy(FILE, here)
    shutil.copy(FILE, there)

    def keys(**model):
        case = {**complexity_settings["cases"]["synthetic_mlp"], "module": model}
        settings = {**complexity_settings, "cases": {"synthetic_mlp": case}}
        run = of_run("complexity", settings, "synthetic_mlp", "float32")
        return training.member_keys(noised, run)

    first = keys(**module("mlp", here))
    assert keys(**module("mlp", there)) == first
    assert keys(**module("mlp", here), multiply_adds=7, arguments={}) == first
    assert not set(keys(**module("lazy", here))) & set(first)
    assert not set(keys(**module("mlp", here, units=[3]))) & set(first)
    here.write_text(here.read_text() + "\n# a comment makes no difference\n")
    assert keys(**module("mlp", here)) == first
    here.write_text(here.read_text().replace("(9, 7)", "(9, 8)"))
    assert not set(keys(**module("mlp", here))) & set(first)


def test_files_beside_it_and_packages_are_part_of_the_code(tmp_path):
    file, beside = tmp_path / "net.py", tmp_path / "parts.py"
    file.write_text("import parts\nfrom torch import nn\n\ndef net(classes):\n    return 1\n")
    beside.write_text("WIDTH = 3\n")
    before = own_module.with_source(module("net", file))["source"]
    beside.write_text("WIDTH = 4\n")
    after = own_module.with_source(module("net", file))["source"]
    assert before != after
    nets = tmp_path / "nets"
    nets.mkdir()
    file.write_text("from nets import net\n")
    for name, text in {"__init__": "from .vit import net", "vit": "net = 1", "other": ""}.items():
        (nets / f"{name}.py").write_text(f"{text}\n")
    sources = [own_module.with_source(module("net", file))["source"]]
    for name, text in {"vit": "net = 2", "__init__": "from .vit import net\nX = 1"}.items():
        (nets / f"{name}.py").write_text(f"{text}\n")
        sources.append(own_module.with_source(module("net", file))["source"])
    (nets / "other.py").write_text("nobody = 'imports this'\n")
    assert own_module.with_source(module("net", file))["source"] == sources[-1]
    assert len(set(sources)) == 3
    version = own_module.with_source({"from": "torchvision.models:resnet18"})["source"]
    assert version.startswith("torchvision 0.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            b"WIDTH = = 3\n",
            r"helper.py is no Python \(invalid syntax \(helper.py, line 1\)\): mend",
        ),
        (b"WIDTH = 3\0\n", r"helper.py is no Python \(.*null bytes.*\): mend it."),
    ],
)
def test_a_file_beside_it_that_is_no_python_is_named(tmp_path, text, words):
    (tmp_path / "net.py").write_text("import parts\ndef net(classes): ...\n")
    (tmp_path / "parts.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_bytes(text)
    with pytest.raises(UserError, match=words):
        own_module.with_source(module("net", tmp_path / "net.py"))


@pytest.mark.parametrize("method", ["read_bytes", "is_file"])
def test_a_file_beside_it_that_cannot_be_read_is_named(tmp_path, monkeypatch, method):
    (tmp_path / "net.py").write_text("import parts\ndef net(classes): ...\n")
    beside = tmp_path / "parts.py"
    beside.write_text("WIDTH = 3\n")
    readable = getattr(Path, method)

    def denied(path):
        if path == beside:
            raise PermissionError(13, "Permission denied", str(path))
        return readable(path)

    monkeypatch.setattr(Path, method, denied)
    with pytest.raises(UserError, match=r"parts.py cannot be read \(Permission denied\): see to "):
        own_module.with_source(module("net", tmp_path / "net.py"))


def test_functions_of_one_name_in_a_package_are_two_models():
    places = "torchvision.models:resnet50", "torchvision.models.quantization:resnet50"
    settings = [own_module.with_source({"from": place}) for place in places]
    first, second = map(own_module.determining, settings)
    assert first != second


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    from x import net\nexcept ImportError:\n    net = None\n",
        "net: object = 1\n",
        "from x import *\n",
        "if True:\n    def net(): ...\n",
    ],
)
def test_a_name_may_be_defined_in_other_ways(tmp_path, text):
    (tmp_path / "mine.py").write_text(text)
    assert own_module.with_source(module("net", tmp_path / "mine.py"))["source"]


def test_an_observer_is_part_of_the_fingerprint_of_sensitivity(noised, sensitivity_settings):
    run = of_run("sensitivity", sensitivity_settings, "class", "float32")
    watched = {**run, "observer": "forgetting.Forgetting"}
    keys = sensitivity.member_keys(noised, run), sensitivity.member_keys(noised, watched)
    assert not set(keys[0]) & set(keys[1])
    assert sensitivity.determinants(watched)["observer"] != "forgetting.Forgetting"


@pytest.mark.parametrize(
    ("experiment", "subject", "run", "measure"),
    [
        ("complexity", "synthetic_mlp", complexity, "the search for critical samples"),
        ("sensitivity", "class", sensitivity, "loss-sensitivity"),
        ("regularization", "adversarial_dropout", training, "adversarial training"),
        ("memorization", "proxies", proxies, "input curvature"),
    ],
)
def test_no_derivative_by_the_images_is_noticed_before_training(
    noised, request, tmp_path, monkeypatch, experiment, subject, run, measure
):
    settings = request.getfixturevalue(f"{experiment}_settings")
    own = settings["cases"][subject] if experiment == "complexity" else settings
    for kind in ("model", "mlp"):
        own.pop(kind, None)
    own["module"] = module("Tokens")
    settings = of_run(experiment, settings, subject, "float32")
    monkeypatch.setattr(DeviceData, "ensemble", None)
    with pytest.raises(UserError, match=f"Tokens have no derivative .*which {measure} needs") as e:
        run.compute_run(noised, settings, Store(tmp_path), name="test")
    assert str(e.value).endswith(f"as they are, or do without {measure}.")
    assert not [*tmp_path.iterdir()]


def test_a_last_batch_of_one_is_refused_with_batch_normalisation(
    noised, sensitivity_settings, tmp_path
):
    del sensitivity_settings["model"]
    sensitivity_settings["module"] = module("resnet")
    sensitivity_settings["labellings"]["class"]["batch_size"] = 33  # of 100
    run = of_run("sensitivity", sensitivity_settings, "class", "float32")
    with pytest.raises(UserError, match="batch normalisation needs 2"):
        sensitivity.compute_run(noised, run, Store(tmp_path), name="test")
