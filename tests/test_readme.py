"""What the README says about results is what the files under docs hold."""

import re

from conftest import ROOT
from rote import netcdf

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


def test_links_lead_to_files():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
