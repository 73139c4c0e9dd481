"""Claim 3, second half: on real data some examples, and some classes, matter more than others."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.verdicts import Inconclusive, Interval, NotTested, Part, more_than, over_seeds

LABELLINGS = {"class": "class labels", "unique": "a class for each example"}
OTHER_NORMS = {"l2": "ℓ2", "linf": "ℓ∞"}
OVER_SEEDS = (
    "The interval is over the seeds; those without a value are left out. If "
    "train_accuracy of real or of randX, mean over seeds at the last update, is below `fitted`, "
    "the interval has no bounds."
)
SHARES = (
    "share_gini is the Gini coefficient over the examples x of s_x, the mean over the evaluated "
    "updates t of g_x^t / Σ_x' g_x'^t, with g_x^t the norm of the derivative of the training loss "
    "after t updates by x. So every update counts alike, and none is left out for its size; if a "
    "g_x^t is not finite, or all of an update are 0, the seed has no value."
)


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts on examples (``fig3_2``) and on classes (``fig3_3``)."""
    margin = criteria["margin"]
    for labelling, words in LABELLINGS.items():
        place = f'labelling "{labelling}", at the last update at which train_accuracy has a value'
        yield Part(
            f"gini_{labelling}",
            "fig3_2",
            f"{words}: Gini coefficient of the loss-sensitivity, real less randX",
            *more_than(criteria, "margin"),
            partial(_gini, metrics, labelling, criteria),
            definition=f"share_gini, real less randX, of each seed, for the first norm, {place}. "
            f"{SHARES} {OVER_SEEDS}",
        )
    for labelling, words in LABELLINGS.items():
        place = f'labelling "{labelling}", at the last update at which train_accuracy has a value'
        for norm, name in OTHER_NORMS.items():
            yield Part(
                f"gini_{labelling}_{norm}",
                "fig3_2",
                f"{words}: the same difference with the norm {name} less that with ℓ1",
                f"very similar: between {-margin:g} and {margin:g} (margin)",
                (-margin, margin),
                partial(_other_norm, metrics, labelling, norm, criteria),
                "paper",
                definition=f'(share_gini of real less that of randX) at norm "{norm}" less the '
                f'same at norm "l1", of each seed, {place}. {SHARES} {OVER_SEEDS}',
            )
    share = "share of the per-class sensitivity on the diagonal, real less randX"
    matrix = (
        "class_share is the mean over the evaluated updates of each update's matrix of "
        "sensitivities over its sum, for the first norm; a seed with a cell that is not finite has "
        "no value."
    )
    of_diagonal = (
        "diagonal_share, real less randX, of each seed: the sum of class_share over the cells in "
        f"which loss_class is example_class. {matrix} {OVER_SEEDS}"
    )
    yield Part(
        "diagonal_share",
        "fig3_3",
        share,
        *more_than(criteria, "margin", "class-correlated"),
        partial(_shape, metrics, "diagonal_share", criteria),
        definition=of_diagonal,
    )
    yield Part(
        "diagonal_share_spread",
        "fig3_3",
        share,
        f"spread over classes: less than {-margin:g} (margin)",
        (-np.inf, -margin),
        partial(_shape, metrics, "diagonal_share", criteria),
        "paper",
        definition=of_diagonal,
    )
    yield Part(
        "off_diagonal_gini",
        "fig3_3",
        "Gini coefficient of the sensitivity off the diagonal, real less randX",
        *more_than(criteria, "margin", "more uneven"),
        partial(_shape, metrics, "off_diagonal_gini", criteria),
        "ours",
        definition="off_diagonal_gini, real less randX, of each seed: the Gini coefficient of the "
        f"cells of class_share in which loss_class is not example_class. {matrix} {OVER_SEEDS}",
    )


def _at_the_end(sensitivity: xr.Dataset, labelling: str) -> xr.Dataset:
    """Return the values of a labelling at the last update at which it was evaluated."""
    if labelling not in sensitivity["labelling"]:
        raise NotTested(f"the experiment sensitivity has no labelling {labelling}")
    one = sensitivity.sel(labelling=labelling)
    # Where sensitivities have overflowed, training goes on: its accuracy tells the last update.
    one = one.dropna("update", how="all", subset=["train_accuracy"])
    if not one.sizes["update"] or one["share_gini"].isnull().all():
        raise Inconclusive("all models diverged")
    return one.isel(update=-1)


def _gini(metrics: Mapping[str, xr.Dataset], labelling: str, criteria: dict) -> Interval:
    """Return the difference after the last update."""
    last = _at_the_end(metrics["fig3_2"], labelling)
    return _over_seeds(_difference(last["share_gini"]), last["train_accuracy"], criteria)


def _other_norm(
    metrics: Mapping[str, xr.Dataset], labelling: str, norm: str, criteria: dict
) -> Interval:
    """Return how far the difference by another norm is from that by ℓ1."""
    every = getattr(metrics, "every", metrics)["fig3_2"]
    there = every["norm"].values if "norm" in every.dims else []
    for wanted in ("l1", norm):
        if wanted not in there:
            raise NotTested(f"the experiment sensitivity does not have the norm {wanted}")
    last = _at_the_end(every, labelling)
    by_norm = _difference(last["share_gini"])
    moved = by_norm.sel(norm=norm) - by_norm.sel(norm="l1")
    return _over_seeds(moved, last["train_accuracy"], criteria)


def _shape(metrics: Mapping[str, xr.Dataset], name: str, criteria: dict) -> Interval:
    """Return the difference in a measure of the matrix."""
    matrices = metrics["fig3_3"]
    return _over_seeds(_difference(matrices[name]), matrices["train_accuracy"], criteria)


def _difference(values: xr.DataArray) -> xr.DataArray:
    """Return real less randX, seed by seed."""
    if not {"real", "randX"} <= set(values["condition"].values):
        raise NotTested("the experiment sensitivity lacks real or randX")
    return values.sel(condition="real") - values.sel(condition="randX")


def _over_seeds(values: xr.DataArray, accuracy: xr.DataArray, criteria: dict) -> Interval:
    """Return the mean, without bounds unless models on real data and on noise have fitted it."""
    mean = accuracy.mean("seed")
    reached = {name: mean.sel(condition=name).item() for name in ("real", "randX")}
    return over_seeds(values.values, criteria).if_fitted(reached, criteria)
