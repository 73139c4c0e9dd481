"""What is to be computed: figures ← experiments ← runs ← members.

An experiment's settings are its block under ``presets`` in the configuration.
"""

from typing import NamedTuple

EXPERIMENT_OF_FIGURE = {
    "fig1": "capacity",
    "fig2": "convergence",
    "fig3_1": "difficulty",
    "fig3_2": "sensitivity",
    "fig3_3": "sensitivity",
    "fig4_1": "complexity",
    "fig4_2": "complexity",
    "filters": "complexity",
    "fig5_1": "regularization",
    "fig5_2": "regularization",
}
# For the list of figures in the report.
SHOWS = {
    "fig1": "accuracy against capacity",
    "fig2": "time to convergence against the size of the data set",
    "fig3_1": "misclassification rate of each example after one epoch",
    "fig3_2": "Gini coefficient of the loss-sensitivity over training",
    "fig3_3": "loss-sensitivity between classes",
    "fig4_1": "critical sample ratio over training",
    "fig4_2": "accuracy and critical sample ratio for each level of noise",
    "fig5_1": "validation accuracy against memorised random labels",
    "fig5_2": "training accuracy over training with each regulariser",
    "filters": "filters of the first layer",
}
# The module of rote.runs that computes the runs of an experiment.
KIND_OF_RUN = dict.fromkeys(EXPERIMENT_OF_FIGURE.values(), "training") | {
    "sensitivity": "sensitivity",
    "complexity": "complexity",
}
# What an experiment that names its training data by a word trains on: kind and level of noise.
CONDITIONS = {"real": ("real", 0.0), "halfX": ("randX", 0.5), "randX": ("randX", 1.0)}


def title(figure: str) -> str:
    """Return what people call a figure: fig3_1 is Figure 3.1."""
    return figure.replace("fig", "Figure ").replace("_", ".") if figure != "filters" else "Filters"


class Member(NamedTuple):
    """One model of a run: all that tells it apart from the others of the same shapes."""

    noise_kind: str  # real, or the name of a noise
    noise_level: float  # fraction of the training examples that is replaced; 0 for real
    noise_seed: int  # which draw of the noise
    seed: int  # which replicate
    learning_rate: float  # at the beginning of the training
    weight_decay: float
    # Strengths of the regularisers of rote.models.regularization; 0 is none.
    dropout: float = 0.0
    input_dropout: float = 0.0
    hidden_noise: float = 0.0
    input_noise: float = 0.0
    adversarial: float = 0.0
    data_seed: int = 0  # which draw of training and validation examples
    initial_seed: int = 0  # of the weights before training
    order_seed: int = 0  # of the order of the examples, and of all else that is drawn in training
    experiment: int = 0  # which of the experiments that repeat a training on the same data

    def strengths(self) -> dict[str, float]:
        """Return the strengths of all regularisers by their names, weight decay among them."""
        return {name: getattr(self, name) for name in REGULARIZERS}


REGULARIZERS = Member._fields[
    Member._fields.index("weight_decay") : Member._fields.index("data_seed")
]
FACTORS = "data", "noise", "initialization", "order"  # what a replicate may draw anew
EXPERIMENTS = 10_000  # the most that may repeat a training on the same data


def runs(figure: str, settings: dict) -> list[str]:
    """Return the names of the runs that a figure is drawn from, the stems of their files."""
    if figure == "fig2":
        sizes, model = settings["data"]["train_examples"], settings["model"]
        # The model's own width at the largest size is already there, under the name of the size.
        others = [units for units in settings["capacity_units"] if units != model["hidden_units"]]
        return [f"examples-{size}" for size in sizes] + [f"units-{units}" for units in others]
    if figure == "fig3_2":
        return list(settings["labellings"])
    if figure == "fig3_3":
        return ["class"]
    if figure == "fig4_2":
        return list(settings["cases"])
    if figure in ("fig4_1", "filters"):
        return [list(settings["cases"])[-1]]
    if figure in ("fig5_1", "fig5_2"):
        return ["none", *settings["strengths"]]
    if figure == "fig3_1":
        return [_one_model(settings)]
    return [f"units-{width}" for width in settings["model"]["hidden_units"]]


def _one_model(settings: dict) -> str:
    """Return the name of the run of a model: of an MLP by the width of each of its layers."""
    if "model" not in settings:
        return "cnn" if "cnn" in settings else "module"
    return f"units-{'-'.join(map(str, each(settings['model']['hidden_units'])))}"


def runs_of_experiment(experiment: str, settings: dict) -> list[str]:
    """Return the names of all runs of an experiment."""
    figures = [figure for figure, name in EXPERIMENT_OF_FIGURE.items() if name == experiment]
    return list(dict.fromkeys(run for figure in figures for run in runs(figure, settings)))


def noise_levels(settings: dict) -> list[float]:
    """Return the noise levels of an experiment, real data (level 0) first."""
    levels = settings.get("noise_levels") or [0.0, settings["noise_level"]]
    return sorted(float(level) for level in levels)


def replicates(settings: dict) -> range:
    """Return the seeds of an experiment: each is a replicate of all that ``vary`` names."""
    return range(settings["first_seed"], settings["first_seed"] + settings["seeds"])


def seed_of(factor: str, settings: dict, seed: int) -> int:
    """Return the seed by which a replicate draws one of ``FACTORS``: its own, or that of all."""
    return seed if factor in settings["vary"] else settings["first_seed"]


def drawn_by(factor: str, settings: dict) -> list[int]:
    """Return the seeds by which all replicates of an experiment draw one of ``FACTORS``."""
    return sorted({seed_of(factor, settings, seed) for seed in replicates(settings)})


def replicate(settings: dict, seed: int, experiment: int = 0) -> dict[str, int]:
    """Return what a member has of a replicate: the fields of :class:`Member` by their names.

    Experiments that repeat a training on the same data differ in initialisation and order, within a
    replicate and between any two.
    """
    own = {
        field: seed_of(factor, settings, seed)
        for field, factor in (
            ("noise_seed", "noise"),
            ("data_seed", "data"),
            ("initial_seed", "initialization"),
            ("order_seed", "order"),
        )
    }
    if "experiments" in settings:
        for field in ("initial_seed", "order_seed"):
            own[field] = own[field] * EXPERIMENTS + experiment
    return {**own, "seed": seed, "experiment": experiment}


def members(settings: dict) -> list[Member]:
    """Return the members of each run of an experiment.

    At level 0 every kind of noise is the real data set: it is trained once a seed. Those of one
    learning rate stand together.
    """
    weight_decay = float(settings["training"]["weight_decay"])
    return [
        Member(kind, level, 0, 0, rate, weight_decay)._replace(**drawn)
        for rate in learning_rates(settings["training"])
        for level in noise_levels(settings)
        for kind in (settings["noise_kinds"] if level > 0 else ["real"])
        for drawn in (
            replicate(settings, seed, experiment)
            for seed in replicates(settings)
            for experiment in range(settings.get("experiments", 1))
        )
    ]


def learning_rates(training: dict) -> list[float]:
    """Return the learning rates of the settings ``training``, in their order."""
    return [float(rate) for rate in each(training["learning_rate"])]


def each(values: object) -> list:
    """Return the values of a setting that may be one or a list of them."""
    return values if isinstance(values, list) else [values]


def data_settings(settings: dict) -> dict:
    """Return what a noised data set depends on, but for the definitions of noises."""
    data = {
        **settings["data"],
        "data_seeds": drawn_by("data", settings),
        "noise_kinds": sorted(settings.get("noise_kinds", ["randX"])),
        "noise_seeds": drawn_by("noise", settings),
    }
    if {*data["noise_kinds"]} - {"randX", "randY"}:  # which depend on no examples
        each = (replicate(settings, seed) for seed in replicates(settings))
        pairs = {(one["data_seed"], one["noise_seed"]) for one in each}
        data["draws"] = [list(pair) for pair in sorted(pairs)]
    return data


def noised_of_run(experiment: str, settings: dict, run: str) -> str:
    """Return the name of the noised data set that a run trains on, see :func:`noised_datasets`.

    The experiment ``convergence`` has one for each size: its runs that are named by their width
    train on the largest.
    """
    if experiment == "complexity":
        return f"complexity/{run}"
    if experiment == "convergence":
        largest = f"examples-{max(settings['data']['train_examples'])}"
        return f"convergence/{run if run.startswith('examples-') else largest}"
    return experiment


def evaluated_epochs(training: dict) -> list[int]:
    """Return the epochs at the end of which members are scored, the last one always."""
    epochs, every = training["epochs"], training["evaluate_every"]
    return sorted({*range(every, epochs + 1, every), epochs})


def evaluation_times(updates: int, count: int) -> list[int]:
    """Return 0 and ``count`` numbers of updates, evenly spaced up to the last; none if it is 0."""
    if not count:
        return []
    return sorted({round(updates * i / count) for i in range(count + 1)})


def impossible(experiments: dict) -> dict[str, str]:
    """Return figures that cannot be drawn from a preset's experiments, and why: a sentence each."""
    reasons = {}
    if "capacity" in experiments and max(experiments["capacity"]["noise_levels"]) == 0:
        reasons["fig1"] = "capacity.noise_levels needs a level above 0, which fig1 shows."
    conditions = experiments.get("sensitivity", {}).get("conditions", ["real"])
    if not {"real", "randX"} & set(conditions):
        reasons["fig3_3"] = "sensitivity.conditions needs real or randX, which fig3_3 shows."
    if "complexity" in experiments:
        settings = experiments["complexity"]
        levels, (*_, last) = settings["noise_levels"], settings["cases"]
        if min(levels) > 0 or max(levels) == 0:
            reasons["fig4_1"] = "complexity.noise_levels needs 0, the real data, and another."
        if "cnn" not in settings["cases"][last]:
            reasons["filters"] = f"filters need a CNN, but complexity.cases ends with {last}."
        elif "randY" not in settings["noise_kinds"]:
            reasons["filters"] = "filters shows randY: add it to complexity.noise_kinds."
    return reasons


def noised_datasets(experiments: dict) -> dict[str, dict]:
    """Return, for each noised data set of a preset, the settings of who trains on it."""
    each = {}
    for experiment, settings in experiments.items():
        if experiment == "complexity":
            for case, own in settings["cases"].items():
                each[f"complexity/{case}"] = {**settings, **own}
        elif experiment == "convergence":
            for size in settings["data"]["train_examples"]:
                data = {**settings["data"], "train_examples": size}
                each[f"convergence/examples-{size}"] = {**settings, "data": data}
        elif experiment == "regularization":
            each[experiment] = {**settings, "noise_kinds": ["randY"]}
        else:
            each[experiment] = settings
    return each


def settings_key(noised: str) -> str:
    """Return the key in a preset under which the settings of a noised data set stand."""
    experiment, _, own = noised.partition("/")
    return f"complexity.cases.{own}" if experiment == "complexity" and own else experiment
