"""The real workflow on a tiny study, as a user runs it."""

import json
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from browser import check_report, chromium
from conftest import ROOT
from rote.files import netcdf
from rote.study import plan

TINY = {
    "seed": 0,
    "dataset": "digits",
    "image_size": 7,
    "train_examples": 50,
    "validation_examples": 50,
    "validation_from": "train",
    "scaling": "unit",
}
TRAINING = {
    "epochs": 2,
    "batch_size": 25,
    "learning_rate": 0.1,
    "halve_every": None,
    "momentum": 0,
    "weight_decay": 0,
    "evaluate_every": 1,
}
REGULARIZERS = {
    "dropout": [0.5],
    "input_dropout": [0.5],
    "input_noise": [0.5],
    "hidden_noise": [0.5],
    "weight_decay": [0.01],
    "adversarial": [0.5],
    "adversarial_dropout": [[0.5, 0.5]],
}
TO_THRESHOLD = {key: value for key, value in TRAINING.items() if key != "evaluate_every"}
TO_THRESHOLD |= {"epochs": 20, "threshold": 0.3}


class Study:
    """A folder with a tiny study, run by the real Snakefile."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.config = {
            "device": "cpu",
            "presets": {
                "demo": {
                    "capacity": {
                        "data": TINY,
                        "noise_kinds": ["randX", "randY"],
                        "noise_levels": [0, 0.5],
                        "seeds": 2,
                        "model": {"hidden_layers": 2, "hidden_units": [4, 8]},
                        "training": dict(TRAINING),
                    },
                    "convergence": {
                        "data": TINY | {"train_examples": [25, 50], "validation_examples": 0},
                        "noise_levels": [0, 1.0],
                        "seeds": 2,
                        "model": {"hidden_layers": 2, "hidden_units": 4},
                        "capacity_units": [8],
                        "training": TO_THRESHOLD,
                    },
                    "difficulty": {
                        "data": TINY | {"validation_examples": 0},
                        "noise_kinds": ["randX", "randY"],
                        "noise_level": 1.0,
                        "experiments": 3,
                        "model": {"hidden_layers": 2, "hidden_units": 4},
                        "training": dict(TRAINING) | {"epochs": 1},
                    },
                    "regularization": {
                        "data": TINY,
                        "seeds": 2,
                        "mlp": {"hidden_layers": 2, "hidden_units": 7},
                        "training": dict(TRAINING),
                        "strengths": REGULARIZERS,
                        "selected": {name: values[0] for name, values in REGULARIZERS.items()},
                        "adversarial_examples": {"max_iterations": 1},
                    },
                    "complexity": {
                        "noise_kinds": ["randX", "randY"],
                        "noise_levels": [0, 1.0],
                        "seeds": 2,
                        "critical_samples": {"max_iterations": 2, "examples": 20},
                        "cases": {
                            "digits_mlp": {
                                "data": TINY,
                                "mlp": {"hidden_layers": 2, "hidden_units": 5},
                                "training": dict(TRAINING),
                                "critical_epochs": [1, 2],
                            },
                            "digits_cnn": {
                                "data": TINY | {"image_size": 28},
                                "cnn": {"maps": 2, "dense": [4], "crop": 0},
                                "training": dict(TRAINING),
                                "critical_epochs": [2],
                            },
                        },
                    },
                    "sensitivity": {
                        "data": TINY | {"validation_examples": 0},
                        "seeds": 2,
                        "model": {"hidden_layers": 2, "hidden_units": 4},
                        "labellings": {
                            "class": {"epochs": 2, "batch_size": 25, "learning_rate": 0.1},
                            "unique": {"epochs": 2, "batch_size": 25, "learning_rate": 0.1},
                        },
                        "evaluations": 2,
                        "class_evaluations": 1,
                    },
                }
            },
        }

        self.config = deepcopy(self.config)  # tests change it in place

    def snakemake(self, *arguments: str, fails: bool = False) -> str:
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(self.config))
        command = [sys.executable, "-m", "snakemake", *arguments, "--snakefile", ROOT / "Snakefile"]
        options = ["--directory", self.folder, "--configfile", "tiny.yaml"]
        ran = subprocess.run(
            [*command, *options],
            cwd=self.folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        assert (ran.returncode != 0) == fails, ran.stderr + ran.stdout
        return ran.stderr + ran.stdout

    def members(self) -> set[Path]:
        files = (self.folder / "results" / "store").rglob("*.nc")
        return {path for path in files if ".epoch-" not in path.name}

    def new_members(self, *arguments: str) -> int:
        """Run, and return how many members were trained; those there before must still be there."""
        before = {path: path.stat().st_mtime_ns for path in self.members()}
        self.snakemake(*arguments)
        assert before == {path: path.stat().st_mtime_ns for path in before}
        return len(self.members()) - len(before)

    def finished(self) -> bool:
        return "Nothing to be done" in self.snakemake("-n", "figures")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return Study(tmp_path_factory.mktemp("study"))


CAPACITY = 2 * (2 + 2 * 2)  # widths × (real + kinds × seeds)
CONVERGENCE = 3 * 2 * 2  # (sizes and another width) × (real + a level) × seeds
DIFFICULTY = 3 * 3
SENSITIVITY = 2 * 3 * 2  # labellings × conditions × seeds
REGULARIZATION = 8 * 2 * 2  # none and regularisers × (real, randY) × seeds
COMPLEXITY = 2 * 2 * 3 * 2  # cases × (members and their searches) × (real + kinds) × seeds


# The tests below tell one story, in this order: each goes on from the study that the last one left.


def test_one_figure_computes_what_it_needs_and_no_more(study):
    assert study.new_members("fig1") == CAPACITY
    results = study.folder / "results" / "demo"
    assert (results / "figures" / "fig1.png").exists()
    assert (results / "figures" / "fig1.pdf").exists()
    assert not (results / "runs" / "difficulty").exists()


def test_figures_draws_the_rest(study):
    assert study.new_members("fig3_3") == SENSITIVITY / 2
    assert study.new_members("fig4_1", "filters") == COMPLEXITY / 2
    assert study.new_members("figures") == (
        CONVERGENCE + DIFFICULTY + SENSITIVITY / 2 + COMPLEXITY / 2 + REGULARIZATION
    )
    results = study.folder / "results" / "demo"
    for figure in plan.EXPERIMENT_OF_FIGURE:
        assert (results / "figures" / f"{figure}.pdf").exists()
    times = netcdf.read(results / "metrics" / "fig2.nc")
    assert times["normalized_time"].sizes == {"noise_level": 2, "dataset_size": 2, "seed": 2}
    assert times["hidden_units"].values.tolist() == [4, 8]
    assert times["epochs_to_convergence"].notnull().all()
    rates = netcdf.read(results / "metrics" / "fig3_1.nc")["misclassification_rate"]
    assert rates.sizes == {"condition": 3, "example": 50}
    metrics = netcdf.read(results / "metrics" / "fig1.nc")
    assert metrics["validation_accuracy"].sizes == {
        "noise_kind": 2,
        "noise_level": 2,
        "hidden_units": 2,
        "seed": 2,
    }
    assert metrics["validation_accuracy"].notnull().all()
    assert list((results / "logs").rglob("*.log"))


def test_claims_are_tested_once(study):
    study.snakemake("claims", "gallery")
    results = study.folder / "results" / "demo"
    claims = netcdf.read(results / "claims.nc")
    assert claims.sizes["conclusion"] == 5
    # Two seeds are too few for any verdict; examples are enough for theirs.
    of_seeds = claims.sel(test=claims["figure"] != "fig3_1")
    assert set(of_seeds["verdict"].values) == {"inconclusive"}
    assert "2 of 2 seeds" in claims["reason"].sel(test="gini_class").item()
    page = (results / "claims.md").read_text()
    assert all(text in page for text in claims["claim_text"].values)
    assert "Nothing to be done" in study.snakemake("-n", "claims", "gallery")


def test_gallery_shows_every_figure_and_verdict(study):
    results = study.folder / "results" / "demo"
    page = (results / "gallery.md").read_text()
    claims = netcdf.read(results / "claims.nc")
    for figure in plan.EXPERIMENT_OF_FIGURE:
        assert f"(figures/{figure}.png)" in page
        assert (results / "figures" / f"{figure}.png").exists()
        assert f"Numbers: results/demo/metrics/{figure}.nc" in page
    assert page.count("criterion: ") == claims.sizes["test"]


def test_the_example_of_a_figure_of_ones_own_runs(study):
    drawn = study.folder / "mine.png"
    command = [sys.executable, ROOT / "docs" / "own_figure.py", "results/demo", drawn]
    ran = subprocess.run(command, cwd=study.folder, capture_output=True, text=True, check=True)
    assert "real: Spearman correlation" in ran.stdout
    assert "50 examples" in ran.stdout
    assert drawn.stat().st_size > 10_000


def test_another_criterion_tests_again_and_computes_nothing_else(study):
    study.config["claims"] = {"minimum_seeds": 2}
    before = (study.folder / "results" / "demo" / "metrics" / "fig3_2.nc").stat().st_mtime_ns
    assert study.new_members("claims") == 0
    claims = netcdf.read(study.folder / "results" / "demo" / "claims.nc")
    assert claims["estimate"].sel(test="gini_class").notnull()
    after = (study.folder / "results" / "demo" / "metrics" / "fig3_2.nc").stat().st_mtime_ns
    assert after == before


def test_the_report_opens_in_a_browser(study):
    study.snakemake("study")
    study.snakemake("study", "--report", "report.html")
    with chromium(study.folder / "report.html") as page:
        check_report(page)


def test_a_finished_study_has_nothing_to_do(study):
    assert study.finished()


def test_touching_files_runs_nothing(study):
    for path in [*study.folder.rglob("results/demo/**/*.nc"), *study.folder.rglob("data/*.nc")]:
        path.touch()
    for path in ROOT.rglob("workflow_scripts/*.py"):
        path.touch()
    assert study.finished()


def test_a_new_level_trains_exactly_its_members(study):
    study.config["presets"]["demo"]["capacity"]["noise_levels"] = [0, 0.25, 0.5]
    assert study.new_members("figures") == 2 * 2 * 2  # widths × kinds × seeds
    metrics = netcdf.read(study.folder / "results" / "demo" / "metrics" / "fig1.nc")
    assert metrics["noise_level"].values.tolist() == [0, 0.25, 0.5]
    assert metrics["validation_accuracy"].notnull().all()
    assert study.finished()


def test_a_new_seed_trains_exactly_its_members(study):
    study.config["presets"]["demo"]["capacity"]["seeds"] = 3
    assert study.new_members("figures") == 2 * (1 + 2 * 2)  # widths × (real + kinds × levels)
    assert study.finished()


def test_a_new_size_trains_one_run(study):
    study.config["presets"]["demo"]["convergence"]["data"]["train_examples"] = [25, 50, 40]
    assert study.new_members("figures") == CONVERGENCE / 3
    assert study.finished()


def test_another_threshold_trains_only_convergence(study):
    study.config["presets"]["demo"]["convergence"]["training"]["threshold"] = 0.4
    assert study.new_members("figures") == CONVERGENCE / 3 * 4
    assert study.finished()


def test_a_new_width_trains_one_run(study):
    study.config["presets"]["demo"]["capacity"]["model"]["hidden_units"] = [4, 8, 6]
    assert study.new_members("figures") == 3 * (1 + 2 * 2)
    assert study.finished()


def test_a_learning_rate_retrains_what_it_touches_and_only_that(study):
    fig1 = study.folder / "results" / "demo" / "figures" / "fig1.png"
    before = fig1.stat().st_mtime_ns
    study.config["presets"]["demo"]["difficulty"]["training"]["learning_rate"] = 0.2
    assert study.new_members("figures") == DIFFICULTY
    assert fig1.stat().st_mtime_ns == before
    assert study.finished()


def test_a_labelling_is_measured_again_by_itself(study):
    study.config["presets"]["demo"]["sensitivity"]["labellings"]["unique"]["epochs"] = 3
    assert study.new_members("figures") == SENSITIVITY / 2
    assert study.finished()


def test_another_radius_searches_again_and_trains_nothing(study):
    parameters = {path: path.stat().st_mtime_ns for path in study.folder.rglob("*.epoch-*.nc")}
    study.config["presets"]["demo"]["complexity"]["critical_samples"]["radius"] = 3.0
    assert study.new_members("figures") == COMPLEXITY / 2
    assert parameters == {path: path.stat().st_mtime_ns for path in parameters}
    assert study.finished()


def test_going_back_finds_the_old_members(study):
    study.config["presets"]["demo"]["difficulty"]["training"]["learning_rate"] = 0.1
    study.config["presets"]["demo"]["sensitivity"]["labellings"]["unique"]["epochs"] = 2
    assert study.new_members("figures") == 0
    assert study.finished()


def test_a_deleted_store_is_no_harm(study):
    for path in study.members():
        path.unlink()
    assert study.finished()


def test_a_figure_is_drawn_again_from_its_metrics_alone(study):
    results = study.folder / "results" / "demo"
    figure = results / "figures" / "fig1.png"
    pixels = figure.read_bytes()
    figure.unlink()
    study.snakemake("fig1")
    assert figure.read_bytes() == pixels


def test_a_mistake_in_the_config_is_one_line_and_runs_nothing(study):
    printed = study.snakemake("figures", "--config", "preset=postre", fails=True)
    assert "Error: config: preset names the preset postre" in printed
    assert "did you mean poster?" in printed
    assert "Traceback" not in printed


def test_what_cannot_be_made_is_said_in_one_sentence(tmp_path):
    study = Study(tmp_path)
    study.config["presets"]["demo"]["complexity"]["noise_kinds"] = ["randX"]
    unseen = "Error: config: filters shows randY: add it to complexity.noise_kinds."
    for target, sentence in (
        ("filters", unseen),
        ("results/demo/figures/filters.png", unseen),
        ("results/demo/metrics/filters.nc", unseen),
        (
            "results/demo/runs/capacity/units-5.nc",
            "Error: capacity has no run units-5: choose one of units-4, units-8.",
        ),
    ):
        printed = study.snakemake("-n", target, fails=True)
        assert sentence in printed
        assert "Traceback" not in printed
    assert "filters" not in study.snakemake("-n", "figures", "--quiet", "host")


def test_a_cnn_in_bf16_is_refused_before_anything_runs_but_no_mlp(tmp_path):
    study = Study(tmp_path)
    study.config = {"precision": "bf16"}
    for target in ("figures", "fig4_1"):
        printed = study.snakemake("-n", target, fails=True)
        assert "Error: config: presets.demo.complexity: A CNN cannot be trained in bf16" in printed
        assert "Traceback" not in printed
    study.snakemake("-n", "fig1", "fig5_1")


def test_the_last_case_is_that_of_the_shipped_configuration_and_then_a_new_one(tmp_path):
    """Whatever the order of keys in a file that changes some of them."""
    study = Study(tmp_path)
    another = study.config["presets"]["demo"]["complexity"]["cases"]["digits_cnn"]
    another["data"] = another["data"] | {"validation_examples": 400}
    cases = {"digits_cnn": {}}
    study.config = {"presets": {"demo": {"complexity": {"cases": cases}}}}
    assert "runs/complexity/digits_cnn.nc" in study.snakemake("-n", "filters", "--quiet", "host")
    cases["another"] = another
    assert "runs/complexity/another.nc" in study.snakemake("-n", "filters", "--quiet", "host")


def test_the_poster_preset_resolves(tmp_path):
    study = Study(tmp_path)
    study.config = {}
    printed = study.snakemake("-n", "figures", "--config", "preset=poster", "--quiet", "host")
    for rule in ("fetch_dataset", "train_ensemble", "plot_figure"):
        assert rule in printed
    for output in (
        "data/mnist.nc",
        "data/cifar10.nc",
        "units-4096.nc",
        "units-8192.nc",
        "fig3_1.pdf",
        "runs/convergence/examples-50000.nc",
        "runs/convergence/units-8192.nc",
        "runs/sensitivity/unique.nc",
        "runs/complexity/cifar10_cnn.nc",
        "fig3_3.pdf",
        "runs/regularization/adversarial_dropout.nc",
    ):
        assert output in printed


def test_a_user_error_in_a_job_is_one_sentence(tmp_path):
    study = Study(tmp_path)
    study.config["datasets"] = {"pets": {"title": "Pets", "source": "folder", "path": "pets"}}
    study.config["presets"]["demo"]["capacity"]["data"] = TINY | {"dataset": "pets"}
    printed = study.snakemake("fig1", fails=True)
    assert "Error: pets/train is missing: a folder of images holds train/<class>/" in printed
    assert "Traceback" not in printed


def test_a_folder_of_ones_own_images(tmp_path):
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            folder = tmp_path / "pets" / part / name
            folder.mkdir(parents=True)
            for i in range(30):
                Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(
                    folder / f"{i}.png"
                )
    study = Study(tmp_path)
    study.config["datasets"] = {"pets": {"title": "Pets", "source": "folder", "path": "pets"}}
    data = TINY | {"dataset": "pets", "image_size": 8, "validation_from": "test"}
    study.config["presets"]["demo"]["capacity"]["data"] = data
    study.snakemake("fig1")
    metrics = netcdf.read(tmp_path / "results" / "demo" / "metrics" / "fig1.nc")
    assert metrics.attrs["dataset"] == "Pets"
    assert json.loads(metrics.attrs["settings"])["runs"][0]["data"]["validation_from"] == "test"
