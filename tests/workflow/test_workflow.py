"""The real workflow on a tiny study, as a user runs it; each test goes on from a finished study."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml

import stores
from browser import check_page, check_report, chromium
from conftest import ROOT, figures_of_demo
from rote.claims import tables
from rote.claims.verdicts import CORE
from rote.files import netcdf
from tiny_study import TINY, Study, copied_checkout

pytestmark = pytest.mark.slow

CAPACITY = 2 * (2 + 2 * 2)  # widths × (real + kinds × seeds)
CONVERGENCE = 3 * 2 * 2  # (sizes and another width) × (real + a level) × seeds
DIFFICULTY = 3 * 2 * 3  # (real + kinds) × seeds × experiments
SENSITIVITY = 2 * 3 * 2  # labellings × conditions × seeds
REGULARIZATION = 8 * 2 * 2  # none and regularisers × (real, randY) × seeds
MEMORIZATION = 2 * 2 * (4 + 2)  # (real + a level) × seeds × (models, and one twice for proxies)
COMPLEXITY = 2 * 2 * 3 * 2  # cases × (members and their searches) × (real + kinds) × seeds


def test_figures_compute_what_they_need_and_no_more(tmp_path):
    study = Study(tmp_path)
    assert study.new_members("fig1") == CAPACITY
    assert (study.results / "figures" / "fig1.png").exists()
    assert (study.results / "figures" / "fig1.pdf").exists()
    assert not (study.results / "runs" / "difficulty").exists()
    assert study.new_members("fig3_3", "filters") == SENSITIVITY / 2 + COMPLEXITY / 2
    assert not (study.results / "claims.nc").exists()


def test_a_finished_study_holds_every_figure_and_has_nothing_to_do(finished):
    of_poster = CAPACITY + CONVERGENCE + DIFFICULTY + SENSITIVITY + REGULARIZATION + COMPLEXITY
    assert len(finished.members()) == of_poster + MEMORIZATION
    results = finished.results
    for figure in figures_of_demo():
        for kind in ("png", "pdf", "txt"):
            assert (results / "figures" / f"{figure}.{kind}").exists()
    times = netcdf.read(results / "metrics" / "fig2.nc")
    assert times["normalized_time"].sizes == {
        "learning_rate": 1,
        "noise_level": 2,
        "dataset_size": 2,
        "seed": 2,
    }
    assert times["hidden_units"].values.tolist() == [4, 8]
    assert times["epochs_to_convergence"].notnull().all()
    rates = netcdf.read(results / "metrics" / "fig3_1.nc")["misclassification_rate"]
    assert rates.sizes == {"condition": 3, "learning_rate": 1, "example": 50, "seed": 2}
    metrics = netcdf.read(results / "metrics" / "fig1.nc")
    assert metrics["validation_accuracy"].sizes == {
        "learning_rate": 1,
        "noise_kind": 2,
        "noise_level": 2,
        "hidden_units": 2,
        "seed": 2,
    }
    assert metrics["validation_accuracy"].notnull().all()
    assert list((results / "logs").rglob("*.log"))
    assert finished.finished("study")


def test_claims_say_what_they_cannot_tell(finished):
    claims = netcdf.read(finished.results / "claims.nc")
    assert claims["claim_stated_by"].values.tolist() == ["poster"] * 5 + ["rote"]
    # Two seeds are too few for any verdict; examples are enough for theirs.
    of_seeds = claims.sel(test=claims["figure"] != "fig3_1")
    assert set(of_seeds["verdict"].values) == {"inconclusive", "not tested"}
    lacking = of_seeds["reason"].values[of_seeds["verdict"] == "not tested"]
    assert all(" has no " in why or " at fewer than " in why for why in lacking)
    assert "2 of 2 seeds" in claims["reason"].sel(test="gini_class").item()
    page = (finished.results / "claims.md").read_text()
    assert all(text in page for text in claims["claim_text"].values)


def test_gallery_shows_every_figure_and_verdict(finished):
    page = (finished.results / "gallery.md").read_text()
    claims = netcdf.read(finished.results / "claims.nc")
    for figure in figures_of_demo():
        assert f"(figures/{figure}.png)" in page
        assert f"Numbers: results/demo/metrics/{figure}.nc" in page
    assert page.count("criterion: ") == claims.sizes["test"]


def test_the_report_has_every_verdict_and_every_figure_of_a_core_part(finished):
    page = (finished.results / "paper.md").read_text()
    claims = netcdf.read(finished.results / "claims.nc")
    for claim in tables.conclusions(claims):
        assert f"{claim['text']} **{claim['decided'].capitalize()}**" in page
    core = claims["figure"].values[np.isin(claims["stated_by"].values, CORE)]
    assert {*re.findall(r"\(figures/(\w+)\.png\)", page)} == {*core}
    assert "Two replicates share 1 % of the training examples." in page


def test_the_example_of_a_figure_of_ones_own_runs(finished, tmp_path):
    drawn = tmp_path / "mine.png"
    command = [sys.executable, ROOT / "docs" / "own_figure.py", "results/demo", drawn]
    ran = subprocess.run(command, cwd=finished.folder, capture_output=True, text=True, check=True)
    assert "real: Spearman correlation" in ran.stdout
    assert "100 examples" in ran.stdout
    assert drawn.stat().st_size > 10_000


def test_the_page_of_a_study_is_readable_in_a_browser(finished):
    with chromium(finished.results / "index.html") as page:
        check_page(page, finished.results, 400)
    assert "data:image/png" in (finished.results / "report.html").read_text()


def test_a_step_is_a_line_and_the_verdicts_come_last(study):
    (study.results / "metrics" / "fig1.nc").unlink()
    (study.results / "figures" / "fig1.png").unlink()
    printed = study.snakemake("figures", "claims")
    assert "] Figure 1: collecting its numbers\n" in printed
    assert "Figure 1: drawn, results/demo/figures/fig1.png" in printed
    assert "rule plot_figure" not in printed
    assert "The study demo is finished in " in printed
    assert "Open  results/demo/index.html" in printed.splitlines()[-2]
    assert "rule plot_figure" in study.snakemake(
        "fig1", "--forcerun", "plot_figure", "--quiet", "host"
    )


def test_another_criterion_tests_again_and_computes_nothing_else(study):
    study.config["claims"] = {"minimum_seeds": 2}
    before = (study.results / "metrics" / "fig3_2.nc").stat().st_mtime_ns
    assert study.new_members("claims") == 0
    claims = netcdf.read(study.results / "claims.nc")
    assert claims["estimate"].sel(test="gini_class").notnull()
    assert (study.results / "metrics" / "fig3_2.nc").stat().st_mtime_ns == before


def test_the_report_opens_in_a_browser(study):
    study.snakemake("study", "--report", "report.html")
    with chromium(study.folder / "report.html") as page:
        check_report(page)


def test_touching_files_runs_nothing(study, tmp_path_factory):
    for path in [*study.folder.rglob("results/demo/**/*.nc"), *study.folder.rglob("data/*.nc")]:
        path.touch()
    # Of a checkout of its own: tests of other profiles look at the times of the code.
    checkout = copied_checkout(tmp_path_factory.mktemp("checkout"))
    study.snakefile = checkout / "Snakefile"
    for path in checkout.rglob("workflow_scripts/*.py"):
        path.touch()
    assert study.finished()


def change(config: dict, place: str, value: object) -> None:
    *way, last = place.split(".")
    for key in way:
        config = config[key]
    config[last] = value


@pytest.mark.parametrize(
    ("place", "value", "new"),
    [
        ("capacity.noise_levels", [0, 0.24, 0.5], 2 * 2 * 2),  # widths × kinds × seeds
        ("capacity.seeds", 3, 2 * (1 + 2)),  # widths × (real + kinds)
        ("capacity.first_seed", 1, 2 * (1 + 2)),  # those of seed 1 are there
        ("capacity.vary", ["order"], 2 * (1 + 2)),  # and here those of seed 0
        ("capacity.vary", ["data", "initialization", "order"], 2 * 2),  # real data has no noise
        ("capacity.model.hidden_units", [4, 8, 6], 2 + 2 * 2),
        ("capacity.training.learning_rate", [0.2, 0.1], CAPACITY),
        ("difficulty.model.hidden_units", [4, 3], DIFFICULTY),
        ("convergence.data.train_examples", [25, 50, 40], CONVERGENCE / 3),
        ("convergence.training.threshold", 0.4, CONVERGENCE),
        ("sensitivity.labellings.unique.epochs", 3, SENSITIVITY / 2),
    ],
)
def test_a_change_trains_exactly_the_members_that_it_touches(study, place, value, new):
    figures = {"capacity": "fig1", "convergence": "fig2", "difficulty": "fig3_1"}
    touched = figures.get(place.partition(".")[0], "fig3_2")
    other = study.results / "figures" / "fig5_1.png"
    before = other.stat().st_mtime_ns
    change(study.config["presets"]["demo"], place, value)
    assert study.new_members("figures") == new
    assert other.stat().st_mtime_ns == before
    assert study.finished()
    metrics = netcdf.read(study.results / "metrics" / f"{touched}.nc")
    if place == "capacity.noise_levels":
        assert metrics["noise_level"].values.tolist() == value
        assert metrics["validation_accuracy"].notnull().all()


@pytest.mark.parametrize("radius", [3.0, [0.3, 3.0]])  # in place of 0.3, or beside it
def test_another_radius_searches_that_one_and_trains_nothing(study, radius):
    parameters = stores.parameters(study.store)
    study.config["presets"]["demo"]["complexity"]["critical_samples"]["radius"] = radius
    assert study.new_members("figures") == COMPLEXITY / 2
    assert parameters == stores.parameters(study.store)
    assert study.finished()


def test_going_back_finds_the_old_members(study):
    training = study.config["presets"]["demo"]["difficulty"]["training"]
    training["learning_rate"] = 0.2
    assert study.new_members("fig3_1") == DIFFICULTY
    training["learning_rate"] = 0.1
    assert study.new_members("fig3_1") == 0
    assert study.finished("fig3_1")


def test_a_deleted_store_is_no_harm(study):
    shutil.rmtree(study.store)
    assert study.finished()


@pytest.mark.parametrize(
    ("target", "missing"),
    [("fig3_2", "metrics/fig3_2.nc"), ("figures", "runs/sensitivity/unique.nc")],
)
def test_what_is_missing_of_a_figures_files_is_made_again(study, target, missing):
    path = study.results / missing
    content = netcdf.read(path)
    path.unlink()
    assert study.new_members(target) == 0
    assert netcdf.read(path).identical(content)
    assert study.finished(target)


def test_where_it_is_computed_is_no_reason_to_compute_it_again(study):
    study.config |= {"device": "auto", "checkpoint_seconds": 17, "reuse": False}
    assert study.finished("figures", "results/demo/claims.nc")
    assert study.new_members("claims") == 0  # the page shows how it is computed


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_insisted_on_must_be_there_even_if_the_store_has_everything(study):
    (study.results / "runs" / "capacity" / "units-4.nc").unlink()
    study.config["device"] = "cuda"
    printed = study.snakemake("fig1", fails=True)
    assert "Error: device is cuda, but torch finds no CUDA device" in printed
    assert "Traceback" not in printed


def test_without_reuse_models_are_trained_again(study):
    study.config["reuse"] = False
    run = study.results / "runs" / "difficulty" / "units-4.nc"
    content = netcdf.read(run)
    run.unlink()
    assert study.new_members("fig3_1") == DIFFICULTY
    assert netcdf.read(run).identical(content)


def test_a_figure_is_drawn_again_from_its_metrics_alone(study):
    figure = study.results / "figures" / "fig1.png"
    pixels = figure.read_bytes()
    figure.unlink()
    (study.results / "runs" / "capacity" / "units-4.nc").touch()
    assert study.new_members("fig1") == 0
    assert figure.read_bytes() == pixels


def test_a_mistake_in_the_config_is_one_line_and_runs_nothing(tmp_path):
    study = Study(tmp_path)
    printed = study.snakemake("figures", "--config", "preset=postre", fails=True)
    assert "Error: config: preset names the preset postre" in printed
    assert "did you mean poster?" in printed
    assert "Traceback" not in printed


def test_what_cannot_be_made_is_said_in_one_sentence(tmp_path):
    study = Study(tmp_path)
    study.config["presets"]["demo"]["complexity"]["noise_kinds"] = ["randX"]
    unseen = "Error: config: presets.demo: filters shows randY: add it to complexity.noise_kinds."
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


def test_the_last_case_is_that_of_the_shipped_configuration_and_then_a_new_one(tmp_path):
    """Whatever the order of keys in a file that changes some of them."""
    study = Study(tmp_path)
    another = study.config["presets"]["demo"]["complexity"]["cases"]["digits_cnn"]
    another["data"] = another["data"] | {"train_examples": 200, "validation_examples": 400}
    cases = {"digits_cnn": {}}
    study.config = {"presets": {"demo": {"complexity": {"cases": cases}}}}
    assert "runs/complexity/digits_cnn.nc" in study.snakemake("-n", "filters", "--quiet", "host")
    cases["another"] = another
    assert "runs/complexity/another.nc" in study.snakemake("-n", "filters", "--quiet", "host")


def test_the_poster_preset_resolves(tmp_path):
    study = Study(tmp_path)
    study.config = {}
    printed = study.snakemake("-n", "figures", "--config", "preset=poster", "--quiet", "host")
    for rule in ("fetch_dataset", "compute_run", "plot_figure"):
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


def test_what_failed_comes_last(study):
    data = study.folder / "data" / "digits.nc"
    content = bytearray(data.read_bytes())
    content[5000] ^= 1
    data.write_bytes(content)
    (study.results / "datasets" / "capacity.nc").unlink()
    *_, step, last = study.snakemake("fig1", "--quiet", "host", fails=True).splitlines()
    assert step == "Figure 1: drawing noise for 50 examples of MNIST digits"
    assert last.startswith("Error: data/digits.nc is damaged (")
    assert last.endswith("run the same command again, which makes it anew.")


def test_a_target_that_does_not_exist_is_named_with_the_closest(tmp_path):
    for options in ((), ("-n",), ("--quiet", "host")):
        printed = Study(tmp_path).snakemake("fgi1", *options, fails=True)
        assert (
            "Error: nothing is called fgi1: did you mean fig1? The targets are figures" in printed
        )
        assert "MissingRuleException" not in printed


def pets(tmp_path, side: int) -> Study:
    """Return a study with a folder of colour images of this many rows and columns."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            folder = tmp_path / "pets" / part / name
            folder.mkdir(parents=True)
            for i in range(30):
                path = folder / f"{i}.png"
                Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)
                os.utime(path, (4e9, 4e9))  # in the future: nobody minds
    study = Study(tmp_path)
    study.config["datasets"] = {"pets": {"title": "Pets", "source": "folder", "path": "pets"}}
    return study


def test_colour_images_are_cropped_and_scaled_by_channel_or_by_image(tmp_path):
    study = pets(tmp_path, 32)
    data = TINY | {"dataset": "pets", "image_size": 32, "crop": 2, "validation_from": "test"}
    experiments = study.config["presets"]["demo"]
    cases = experiments["complexity"]["cases"]
    cases["digits_mlp"]["data"] = data | {"scaling": "per_image"}
    cases["digits_cnn"]["data"] = data | {"scaling": "per_channel"}
    regularization = experiments["regularization"]
    regularization["data"] = data | {"scaling": "per_image"}
    others = regularization["strengths"].keys() - {"adversarial"}
    regularization["strengths"] |= dict.fromkeys(others)
    regularization["selected"] |= dict.fromkeys(others)
    study.snakemake("fig4_2", "fig5_1")
    results = tmp_path / "results" / "demo"
    metrics = netcdf.read(results / "metrics" / "fig4_2.nc")
    assert metrics["image_size"].values.tolist() == ["28×28", "28×28"]
    assert metrics["critical_sample_ratio"].notnull().any()
    for experiment in ("complexity/digits_mlp", "complexity/digits_cnn", "regularization"):
        noised = netcdf.read(results / "datasets" / f"{experiment}.nc")
        assert noised["image"].shape[1:] == (3, 28, 28)
        # By the whole training part, of which some are drawn; or each image by itself.
        assert abs(noised["image"].mean()) < (0.05 if "cnn" in experiment else 1e-5)
    assert study.finished("fig4_2", "fig5_1")


def test_a_folder_of_ones_own_images(tmp_path):
    study = pets(tmp_path, 8)
    data = TINY | {"dataset": "pets", "image_size": 8, "validation_from": "test"}
    study.config["presets"]["demo"]["capacity"]["data"] = data
    study.snakemake("fig1")
    metrics = netcdf.read(tmp_path / "results" / "demo" / "metrics" / "fig1.nc")
    assert metrics.attrs["dataset"] == "Pets"
    assert yaml.safe_load(metrics.attrs["settings"])["data"]["validation_from"] == "test"
