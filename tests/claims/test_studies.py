"""Verdicts of several studies beside each other: the tables say what each study says."""

import numpy as np
import pytest
import xarray as xr

import compare_verdicts
from conftest import ROOT
from made_up_metrics import CRITERIA, study
from rote.claims import studies, test_claims
from rote.claims.tables import number
from rote.files import netcdf
from rote.machine.errors import UserError


@pytest.fixture(scope="module")
def claims() -> dict[str, xr.Dataset]:
    """Return a study, one of part of its figures, and one of noise alone in all."""
    whole = study(1, seeds=6, noise=0.005, rng=np.random.default_rng(1))
    none = study(0, seeds=6, noise=0.005, rng=np.random.default_rng(2))
    some = {name: whole[name] for name in ("fig2", "fig3_1")}
    metrics = {"whole": whole, "some": some, "none": none}
    return {name: test_claims(one, CRITERIA) for name, one in metrics.items()}


def cells(page: str, table: int) -> dict[tuple[str, str], list[str]]:
    """Return the rows of one of the two tables, by their claim and text."""
    part = page.split("Each core part")[table]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return {(claim, text): own for claim, text, *own in rows[1:]}


def test_a_claim_has_its_verdict_of_each_study(claims):
    found = list(cells(studies.markdown(claims), 0).values())
    signs = {"✓": "supported", "✗": "contradicted", "?": "inconclusive", "–": "not tested"}
    for column, one in enumerate(claims.values()):
        assert [signs[row[column][0]] for row in found] == one["claim_verdict"].values.tolist()
    # Claim 3 has ten core parts, seven of them on figure 3.1, and some has no other of its figures.
    assert [row[1] for row in found] == ["–", "✓ 1/1", "? 7/7", "–", "–"]


def test_a_part_has_its_verdict_and_estimate_of_each_study(claims):
    found = cells(studies.markdown(claims), 1)
    core = claims["whole"].sel(test=claims["whole"]["stated_by"] == "poster")
    assert len(found) == core.sizes["test"]
    for name in core["test"].values:
        one = claims["none"].sel(test=name)
        text = one["description"].item().replace("|", r"\|")
        cell = found[str(one["claim"].item()), text][2]
        assert cell.endswith(number(one["estimate"].item()))
        assert cell.startswith(
            {"supported": "✓", "contradicted": "✗"}.get(one["verdict"].item(), "?")
        )


def test_a_part_that_no_study_tests_has_no_row(claims):
    found = cells(studies.markdown({"some": claims["some"]}), 1)
    assert {claim for claim, _ in found} == {"2", "3"}


def test_a_variant_is_a_study(claims):
    """A row of docs/stability, which lacks the texts of claims and the verdicts on them."""
    kept = ["verdict", "estimate"]
    table = claims["whole"][kept].reset_coords(drop=True).expand_dims(variant=["one"])
    words = {name: claims["whole"][name].variable for name in ("claim", "description", "stated_by")}
    one = studies.of_variant(table.assign_coords(words), "one")
    found = studies.markdown({"whole": claims["whole"], "one": one})
    for table in (0, 1):
        assert all(first == second for first, second in cells(found, table).values())


def test_the_page_is_that_of_the_files_beside_it():
    folder = ROOT / "docs" / "verdicts"
    assert (folder / "README.md").read_text("utf-8") == compare_verdicts.page(folder)


def test_files_that_hold_no_verdicts_of_today_are_named(claims, tmp_path):
    own = tmp_path / "mine" / "claims.nc"
    own.parent.mkdir()
    netcdf.write(claims["some"].assign(verdict=claims["some"]["verdict"].astype("U20")), own)
    assert compare_verdicts.read(own).sizes == claims["some"].sizes
    with pytest.raises(UserError, match=r"earlier version \(not supported\): have `snakemake cl"):
        compare_verdicts.read(ROOT / "docs" / "poster" / "claims.nc")
    with pytest.raises(UserError, match=r"fig1.nc holds no verdicts: name the claims.nc"):
        compare_verdicts.read(ROOT / "docs" / "demo" / "metrics" / "fig1.nc")


def test_files_are_called_by_their_presets(tmp_path):
    one, other, same = (tmp_path / name / "claims.nc" for name in ("x/demo", "mine", "y/demo"))
    assert compare_verdicts.named([one, other]) == {"demo": one, "mine": other}
    assert list(compare_verdicts.named([one, same])) == [str(one), str(same)]
