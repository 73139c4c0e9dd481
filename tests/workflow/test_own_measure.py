"""A measure with its figure is added by its own modules and one entry, those of the page."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from conftest import ROOT
from rote.files import netcdf
from tiny_study import Study, copied_checkout

PAGE = (ROOT / "docs" / "own-data-and-figures.md").read_text().partition("\n## A measure\n")[2]
PAGE = PAGE.partition("\n## ")[0]
MEASURE, METRICS, FIGURE, ENTRY = re.findall(r"```python\n(.*?)```", PAGE, re.S)
ROOMS = re.findall(r"`workflow_scripts/rote/(\w+)/surprise\.py`", PAGE)
MODULES = dict(zip(ROOMS, (MEASURE, METRICS, FIGURE), strict=True))
(SETTINGS,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)


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
    study.config = yaml.safe_load(SETTINGS)
    study.config["presets"]["surprising"]["surprise"]["record"] = ["loss"]
    said = study.snakemake("surprise", "claims", "--cores", "2")
    assert "Surprise: training 24 models of 16 units" in said
    results = tmp_path / "results" / "surprising"
    caption = (results / "figures" / "surprise.txt").read_text()
    assert caption.startswith("Surprise: the losses of each example in all of its presentations, ")
    assert (results / "figures" / "surprise.png").stat().st_size > 10_000
    metrics = netcdf.read(results / "metrics" / "surprise.nc")
    assert metrics.attrs["title"] == "Surprise: what surprises a model in training"
    assert metrics["surprise"].sizes["example"] == 200
    # A curve for each condition: all examples, in increasing order.
    module = {}
    exec(FIGURE, module)
    curves = module["draw"](metrics.isel(learning_rate=0)).axes[0].lines
    assert [one.get_label() for one in curves] == ["real", "randY"]
    for one in curves:
        assert one.get_ydata().shape == (200,)
        assert (np.diff(one.get_ydata()) >= 0).all()
    run = netcdf.read(results / "runs" / "surprise" / "units-16.nc")
    assert run["surprise"].attrs["long_name"].startswith("sum of the losses of the example when")
    # Of ten presentations; the loss falls from each to the score after it, in the mean.
    assert (run["surprise"].mean("example") > 10 * run["loss"].isel(epoch=-1).mean("example")).all()
    page = (results / "index.html").read_text()
    assert "figures/surprise.png" in page
    assert np.isfinite(run["surprise"]).all()
    # Of what is finished nothing is done again; a measure that is edited measures anew.
    assert study.finished("surprise")
    module = checkout / "workflow_scripts" / "rote" / "measures" / "surprise.py"
    code = module.read_text()
    module.write_text(code.replace("(1, examples, loss)", "(1, examples, 2 * loss)"))
    assert study.new_members("surprise", "--cores", "2") == 24
    # What is wrong with it is one sentence.
    module.write_text(code.replace('return self.of_examples(member, "surprise")', "pass"))
    said = study.snakemake("surprise", fails=True)
    assert "Error: surprise.Surprise.variables returns nothing: have it return a dict" in said
    assert "Traceback" not in said


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
