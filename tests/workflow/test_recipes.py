"""Every recipe of docs/recipes.md is run as it stands there, at sizes that take seconds."""

import os
import re
import shlex
import subprocess
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import yaml
from PIL import Image

import preloaded
from conftest import ROOT
from rote.data import published
from rote.files import netcdf
from rote.study import configuration
from tiny_study import Study

PAGE = (ROOT / "docs" / "recipes.md").read_text()
RECIPES = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.M | re.S)
TESTED: set[str] = set()


def recipe(question: str) -> Callable:
    """Mark a test as that of a recipe."""
    TESTED.add(question)
    return pytest.mark.slow


class Kitchen:
    """A folder like that of rote, in which the demo's Figure 3.1 is drawn, at a tiny size."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("docs", "profiles"):
            (folder / name).symlink_to(ROOT / name)
        study = Study(folder)
        defaults = {"seeds": 2, "difficulty": {"experiments": 3}}  # of presets like no other
        small = {**study.config, "defaults": defaults}
        (folder / "small.yaml").write_text(yaml.safe_dump(small))
        self.store, self.results = study.store, folder / "results" / "mine"
        self.members = study.members

    def snakemake(self, command: str, *more: str) -> str:
        """Run a command of the page at the tiny size, and return what it printed."""
        program, *words = shlex.split(command)
        assert program == "snakemake"
        files, at = [], len(words)
        if "--configfile" in words:
            at = words.index("--configfile") + 1
            files = [*takewhile(lambda word: not word.startswith("-"), words[at:])]
            self.configuration(*files)  # at its full size it is right, too
        else:
            words.append("--configfile")
            at += 1
        words.insert(at + len(files), "small.yaml")
        start = [preloaded.python(), "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
        ran = subprocess.run(
            [*start, *words, *more],
            cwd=self.folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr + ran.stdout
        return ran.stderr + ran.stdout

    def write(self, question: str) -> list[str]:
        """Write the configurations of a recipe, each into the last file of its command.

        Returns:
            The commands.
        """
        commands = []
        for language, block in BLOCK.findall(RECIPES[question]):
            if language == "yaml":
                commands.append(block.partition("\n")[0].removeprefix("# "))
                files = shlex.split(commands[-1].partition(" --configfile ")[2])
                (self.folder / files[-1]).write_text(block)
        return commands

    def configuration(self, *files: str) -> dict:
        """Return the configuration of some files at its full size, which is right."""
        return configuration.load(ROOT / "config.yaml", [self.folder / name for name in files])

    def follow(self, question: str) -> dict:
        """Do what a recipe says, in its order, and return the names that its Python defines."""
        commands, names = iter(self.write(question)), {}
        for language, block in BLOCK.findall(RECIPES[question]):
            if language == "yaml":
                self.snakemake(next(commands))
            else:
                exec(compile(block, question, "exec"), names)
        return names

    def caption(self, figure: str) -> str:
        """Return the caption of a figure of the preset ``mine``, which is there."""
        assert (self.results / "figures" / f"{figure}.png").stat().st_size > 10_000
        return (self.results / "figures" / f"{figure}.txt").read_text()


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Kitchen:
    kitchen = Kitchen(tmp_path_factory.mktemp("kitchen"))
    first, _ = said("How do I draw one figure alone?")
    kitchen.snakemake(first)
    return kitchen


@pytest.fixture
def kitchen(demo, monkeypatch) -> Kitchen:
    matplotlib.use("agg")
    monkeypatch.chdir(demo.folder)
    return demo


def said(question: str) -> list[str]:
    """Return the commands that stand within the sentences of a recipe."""
    return re.findall(r"`(snakemake [^`]+)`", BLOCK.sub("", RECIPES[question]))


def test_the_page_is_short_and_each_recipe_is_tested():
    assert set(RECIPES) == TESTED
    assert len(PAGE.splitlines()) <= 150
    for question, text in RECIPES.items():
        assert question.startswith("How do I ") and question.endswith("?")
        assert re.search(r"\]\([\w/.-]+\.md", text), f"{question} leads to no longer page"
        for language, block in BLOCK.findall(text):
            assert language in ("yaml", "python")
            assert len(block.splitlines()) <= 13, question


@recipe("How do I draw one figure alone?")
def test_one_figure(kitchen):
    _, dry = said("How do I draw one figure alone?")
    assert "Nothing to be done" in kitchen.snakemake(dry)
    figures = kitchen.folder / "results" / "demo" / "figures"
    assert {path.name for path in figures.iterdir()} == {
        f"fig3_1.{kind}" for kind in ("png", "pdf", "txt")
    }


@recipe("How do I make a study of my own, with more replicates?")
def test_a_study_with_more_replicates(kitchen):
    question = "How do I make a study of my own, with more replicates?"
    before = kitchen.members()
    kitchen.follow(question)
    trained = kitchen.members() - before
    runs = kitchen.results / "runs"
    converged = [netcdf.read(path) for path in (runs / "convergence").glob("*.nc")]
    # Of 12 replicates of Figure 3.1 two are the demo's: of three conditions, three trainings each.
    assert len(trained) == 10 * 3 * 3 + sum(run.sizes["member"] for run in converged)
    for run in converged:
        for varied in ("initial_seed", "order_seed"):
            assert sorted({*run[varied].values}) == [*range(12)]
        assert not run["data_seed"].any() and not run["noise_seed"].any()
    assert "in each of 12 draws" in kitchen.caption("fig3_1")
    (everything,) = said(question)
    kitchen.snakemake(everything, "-n")
    own = kitchen.configuration("mine.yaml")["presets"]["mine"]
    sizes = {name: of["data"]["image_size"] for name, of in own.items()}
    assert sizes.pop("capacity") == 28
    assert {*sizes} == {
        *("convergence", "difficulty", "memorization", "sensitivity", "regularization")
    }
    assert {*sizes.values()} == {14}


@recipe("How do I use images that I have as arrays?")
def test_arrays(kitchen):
    images = kitchen.follow("How do I use images that I have as arrays?")["digits"].images
    read = netcdf.read(kitchen.folder / "data" / "mine.nc")
    np.testing.assert_array_equal(read["image"][:, 0], 15 * images)
    assert "Small digits, 8×8 pixels, 500 training examples" in kitchen.caption("fig3_1")


@recipe("How do I use a folder of images, or a published data set?")
def test_a_folder_and_a_published_data_set(kitchen):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        folder = kitchen.folder / "path" / "to" / "images" / "train" / name
        folder.mkdir(parents=True)
        for number in range(250):
            pixels = rng.integers(256, size=(9, 9), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    kitchen.write("How do I use images that I have as arrays?")
    of_folder, of_published = kitchen.write(
        "How do I use a folder of images, or a published data set?"
    )
    kitchen.snakemake(of_folder)
    assert "My images, 9×9 pixels, 500 training examples" in kitchen.caption("fig3_1")
    # What would be downloaded is told apart from what is there.
    assert re.search(r"fetch_dataset +1\n", kitchen.snakemake(of_published, "-n"))
    source = kitchen.configuration("mine.yaml", "published.yaml")["datasets"]["mine"]
    assert source["name"] in published.DATASETS


@recipe("How do I use a model of my own, or another optimizer?")
def test_a_model_and_an_optimizer(kitchen):
    kitchen.follow("How do I use a model of my own, or another optimizer?")
    caption = kitchen.caption("fig3_1")
    assert "; resnet\n" in caption
    assert "Adam, 1 epoch, batch 25, learning rate 0.003" in caption


@recipe("How do I use noise of my own?")
def test_noise(kitchen):
    kitchen.follow("How do I use noise of my own?")
    assert "sevens: every 1 is called 7" in kitchen.caption("fig3_1")
    run = netcdf.read(kitchen.results / "runs" / "difficulty" / "units-4.nc")
    real, own = (
        run["label"].isel(member=np.flatnonzero(run["noise_kind"] == kind)[0]).values
        for kind in ("real", "sevens")
    )
    assert (real == 1).any()
    np.testing.assert_array_equal(own, np.where(real == 1, 7, real))


@recipe("How do I draw a figure of my own?")
def test_a_figure(kitchen):
    late = kitchen.follow("How do I draw a figure of my own?")["late"]
    assert (kitchen.folder / "late.png").stat().st_size > 10_000
    metrics = netcdf.read(kitchen.folder / "results" / "demo" / "metrics" / "fig3_1.nc")
    of_real = metrics.sel(condition="real").isel(learning_rate=0)
    rate = of_real["misclassification_rate"].transpose("seed", "example").values
    label = of_real["label"].transpose("seed", "example").values
    expected = [rate[label == digit].mean() for digit in late["label"].values]
    np.testing.assert_allclose(late, expected)


@recipe("How do I see what becomes of one example?")
def test_what_becomes_of_an_example(kitchen):
    found = kitchen.follow("How do I see what becomes of one example?")
    assert (kitchen.folder / "loss.png").stat().st_size > 10_000
    run, loss = found["run"], found["loss"]
    met = [*zip(*np.nonzero(run["index"].values == found["number"].item()), strict=True)]
    assert len(met) >= 3  # real, and each kind of noise, of a replicate
    np.testing.assert_array_equal(
        loss.transpose("member", "epoch"), [run["loss"].values[own, :, at] for own, at in met]
    )


@recipe("How do I work in a notebook, and measure something of my own?")
def test_a_notebook(kitchen, capsys):
    found = kitchen.follow("How do I work in a notebook, and measure something of my own?")
    curves, sure = found["models"].curves, found["sure"]
    assert curves["train_accuracy"].sizes == {"member": 10, "epoch": 30}
    real = curves["noise_kind"] == "real"
    assert curves["train_accuracy"].isel(epoch=-1, member=np.flatnonzero(real)).min() > 0.9
    scores = np.exp(found["logits"].values.astype(float))
    by_hand = (scores.max(-1) / scores.sum(-1)).mean(-1)
    np.testing.assert_allclose(sure, by_hand, rtol=1e-5)
    assert sure[real].min() > sure[~real].max()  # whoever is taught wrong labels is less sure
    assert "noise_kind" in capsys.readouterr().out


@recipe("How do I use a GPU or a cluster?")
def test_a_cluster(kitchen):
    (slurm,) = said("How do I use a GPU or a cluster?")
    dry = ("-n", "-F", "--quiet", "host", "--config", "device=auto")
    asked = re.search(
        r"rule compute_run:.*?resources: (.*?)\n", kitchen.snakemake(slurm, *dry), re.S
    )
    assert "gpu=1" in asked[1] and "runtime=240" in asked[1]
    (profile,) = re.findall(r"`(profiles/gpu)`", RECIPES["How do I use a GPU or a cluster?"])
    printed = kitchen.snakemake(slurm.replace("profiles/slurm", profile), *dry)
    assert "gpu=1" in printed and "runtime=" not in printed
