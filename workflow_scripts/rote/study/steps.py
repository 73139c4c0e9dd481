"""The steps of a study for people: which figures a job is for, what it does, and its work."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import NamedTuple

from rote.study import own_module
from rote.study.figures import EXPERIMENT_OF_FIGURE, EXPERIMENTS, FIGURES, title
from rote.study.jobs import Study
from rote.study.mlp import widths

# Of a job that computes no run; about one of these for each second.
WORK = {
    "fetch_dataset": 3.0,
    "noise_dataset": 3.0,
    "extract_metrics": 3.0,
    "plot_figure": 4.0,
    "test_claims": 4.0,
    "write_gallery": 2.0,
    "write_paper": 2.0,
    "write_configuration": 1.0,
    "write_pages": 2.0,
}
PAGES = {
    "test_claims": "Claims: testing the conclusions",
    "write_gallery": "Gallery: writing gallery.md",
    "write_paper": "Report: writing paper.md",
    "write_configuration": "Configuration: writing config.yaml",
    "write_pages": "Pages: writing index.html and report.html",
}
START = 2.5  # of a job that computes a run, for the libraries that it loads
MULTIPLY_ADDS = 1.5e10  # of one unit of work: about those of a second on a core of a CPU


class Step(NamedTuple):
    """A job of the study, as it is shown."""

    words: str
    work: float
    log: str  # the file that the job reports to
    result: str = ""  # what to look at when it is finished


def of_jobs(study: Study, jobs: Iterable) -> dict[int, Step]:
    """Return the steps of Snakemake's jobs, by their numbers, but for those that do nothing."""
    steps = {}
    for job in jobs:
        if job.rule.name in {*WORK, "compute_run"}:
            wildcards = SimpleNamespace(**job.wildcards_dict)
            steps[job.jobid] = _step(study, job.rule.name, wildcards, str(job.log[0]))
    return steps


def _step(study: Study, rule: str, wildcards: SimpleNamespace, log: str) -> Step:
    if rule == "compute_run":
        work = START + study.expected_multiply_adds(wildcards) / MULTIPLY_ADDS
        return Step(_words_of_run(study, wildcards), work, log)
    result = ""
    match rule:
        case "fetch_dataset":
            words = f"Data: reading {study.datasets[wildcards.dataset]['title']}"
        case "noise_dataset":
            words = _words_of_noised(study, wildcards)
        case "extract_metrics":
            words = f"{title(wildcards.figure)}: collecting its numbers"
        case "plot_figure":
            words = f"{title(wildcards.figure)}: drawing"
            result = f"results/{wildcards.preset}/figures/{wildcards.figure}.png"
        case _:
            words = PAGES[rule]
    return Step(words, WORK[rule], log, result)


def titles(figures: Iterable[str]) -> str:
    """Return the names of figures as one reads them: Figures 4.1 and 4.2, Filters."""
    names = [title(figure) for figure in figures]
    numbers = [name.removeprefix("Figure ") for name in names if name.startswith("Figure ")]
    others = [name for name in names if not name.startswith("Figure ")]
    if numbers:
        *before, last = numbers
        many = f"Figures {', '.join(before)} and {last}" if before else f"Figure {last}"
        others = [many, *others]
    return ", ".join(others)


def _words_of_noised(study: Study, wildcards: SimpleNamespace) -> str:
    experiment, _, own = wildcards.noised.partition("/")
    figures = _figures(study, wildcards.preset, experiment)
    if experiment == "complexity":
        figures = [figure for figure in figures if own in _runs(study, wildcards, figure)]
    examples = study.noising(wildcards)["train_examples"]
    dataset = study.title_of_noised(wildcards)
    return f"{titles(figures)}: drawing noise for {examples:,} examples of {dataset}"


def _words_of_run(study: Study, wildcards: SimpleNamespace) -> str:
    run, experiment = study.run(wildcards), wildcards.experiment
    figures = [
        figure
        for figure in _figures(study, wildcards.preset, experiment)
        if wildcards.run in _runs(study, wildcards, figure)
    ]
    count, model = len(run["members"]), run["model"]
    models = "CNN" if "maps" in model else "model"
    what = f"training {count:,} {models}{'' if count == 1 else 's'}"
    if "from" in model:
        what += f" of {own_module.in_words(model)}"
    if "hidden_units" in model:
        units = [f"{units:,}" for units in dict.fromkeys(widths(model))]
        what += f" of {' and '.join(units)} units"
    what += EXPERIMENTS[experiment].words(wildcards.run, study.inputs_of_run(wildcards)[1])
    return f"{titles(figures)}: {what}"


def _figures(study: Study, preset: str, experiment: str) -> list[str]:
    return [name for name in study.figures(preset) if EXPERIMENT_OF_FIGURE[name] == experiment]


def _runs(study: Study, wildcards: SimpleNamespace, figure: str) -> list[str]:
    settings = study.experiment(wildcards, EXPERIMENT_OF_FIGURE[figure])
    return FIGURES[figure].runs(settings)
