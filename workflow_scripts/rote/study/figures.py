"""The figures, an entry each: from which experiment and which of its runs, and what each shows.

To add one takes its entry in ``FIGURES`` and its modules ``rote.metrics.<figure>`` and
``rote.figures.<figure>``. An experiment of its own stands in the same entry: one that trains like
another and watches the training by ``rote.measures.<observer>`` needs no settings of its own.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from rote.study import figure_runs

NOTHING: Mapping = MappingProxyType({})


class Experiment(NamedTuple):
    """One protocol of training, whose settings are its block of a preset."""

    name: str
    kind: str = "training"  # the module of rote.runs that computes its runs
    like: str = ""  # the experiment whose settings it has, if not those of its own in the schema
    # The module of rote.measures whose Observer watches its trainings, and the variables that this
    # adds to a run: what each is, in words.
    observer: str = ""
    variables: Mapping[str, str] = NOTHING
    # Of runs that are computed, and watched, by others than ``kind`` and ``observer``: these, by
    # the name of the run.
    special: Mapping[str, tuple[str, str]] = NOTHING
    # What a line of progress says of a run behind its models: of its name and its data's settings.
    words: Callable[[str, dict], str] = lambda run, data: ""

    def computed_by(self, run: str) -> tuple[str, str]:
        """Return the module of rote.runs that computes a run, and the observer that watches it."""
        return self.special.get(run, (self.kind, self.observer))


class Figure(NamedTuple):
    """What is drawn from some runs of an experiment."""

    experiment: Experiment
    shows: str  # for the list of figures in the report
    runs: Callable[[dict], list[str]]  # their names, the stems of their files, by the settings
    criteria: tuple[str, ...] = ()  # of the claims, those that it draws
    lacks: Callable[[dict], str] = lambda settings: ""  # why it cannot be drawn, a sentence
    optional: bool = False  # whether it is left out where it cannot be drawn


def _regularizer(run: str) -> str:
    return {
        "none": "no regulariser",
        "adversarial": "adversarial training",
        "adversarial_dropout": "adversarial training and dropout",
    }.get(run, run.replace("_", " "))


def _subsets(run: str) -> str:
    if run == "proxies":
        return " on random subsets, and measuring what may stand for memorisation"
    if run.startswith("left-out"):
        return " on all examples but one"
    return f" on random {run.removeprefix('percent-')} % of the examples"


def _labels(run: str) -> str:
    return "class labels" if run == "class" else "a label for each example"


_CAPACITY = Experiment("capacity")
_CONVERGENCE = Experiment(
    "convergence", words=lambda run, data: f" on {data['train_examples']:,} examples"
)
_DIFFICULTY = Experiment("difficulty")
_FORGETTING = Experiment(
    "forgetting",
    like="difficulty",
    observer="forgetting.Forgetting",
    variables={
        "forgetting_events": "times that the example was right when it was presented, and wrong "
        "the next time",
        "first_learned": "epoch in which the example was first right when it was presented, 0 if "
        "it never was",
        "forgetting_events_scored": "times that the example was right at the end of an epoch, and "
        "wrong at that of the next one that was scored",
        "first_learned_scored": "epoch at whose end the example was first right, 0 if it never was",
    },
    words=lambda run, data: " and counting what they forget",
)
_MEMORIZATION = Experiment(
    "memorization",
    kind="memorization",
    observer="correctness.Correctness",
    words=lambda run, data: _subsets(run),
    special={"proxies": ("proxies", "training_dynamics.TrainingDynamics")},
)
_FAIR_PROXY = Experiment(
    "fair_proxy",
    kind="memorization",
    observer="correctness.Correctness",
    words=lambda run, data: f" on random subsets ({_regularizer(run).replace('-', ' ')})",
)
_SENSITIVITY = Experiment(
    "sensitivity",
    kind="sensitivity",
    words=lambda run, data: f" and measuring their loss-sensitivity ({_labels(run)})",
)
_COMPLEXITY = Experiment(
    "complexity", kind="complexity", words=lambda run, data: " and searching critical samples"
)
_REGULARIZATION = Experiment("regularization", words=lambda run, data: f" ({_regularizer(run)})")

FIGURES = {
    "fig1": Figure(
        _CAPACITY,
        "accuracy against capacity",
        figure_runs.of_widths,
        criteria=("margin", "fitted"),
        lacks=figure_runs.without_noise,
    ),
    "fig2": Figure(
        _CONVERGENCE,
        "time to convergence against the size of the data set",
        figure_runs.of_sizes_and_widths,
    ),
    "fig3_1": Figure(
        _DIFFICULTY,
        "misclassification rate of each example after one epoch",
        figure_runs.of_model,
        lacks=figure_runs.without_level,
    ),
    "forgetting": Figure(
        _FORGETTING,
        "how often training examples are forgotten in the course of training",
        figure_runs.of_model,
    ),
    "memorization": Figure(
        _MEMORIZATION,
        "how much of an example is known only to models that were trained on it",
        figure_runs.of_percents,
    ),
    "memorized_examples": Figure(
        _MEMORIZATION,
        "training examples with the highest and the lowest memorisation scores",
        lambda settings: figure_runs.of_percents(settings)[:1],
        lacks=figure_runs.without_real,
        optional=True,
    ),
    "proxies": Figure(
        _MEMORIZATION,
        "how well cheap measures rank the examples as the memorisation score does",
        figure_runs.with_proxies,
        lacks=figure_runs.without_proxies,
        optional=True,
    ),
    "consistency": Figure(
        _MEMORIZATION,
        "how often models are right about examples that they were not trained on",
        figure_runs.of_sizes_and_proxies,
        lacks=figure_runs.without_sizes,
        optional=True,
    ),
    "fair_proxy": Figure(
        _FAIR_PROXY,
        "whether real examples are memorised where random labels are",
        figure_runs.of_variants,
    ),
    "leave_one_out": Figure(
        _MEMORIZATION,
        "memorisation scores by random subsets against those by leaving one example out",
        figure_runs.of_one_left_out,
        lacks=figure_runs.without_left_out,
        optional=True,
    ),
    "fig3_2": Figure(
        _SENSITIVITY,
        "Gini coefficient of the loss-sensitivity over training",
        lambda settings: list(settings["labellings"]),
        criteria=("exploded",),
    ),
    "fig3_3": Figure(
        _SENSITIVITY,
        "loss-sensitivity between classes",
        lambda settings: ["class"],
        lacks=figure_runs.without_real_or_randx,
    ),
    "fig4_1": Figure(
        _COMPLEXITY,
        "critical sample ratio over training",
        figure_runs.of_last_case,
        criteria=("fitted",),
        lacks=figure_runs.without_real_and_noise,
    ),
    "fig4_2": Figure(
        _COMPLEXITY,
        "accuracy and critical sample ratio for each level of noise",
        lambda settings: list(settings["cases"]),
    ),
    "filters": Figure(
        _COMPLEXITY,
        "filters of the first layer",
        figure_runs.of_last_case,
        lacks=figure_runs.without_filters,
        optional=True,
    ),
    "fig5_1": Figure(
        _REGULARIZATION,
        "validation accuracy against memorised random labels",
        figure_runs.of_regularizers,
        criteria=("margin", "large"),
    ),
    "fig5_2": Figure(
        _REGULARIZATION,
        "training accuracy over training with each regulariser",
        figure_runs.of_regularizers,
    ),
}
EXPERIMENTS = {figure.experiment.name: figure.experiment for figure in FIGURES.values()}
EXPERIMENT_OF_FIGURE = {name: figure.experiment.name for name, figure in FIGURES.items()}


def title(figure: str) -> str:
    """Return what people call a figure: fig3_1 is Figure 3.1."""
    if figure.startswith("fig"):
        return figure.replace("fig", "Figure ").replace("_", ".")
    return figure.replace("_", " ").capitalize()


def full_title(figure: str) -> str:
    """Return the same with what it shows."""
    return f"{title(figure)}: {FIGURES[figure].shows}"


def runs_of_experiment(experiment: str, settings: dict) -> list[str]:
    """Return the names of all runs of an experiment."""
    own = (figure for figure in FIGURES.values() if figure.experiment.name == experiment)
    return list(dict.fromkeys(run for figure in own for run in figure.runs(settings)))


def impossible(experiments: dict) -> dict[str, str]:
    """Return figures that cannot be drawn from a preset's experiments, and why: a sentence each."""
    reasons = {
        name: figure.lacks(experiments[figure.experiment.name])
        for name, figure in FIGURES.items()
        if figure.experiment.name in experiments
    }
    return {name: why for name, why in reasons.items() if why}
