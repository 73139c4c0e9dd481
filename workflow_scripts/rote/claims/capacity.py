"""Claim 1: the width that comes near the best accuracy grows with the level of noise."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.verdicts import Inconclusive, Interval, Part, more_than, over_seeds, slope_weights
from rote.measures.capacity import sufficient


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield a part for each kind of noise (``fig1``)."""
    for kind in ("randX", "randY"):
        yield Part(
            f"width_{kind}",
            "fig1",
            f"{kind}: doublings of the smallest sufficient width from no noise to all noise",
            *more_than(criteria, "doublings"),
            partial(_growth, metrics, kind, criteria),
        )


def _growth(metrics: Mapping[str, xr.Dataset], kind: str, criteria: dict) -> Interval:
    """Return the slope over the noise level of log2 of the smallest sufficient width.

    Where even the widest models have not fitted their training data, it is unknown: validation
    accuracy may still rise, or fall, at any width.
    """
    capacity = metrics["fig1"]
    if kind not in capacity["noise_kind"]:
        raise Inconclusive(f"the experiment capacity has no {kind}")
    accuracy = capacity["validation_accuracy"].sel(noise_kind=kind)
    accuracy = accuracy.transpose("noise_level", "seed", "hidden_units")
    levels = accuracy["noise_level"].values
    weights = slope_weights(levels)
    widths, margin = accuracy["hidden_units"].values, criteria["margin"]
    found = np.array(
        [[sufficient(curve, widths, margin) for curve in row] for row in accuracy.values]
    )  # (noise_level, seed, [log2 width, below the first, at the last])
    first, last = (found[..., i].any(1) for i in (1, 2))
    # A level at which less, or more, than the widths at hand suffices bounds the slope.
    growth = over_seeds(weights @ found[..., 0], criteria).bounded(
        at_least=bool((first & (weights < 0)).any() or (last & (weights > 0)).any()),
        at_most=bool((first & (weights > 0)).any() or (last & (weights < 0)).any()),
        caveat="at some levels the smallest width suffices or accuracy still grows at the largest",
    )
    trained = capacity["train_accuracy"].sel(noise_kind=kind).mean("seed")
    trained = trained.transpose("noise_level", "hidden_units").values
    widest = [curve[np.isfinite(curve)][-1] for curve in trained]  # others diverged
    reached = {f"level {levels[i]:g}": widest[i] for i in np.flatnonzero(weights)}
    return growth.if_fitted(reached, criteria)
