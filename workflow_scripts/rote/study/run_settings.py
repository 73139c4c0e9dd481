"""What a run depends on beside its data: its model, its training and its members.

These settings reach the job as they stand here, and what is in them is what tells runs apart.
"""

from rote.study import own_module
from rote.study.figures import EXPERIMENTS
from rote.study.mlp import plain
from rote.study.plan import (
    CONDITIONS,
    Member,
    each,
    learning_rates,
    members,
    members_on_subsets,
    members_without_each,
    replicate,
    replicates,
    training_examples_of,
)


def of_run(experiment: str, settings: dict, run: str, precision: str) -> dict:
    """Return the settings of a run of an experiment.

    Args:
        experiment: its name.
        settings: its block under ``presets`` in the configuration.
        run: one of ``rote.study.figures.runs_of_experiment``.
        precision: that of the configuration; sensitivity is always measured in float32.
    """
    watched = {}
    if settings.get("record"):
        watched["record"] = sorted(settings["record"])
    _, observer = EXPERIMENTS[experiment].computed_by(run)
    if observer:
        watched["observer"] = observer
    return {**_of_run(experiment, settings, run, precision), **watched}


def _of_run(experiment: str, settings: dict, run: str, precision: str) -> dict:
    match experiment:
        case "convergence":
            return _convergence(settings, run, precision)
        case "regularization":
            return _regularization(settings, run, precision)
        case "complexity":
            return _complexity(settings, run, precision)
        case "sensitivity":
            return _sensitivity(settings, run)
        case "memorization":
            return _memorization(settings, run, precision)
        case "fair_proxy":
            return _fair_proxy(settings, run, precision)
        case "capacity":
            model = _of_width(settings, int(run.removeprefix("units-")))
            return _training(settings, model, precision)
    return _training(settings, of_model(settings), precision)


def of_model(settings: dict) -> dict:
    """Return the settings of the model of an experiment, or of a case of it, of whatever kind.

    Raises:
        UserError: the code of a module is not where its settings say.
    """
    if "module" in settings:
        return own_module.with_source(settings["module"])
    return plain(next(settings[kind] for kind in ("model", "mlp", "cnn") if kind in settings))


def _of_width(settings: dict, hidden_units: int) -> dict:
    """Return the settings of an MLP of this width, which those of the experiment leave open."""
    return plain({**settings["model"], "hidden_units": hidden_units})


def _memorization(settings: dict, run: str, precision: str) -> dict:
    """Return the settings of a run of ``memorization``.

    The run ``percent-70`` has models on random subsets of so many of the training examples; the
    first of those on the largest subsets are that of ``proxies``. Models of the run ``left-out``
    are trained on the first examples, as many as the first of ``percent``, less one. The run
    ``left-out-more`` has more of those that leave out an example of its ``pairs``.
    """
    pairs = {}
    whole = {**_training(settings, of_model(settings), precision), "keep_misclassified": False}
    if run == "proxies":
        own = members_on_subsets(settings, max(settings["percent"]), settings["proxies"])
    elif run == "left-out":
        percent, models = settings["percent"][0], settings["left_out"]
        own = members_without_each(settings, percent, models)
    elif run == "left-out-more":
        percent, more = settings["percent"][0], settings["left_out_more"]
        pairs = {"pairs": more["pairs"]}
        examples = training_examples_of(more["pairs"])
        own = members_without_each(settings, percent, more["models"], examples)
    else:
        own = members_on_subsets(settings, percent_of(run), settings["models"])
    epochs = whole["training"]["epochs"]
    settings_of_run = {
        **whole,
        "training": {**whole["training"], "evaluate_every": epochs},
        "members": [list(member) for member in own],
        "memorized_above": settings["memorized_above"],
        **pairs,
    }
    if run == "proxies":  # one of them is what is misclassified after one epoch
        settings_of_run["training"]["evaluate_at"] = [1]
    return settings_of_run


def _fair_proxy(settings: dict, run: str, precision: str) -> dict:
    """Return the settings of a run of ``fair_proxy``: models on subsets, of one thing varied.

    The run ``units-64`` has that width, ``epochs-10`` ends after as many epochs, the run of a
    regulariser has its strengths; ``none`` is the run of which the others each vary one thing. Each
    has models on real data and on random labels alone.
    """
    model, training = of_model(settings), {**settings["training"], "precision": precision}
    varied, _, number = run.partition("-")
    if varied == "units":
        model = _of_width(settings, int(number))
    elif varied == "epochs":
        training["epochs"] = int(number)
    conditions = {**settings, "noise_kinds": ["randY"], "noise_levels": [0.0, 1.0]}
    own = members_on_subsets(conditions, settings["percent"], settings["models"])
    return {
        "varied": varied,
        "model": model,
        "training": {**training, "evaluate_every": training["epochs"]},
        "members": [
            list(member._replace(**_strengths(run, strength)))
            for strength in settings["strengths"].get(run, [None])
            for member in own
        ],
        "keep_misclassified": False,
        "keep_epochs": [],
        "memorized_above": settings["memorized_above"],
    }


def percent_of(run: str) -> int:
    """Return the percentage of the training examples of a run ``percent-70``."""
    return int(run.removeprefix("percent-"))


def _training(settings: dict, model: dict, precision: str) -> dict:
    """Return the settings of a run that trains a model, and does nothing else."""
    return {
        "model": model,
        "training": {**settings["training"], "precision": precision},
        "members": [list(member) for member in members(settings)],
        "keep_misclassified": "experiments" in settings,
        "keep_epochs": [],
    }


def _convergence(settings: dict, run: str, precision: str) -> dict:
    """Return the settings of a run of ``convergence``.

    The run ``examples-1000`` has that many training examples and the width of ``model``; the run
    ``units-64`` has that width and the largest number of examples. Members are scored after every
    epoch, and leave once their training accuracy has reached ``threshold``.
    """
    own = {
        **settings,
        "noise_kinds": ["randX"],
        "training": {**settings["training"], "evaluate_every": 1},
    }
    varied, number = run.split("-")
    units = int(number) if varied == "units" else settings["model"]["hidden_units"]
    return _training(own, _of_width(settings, units), precision)


def _sensitivity(settings: dict, labelling: str) -> dict:
    """Return the settings of a run of ``sensitivity``.

    The classes of the labels are few; a label for each example makes a matrix of classes useless.
    """
    training = settings["labellings"][labelling]
    return {
        "labelling": labelling,
        "model": of_model(settings),
        "training": training,
        "norms": settings["norms"],
        "evaluations": settings["evaluations"],
        "class_evaluations": settings["class_evaluations"] if labelling == "class" else 0,
        "members": [
            list(
                Member(
                    *CONDITIONS[condition], 0, 0, float(training["learning_rate"]), 0.0
                )._replace(**replicate(settings, seed))
            )
            for condition in settings["conditions"]
            for seed in replicates(settings)
        ],
    }


def _regularization(settings: dict, regularizer: str, precision: str) -> dict:
    """Return the settings of a run of ``regularization``.

    The run of a regulariser has a member for each learning rate, for each strength, for real and
    for random labels, and for each seed; ``none`` is the run without. Strengths of
    ``adversarial_dropout`` are pairs: the weight of the adversarial examples, and the p of dropout.
    """
    strengths = settings["strengths"].get(regularizer, [0.0])
    training = {**settings["training"], "precision": precision}
    run = {
        "regularizer": regularizer,
        "selected": settings["selected"].get(regularizer, 0.0),
        "model": of_model(settings),
        "training": training,
        "members": [
            list(
                Member(kind, level, 0, 0, rate, float(training["weight_decay"]))._replace(
                    **_strengths(regularizer, strength), **replicate(settings, seed)
                )
            )
            for rate in learning_rates(training)
            for strength in strengths
            for kind, level in (("real", 0.0), ("randY", 1.0))
            for seed in replicates(settings)
        ],
        "keep_misclassified": False,
        "keep_epochs": [],
    }
    if regularizer.startswith("adversarial"):
        run["adversarial_examples"] = settings["adversarial_examples"]
    return run


def _strengths(regularizer: str, strength: float | list[float] | None) -> dict[str, float]:
    """Return the strengths of a member that a regulariser of the configuration means."""
    if regularizer == "none" or strength is None:
        return {}
    if regularizer == "adversarial_dropout":
        weight, p = strength
        return {"adversarial": float(weight), "dropout": float(p)}
    return {regularizer: float(strength)}


def _complexity(settings: dict, case: str, precision: str) -> dict:
    """Return the settings of a run of ``complexity``."""
    own, search = settings["cases"][case], settings["critical_samples"]
    return {
        "case": case,
        "model": of_model(own),
        "training": {**own["training"], "precision": precision},
        "members": [list(member) for member in members({**settings, **own})],
        "keep_misclassified": False,
        "keep_epochs": sorted(own["critical_epochs"]),
        "critical_samples": {
            **search,
            "radius": [float(radius) for radius in each(search["radius"])],
            "epochs": sorted(own["critical_epochs"]),
        },
    }
