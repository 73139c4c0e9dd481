"""What the README says about results is what the files under docs hold."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
import yaml
from PIL import Image

from conftest import ROOT
from rote.claims import test_claims
from rote.data import noising, sources, survey
from rote.files import netcdf
from rote.study import configuration, plan
from rote.study.jobs import Study

README = (ROOT / "README.md").read_text()


def test_verdicts_are_those_of_the_claims():
    claims = netcdf.read(ROOT / "docs" / "demo" / "claims.nc")
    for number, text, decided in zip(
        claims["conclusion"].values,
        claims["claim_text"].values,
        claims["claim_verdict"].values,
        strict=True,
    ):
        assert f"| {number} | {text} | **{decided}** |" in README


def test_claims_in_the_docs_are_those_of_the_metrics_beside_them():
    criteria = yaml.safe_load((ROOT / "config.yaml").read_text())["claims"]
    for kept in (ROOT / "docs").glob("*/claims.nc"):
        metrics = {path.stem: netcdf.read(path) for path in (kept.parent / "metrics").glob("*.nc")}
        xr.testing.assert_allclose(test_claims(metrics, criteria), netcdf.read(kept), rtol=1e-6)


def test_links_lead_to_files():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


@pytest.fixture
def images(tmp_path, monkeypatch):
    """A folder to work in, with two classes of 30 images of 32×32 pixels in colour."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        folder = tmp_path / "path/to/images/train" / name
        folder.mkdir(parents=True)
        for i in range(30):
            pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_small_folder_of_images_goes_with_the_snippet_as_it_stands(images):
    (snippet,) = re.findall(r"```yaml\n(datasets:\n  mine:.*?)```", README, re.S)
    (images / "own.yaml").write_text(snippet)
    config = configuration.load(ROOT / "config.yaml", [images / "own.yaml"], {"preset": "mine"})
    study = Study(config)
    assert not [*survey.unmet(study)]
    assert study.figures() == [*study.all_figures]
    read = sources.fetch(**study.source(SimpleNamespace(dataset="mine")))
    noised = plan.noised_datasets(study.presets["mine"])
    assert len(noised) == 9
    for name, settings in noised.items():
        there = noising.noise_dataset(read, plan.data_settings(settings))
        assert there.sizes["row"] == 32, name
