"""What the README says about results is what the files under docs hold."""

import re

import xarray as xr
import yaml

from conftest import ROOT
from rote.claims import test_claims
from rote.files import netcdf

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
