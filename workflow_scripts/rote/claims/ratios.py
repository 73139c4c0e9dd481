"""What the parts of claim 4 share: a case's curves, and which of its ratios are evidence."""

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from rote.claims.quantiles import of_mean
from rote.claims.verdicts import Inconclusive, Interval, NotTested, over_seeds

RATIO, SHARE = "critical_sample_ratio", "commonest_class_share"
# The sentences of definitions that several parts share.
OVER_SEEDS = (
    "The interval is over the seeds; those without a value, as their models diverged, are left out."
)
ONE_CLASS = (
    "A model that puts most of the searched inputs into one class can have a low ratio, whatever "
    "it has learned. So a seed has no value if, of a compared model, commonest_class_share of the "
    "same inputs at the same search is above `commonest`."
)
FITTED = (
    "The interval has no bounds if train_accuracy of a compared model, mean over seeds at the last "
    "search, is below `fitted`, or missing in all seeds."
)


def titled_cases(metrics: Mapping[str, xr.Dataset]) -> dict[str, str]:
    """Return what descriptions begin with, by the name of a case; ``all`` without metrics."""
    if "fig4_2" not in metrics:
        return {"all": ""}
    titles = metrics["fig4_2"]["title"]
    return {case: f"{titles.sel(dataset=case).item()}, " for case in titles["dataset"].values}


def of_kind(curves: xr.Dataset, case: str, kind: str) -> xr.Dataset:
    """Return the curves of a case and a kind of noise, at the epochs at which it was searched.

    Raises:
        NotTested: it has none of that noise.
        Inconclusive: all models diverged.
    """
    if kind not in curves["noise_kind"]:
        raise NotTested(f"the experiment complexity has no {kind}")
    # All levels and kinds of a case are scored, and searched, at the same epochs: its last one is
    # that of all, whichever models have diverged before.
    measured = {
        dim: _measured(curves[name].sel(dataset=case), dim)
        for dim, name in (("critical_epoch", RATIO), ("epoch", "train_accuracy"))
    }
    if not len(measured["critical_epoch"]):
        raise Inconclusive("all models diverged")
    return curves.sel(dataset=case, noise_kind=kind).isel(measured)


def _measured(values: xr.DataArray, dim: str) -> np.ndarray:
    """Return at which positions along a dimension anything is measured."""
    there = np.isfinite(values.transpose(dim, ...).values)
    return np.flatnonzero(there.reshape(len(there), -1).any(1))


def of_condition(curves: xr.Dataset, case: str, condition: str) -> xr.Dataset:
    """Return the same of real data, or of the highest level of a kind of noise."""
    levels = curves["noise_level"]
    if condition == "real":
        # Real data is the level 0 of every kind.
        return at_level(of_kind(curves, case, curves["noise_kind"].values[0]), 0)
    return at_level(of_kind(curves, case, condition), levels.max().item())


def at_level(curves: xr.Dataset, level: float) -> xr.Dataset:
    """Return the curves of a level of noise.

    Raises:
        NotTested: the study does not have it.
    """
    if level not in curves["noise_level"]:
        raise NotTested(f"the experiment complexity has no noise level {level:g}")
    return curves.sel(noise_level=level)


def last_accuracy(curves: xr.Dataset) -> float:
    """Return the training accuracy at the last search, mean over seeds."""
    last = curves["critical_epoch"][-1]
    return curves["train_accuracy"].sel(epoch=last).mean("seed").item()


def of_several_classes(
    values: np.ndarray,
    shares: Mapping[str, np.ndarray],
    criteria: dict,
    quantile: Callable[[int, float], float] = of_mean,
) -> Interval:
    """Return the interval over seeds none of whose models puts most inputs into one class.

    Such a model may have hardly a boundary near them, and a low ratio of critical samples, whatever
    it has learned: its ratio is no evidence.

    Args:
        values: (seeds,), of ratios; NaN for a seed whose model diverged.
        shares: (seeds,) of the searched inputs in the class predicted most often, by the compared
            model, in words.
        criteria: ``commonest`` and those of :func:`over_seeds`.
        quantile: see :func:`over_seeds`.

    Raises:
        Inconclusive: fewer seeds are left than ``minimum_seeds``.
    """
    most, words = criteria["commonest"], []
    there = np.isfinite(values)
    for name, share in shares.items():
        of_one_class = there & (share > most)
        if of_one_class.any():
            words.append(f"{name} in {of_one_class.sum()} of {len(values)}")
            values = np.where(of_one_class, np.nan, values)
    caveat = f"more than {most:g} of the inputs are put into one class by {', '.join(words)} seeds"
    try:
        interval = over_seeds(values, criteria, quantile)
    except Inconclusive as why:
        raise Inconclusive(f"{why}; {caveat}" if words else str(why)) from why
    told = [interval.caveat, caveat] if words else [interval.caveat]
    return interval._replace(caveat="; ".join(filter(None, told)))


def interpolated(at: float, measured_at: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Return a measure at a time between those at which it was measured, by straight lines.

    Args:
        at: the time.
        measured_at: (times,), increasing.
        measured: (times, seeds).

    Returns:
        (seeds,); NaN where one of a seed's values is missing.
    """
    values = np.array([np.interp(at, measured_at, one) for one in measured.T])
    return np.where(np.isfinite(measured).all(0), values, np.nan)
