"""A measure with its figure is added by its own modules and one entry, those of the page."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT
from rote.files import netcdf
from tiny_study import TINY, TRAINING, Study, copied_checkout

PAGE = (ROOT / "docs" / "own-data-and-figures.md").read_text().partition("\n## A measure\n")[2]
MEASURE, ENTRY = re.findall(r"```python\n(.*?)```", PAGE, re.S)[:2]
MODULES = {
    "measures": MEASURE,
    "metrics": '''"""Surprise of each example, for each condition."""

from rote.metrics import unstack_conditions, with_protocol


def metrics(runs):
    (run,) = runs
    table = unstack_conditions(run[["surprise"]], "experiment")
    table["surprise"].attrs = {"long_name": "surprise", "units": "1"}
    return with_protocol("surprise", table, runs)
''',
    "figures": '''"""Surprise: the loss of examples when they are presented, sorted."""

import numpy as np
from matplotlib.figure import Figure

from rote.figures import looks, style


def draw(metrics):
    figure = Figure(figsize=(style.COLUMN, 3))
    axis = figure.subplots()
    for condition, look in looks.looks(metrics["condition"].values, looks.CONDITIONS).items():
        values = metrics["surprise"].sel(condition=condition).mean(("experiment", "seed"))
        axis.plot(np.sort(values), color=look.colour, label=condition)
    axis.set_ylabel("surprise")
    style.legend_above(figure, axis.get_legend_handles_labels()[0])
    style.footnote(figure, metrics)
    return figure
''',
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the workflow with a measure more."""
    folder = copied_checkout(tmp_path_factory.mktemp("checkout") / "rote")
    rote = folder / "workflow_scripts" / "rote"
    for room, code in MODULES.items():
        (rote / room / "surprise.py").write_text(code)
    table = rote / "study" / "figures.py"
    text = table.read_text()
    assert text.count("FIGURES = {\n") == 1
    table.write_text(text.replace("FIGURES = {\n", "FIGURES = {\n" + ENTRY))
    return folder


@pytest.mark.slow
def test_a_measure_is_its_modules_and_an_entry(checkout, tmp_path):
    study = Study(tmp_path)
    study.snakefile = checkout / "Snakefile"
    own = {
        "data": TINY | {"validation_examples": 0},
        "noise_kinds": ["randY"],
        "noise_level": 0.4,
        "seeds": 2,
        "experiments": 2,
        "model": {"hidden_layers": 1, "hidden_units": 4},
        "training": TRAINING | {"epochs": 3},
        "record": ["loss"],
    }
    study.config = {"preset": "mine", "presets": {"mine": {"surprise": own}}}
    said = study.snakemake("surprise", "claims", "--cores", "2")
    assert "Surprise: training 8 models of 4 units" in said
    results = tmp_path / "results" / "mine"
    caption = (results / "figures" / "surprise.txt").read_text()
    assert caption.startswith("Surprise: the loss of examples when they are presented, sorted.")
    assert (results / "figures" / "surprise.png").stat().st_size > 10_000
    metrics = netcdf.read(results / "metrics" / "surprise.nc")
    assert metrics.attrs["title"] == "Surprise: what surprises a model in training"
    assert metrics["surprise"].sizes["example"] == 50
    run = netcdf.read(results / "runs" / "surprise" / "units-4.nc")
    assert run["surprise"].attrs["long_name"].startswith("sum of the losses of the example when")
    # Of three presentations; the loss falls from each to the score after it, in the mean.
    assert (run["surprise"].mean("example") > 3 * run["loss"].isel(epoch=-1).mean("example")).all()
    page = (results / "index.html").read_text()
    assert "figures/surprise.png" in page
    assert np.isfinite(run["surprise"]).all()
    # Of what is finished nothing is done again; a measure that is edited measures anew.
    assert study.finished("surprise")
    module = checkout / "workflow_scripts" / "rote" / "measures" / "surprise.py"
    module.write_text(module.read_text().replace("(1, examples, loss)", "(1, examples, 2 * loss)"))
    assert study.new_members("surprise", "--cores", "2") == 8


def test_what_others_computed_is_as_it_was(checkout):
    code = (
        "import json; from rote.study import versions; "
        "print(json.dumps({name: versions.current(name) for name in versions.MODULES}))"
    )
    before, after = (
        json.loads(
            subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "PYTHONPATH": str(folder)},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for folder in (
            ROOT / "workflow_scripts",
            checkout / "workflow_scripts",
        )
    )
    assert before == after
