"""Models of a notebook that are kept: nothing is trained twice, and none under a wrong name."""

import errno
import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest
import xarray as xr

import own_models
from conftest import ROOT
from made_up_images import MLP
from rote import api
from rote.api.settings import of_model
from rote.files import provenance
from rote.machine.errors import UserError
from rote.runs.device_data import DeviceData
from rote.study import own_module, versions


def never(*arguments, **others):
    raise AssertionError("trained")


def read_only(*arguments, **others):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_with_a_store_nothing_is_trained_twice(data, tmp_path, monkeypatch):
    arguments = {"epochs": 2, "learning_rate": 0.1, "store": tmp_path / "store"}
    first = api.train(data, MLP, **arguments).curves

    def not_again(*arguments, **others):
        raise AssertionError("trained again")

    monkeypatch.setattr(DeviceData, "ensemble", not_again)
    xr.testing.assert_identical(api.train(data, MLP, **arguments).curves, first)
    with pytest.raises(AssertionError, match="trained again"):
        api.train(data, MLP, **{**arguments, "learning_rate": 0.2})


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


def test_the_package_alone_has_the_versions_of_a_study(tmp_path):
    """Installed, without the scripts beside it, it finds the models in the store of a study."""
    package = ROOT / "workflow_scripts" / "rote"
    shutil.copytree(package, tmp_path / "rote", ignore=shutil.ignore_patterns("__pycache__"))
    names = sorted({name for names in versions.OF_RUN.values() for name in names})
    said = f"from rote.study import versions\nprint(*map(versions.current, {names}))"
    ran = subprocess.run(
        [sys.executable, "-c", said],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.stdout.split() == [str(versions.current(name)) for name in names], ran.stderr


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
