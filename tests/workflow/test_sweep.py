"""A sweep of learning rates, with what else is not as ever, through the whole workflow."""

import pytest
import yaml

from conftest import figures_of_demo
from rote.files import netcdf
from rote.study.figures import FIGURES
from tiny_study import Study

RATES = [0.2, 0.1]
FIVE = "capacity", "convergence", "difficulty", "memorization", "regularization"


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Study:
    """A finished study of two learning rates; the one of the MLP of ``complexity`` is single."""
    study = Study(tmp_path_factory.mktemp("swept"))
    demo = study.config["presets"]["demo"]
    for experiment in FIVE:
        demo[experiment]["training"]["learning_rate"] = RATES
    demo["complexity"]["cases"]["digits_cnn"]["training"]["learning_rate"] = RATES
    demo["capacity"]["training"] |= {"momentum": 0.5, "nesterov": True, "decay_at": [1]}
    demo["capacity"]["model"] |= {"initialization": "glorot_uniform", "biases": False}
    demo["difficulty"]["model"] = {"hidden_layers": None, "hidden_units": [5, 4, 3]}
    demo["sensitivity"]["model"] = {"hidden_units": [4, 3], "biases": False}
    study.snakemake("figures", "claims", "--cores", "2")
    return study


@pytest.mark.slow
def test_every_figure_has_both_learning_rates_in_their_order(swept):
    for figure in figures_of_demo():
        experiment = FIGURES[figure].experiment.name
        metrics = netcdf.read(swept.results / "metrics" / f"{figure}.nc")
        if experiment == "sensitivity":
            assert "learning_rate" not in metrics.coords
        elif figure == "fig4_2":
            assert metrics["rate"].isel(dataset=1).values.tolist() == RATES
            assert metrics["rate"].isel(dataset=0, learning_rate=0) == 0.1
        else:
            assert metrics["learning_rate"].values.tolist() == RATES
            assert "learning rate 0.2 (first of 0.2, 0.1)" in metrics.attrs["protocol"]


@pytest.mark.slow
def test_captions_and_runs_say_how_models_were_trained(swept):
    caption = (swept.results / "figures" / "fig1.txt").read_text()
    assert "halved after 1 epoch, Nesterov momentum 0.5" in " ".join(caption.split())
    assert "initialised by Glorot (uniform), without biases" in " ".join(caption.split())
    run = netcdf.read(swept.results / "runs" / "difficulty" / "units-5-4-3.nc")
    assert yaml.safe_load(run.attrs["settings"])["model"] == {"hidden_units": [5, 4, 3]}
    assert sorted(set(run["learning_rate"].values)) == sorted(RATES)
    assert swept.finished("figures", "claims")


@pytest.mark.slow
def test_one_of_the_learning_rates_alone_trains_nothing(swept):
    before = swept.members()
    swept.config["presets"]["demo"]["capacity"]["training"]["learning_rate"] = 0.1
    assert swept.new_members("fig1", "--cores", "2") == 0
    assert swept.members() == before
