"""The figures, an entry each: from which experiment and which of its runs, and what each shows.

To add one takes its entry in ``FIGURES`` and its modules ``rote.metrics.<figure>`` and
``rote.figures.<figure>``. An experiment of its own stands in the same entry: one that trains like
another and watches the training by ``rote.measures.<observer>`` needs no settings of its own.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from rote.study.plan import each

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


def _of_widths(settings: dict) -> list[str]:
    return [f"units-{width}" for width in settings["model"]["hidden_units"]]


def _of_model(settings: dict) -> list[str]:
    """Return the run of one model: of an MLP by the width of each of its layers."""
    if "model" not in settings:
        return ["cnn" if "cnn" in settings else "module"]
    return [f"units-{'-'.join(map(str, each(settings['model']['hidden_units'])))}"]


def _of_sizes_and_widths(settings: dict) -> list[str]:
    sizes, model = settings["data"]["train_examples"], settings["model"]
    # The model's own width at the largest size is already there, under the name of the size.
    others = [units for units in settings["capacity_units"] if units != model["hidden_units"]]
    return [f"examples-{size}" for size in sizes] + [f"units-{units}" for units in others]


def _of_last_case(settings: dict) -> list[str]:
    return [list(settings["cases"])[-1]]


def _of_regularizers(settings: dict) -> list[str]:
    return ["none", *settings["strengths"]]


def _without_noise(settings: dict) -> str:
    if max(settings["noise_levels"]) > 0:
        return ""
    return "capacity.noise_levels needs a level above 0, which fig1 shows."


def _without_level(settings: dict) -> str:
    if settings["noise_level"] > 0:
        return ""
    return "difficulty.noise_level needs to be above 0: fig3_1 compares noise with real data."


def _without_real_or_randx(settings: dict) -> str:
    if {"real", "randX"} & {*settings["conditions"]}:
        return ""
    return "sensitivity.conditions needs real or randX, which fig3_3 shows."


def _without_real_and_noise(settings: dict) -> str:
    levels = settings["noise_levels"]
    if min(levels) > 0 or max(levels) == 0:
        return "complexity.noise_levels needs 0, the real data, and another."
    return ""


def _without_filters(settings: dict) -> str:
    (last,) = _of_last_case(settings)
    if "cnn" not in settings["cases"][last]:
        return f"filters need a CNN, but complexity.cases ends with {last}."
    if "randY" not in settings["noise_kinds"]:
        return "filters shows randY: add it to complexity.noise_kinds."
    return ""


def _without_real(settings: dict) -> str:
    if min(settings["noise_levels"]) == 0:
        return ""
    return "memorization.noise_levels needs 0, the real data, which memorized_examples shows."


def _without_sizes(settings: dict) -> str:
    if len(settings["percent"]) == 1:
        return "memorization.percent names one size of the subsets: name several for consistency."
    if min(settings["noise_levels"]) > 0:
        return "memorization.noise_levels needs 0, the real data, which consistency shows."
    return ""


def _regularizer(run: str) -> str:
    return {
        "none": "no regulariser",
        "adversarial": "adversarial training",
        "adversarial_dropout": "adversarial training and dropout",
    }.get(run, run.replace("_", " "))


def _of_percents(settings: dict) -> list[str]:
    return [f"percent-{percent}" for percent in settings["percent"]]


def _proxies(settings: dict) -> list[str]:
    return ["proxies"] if settings.get("proxies") else []


def _with_proxies(settings: dict) -> list[str]:
    """Return the run of the largest subsets, and that of the proxies, which are of its models."""
    own = _proxies(settings)
    return [f"percent-{max(settings['percent'])}", *own] if own else []


def _of_sizes_and_proxies(settings: dict) -> list[str]:
    return [*_of_percents(settings), *_proxies(settings)]


def _without_proxies(settings: dict) -> str:
    if settings.get("proxies"):
        return ""
    return "memorization.proxies is 0, so there are no models to take proxies from."


def _of_variants(settings: dict) -> list[str]:
    own = settings["model"]["hidden_units"] if "model" in settings else None
    widths = [f"units-{units}" for units in settings["hidden_units"] if units != own]
    epochs = [e for e in settings["epochs"] if e != settings["training"]["epochs"]]
    return ["none", *widths, *(f"epochs-{count}" for count in epochs), *settings["strengths"]]


def _of_one_left_out(settings: dict) -> list[str]:
    """Return the runs of ``leave_one_out``, those that there are by the settings."""
    runs = _of_percents(settings)[:1]
    if settings.get("left_out"):
        runs.append("left-out")
        if "left_out_more" in settings:
            runs.append("left-out-more")
        runs += _proxies(settings)
    return runs


def _without_left_out(settings: dict) -> str:
    if settings.get("left_out"):
        return ""
    return "leave_one_out needs models without each example: raise memorization.left_out."


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
        _of_widths,
        criteria=("margin", "fitted"),
        lacks=_without_noise,
    ),
    "fig2": Figure(
        _CONVERGENCE, "time to convergence against the size of the data set", _of_sizes_and_widths
    ),
    "fig3_1": Figure(
        _DIFFICULTY,
        "misclassification rate of each example after one epoch",
        _of_model,
        lacks=_without_level,
    ),
    "forgetting": Figure(
        _FORGETTING,
        "how often training examples are forgotten in the course of training",
        _of_model,
    ),
    "memorization": Figure(
        _MEMORIZATION,
        "how much of an example is known only to models that were trained on it",
        _of_percents,
    ),
    "memorized_examples": Figure(
        _MEMORIZATION,
        "training examples with the highest and the lowest memorisation scores",
        lambda settings: _of_percents(settings)[:1],
        lacks=_without_real,
        optional=True,
    ),
    "proxies": Figure(
        _MEMORIZATION,
        "how well cheap measures rank the examples as the memorisation score does",
        _with_proxies,
        lacks=_without_proxies,
        optional=True,
    ),
    "consistency": Figure(
        _MEMORIZATION,
        "how often models are right about examples that they were not trained on",
        _of_sizes_and_proxies,
        lacks=_without_sizes,
        optional=True,
    ),
    "fair_proxy": Figure(
        _FAIR_PROXY,
        "whether real examples are memorised where random labels are",
        _of_variants,
    ),
    "leave_one_out": Figure(
        _MEMORIZATION,
        "memorisation scores by random subsets against those by leaving one example out",
        _of_one_left_out,
        lacks=_without_left_out,
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
        lacks=_without_real_or_randx,
    ),
    "fig4_1": Figure(
        _COMPLEXITY,
        "critical sample ratio over training",
        _of_last_case,
        criteria=("fitted",),
        lacks=_without_real_and_noise,
    ),
    "fig4_2": Figure(
        _COMPLEXITY,
        "accuracy and critical sample ratio for each level of noise",
        lambda settings: list(settings["cases"]),
    ),
    "filters": Figure(
        _COMPLEXITY,
        "filters of the first layer",
        _of_last_case,
        lacks=_without_filters,
        optional=True,
    ),
    "fig5_1": Figure(
        _REGULARIZATION,
        "validation accuracy against memorised random labels",
        _of_regularizers,
        criteria=("margin", "large"),
    ),
    "fig5_2": Figure(
        _REGULARIZATION,
        "training accuracy over training with each regulariser",
        _of_regularizers,
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
