"""The demo's verdicts are found again by code that shares nothing with the study's own."""

import ast
import shutil
import sys
from math import isfinite
from pathlib import Path

import claims_from_metrics
import published_tables
import pytest
import xarray as xr

from conftest import ROOT
from rote.claims.tables import claims_markdown
from rote.files import netcdf

DEMO = ROOT / "docs" / "demo"
HERE = Path(__file__).parent
OWN = {path.stem for path in HERE.glob("*.py")}

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(tmp_path) -> Path:
    """A folder with claims.md and claims.nc of the demo, and its metrics by a link."""
    for name in ("claims.md", "claims.nc"):
        shutil.copy(DEMO / name, tmp_path)
    (tmp_path / "metrics").symlink_to(DEMO / "metrics")
    return tmp_path


@pytest.fixture
def row() -> published_tables.Row:
    """A core part that holds above a criterion; its interval has both ends, and no simulation."""

    def suits(row: published_tables.Row) -> bool:
        ends = map(published_tables.number, (*row.interval, *row.adjusted))
        above = row.is_core and row.criterion.startswith("more than")
        return above and row.figure != "fig5_1" and all(map(isfinite, ends))

    return next(filter(suits, published_tables.read(DEMO / "claims.md").rows))


def rewritten(folder: Path, line_begins: str, old: str, new: str) -> list[str]:
    """Replace what stands once in a line of claims.md, and return the differences."""
    path = folder / "claims.md"
    text = path.read_text()
    (line,) = (line for line in text.splitlines() if line.startswith(line_begins))
    assert line.count(old) == 1, f"{line.count(old)} times: {old}"
    path.write_text(text.replace(line, line.replace(old, new)))
    return claims_from_metrics.differences(folder)


def stored(folder: Path, row: published_tables.Row, variable: str, change) -> list[str]:
    """Change a part's value in claims.nc, and return the differences."""
    rows = published_tables.read(folder / "claims.md").rows
    with xr.open_dataset(folder / "claims.nc") as opened:
        file = opened.load()
    at = rows.index(row)
    file[variable][at] = change(file.isel(test=at))
    file.to_netcdf(folder / "claims.nc")
    return claims_from_metrics.differences(folder)


def test_the_modules_import_nothing_of_the_study():
    allowed = {*sys.stdlib_module_names, *OWN, "numpy", "scipy", "xarray"}
    for path in HERE.glob("*.py"):
        if path.name == Path(__file__).name:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module]
            else:
                continue
            assert {name.partition(".")[0] for name in names} <= allowed, (path.name, names)


@pytest.mark.parametrize("study", ["demo", "poster", "night"])
def test_a_study_of_the_docs_is_found_again(study, capsys):
    assert claims_from_metrics.main([str(ROOT / "docs" / study)]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("study", ["digits", "fashion_mnist", "cifar10"])
def test_claims_of_our_own_are_found_again(tmp_path, study, capsys):
    """Of studies that lack all figures of the poster."""
    kept = ROOT / "docs" / "memorization" / study
    shutil.copy(kept / "claims.nc", tmp_path)
    (tmp_path / "metrics").mkdir()
    for figure in ("memorization", "fair_proxy"):
        (tmp_path / "metrics" / f"{figure}.nc").symlink_to(kept / f"{figure}.nc")
    page = claims_markdown(netcdf.read(kept / "claims.nc"), study)
    (tmp_path / "claims.md").write_text(page)
    assert claims_from_metrics.main([str(tmp_path)]) == 0, capsys.readouterr().out
    (tmp_path / "metrics" / "fair_proxy.nc").unlink()
    found = claims_from_metrics.differences(tmp_path)
    assert "claim 7 is inconclusive: computed not tested" in found


def test_a_folder_without_claims_is_told_in_a_line(tmp_path, capsys):
    assert claims_from_metrics.main([str(tmp_path)]) == 2
    assert capsys.readouterr().out.startswith("Usage: ")


def test_a_changed_estimate_is_noticed_on_the_page(copy, row):
    digits = len(row.estimate.partition(".")[2])
    other = f"{published_tables.number(row.estimate) + 10**-digits:.{digits}f}"
    found = rewritten(copy, f"| {row.name} |", f"| {row.estimate} | [", f"| {other} | [")
    assert len(found) == 1 and f"estimate {other}" in found[0]


def test_a_changed_estimate_is_noticed_in_the_file(copy, row):
    found = stored(copy, row, "estimate", lambda part: part.estimate * (1 + 1e-8))
    assert len(found) == 1 and "claims.nc, estimate" in found[0]


@pytest.mark.parametrize("prefix", ["", "adjusted_"])
def test_a_widened_interval_is_noticed(copy, row, prefix):
    lower, upper = f"{prefix}lower", f"{prefix}upper"
    found = stored(copy, row, upper, lambda part: part[upper] + 0.02 * (part[upper] - part[lower]))
    assert len(found) == 1 and f"claims.nc, {upper}" in found[0]


def test_an_interval_without_an_end_is_noticed_on_the_page(copy, row):
    seeds = f"], {row.seeds} seeds"
    found = rewritten(copy, f"| {row.name} |", f"{row.interval[1]}{seeds}", f"∞{seeds}")
    assert len(found) == 1 and "interval ∞" in found[0]


def test_a_flipped_verdict_is_noticed_on_the_page(copy, row):
    other = "contradicted" if row.verdict == "supported" else "supported"
    found = rewritten(copy, f"| {row.name} |", f"| {row.verdict}", f"| {other}")
    assert len(found) == 1 and f"{other}: computed {row.verdict}" in found[0]


def test_a_flipped_verdict_is_noticed_in_the_file(copy, row):
    other = "inconclusive" if row.verdict == "supported" else "supported"
    found = stored(copy, row, "verdict", lambda part: other)
    assert len(found) == 1 and f"claims.nc, {other}" in found[0]


def test_a_flipped_verdict_of_a_claim_is_noticed(copy):
    told = published_tables.read(copy / "claims.md").verdicts[2]
    other = "contradicted" if told == "supported" else "supported"
    found = rewritten(copy, "| 2 | ", f"**{told}", f"**{other}")
    assert len(found) == 1 and found[0].startswith("claim 2 is")


def test_a_changed_criterion_is_noticed_in_a_row(copy, row):
    found = rewritten(copy, f"| {row.name} |", row.criterion, f"more than 0.7 ({row.named})")
    assert any(f"criterion more than 0.7 ({row.named})" in one for one in found)
    assert any("claims.nc, holds_from" in one for one in found)


def test_a_changed_criterion_is_noticed_in_the_table(copy):
    found = rewritten(copy, "| fitted |", "| 0.9 |", "| 0.99 |")
    assert any("doublings of the smallest width" in one and "estimate" in one for one in found)


def test_changed_metrics_are_noticed(copy):
    (copy / "metrics").unlink()
    shutil.copytree(DEMO / "metrics", copy / "metrics")
    with xr.open_dataset(DEMO / "metrics" / "fig2.nc") as opened:
        fig2 = opened.load()
    fig2["epochs_to_convergence"][{"noise_level": -1, "dataset_size": 0, "seed": 0}] += 1
    fig2.to_netcdf(copy / "metrics" / "fig2.nc")
    found = claims_from_metrics.differences(copy)
    assert found and all(one.startswith("2. ") for one in found)
    assert any("claims.nc, estimate" in one for one in found)


def test_a_part_that_nothing_computes_is_told(copy, row):
    path = copy / "claims.md"
    path.write_text(path.read_text().replace(row.name, "another part"))
    found = claims_from_metrics.differences(copy)
    assert f"{row.claim}. another part: no function computes: another part" in found
