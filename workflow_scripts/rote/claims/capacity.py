"""Claim 1: the width that it takes, to fit and to come near the best accuracy, grows with noise."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.verdicts import (
    Interval,
    NotTested,
    Part,
    more_than,
    over_seeds,
    slope_weights,
    up_to,
)
from rote.measures.capacity import early_share, fitting, sufficient

KINDS = "randX", "randY"


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts for each kind of noise (``fig1``)."""
    below, below_level = _below(metrics)
    highest = max(_levels(metrics), default=1)
    fitted, margin = criteria["fitted"], criteria["margin"]
    for kind in KINDS:
        curve = f"at noise_kind {kind}, of each seed and noise_level a curve over hidden_units"
        straight = "straight between widths over log2(hidden_units); missing values are left out"
        yield Part(
            f"fitted_width_{kind}",
            "fig1",
            f"{kind}: doublings of the smallest width that fits the training data, from no noise "
            f"to {up_to(highest)}",
            *more_than(criteria, "doublings"),
            partial(_fitted_growth, metrics, kind, criteria),
            definition=f"w(ℓ) of a seed is the smallest width whose train_accuracy is {fitted:g} "
            f"(fitted): {curve}, {straight}. Estimate: the mean over the seeds of log2 w("
            f"{highest:g}) − log2 w(0). If the smallest width fits, w is at most that width; if "
            "none fits, w is the largest width, at least. If any narrower model (where none fits, "
            "any model) has a train_accuracy and plateau 0, it was stopped at the limit of epochs "
            "while it still "
            f"learned, and w is at most this. Of any seed, w({highest:g}) at least or w(0) at most "
            f"moves the upper end of the interval to ∞, w({highest:g}) at most or w(0) at least "
            "the lower one to −∞.",
        )
        yield Part(
            f"saturation_width_{kind}",
            "fig1",
            f"{kind}: doublings of the width at which validation accuracy saturates, from no noise "
            f"to {below_level}",
            *more_than(criteria, "doublings"),
            partial(_growth, metrics, kind, criteria),
            definition=f"s(ℓ) of a seed is the smallest width whose validation_accuracy is that "
            f"of the best width less {margin:g} (margin): {curve}, {straight}. Estimate: the mean "
            f"over the seeds of the least-squares slope of log2 s(ℓ) over the levels ℓ < 1, times "
            f"the highest of them, {below}: Σ_ℓ v_ℓ log2 s(ℓ) with v_ℓ = {below} (ℓ − ℓ̄) / "
            "Σ_k (k − ℓ̄)². If the smallest width suffices, s is at most that width; if only the "
            "largest one does, at least. Of any seed, s(ℓ) at least where v_ℓ > 0 or at most where "
            "v_ℓ < 0 moves the upper end of the interval to ∞, and the other way round the lower "
            "one to −∞. Both move if, at a level with v_ℓ ≠ 0, the train_accuracy of the largest "
            f"width that has one, mean over the seeds, is below {fitted:g} (fitted).",
        )
    for kind in KINDS:
        yield Part(
            f"diminishing_returns_{kind}",
            "fig1",
            f"{kind}: share of the gain of validation accuracy that the first half of the "
            "doublings of the width brings, on real data less on noise",
            *more_than(criteria, "margin"),
            partial(_diminishing, metrics, kind, criteria),
            stated_by="paper",
            definition="h of a curve a over hidden_units, from the smallest width n to the largest "
            "m, is (a(√(n·m)) − a(n)) / (a(m) − a(n)), straight between widths over "
            f"log2(hidden_units). Estimate: the mean over the seeds of h of validation_accuracy at "
            f"noise_kind {kind} and noise_level 0, less h of its mean over the levels ℓ with "
            f"0 < ℓ < 1. A seed has no value if one of the two gains, a(m) − a(n), is not above "
            f"{margin:g} (margin) or lacks an end.",
        )
        yield Part(
            f"validation_falls_{kind}",
            "fig1",
            f"{kind}: validation accuracy of the largest width on real data, less that at "
            f"{below_level}",
            *more_than(criteria, "large"),
            partial(_fall, metrics, kind, criteria),
            stated_by="paper",
            definition=f"The mean over the seeds of validation_accuracy at noise_kind {kind}, the "
            f"largest of hidden_units and noise_level 0, less that at noise_level {below}, the "
            "highest below 1. Both ends of the interval are infinite if the train_accuracy there, "
            f"mean over the seeds, is below {fitted:g} (fitted) at one of the two levels.",
        )


def _levels(metrics: Mapping[str, xr.Dataset]) -> list[float]:
    """Return the levels of noise above 0, for words."""
    levels = metrics["fig1"]["noise_level"].values.tolist() if "fig1" in metrics else []
    return [level for level in levels if level > 0]


def _below(metrics: Mapping[str, xr.Dataset]) -> tuple[str, str]:
    """Return the highest level below 1, and what it is called; without any a letter for it."""
    levels = [level for level in _levels(metrics) if level < 1]
    if not levels:
        return "L", "the highest noise level L below 1"
    return f"{max(levels):g}", f"noise level {max(levels):g}"


def _of_kind(metrics: Mapping[str, xr.Dataset], kind: str) -> xr.Dataset:
    """Return what ``fig1`` holds of a kind of noise, (noise_level, seed, hidden_units).

    Raises:
        NotTested: it has none of it, or no real data to compare it with.
    """
    capacity = metrics["fig1"]
    if kind not in capacity["noise_kind"]:
        raise NotTested(f"the experiment capacity has no {kind}")
    if 0 not in capacity["noise_level"]:
        raise NotTested("the experiment capacity has no noise level 0, the real data")
    if capacity["noise_level"].max() == 0:
        raise NotTested("the experiment capacity has no noise level above 0")
    return capacity.sel(noise_kind=kind).transpose("noise_level", "seed", "hidden_units")


def _below_all(capacity: xr.Dataset) -> xr.Dataset:
    """Return the noise levels below 1, at which validation accuracy can rise with the width.

    Raises:
        NotTested: there is only the real data.
    """
    below = capacity.sel(noise_level=capacity["noise_level"] < 1)
    if below.sizes["noise_level"] < 2:
        raise NotTested("the experiment capacity has no noise level between 0 and 1")
    return below


def _fitted_growth(metrics: Mapping[str, xr.Dataset], kind: str, criteria: dict) -> Interval:
    """Return the rise of log2 of the smallest width that fits, from level 0 to the highest."""
    capacity = _of_kind(metrics, kind)
    widths, least = capacity["hidden_units"].values, criteria["fitted"]
    ends = capacity.sel(noise_level=[0, capacity["noise_level"].values.max()])
    pairs = zip(ends["train_accuracy"].values, ends["plateau"].values, strict=True)
    real, noise = (
        np.array([fitting(*one, widths, least) for one in zip(*pair, strict=True)]).T
        for pair in pairs
    )  # of each (log2 width, at most, at least), over the seeds
    return over_seeds(noise[0] - real[0], criteria).bounded(
        at_least=bool(noise[2].any() or real[1].any()),
        at_most=bool(noise[1].any() or real[2].any()),
        caveat="at some levels the smallest width fits, none does, or a narrower model was "
        "stopped while it still learned",
    )


def _growth(metrics: Mapping[str, xr.Dataset], kind: str, criteria: dict) -> Interval:
    """Return the slope over the noise level of log2 of the smallest sufficient width, times it.

    Only levels below 1 count: at 1 validation accuracy is at chance, whatever the width. Where even
    the widest models have not fitted their training data, it is unknown: validation accuracy may
    still rise, or fall, at any width.
    """
    capacity = _below_all(_of_kind(metrics, kind))
    levels, widths = capacity["noise_level"].values, capacity["hidden_units"].values
    weights = slope_weights(levels) * levels.max()
    found = np.array(
        [
            [sufficient(curve, widths, criteria["margin"]) for curve in row]
            for row in capacity["validation_accuracy"].values
        ]
    )  # (noise_level, seed, [log2 width, at most, at least])
    first, last = (found[..., i].any(1) for i in (1, 2))
    # A level at which less, or more, than the widths at hand suffices bounds the slope.
    growth = over_seeds(weights @ found[..., 0], criteria).bounded(
        at_least=bool((first & (weights < 0)).any() or (last & (weights > 0)).any()),
        at_most=bool((first & (weights > 0)).any() or (last & (weights < 0)).any()),
        caveat="at some levels the smallest width suffices or accuracy still grows at the largest",
    )
    trained = capacity["train_accuracy"].mean("seed").values
    widest = [curve[np.isfinite(curve)][-1] for curve in trained]  # others diverged
    reached = {f"level {levels[i]:g}": widest[i] for i in np.flatnonzero(weights)}
    return growth.if_fitted(reached, criteria)


def _diminishing(metrics: Mapping[str, xr.Dataset], kind: str, criteria: dict) -> Interval:
    """Return how much more of the gain the first half of the doublings brings on real data."""
    capacity = _below_all(_of_kind(metrics, kind))
    widths, accuracy = capacity["hidden_units"].values, capacity["validation_accuracy"]
    real, noise = accuracy.sel(noise_level=0), accuracy.sel(noise_level=accuracy["noise_level"] > 0)
    shares = [
        [early_share(curve, widths, criteria["margin"]) for curve in curves]
        for curves in (real.values, noise.mean("noise_level", skipna=False).values)
    ]
    return over_seeds(np.subtract(*shares), criteria)


def _fall(metrics: Mapping[str, xr.Dataset], kind: str, criteria: dict) -> Interval:
    """Return by how much the validation accuracy of the largest width falls with noise."""
    capacity = _below_all(_of_kind(metrics, kind)).isel(hidden_units=-1)
    levels = capacity["noise_level"].values
    real, noise = (capacity.sel(noise_level=level) for level in (0, levels.max()))
    fall = real["validation_accuracy"] - noise["validation_accuracy"]
    reached = {
        f"level {one['noise_level'].item():g}": one["train_accuracy"].mean().item()
        for one in (real, noise)
    }
    return over_seeds(fall.values, criteria).if_fitted(reached, criteria)
