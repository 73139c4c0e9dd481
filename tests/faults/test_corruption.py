"""Damage of every kind, in every kind of file: seen on reading, named, and computed again."""

import json
from types import SimpleNamespace

import flip_anywhere
import numpy as np
import pytest
import xarray as xr
from flip_anywhere import DAMAGES, emptied

import compute_run
import extract_metrics
import noise_dataset
import plot_figure
import stores
from bare_job import CODE
from rote.files import netcdf
from rote.files.store import Store
from rote.machine.errors import Damaged, UserError
from rote.runs import training as runs
from rote.study import plan
from rote.study.made_by import code_of
from rote.study.run_settings import of_run

EVERY = [*DAMAGES, emptied]
RUN = SimpleNamespace(figure="fig1", experiment="capacity", run="units-4")


@pytest.fixture(scope="module")
def study(tmp_path_factory, source):
    """A file of every kind, each by what writes it: called again, each script repairs its own."""
    folder = tmp_path_factory.mktemp("study")
    settings = {
        "data": {
            "dataset": "synthetic",
            "image_size": 4,
            "crop": 0,
            "train_examples": 60,
            "validation_examples": 30,
            "validation_from": "train",
            "scaling": "unit",
            "random_labels": "independent",
        },
        "noise_kinds": ["randX", "randY"],
        "noise_levels": [0, 1.0],
        "seeds": 1,
        "first_seed": 0,
        "vary": ["data", "noise", "initialization", "order"],
        "model": {"hidden_layers": 1, "hidden_units": [4]},
        "training": {
            "epochs": 2,
            "batch_size": 30,
            "learning_rate": 0.1,
            "decay_factor": 0.5,
            "decay_every": None,
            "momentum": 0,
            "weight_decay": 0,
            "evaluate_every": 1,
        },
    }
    path = {
        name: folder / f"{name}.nc" for name in ("data", "noised", "units-4", "metrics", "figure")
    }

    how = {"device": "cpu", "products": "auto", "checkpoint_seconds": 300, "reuse": True}
    how["store"] = f"{folder}/store"

    def smk(source, target, **params):
        return SimpleNamespace(
            input=[str(path[source])],
            output=[str(path[target])],
            log=[str(folder / "job.log")],
            threads=1,
            params=SimpleNamespace(**{"code": CODE, **params}, made_by="0" * 16),
            resources=SimpleNamespace(computed=json.dumps(how)),
            wildcards=RUN,
        )

    figure = smk("metrics", "figure", criteria={}, style=None)
    files = {kind: str(folder / f"f.{kind}") for kind in ("png", "pdf")}
    figure.output = SimpleNamespace(**files, caption=str(folder / "f.txt"))
    training = {"kind": "training", "code": code_of("compute_run", RUN)}
    run = of_run("capacity", settings, "units-4", "float32")
    netcdf.write(source, path["data"])
    steps = {
        "data": lambda: netcdf.write(source, path["data"]),
        "noised": lambda: noise_dataset.main(
            smk("data", "noised", data=plan.data_settings(settings), title="Synthetic")
        ),
        "units-4": lambda: compute_run.main(smk("noised", "units-4", run=run, **training)),
        "metrics": lambda: extract_metrics.main(smk("units-4", "metrics")),
        "figure": lambda: plot_figure.main(figure),
    }
    for step in steps.values():
        step()
    return SimpleNamespace(folder=folder, path=path, steps=steps)


READERS = {"data": "noised", "noised": "units-4", "units-4": "metrics", "metrics": "figure"}


@pytest.mark.parametrize("kind", READERS)
def test_any_damage_is_refused_or_harmless(study, kind, tmp_path):
    counts = flip_anywhere.damage(
        study.path[kind], tmp_path / "file.nc", 240, np.random.default_rng(0)
    )
    assert counts.total() == 240
    assert counts["refused"] >= 238  # all but a cut of just the last line


@pytest.mark.slow
@pytest.mark.parametrize("damage", EVERY)
@pytest.mark.parametrize("kind", READERS)
def test_a_damaged_input_is_named_set_aside_and_made_anew(study, kind, damage, capsys):
    path, reader = study.path[kind], study.steps[READERS[kind]]
    content = path.read_bytes()
    intact = netcdf.read(path)
    path.write_bytes(damage(content, np.random.default_rng(1)))
    with pytest.raises(SystemExit):
        reader()
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert f"Error: {path} is damaged (" in printed
    assert f"and now called {path.name}.damaged: run the same command again" in printed
    assert not path.exists()
    study.steps[kind]()  # as Snakemake does for a file that is missing
    xr.testing.assert_identical(netcdf.read(path), intact)
    reader()


@pytest.mark.parametrize("damage", EVERY)
def test_a_damaged_member_is_trained_again(study, damage, caplog):
    intact = netcdf.read(study.path["units-4"])
    *_, member = Store(study.folder / "store").records()  # the newest one of its key
    stores.damage(member, lambda content: damage(content, np.random.default_rng(2)))
    study.steps["units-4"]()
    log = (study.folder / "job.log").read_text()
    assert f"{member.path} is damaged (" in log
    assert "2 of 3 members are in the store" in log
    xr.testing.assert_identical(netcdf.read(study.path["units-4"]), intact)


@pytest.mark.slow
@pytest.mark.parametrize("damage", EVERY)
@pytest.mark.parametrize("kind", ["checkpoints", "parameters"])
def test_damaged_checkpoints_and_parameters_are_computed_again(
    noised, run_settings, tmp_path, damage, kind
):
    run_settings["keep_epochs"] = [2]

    def train(store):
        return runs.compute_run(noised, run_settings, store, name="x", device="cpu")

    class Killed(Exception):
        pass

    class Dying(Store):
        def save_checkpoints(self, states):
            states = list(states)
            super().save_checkpoints(states)
            if states[0][1].attrs["epoch"] == 3:
                raise Killed

    whole = train(Store(tmp_path / "whole"))
    with pytest.raises(Killed):
        runs.compute_run(
            noised,
            run_settings,
            Dying(tmp_path / "part"),
            name="x",
            device="cpu",
            checkpoint_seconds=1e-9,
        )
    damaged = getattr(stores, kind)(tmp_path / "part")
    assert damaged
    for record in damaged:
        stores.damage(record, lambda content: damage(content, np.random.default_rng(3)))
        if kind == "parameters":  # found when it is asked for: then the member is trained again
            assert Store(tmp_path / "part").load_parameters(record.key, 2) is None
    xr.testing.assert_identical(train(Store(tmp_path / "part")), whole)


def test_a_file_of_an_older_version_is_read_if_it_is_whole(tmp_path):
    old = tmp_path / "old.nc"
    named = {"long_name": "x", "units": "1"}
    dataset = xr.Dataset({"x": ("a", np.arange(3000.0), named)}, attrs={"note": "n"})
    dataset.to_netcdf(old, engine="netcdf4", encoding={"x": {"fletcher32": True}})
    assert b"rote-sha256" not in old.read_bytes()
    xr.testing.assert_identical(netcdf.read(old), dataset)
    old.write_bytes(old.read_bytes()[:-100])
    with pytest.raises(Damaged, match="its end is not what was written"):
        netcdf.read(old)


def test_strings_and_attributes_are_covered(study, tmp_path):
    """What Fletcher-32 does not cover: without the SHA-256 these would be read as they are."""
    content = study.path["metrics"].read_bytes()
    assert b"Synthetic" in content
    path = tmp_path / "file.nc"
    path.write_bytes(content.replace(b"Synthetic", b"Synthesic"))
    with pytest.raises(Damaged, match="its SHA-256 is not that of its content"):
        netcdf.read(path)


def test_a_file_that_somebody_else_wrote_over_is_refused(study, tmp_path):
    path = tmp_path / "file.nc"
    path.write_bytes(study.path["metrics"].read_bytes() + b"more")
    with pytest.raises(Damaged, match="its end is not what was written"):
        netcdf.read(path)
    path.write_text("This is no NetCDF.")
    with pytest.raises(Damaged):
        netcdf.read(path)


def test_a_sound_file_that_cannot_be_read_is_not_called_damaged(study, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("NetCDF: HDF error")

    monkeypatch.setattr(xr, "open_dataset", fails)
    with pytest.raises(UserError, match="though its content is as it was written") as error:
        netcdf.read(study.path["metrics"])
    assert not isinstance(error.value, Damaged)


def test_metrics_that_lack_a_variable_draw_no_figure(study, capsys, tmp_path):
    whole = netcdf.read(study.path["metrics"])
    content = study.path["metrics"].read_bytes()
    netcdf.write(whole.drop_vars("validation_accuracy"), study.path["metrics"])
    with pytest.raises(SystemExit):
        study.steps["figure"]()
    printed = capsys.readouterr().err
    assert "metrics.nc lacks a variable (" in printed
    assert "validation_accuracy" in printed
    assert "Traceback" not in printed
    study.path["metrics"].write_bytes(content)
