"""A study that is finished, with results that are made up."""

import contextlib
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import xarray as xr
import yaml

import made_up_metrics
import write_archive
from conftest import ROOT
from made_up_metrics import CRITERIA
from rote.claims import test_claims
from rote.files import netcdf
from rote.files.made_by import words
from rote.files.provenance import as_text, with_provenance
from rote.study import configuration
from rote.study.jobs import PICTURES, Study

NET = b"import helper\n\n\ndef net(image, classes):\n    return helper.made(image, classes)\n"
OWN = {"net.py": NET, "helper.py": b"def made(image, classes):\n    pass\n"}
UNITS = {"long_name": "accuracy", "units": "1"}


class Finished(NamedTuple):
    """A study, and the folder with its results."""

    study: Study
    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results" / self.study.preset

    def written(self) -> bytes:
        return write_archive.write(self.study.preset, self.folder).read_bytes()


def finish(folder: Path, models: list[Path]) -> Finished:
    """Write the results of a study with models of the user's own, of Figures 3.1, 5.1 and 5.2."""
    modules = [{"from": f"{path}:net"} for path in models]
    others = "capacity", "convergence", "sensitivity", "complexity", "memorization"
    mine = {
        "like": "demo",
        **dict.fromkeys(others),
        "difficulty": {"model": None, "module": modules[0]},
        "regularization": {"mlp": None, "module": modules[-1]},
    }
    given = {"preset": "mine", "presets": {"mine": mine}}
    study = Study(configuration.load(ROOT / "config.yaml", given=given))
    expected, results = study.made_by.everything(), folder / "results" / "mine"
    (results / "figures").mkdir(parents=True)
    for count, figure in enumerate(study.figures()):
        content = xr.Dataset(
            {"accuracy": ("seed", [0.1 * count, 0.5], UNITS)},
            {"seed": ("seed", [0, 1], {"long_name": "replicate", "units": "1"})},
            {"models": as_text([{"models": 2, "device": "cpu", "git_commit": "abc"}])},
        )
        metrics = with_provenance(content, {}, title=f"Made up: {figure}", device="some device")
        path = study.page(f"metrics/{figure}.nc")
        netcdf.write(metrics, folder / path, expected[path])
        for kind in PICTURES:
            path = study.page(f"figures/{figure}.{kind}")
            content = words(expected[path]) if path in expected else f"\0{figure}.{kind}"
            (folder / path).write_text(content)
    path, rng = study.page("claims.nc"), np.random.default_rng(50)
    claims = test_claims(made_up_metrics.study(1, seeds=3, noise=0.01, rng=rng), CRITERIA)
    claims["lower"][0], claims["estimate"][1] = -np.inf, np.nan
    netcdf.write(claims, folder / path, expected[path])
    config = study.configuration_of(SimpleNamespace(preset="mine"))
    (results / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    for name in ("claims.md", "config.yaml", "gallery.md", "paper.md"):
        with (results / name).open("a") as page:
            page.write(f"# {words(expected.get(study.page(name), '0' * 16))}\n")
    return Finished(study, folder)


@pytest.fixture(scope="session")
def original(tmp_path_factory) -> Finished:
    """One model lies in the folder of the study, the other one, of the same name, outside."""
    folder = tmp_path_factory.mktemp("study")
    outside = tmp_path_factory.mktemp("else") / "w h e r e"
    outside.mkdir()
    for place in (folder, outside):
        for name, content in OWN.items():
            (place / name).write_bytes(content + f"# of {place.name}\n".encode())
    with contextlib.chdir(folder):
        return finish(folder, [Path("net.py"), outside / "net.py"])


@pytest.fixture
def finished(original, tmp_path, monkeypatch) -> Finished:
    """A copy of it, in the current folder, with a file of a run."""
    copy = original._replace(folder=tmp_path / "copy")
    shutil.copytree(original.folder, copy.folder)
    (copy.results / "runs").mkdir()
    (copy.results / "runs" / "left_out.nc").write_bytes(b"large")
    monkeypatch.chdir(copy.folder)
    return copy
