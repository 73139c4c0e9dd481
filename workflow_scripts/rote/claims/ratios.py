"""What the parts of claim 4 share: a case's curves, and when its ratios may be too low."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from rote.claims.verdicts import Inconclusive, Interval, NotTested, over_seeds

RATIO, SHARE = "critical_sample_ratio", "commonest_class_share"
# The sentences of definitions that several parts share.
OVER_SEEDS = (
    "The interval is over the seeds; those without a value, as their models diverged, are left out."
)
ONE_CLASS = (
    "A model that puts most of the searched inputs into one class can have a low ratio, whatever "
    "it has learned. So a ratio is a bound from below unless commonest_class_share of the same "
    "inputs at the same search is shown to be at most `commonest`, by ȳ + q(c) · e, taken as 1 if "
    "above it, over the seeds whose model did not diverge, with the q(c) of a mean. The interval "
    "then has no upper bound or, if that ratio is the one subtracted, no lower one."
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


def unless_one_class(
    interval: Interval,
    shares: Mapping[str, np.ndarray],
    subtracted: Mapping[str, np.ndarray],
    criteria: dict,
) -> Interval:
    """Return the interval, or one that is open to the side to which a ratio may be too low.

    A model that puts most inputs into one class may have hardly a boundary near them, and a low
    ratio of critical samples, whatever it has learned. That it does not has to be shown: of a mean
    share near ``commonest`` nobody knows on which side it is.

    Args:
        interval: of a difference of ratios.
        shares: (seeds,) of the searched inputs in the class predicted most often, by the model, in
            words; NaN for a seed whose model diverged.
        subtracted: the same of the ratios that are subtracted.
        criteria: ``commonest`` and ``confidence``.
    """
    too_low, others = (_in_one_class(each, criteria) for each in (shares, subtracted))
    listed = " and ".join(dict.fromkeys([*too_low, *others]))
    return interval.bounded(
        at_least=bool(too_low),
        at_most=bool(others),
        caveat="a ratio may be too low, as the share of inputs in one class is not shown to be at "
        f"most {criteria['commonest']:g}: {listed}",
    )


def _in_one_class(shares: Mapping[str, np.ndarray], criteria: dict) -> list[str]:
    """Return, in words, the models whose share is not shown to be at most ``commonest``."""
    named = []
    for name, share in shares.items():
        found = over_seeds(share, criteria)
        # Not the end of the interval, which is infinite where all seeds have the same share.
        reach = found.reach(criteria["confidence"]) * found.standard_error
        highest = min(1.0, found.estimate + reach)
        if highest > criteria["commonest"]:
            named.append(f"{found.estimate:.2f}, at most {highest:.2f} ({name})")
    return named


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
