"""Runs on random subsets that are made up: of scores, of proxies, and of variants of models."""

import json

import numpy as np
import xarray as xr

from made_up_runs import ABOUT, NAMED
from rote.metrics.proxies import PROXIES
from rote.runs.memorization import OF_DRAW
from rote.study import plan
from rote.study.run_settings import of_run

EXAMPLES = 40


def made_up_subsets(settings: dict, rng: np.random.Generator, noisy=0.5) -> xr.Dataset:
    """Return a run of half of the examples, of which noise has changed the first share."""
    members = [plan.Member(*member) for member in settings["members"]]
    columns = dict(zip(plan.Member._fields, zip(*members, strict=True), strict=True))
    draws = list({tuple(getattr(m, name) for name in OF_DRAW): None for m in members})
    subsets = rng.random((len(members), EXAMPLES)) < 0.5
    hard = np.linspace(0, 1, EXAMPLES)
    right = subsets | (rng.random(subsets.shape) > hard)
    changed = [(np.arange(EXAMPLES) < noisy * EXAMPLES) & (draw[0] != "real") for draw in draws]
    accuracy = (right & subsets).sum(1) / subsets.sum(1)
    run = xr.Dataset(
        {
            "train_accuracy": (("member", "epoch"), accuracy[:, None], NAMED),
            "validation_accuracy": (("member", "epoch"), rng.random((len(members), 1)), NAMED),
            "diverged_epoch": ("member", np.zeros(len(members), int), NAMED),
            "right": (("member", "byte"), np.packbits(right, axis=1), NAMED),
            "trained_on": (("member", "byte"), np.packbits(subsets, axis=1), NAMED),
            "changed": (("draw", "example"), changed, NAMED),
        },
        coords={name: ("member", list(values), NAMED) for name, values in columns.items()}
        | {
            f"draw_{name}": ("draw", list(values), NAMED)
            for name, values in zip(OF_DRAW, zip(*draws, strict=True), strict=True)
        },
    )
    return run.assign_attrs(ABOUT, settings=json.dumps(settings), device="cpu")


def with_measures(run: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Return a run with a random value of each proxy, missing outside of a member's subset."""
    examples = run.sizes.get("example", EXAMPLES)
    inside = np.unpackbits(run["trained_on"].values, axis=1, count=examples).astype(bool)
    values = {name: np.where(inside, rng.random(inside.shape), np.nan) for name in PROXIES}
    values["first_learned"] = np.where(inside, rng.integers(0, 4, inside.shape), 0)
    values["forgetting_events"] = np.where(inside, rng.integers(0, 9, inside.shape), 0)
    values["misclassified_after_one"] = rng.integers(0, 2, inside.shape).astype(float)
    along = "member", "example"
    return run.assign({name: (along, own, NAMED) for name, own in values.items()})


def subsets_settings(settings: dict) -> dict:
    """Return an experiment like ``memorization``, of a fixture ``settings``."""
    return {
        **settings,
        "percent": [50],
        "models": 12,
        "proxies": 3,
        "left_out": 0,
        "memorized_above": 0.25,
        "model": {"hidden_layers": 2, "hidden_units": 6},
    }


def proxies_runs(settings: dict, seed: int = 0) -> list[xr.Dataset]:
    """Return the runs from which the figure ``proxies`` is drawn."""
    rng, own = np.random.default_rng(seed), subsets_settings(settings)
    each = [of_run("memorization", own, run, "float32") for run in ("percent-50", "proxies")]
    scored, measured = (made_up_subsets(one, rng) for one in each)
    return [scored, with_measures(measured.drop_vars("right"), rng)]


def variants_settings(settings: dict) -> dict:
    """Return an experiment like ``fair_proxy``, of a fixture ``settings``."""
    return {
        **subsets_settings(settings),
        "percent": 50,
        "models": 8,
        "hidden_units": [6, 12],
        "epochs": [2, 3],
        "strengths": {"dropout": [0.2, 0.5], "weight_decay": [0.01]},
    }


def fair_proxy_runs(settings: dict, seed: int = 0) -> list[xr.Dataset]:
    """Return the runs from which the figure ``fair_proxy`` is drawn."""
    rng, own = np.random.default_rng(seed), variants_settings(settings)
    runs = "none", "units-12", "epochs-2", "epochs-3", "dropout", "weight_decay"
    each = [of_run("fair_proxy", own, run, "float32") for run in runs]
    made_up = [made_up_subsets(one, rng, noisy=1) for one in each]
    for i, run in enumerate(made_up):
        run["train_accuracy"].values *= 1 - 0.1 * i * (1 + run["noise_level"].values[:, None])
    return made_up
