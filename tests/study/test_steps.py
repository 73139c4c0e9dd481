"""What a step is called, and that every step has a name and a weight."""

import re
from types import SimpleNamespace

import pytest

from conftest import ROOT
from rote.study import configuration, steps
from rote.study.jobs import Study


@pytest.fixture(scope="module")
def demo() -> Study:
    return Study(configuration.load(ROOT / "config.yaml", [], {"preset": "demo"}))


def step(study: Study, rule: str, **wildcards: str) -> steps.Step:
    job = SimpleNamespace(
        rule=SimpleNamespace(name=rule),
        jobid=7,
        log=["a.log"],
        wildcards_dict={"preset": study.preset, **wildcards},
    )
    return steps.of_jobs(study, [job])[7]


@pytest.mark.parametrize(
    ("experiment", "run", "words"),
    [
        ("capacity", "units-64", "Figure 1: training 66 models of 64 units"),
        (
            "convergence",
            "examples-1000",
            "Figure 2: training 36 models of 32 units on 1,000 examples",
        ),
        ("difficulty", "units-64", "Figure 3.1: training 1,800 models of 64 units"),
        (
            "sensitivity",
            "unique",
            "Figure 3.2: training 18 models of 16 units and measuring their loss-sensitivity "
            "(a label for each example)",
        ),
        (
            "complexity",
            "digits_cnn",
            "Figures 4.1 and 4.2, Filters: training 66 CNNs and searching critical samples",
        ),
        (
            "regularization",
            "adversarial_dropout",
            "Figures 5.1 and 5.2: training 32 models of 128 units "
            "(adversarial training and dropout)",
        ),
    ],
)
def test_a_run_is_called_by_its_figures_and_its_models(demo, experiment, run, words):
    assert step(demo, "compute_run", experiment=experiment, run=run).words == words


def test_other_steps_are_called_by_what_they_do(demo):
    assert step(demo, "fetch_dataset", dataset="digits").words == "Data: reading MNIST digits"
    noised = step(demo, "noise_dataset", noised="complexity/digits_mlp").words
    assert noised.startswith("Figure 4.2: drawing noise for ")
    drawn = step(demo, "plot_figure", figure="fig3_1")
    assert drawn.result == "results/demo/figures/fig3_1.png"


def test_every_rule_with_a_script_is_a_step_and_no_other(demo):
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    assert {*re.findall(r"^rule (\w+):", text, re.M)} == {*steps.WORK, "compute_run"}
    target = SimpleNamespace(rule=SimpleNamespace(name="figures"))
    assert steps.of_jobs(demo, [target]) == {}


def test_the_titles_of_figures_are_read_as_one():
    assert steps.titles(["fig1"]) == "Figure 1"
    assert steps.titles(["filters"]) == "Filters"
    assert steps.titles(["fig1", "fig2", "fig3_1"]) == "Figures 1, 2 and 3.1"


def test_a_longer_run_weighs_more(demo):
    small, large = (
        step(demo, "compute_run", experiment="capacity", run=f"units-{units}").work
        for units in (16, 256)
    )
    assert steps.START < small < large
    assert set(steps.PAGES) < set(steps.WORK)
