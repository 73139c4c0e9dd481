"""Runs that are made up: every value says whose it is."""

import json

import numpy as np
import xarray as xr

from rote.study import plan
from rote.study.figures import FIGURES
from rote.study.run_settings import of_run

ABOUT = {
    "dataset": "Synthetic",
    "train_examples": 100,
    "validation_examples": 50,
    "drawn_from": 400,
    "image_size": "4×4",
    "data": "{}",
}

NAMED = {"long_name": "made up", "units": "1"}


def made_up_run(members, units, epochs=2, misclassified=None, labels=None):
    """Return a run whose accuracies spell out its members, so that each can be found again.

    Example i of draw s of the data is the image 100·(s + 1) + i. ``labels`` (members, examples) are
    0 if they are not given.
    """
    columns = dict(zip(plan.Member._fields, zip(*members, strict=True), strict=True))
    code = np.array([m.seed + 10 * m.noise_level + 100 * len(m.noise_kind) for m in members])
    accuracy = np.stack([np.full(len(members), -1.0)] * (epochs - 1) + [code + units], axis=1)
    run = xr.Dataset(
        {
            "validation_accuracy": (("member", "epoch"), accuracy, NAMED),
            "train_accuracy": (("member", "epoch"), accuracy * 2, NAMED),
            "diverged_epoch": ("member", np.zeros(len(members), int), NAMED),
        },
        coords={name: ("member", list(values), NAMED) for name, values in columns.items()},
    )
    if misclassified is not None:
        run["misclassified"] = ("member", "example"), misclassified, NAMED
        first = np.array([100 * (member.data_seed + 1) for member in members])
        index = first[:, None] + np.arange(misclassified.shape[1])
        labels = np.zeros(misclassified.shape, int) if labels is None else labels
        examples = {"index": index, "label": labels}
        run = run.assign_coords(
            {name: (("member", "example"), values, NAMED) for name, values in examples.items()}
        )
    settings = {
        "model": {"hidden_layers": 2, "hidden_units": units},
        "training": {"epochs": epochs, "batch_size": 5, "learning_rate": 0.1},
    }
    return run.assign_attrs(ABOUT, settings=json.dumps(settings), device="cpu")


def made_up_forgetting(members, events, first, replaced=0) -> xr.Dataset:
    """Return a run in which examples were forgotten, (members, examples) or what fits that.

    At the ends of epochs each is forgotten once more, and first right an epoch later, if ever.
    """
    events, first, replaced, _ = np.broadcast_arrays(
        events, first, np.asarray(replaced, bool), np.zeros((len(members), 1))
    )
    run = made_up_run(members, 64, misclassified=np.zeros(events.shape, bool))
    counts = {
        "forgetting_events": events,
        "first_learned": first,
        "forgetting_events_scored": events + 1,
        "first_learned_scored": np.where(first > 0, first + 1, 0),
    }
    along = "member", "example"
    run = run.assign({name: (along, values, NAMED) for name, values in counts.items()})
    return run.assign_coords(replaced=(along, replaced, NAMED))


def made_up_convergence(size: int, units: int, times: dict | None = None) -> xr.Dataset:
    """Return a run of two seeds and levels 0, 0.4 and 1 with a limit of 50 epochs.

    ``times`` are the epochs to convergence of (level, seed); 0 stands for none, −1 for divergence.
    """
    members = [
        plan.Member("randX" if level else "real", level, seed, seed, 0.1, 0.0)
        for seed in (1, 0)
        for level in (1.0, 0.0, 0.4)
    ]
    default = {(m.noise_level, m.seed): 2 + m.seed for m in members}
    epochs = np.array([(default | (times or {}))[m.noise_level, m.seed] for m in members])
    columns = dict(zip(plan.Member._fields, zip(*members, strict=True), strict=True))
    run = xr.Dataset(
        {
            "converged_epoch": ("member", np.maximum(epochs, 0), NAMED),
            "diverged_epoch": ("member", np.where(epochs < 0, 7, 0), NAMED),
        },
        coords={name: ("member", list(values), NAMED) for name, values in columns.items()},
    )
    training = {"epochs": 50, "batch_size": 5, "learning_rate": 0.1, "threshold": 0.95}
    settings = {"model": {"hidden_layers": 2, "hidden_units": units}, "training": training}
    about = ABOUT | {"train_examples": size, "validation_examples": 0}
    return run.assign_attrs(about, settings=json.dumps(settings), device="cpu")


def convergence_runs() -> list[xr.Dataset]:
    return [
        made_up_convergence(100, 8, {(0.0, 0): 10, (0.4, 0): 10, (1.0, 0): 5, (1.0, 1): 5}),
        made_up_convergence(400, 8, {(0.0, 0): 5, (0.4, 0): 40, (1.0, 0): 0, (1.0, 1): 20}),
        made_up_convergence(200, 8, {(0.0, 0): 10, (0.4, 0): 20, (1.0, 0): 30, (1.0, 1): 10}),
        made_up_convergence(400, 16, {(0.0, 1): 4, (1.0, 1): -1}),
    ]


def made_up_sensitivity(labelling: str, times=(0, 5, 10), examples=4) -> xr.Dataset:
    """Return a run of two seeds whose members are in no order, with random sensitivities."""
    rng = np.random.default_rng(len(labelling))
    order = ("randX", 1), ("real", 0), ("halfX", 1), ("real", 1), ("randX", 0), ("halfX", 0)
    members = [plan.Member(*plan.CONDITIONS[name], seed, seed, 0.1, 0.0) for name, seed in order]
    columns = dict(zip(plan.Member._fields, zip(*members, strict=True), strict=True))
    shape, norms = (len(members), len(times)), ["l1", "linf"]
    each = rng.random((len(members), len(norms), len(times), examples))
    run = xr.Dataset(
        {
            "sensitivity": (("member", "norm", "update", "example"), each, NAMED),
            "train_accuracy": (("member", "update"), rng.random(shape), NAMED),
            "diverged_epoch": ("member", np.zeros(len(members), int), NAMED),
        },
        coords={name: ("member", list(values), NAMED) for name, values in columns.items()}
        | {
            "update": ("update", list(times), NAMED),
            "norm": ("norm", norms, {"long_name": "norm"}),
            "device": ("member", ["cpu"] * len(members), NAMED),
            "index": (("member", "example"), np.tile(np.arange(examples), (6, 1)), NAMED),
        },
    )
    if labelling == "class":
        matrices = 1 + rng.random((len(members), len(norms), 2, 5, 5))
        names = {dim: (dim, list("abcde"), NAMED) for dim in ("loss_class", "example_class")}
        names |= {"class_update": ("class_update", [times[0], times[-1]], NAMED)}
        along = ("member", "norm", "class_update", "loss_class", "example_class")
        run["class_sensitivity"] = along, matrices, NAMED
        run = run.assign_coords(names)
    settings = {
        "labelling": labelling,
        "model": {"hidden_layers": 2, "hidden_units": 16},
        "training": {"epochs": len(labelling), "batch_size": 5, "learning_rate": 0.1},
    }
    return run.assign_attrs(ABOUT, settings=json.dumps(settings), device="cpu")


def made_up_complexity(case: str, *, cnn: bool, epochs=(1, 2, 3, 4), critical=(2, 4)) -> xr.Dataset:
    """Return a run of two seeds and levels 0, 0.4 and 1, with random measures."""
    rng = np.random.default_rng(len(case))
    members = [
        plan.Member(kind, level, seed, seed, 0.1, 0.0)
        for seed in (1, 0)
        for kind, level in (
            ("randY", 1.0),
            ("real", 0.0),
            ("randX", 0.4),
            ("randX", 1.0),
            ("randY", 0.4),
        )
    ]
    columns = dict(zip(plan.Member._fields, zip(*members, strict=True), strict=True))
    count = len(members)
    ratio = rng.random((count, 2, len(critical), 3))
    ratio[[m.noise_kind != "randX" for m in members], :, :, 1] = np.nan
    share = 0.1 + 0.9 * ratio[:, 0]
    run = xr.Dataset(
        {
            "train_accuracy": (("member", "epoch"), rng.random((count, len(epochs))), NAMED),
            "validation_accuracy": (("member", "epoch"), rng.random((count, len(epochs))), NAMED),
            "critical_sample_ratio": (
                ("member", "radius", "critical_epoch", "critical_inputs"),
                ratio,
                NAMED,
            ),
            "commonest_class_share": (
                ("member", "critical_epoch", "critical_inputs"),
                share,
                NAMED,
            ),
            "diverged_epoch": ("member", np.zeros(count, int), NAMED),
        },
        coords={name: ("member", list(values), NAMED) for name, values in columns.items()}
        | {
            "epoch": ("epoch", list(epochs), NAMED),
            "critical_epoch": ("critical_epoch", list(critical), NAMED),
            "critical_inputs": ("critical_inputs", ["real", "noise", "train"], NAMED),
            "radius": ("radius", [0.3, 0.1], NAMED),
        },
    )
    model = {"hidden_layers": 2, "hidden_units": 16}
    if cnn:
        model = {"maps": 6, "dense": [8, 4], "padding": "same", "pooling_stride": 2}
        shape = ("member", "map", "channel", "filter_row", "filter_column")
        run["filter"] = shape, rng.normal(size=(count, 6, 1, 5, 5)), NAMED
    search = {"alpha": 0.25, "beta": 0.2, "radius": [0.3, 0.1], "max_iterations": 10}
    search |= {"examples": 40, "train_examples": 30}
    settings = {
        "case": case,
        "model": model,
        "training": {"epochs": 4, "batch_size": 5, "learning_rate": 0.1, "momentum": 0.9},
        "critical_samples": search,
    }
    return run.assign_attrs(ABOUT, settings=json.dumps(settings), device="cpu")


def regularization_runs(settings: dict) -> list[xr.Dataset]:
    """Return the runs of an experiment ``regularization``, with random accuracies."""
    runs = []
    for name in FIGURES["fig5_1"].runs(settings):
        run_settings = of_run("regularization", settings, name, "float32")
        members = [plan.Member(*member) for member in run_settings["members"]]
        columns = dict(zip(plan.Member._fields, zip(*members, strict=True), strict=True))
        rng = np.random.default_rng(len(runs))
        run = xr.Dataset(
            {
                name: (("member", "epoch"), rng.random((len(members), 3)), NAMED)
                for name in ("train_accuracy", "validation_accuracy")
            }
            | {"diverged_epoch": ("member", np.zeros(len(members), int), NAMED)},
            coords={key: ("member", list(values), NAMED) for key, values in columns.items()}
            | {"epoch": ("epoch", [2, 4, 6], NAMED)},
        )
        runs.append(run.assign_attrs(ABOUT, settings=json.dumps(run_settings), device="cpu"))
    return runs
