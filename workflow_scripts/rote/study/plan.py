"""What the runs of an experiment hold: members, and the data that they train on.

An experiment's settings are its block under ``presets`` in the configuration.
"""

from typing import NamedTuple

# What an experiment that names its training data by a word trains on: kind and level of noise.
CONDITIONS = {"real": ("real", 0.0), "halfX": ("randX", 0.5), "randX": ("randX", 1.0)}


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
    percent: int = 100  # of the training examples: a random subset of so many is trained on
    left_out: int = 0  # one of that subset that is not trained on, counted from 1; 0: none

    def strengths(self) -> dict[str, float]:
        """Return the strengths of all regularisers by their names, weight decay among them."""
        return {name: getattr(self, name) for name in REGULARIZERS}


REGULARIZERS = Member._fields[
    Member._fields.index("weight_decay") : Member._fields.index("data_seed")
]
FACTORS = "data", "noise", "initialization", "order"  # what a replicate may draw anew
EXPERIMENTS = 10_000  # the most that may repeat a training on the same data
# Beside its beginning, times in training of which loss-sensitivity is taken as a proxy: later ones
# cost more.
PROXY_TIMES = 4


def noise_levels(settings: dict) -> list[float]:
    """Return the noise levels of an experiment, real data (level 0) first."""
    levels = settings.get("noise_levels") or {0.0, settings["noise_level"]}
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
    if {"experiments", "models"} & settings.keys():
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


def members_on_subsets(settings: dict, percent: int, models: int) -> list[Member]:
    """Return the members of a run of ``memorization``: ``models`` of each condition and seed.

    Each is trained on a random subset of its own, of ``percent`` of the training examples.
    """
    members_of = members({**settings, "experiments": models})
    return [member._replace(percent=percent) for member in members_of]


def members_without_each(
    settings: dict, percent: int, models: int, examples: list[int] | None = None
) -> list[Member]:
    """Return members of which each leaves out one of the same training examples.

    These are the first ``percent`` of all. Each, or each of ``examples``, counted from 0, is left
    out by ``models`` of each condition and seed, which differ in what ``experiments`` do.
    """
    every = range(subset_size(settings["data"]["train_examples"], percent))
    return [
        member._replace(percent=percent, left_out=1 + example)
        for member in members({**settings, "experiments": models})
        for example in (every if examples is None else examples)
    ]


def training_examples_of(pairs: list[list[int]]) -> list[int]:
    """Return the training examples of pairs of one and a validation example, each of them once."""
    return sorted({train for train, _ in pairs})


def subset_size(examples: int, percent: int) -> int:
    """Return how many of the training examples are ``percent`` of them."""
    return round(examples * percent / 100)


def trained_on(settings: dict) -> list[int]:
    """Return the numbers of training examples that members of an experiment are trained on."""
    examples = settings["data"]["train_examples"]
    sizes = [subset_size(examples, percent) for percent in each(settings.get("percent", 100))]
    return [*sizes, *([sizes[0] - 1] if settings.get("left_out") else [])]


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
    """Return the epochs at the end of which members are scored, the last one always.

    Beside every ``evaluate_every`` they are those of ``evaluate_at``.
    """
    epochs, every = training["epochs"], training["evaluate_every"]
    return sorted({*range(every, epochs + 1, every), *training.get("evaluate_at", ()), epochs})


def evaluation_times(updates: int, count: int) -> list[int]:
    """Return 0 and ``count`` numbers of updates, evenly spaced up to the last; none if it is 0."""
    if not count:
        return []
    return sorted({round(updates * i / count) for i in range(count + 1)})


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
        elif experiment in ("regularization", "fair_proxy"):
            each[experiment] = {**settings, "noise_kinds": ["randY"]}
        else:
            each[experiment] = settings
    return each


def settings_key(noised: str) -> str:
    """Return the key in a preset under which the settings of a noised data set stand."""
    experiment, _, own = noised.partition("/")
    return f"complexity.cases.{own}" if experiment == "complexity" and own else experiment
