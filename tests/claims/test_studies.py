"""Verdicts of several studies beside each other: the tables say what each study says."""

import re

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


def test_a_part_that_is_measured_elsewhere_has_a_row_of_its_own(claims):
    """At another width, or up to another level; and the words are those of who tests it."""
    metrics = study(1, seeds=6, noise=0.005, rng=np.random.default_rng(3))
    metrics["fig2"] = metrics["fig2"].isel(noise_level=slice(None, -1))
    below = test_claims(metrics, CRITERIA)
    highest = metrics["fig2"]["noise_level"].max().item()
    none = test_claims({"fig3_1": metrics["fig3_1"]}, CRITERIA)
    found = cells(studies.markdown({"none": none, "whole": claims["whole"], "below": below}), 1)
    rows = {text: own for (claim, text), own in found.items() if claim == "2"}
    (whole, first), (part, second) = rows.items()
    assert "from no noise to noise level 0.8" in whole
    assert f"from no noise to noise level {highest:g}" in part
    assert [cell == "–" for cell in first] == [True, False, True]
    assert [cell == "–" for cell in second] == [True, True, False]


def test_what_a_part_depends_on_is_marked(claims):
    whole = study(1, seeds=6, noise=0.005, rng=np.random.default_rng(1))
    marked_study = test_claims(whole, CRITERIA, {"time_over_size": ["learning_rate"]})
    found = cells(studies.markdown({"marked": marked_study, "whole": claims["whole"]}), 1)
    assert sum(cell.startswith("✓\\*") for own in found.values() for cell in own) == 1
    ((marked, plain),) = (own for (claim, _), own in found.items() if claim == "2")
    assert marked == plain.replace("✓", "✓\\*")
    of_claims = cells(studies.markdown({"marked": marked_study, "whole": claims["whole"]}), 0)
    ((marked, plain),) = (own for (claim, _), own in of_claims.items() if claim == "2")
    assert (marked, plain) == ("✓\\* 1/1", "✓ 1/1")


def test_claims_stand_in_their_order(claims):
    backwards = claims["whole"].isel(test=slice(None, None, -1))
    found = [claim for claim, _ in cells(studies.markdown({"backwards": backwards}), 1)]
    assert found == sorted(found) and len(set(found)) == 5


def test_the_page_is_that_of_the_files_beside_it():
    folder = ROOT / "docs" / "verdicts"
    assert (folder / "README.md").read_text("utf-8") == compare_verdicts.page(folder)


def test_files_that_hold_no_verdicts_of_today_are_named(claims, tmp_path):
    own = tmp_path / "mine" / "claims.nc"
    own.parent.mkdir()
    netcdf.write(claims["some"], own)
    assert compare_verdicts.read(own).sizes == claims["some"].sizes
    assert studies.of_earlier_version(claims["some"].drop_vars("dependent_on"))
    older = claims["some"].copy(deep=True)
    older["verdict"] = older["verdict"].where(older["verdict"] != "not tested", "inconclusive")
    netcdf.write(older, own)
    with pytest.raises(UserError, match=r"claims.nc holds the verdicts of an earlier version"):
        compare_verdicts.read(own)
    for name in ("demo/metrics/fig1.nc", "stability/verdicts.nc"):
        with pytest.raises(UserError, match=r"nc holds no verdicts: name the claims.nc"):
            compare_verdicts.read(ROOT / "docs" / name)


def test_claims_that_are_kept_are_of_this_version():
    kept = [*(ROOT / "docs").glob("**/claims.nc")]
    assert len(kept) >= 5
    for path in kept:
        words = compare_verdicts.read(path)
        for name in ("description", "definition", "criterion"):
            texts = words[name].values.tolist()
            assert not [text for text in texts if re.search(r"\bnan\b", text)], path


@pytest.mark.parametrize(
    ("name", "is_what"),
    [
        ("claims.md", "no NetCDF file"),
        ("empty.nc", "no NetCDF file"),
        ("folder", "a folder"),
        ("nosuch.nc", "missing"),
    ],
)
def test_what_is_no_result_file_is_not_called_damaged(name, is_what, tmp_path):
    (tmp_path / "claims.md").write_text("# Claims\n" * 50)
    (tmp_path / "empty.nc").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError) as error:
        compare_verdicts.read(tmp_path / name)
    assert str(error.value) == (
        f"{tmp_path / name} is {is_what}: name the claims.nc of a study, which `snakemake claims` "
        "writes."
    )


def test_a_damaged_file_is_called_damaged(tmp_path):
    whole = (ROOT / "docs" / "demo" / "claims.nc").read_bytes()
    (tmp_path / "claims.nc").write_bytes(whole[:-100])
    with pytest.raises(UserError, match=r"claims.nc is damaged"):
        compare_verdicts.read(tmp_path / "claims.nc")


@pytest.mark.parametrize("other", ["docs/demo/claims.nc", "docs/../docs/demo/claims.nc"])
def test_the_same_file_twice_is_refused(other, capsys, monkeypatch):
    path = str(ROOT / "docs" / "demo" / "claims.nc")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["compare_verdicts.py", path, other])
    with pytest.raises(SystemExit):
        compare_verdicts.main()
    assert "a file is named twice" in capsys.readouterr().err


def test_files_are_called_by_their_presets(tmp_path):
    one, other, same = (tmp_path / name / "claims.nc" for name in ("x/demo", "mine", "y/demo"))
    assert compare_verdicts.named([one, other]) == {"demo": one, "mine": other}
    assert list(compare_verdicts.named([one, same])) == [str(one), str(same)]
