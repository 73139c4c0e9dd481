"""Memorisation: how much better a model does on an example for having been trained on it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr

from rote.measures.memorization import (
    consistency,
    jackknife,
    mean_score,
    memorization,
    reliability,
    share_above,
)
from rote.measures.records import unpacked
from rote.metrics import settings_of, with_protocol

OF_EXAMPLES = {
    "memorization": "P(right | trained on it) − P(right | not), memorisation score of the example",
    "memorization_error": "standard error of the memorisation score, over models",
    "consistency": "P(right | not trained on it), consistency score at one size of the subsets",
    "consistency_error": "standard error of the consistency score, over models",
}
OF_PARTS = {
    "memorized_share": "share of examples with a memorisation score above memorized_above, "
    "corrected for the noise of the scores",
    "memorized_share_error": "standard error of the share, over models",
    "memorized_share_measured": "the share as measured, which the noise of the scores moves",
    "mean_memorization": "mean memorisation score",
    "mean_memorization_error": "standard error of the mean score, over models",
    "part_examples": "examples of the part",
}
OF_CONDITIONS = {
    "reliability": "rank correlation of the memorisation scores with those of another study",
    "fitted_models": "share of the models that have all of their subset right",
    "diverged_models": "share of the models that diverged, which are left out",
    "train_accuracy": "mean accuracy of the models on their subsets",
    "validation_accuracy": "mean accuracy of the models on the validation examples",
}
LONG_NAMES = {
    **OF_EXAMPLES,
    **OF_PARTS,
    **OF_CONDITIONS,
    "consistency_score": "mean of the consistency over all sizes of the subsets",
    "replaced": "noise replaces the example",
    "changed": "noise has given the example another label, or another input",
    "label": "label trained on",
    "index": "position of the training example in its part of the original data set",
    "fraction": "fraction of the training examples that a model is trained on",
    "noise_level": "fraction of the training examples that noise replaces; real: at every level",
    "learning_rate": "learning rate at the beginning of the training",
    "seed": "replicate",
}
WORDS = {
    "part": "which examples: all, those that noise kept as they are, or those that it changed",
    "condition": "training data: real, or the name of a noise, which at level 0 is real, too",
}
PARTS = "all", "kept", "changed"
DIMENSIONS = (
    "fraction",
    "learning_rate",
    "part",
    "condition",
    "noise_level",
    "example",
    "seed",
)


class Group(NamedTuple):
    """The models of a run that are trained alike, but for their subsets, weights and order."""

    fraction: float
    learning_rate: float
    noise_kind: str
    noise_level: float
    seed: int
    models: xr.Dataset  # of the run, also those that diverged
    left: xr.Dataset  # those that did not, of which all that follows is
    right: np.ndarray  # (models, examples)
    trained: np.ndarray  # the same
    changed: np.ndarray  # (examples,)

    @property
    def same(self) -> tuple[float, str, float, int]:
        """What groups have in common, also of different runs, that are trained on the same data."""
        return self.learning_rate, self.noise_kind, self.noise_level, self.seed


def members_alike(run: xr.Dataset) -> Iterator[tuple[xr.Dataset, float, np.ndarray]]:
    """Yield what the examples of a draw are, a learning rate, and its members' positions."""
    names, rates = ("noise_kind", "noise_level", "seed"), run["learning_rate"].values
    for draw in range(run.sizes["draw"]):
        one = run.isel(draw=draw)
        same = np.logical_and.reduce(
            [run[name].values == one[f"draw_{name}"].item() for name in names]
        )
        for rate in dict.fromkeys(rates.tolist()):
            yield one, rate, np.flatnonzero(same & (rates == rate))


def groups(run: xr.Dataset) -> Iterator[Group]:
    """Yield the groups of models of a run of ``rote.runs.memorization``."""
    examples = run.sizes["example"]
    for draw, rate, members in members_alike(run):
        models = run.isel(member=members)
        left = models.isel(member=np.flatnonzero(models["diverged_epoch"].values == 0))
        yield Group(
            run["percent"].values[0].item() / 100,
            rate,
            draw["draw_noise_kind"].item(),
            draw["draw_noise_level"].item(),
            draw["draw_seed"].item(),
            models,
            left,
            unpacked(left["right"].values, examples),
            unpacked(left["trained_on"].values, examples),
            draw["changed"].values,
        )


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the scores of every example, and of all, with their standard errors over models.

    Args:
        runs: of the experiment ``memorization``, one for each size of the subsets.

    Returns:
        Those of ``OF_EXAMPLES`` (fraction, learning_rate, condition, noise_level, example, seed),
        those of ``OF_PARTS`` along ``part`` instead of ``example``, those of ``OF_CONDITIONS``
        without either, ``consistency_score`` without fraction; ``label``, ``replaced`` and
        ``changed`` (condition, noise_level, example, seed) and ``index`` (example, seed). Noise of
        level 0 is real data, and real data stands at every level. Missing is what no example is in,
        or no model. Attributes ``models_per_replicate``, of each condition and size, diverged ones
        among them, ``memorized_above`` and ``classes``.
    """
    threshold = settings_of(runs[0])["memorized_above"]
    found = [_of_group(group, threshold) for run in runs for group in groups(run)]
    kinds = list(dict.fromkeys(runs[0]["draw_noise_kind"].values.tolist()))
    levels = np.unique(runs[0]["draw_noise_level"].values)
    result = _table(found, kinds, levels)
    result["consistency_score"] = result["consistency"].mean("fraction", skipna=False)
    result = result.merge(_examples(runs[0], kinds, levels)).transpose(
        *DIMENSIONS, missing_dims="ignore"
    )
    for name, long_name in LONG_NAMES.items():
        result[name].attrs = {"long_name": long_name, "units": "1"}
    for name, words in WORDS.items():
        result[name].attrs = {"long_name": words}
    return with_protocol(
        "memorization",
        result.assign_attrs(
            models_per_replicate=runs[0].sizes["member"]
            // (runs[0].sizes["draw"] * result.sizes["learning_rate"]),
            memorized_above=threshold,
            classes=runs[0].sizes["class"],
        ),
        runs,
    )


def _of_group(group: Group, threshold: float) -> xr.Dataset:
    """Return the numbers of a group, each along dimensions of one."""
    parts = [np.ones_like(group.changed), ~group.changed, group.changed]
    diverged = group.models["diverged_epoch"] > 0

    def of_part(right: np.ndarray, trained: np.ndarray, part: np.ndarray) -> list[float]:
        share = share_above(right, trained, threshold, part)
        return [mean_score(right, trained, part), share.corrected, share.measured]

    def of_parts(right: np.ndarray, trained: np.ndarray) -> list:
        empty, every = [np.nan] * 3, of_part(right, trained, parts[0])
        found = [every]
        for part in parts[1:]:
            some = of_part(right, trained, part) if part.any() and not part.all() else empty
            found.append(every if part.all() else some)
        return found

    count = len(group.right)
    values, errors = (
        jackknife(of_parts, group.right, group.trained, halving_groups(count))
        if count >= 4
        else np.full((2, len(parts), 3), np.nan)
    )
    scores = (memorization, consistency) if count else ()
    of_examples = np.full((4, len(group.changed)), np.nan, np.float32)
    for k, measure in enumerate(scores):
        of_examples[2 * k : 2 * k + 2] = measure(group.right, group.trained)
    last = group.models.isel(epoch=-1)
    numbers = {
        "reliability": reliability(group.right, group.trained) if count > 1 else np.nan,
        "fitted_models": (last["train_accuracy"] == 1).mean().item(),
        "diverged_models": diverged.mean().item(),
        "train_accuracy": last["train_accuracy"].mean().item(),
        "validation_accuracy": last["validation_accuracy"].mean().item(),
    }
    of_parts_found = values[:, 1], errors[:, 1], values[:, 2], values[:, 0], errors[:, 0]
    sizes = [float(part.sum()) for part in parts]
    return xr.Dataset(
        {
            **{name: ("example", own) for name, own in zip(OF_EXAMPLES, of_examples, strict=True)},
            **{
                name: ("part", own)
                for name, own in zip(OF_PARTS, (*of_parts_found, sizes), strict=True)
            },
            **numbers,
        },
        coords={
            "part": list(PARTS),
            "fraction": group.fraction,
            "learning_rate": group.learning_rate,
            "condition": group.noise_kind,
            "noise_level": group.noise_level,
            "seed": group.seed,
        },
    )


def halving_groups(models: int) -> int:
    """Return into how many groups a jackknife divides models: a power of 2, 16 if it can be."""
    return min(16, 2 ** int(np.log2(models // 2)))


def _everywhere(table: xr.Dataset, kinds: list[str], levels: np.ndarray) -> xr.Dataset:
    """Return a table in which noise of level 0 is real data, and real data is at every level."""
    real = table.sel(condition="real", noise_level=0.0, drop=True) if "real" in kinds else None
    rows = []
    for kind in kinds:
        cells = [
            real if kind == "real" or level == 0 else table.sel(condition=kind, noise_level=level)
            for level in levels
        ]
        cells = [cell.drop_vars(["condition", "noise_level"], errors="ignore") for cell in cells]
        rows.append(xr.concat(cells, xr.Variable("noise_level", levels)))
    return xr.concat(rows, xr.Variable("condition", kinds))


def _table(found: list[xr.Dataset], kinds: list[str], levels: np.ndarray) -> xr.Dataset:
    """Return the numbers of all groups along what tells them apart; the first rate stays first."""
    along = ["fraction", "learning_rate", "condition", "noise_level", "seed"]
    stacked = xr.concat(found, "group", coords="all")
    order = {name: list(dict.fromkeys(stacked[name].values.tolist())) for name in along[:2]}
    table = stacked.set_index(group=along).unstack("group").sel(order)
    return _everywhere(table, kinds, levels)


def _examples(run: xr.Dataset, kinds: list[str], levels: np.ndarray) -> xr.Dataset:
    """Return what the examples are, of all conditions, levels and seeds."""
    own = run[["label", "replaced", "changed"]].reset_coords(drop=True)
    own = own.assign_coords(
        condition=("draw", run["draw_noise_kind"].values),
        noise_level=("draw", run["draw_noise_level"].values),
        seed=("draw", run["draw_seed"].values),
    )
    own = own.set_index(draw=["condition", "noise_level", "seed"]).unstack("draw", fill_value=0)
    table = _everywhere(own, kinds, levels)
    for name in ("replaced", "changed"):
        table[name] = table[name].astype(bool)
    _, firsts = np.unique(run["draw_seed"].values, return_index=True)
    index = run["index"].values[firsts]
    return table.assign(index=(("seed", "example"), index))
