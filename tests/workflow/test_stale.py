"""No file passes for what was asked for that is not: by settings, by code, or from elsewhere."""

import shutil
from pathlib import Path

import pytest

from rote.files import netcdf
from tiny_study import Study, copied_checkout

pytestmark = pytest.mark.slow


def forget(study: Study) -> None:
    """Delete all that Snakemake knows of the study, as people are often told to do."""
    shutil.rmtree(study.folder / ".snakemake")


def test_without_snakemakes_notes_a_finished_study_is_finished(study):
    forget(study)
    assert study.finished("study")


def test_without_snakemakes_notes_another_setting_is_seen(study):
    forget(study)
    difficulty = study.config["presets"]["demo"]["difficulty"]
    difficulty["training"]["learning_rate"] = 0.3
    printed = study.snakemake("-n", "fig3_1")
    made = "results/demo/runs/difficulty/units-4.nc was made by other settings or other code"
    assert made in printed
    assert study.finished("fig1")
    assert study.new_members("fig3_1") == 3 * 2 * 3  # conditions × seeds × experiments
    assert "0.3" in (study.results / "figures" / "fig3_1.txt").read_text()
    assert study.finished("fig3_1")
    # Back again, before it was made again: what is there is what is asked for.
    difficulty["training"]["learning_rate"] = 0.4
    study.snakemake("-n", "fig3_1")
    difficulty["training"]["learning_rate"] = 0.3
    assert study.finished("fig3_1")


def test_results_from_elsewhere_are_not_taken_for_the_studys(study, finished, tmp_path_factory):
    other = finished.copied(tmp_path_factory.mktemp("other"))
    other.config["presets"]["demo"]["difficulty"]["experiments"] = 2
    other.snakemake("fig3_1")
    metrics = Path("results/demo/metrics/fig3_1.nc")
    shutil.copy(other.folder / metrics, study.folder / metrics)
    study.snakemake("fig3_1")
    assert netcdf.read(study.folder / metrics).attrs["experiments"] == 3


@pytest.fixture
def checkout(tmp_path_factory) -> Path:
    """A copy of the workflow, to be edited."""
    return copied_checkout(tmp_path_factory.mktemp("checkout"))


def edit(checkout: Path, file: str, before: str, after: str) -> None:
    path = checkout / "workflow_scripts" / "rote" / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_edited_code_never_shows_old_numbers_and_words_cost_nothing(study, checkout):
    study.snakefile = checkout / "Snakefile"
    assert study.finished("figures")
    edit(checkout, "figures/fig3_1.py", "import xarray as xr\n", "import xarray as xr  # data\n")
    edit(checkout, "models/mlp.py", "\n    def step(", "\n    # An update.\n    def step(")
    assert study.finished("figures")
    figure, other = (study.results / "figures" / f"{name}.png" for name in ("fig3_1", "fig1"))
    pixels, untouched = figure.read_bytes(), other.stat().st_mtime_ns
    edit(checkout, "figures/fig3_1.py", "misclassification rate", "rate of errors")
    # The first words of a figure's module are its caption.
    edit(checkout, "figures/fig3_1.py", '"""Figure 3.1:', '"""Figure 3.1 anew:')
    assert study.new_members("figures") == 0
    assert (study.results / "figures" / "fig3_1.txt").read_text().startswith("Figure 3.1 anew:")
    assert figure.read_bytes() != pixels
    assert other.stat().st_mtime_ns == untouched
    run = study.results / "runs" / "difficulty" / "units-4.nc"
    before = netcdf.read(run)
    drawn = "            fill(stacks[2 * k], members, weight)\n"
    edit(checkout, "models/mlp.py", drawn, drawn.replace("weight", "weight / 10"))
    assert study.new_members("fig3_1") == 3 * 2 * 3  # conditions × seeds × experiments
    assert (netcdf.read(run)["train_loss"] != before["train_loss"]).all()
    assert (
        "The code that computes numbers was edited"
        in (study.results / "logs" / "compute_run" / "difficulty" / "units-4.log").read_text()
    )
