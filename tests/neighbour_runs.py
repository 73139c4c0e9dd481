"""Runs of ``memorization`` whose models are nearest neighbours: what is left out is known exactly.

A model is right about what its nearest training example has the label of. Points lie in a plane,
of which each draw of weights stretches one axis.
"""

import json

import numpy as np
import xarray as xr

from made_up_runs import ABOUT, NAMED
from rote.metrics.proxies import PROXIES
from rote.runs.device_data import trained_on
from rote.runs.memorization import OF_DRAW
from rote.study import plan, run_settings
from rote.study.figures import FIGURES

EXAMPLES, VALIDATION, CLASSES = 40, 30, 3
SUBSET = 28  # 70 %
SETTINGS = {
    "data": {"train_examples": EXAMPLES, "validation_examples": VALIDATION},
    "noise_kinds": ["randY"],
    "noise_levels": [0, 0.4],
    "seeds": 2,
    "first_seed": 0,
    "vary": list(plan.FACTORS),
    "percent": [70],
    "models": 60,
    "proxies": 6,
    "left_out": 8,
    "left_out_more": {
        "models": 12,
        "pairs": [[i, j] for i in range(0, 28, 3) for j in range(12)],
    },
    "memorized_above": 0.25,
    "model": {"hidden_layers": 1, "hidden_units": 4},
    "training": {"epochs": 2, "batch_size": 5, "learning_rate": 0.1, "weight_decay": 0.0},
}


class Data:
    """The examples of a condition: points (n, 2) in three heaps, and labels trained on."""

    def __init__(self, seed: int, level: float):
        rng = np.random.default_rng(seed)
        self.true = rng.integers(0, CLASSES, EXAMPLES)
        self.validation_label = rng.integers(0, CLASSES, VALIDATION)
        heaps = np.array([[0, 0], [2, 0], [1, 2]])
        self.points, self.validation = (
            heaps[labels] + rng.normal(0, 1.2, (len(labels), 2))
            for labels in (self.true, self.validation_label)
        )
        self.changed = np.arange(EXAMPLES) % 5 < 5 * level
        self.label = np.where(self.changed, (self.true + 1) % CLASSES, self.true)

    def right(self, subset: np.ndarray, stretch: float) -> tuple[np.ndarray, np.ndarray]:
        """Return whether a model that is trained on a subset is right, of either part."""
        by = np.array([1, stretch])
        return tuple(
            self.label[
                subset[np.linalg.norm((at[:, None] - self.points[subset]) * by, axis=2).argmin(1)]
            ]
            == label
            for at, label in ((self.points, self.label), (self.validation, self.validation_label))
        )


def stretch_of(member: plan.Member) -> float:
    return np.random.default_rng(member.initial_seed).uniform(0.3, 3)


def neighbour_run(name: str, settings: dict | None = None) -> xr.Dataset:
    """Return the run of this name as ``rote.runs.memorization`` does, as far as metrics ask."""
    settings = settings or SETTINGS
    own = run_settings.of_run("memorization", settings, name, "float32")
    members = [plan.Member(*member) for member in own["members"]]
    draws = list({tuple(getattr(m, part) for part in OF_DRAW): m for m in members}.values())
    data = {(m.seed, m.noise_level): Data(m.seed, m.noise_level) for m in draws}
    right, validation, trained = [], [], np.zeros((len(members), EXAMPLES), bool)
    for member, row in zip(members, trained, strict=True):
        subset = trained_on(member, EXAMPLES)
        row[subset] = True
        of_both = data[member.seed, member.noise_level].right(subset, stretch_of(member))
        for found, each in zip((right, validation), of_both, strict=True):
            found.append(each)
    accuracy = np.where(trained, right, 0).sum(1, keepdims=True) / trained.sum(1, keepdims=True)
    columns = dict(zip(plan.Member._fields, zip(*members, strict=True), strict=True))
    of_draws = [data[draw.seed, draw.noise_level] for draw in draws]
    run = xr.Dataset(
        {
            "train_accuracy": (("member", "epoch"), accuracy, NAMED),
            "validation_accuracy": (
                ("member", "epoch"),
                np.mean(validation, axis=1)[:, None],
                NAMED,
            ),
            "diverged_epoch": ("member", np.zeros(len(members), int), NAMED),
            "right": (("member", "byte"), np.packbits(right, axis=1), NAMED),
            "trained_on": (("member", "byte"), np.packbits(trained, axis=1), NAMED),
            "validation_right": (
                ("member", "validation_byte"),
                np.packbits(validation, axis=1),
                NAMED,
            ),
            "label": (("draw", "example"), [one.label for one in of_draws], NAMED),
            "replaced": (("draw", "example"), [one.changed for one in of_draws], NAMED),
            "changed": (("draw", "example"), [one.changed for one in of_draws], NAMED),
            "index": (
                ("draw", "example"),
                [100 * d.seed + np.arange(EXAMPLES) for d in draws],
                NAMED,
            ),
            "validation_label": (
                ("image_seed", "validation_example"),
                [data[seed, 0.0].validation_label for seed in plan.replicates(settings)],
                NAMED,
            ),
        },
        coords={
            **{name: ("member", list(values), NAMED) for name, values in columns.items()},
            **{f"draw_{n}": ("draw", [getattr(d, n) for d in draws], NAMED) for n in OF_DRAW},
            "image_seed": [*plan.replicates(settings)],
            "class_name": ("class", list("abc")),
        },
    ).assign_attrs(ABOUT, settings=json.dumps(own), device="cpu")
    if name != "proxies":
        return run
    measured = {m: np.where(trained, distances(members, data, trained), np.nan) for m in PROXIES}
    return run.drop_vars("right").assign(
        {name: (("member", "example"), values, NAMED) for name, values in measured.items()}
    )


def distances(members: list, data: dict, trained: np.ndarray) -> np.ndarray:
    """Return how far each example of a member is from the nearest other one: what is alone."""
    found = np.full(trained.shape, np.nan)
    for member, row, own in zip(members, found, trained, strict=True):
        points = data[member.seed, member.noise_level].points[own]
        between = np.linalg.norm(points[:, None] - points, axis=2)
        np.fill_diagonal(between, np.inf)
        row[own] = between.min(1)
    return found


def runs_of(figure: str, settings: dict | None = None) -> list[xr.Dataset]:
    """Return the runs that a figure is drawn from."""
    return [neighbour_run(name, settings) for name in FIGURES[figure].runs(settings or SETTINGS)]
