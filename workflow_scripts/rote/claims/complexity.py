"""Claim 4: critical sample ratio and accuracy over training say that simple patterns come first."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.verdicts import (
    Inconclusive,
    Interval,
    Part,
    at_level,
    more_than,
    over_seeds,
    slope_weights,
)


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts on the ratio at the end (``fig4_1``) and on the course (``fig4_2``)."""
    margin = criteria["margin"]
    ratio, level = "critical sample ratio at the last search", at_level(metrics, "fig4_1")
    yield Part(
        "ratio_randX_over_randY",
        "fig4_1",
        f"{ratio}, randX less randY{level}",
        *more_than(criteria, "margin"),
        partial(_at_the_end, metrics, ("randX", "randY"), criteria),
    )
    yield Part(
        "ratio_randY_over_real",
        "fig4_1",
        f"{ratio}, randY less real{level}",
        f"above or equal: more than {-margin:g} (margin)",
        (-margin, np.inf),
        partial(_at_the_end, metrics, ("randY", "real"), criteria),
    )
    cases = metrics["fig4_2"]["dataset"].values if "fig4_2" in metrics else ["all"]
    for case in cases:
        title = f"{metrics['fig4_2']['title'].sel(dataset=case).item()}, " if case != "all" else ""
        noisy = f"{title}randY, mean of the levels of noise between 0 and 1: "
        yield Part(
            f"memorised_after_peak_{case}",
            "fig4_2",
            f"{noisy}training accuracy gained after the peak of validation accuracy",
            *more_than(criteria, "large", "the peak comes early"),
            partial(_after_peak, metrics, case, "train_accuracy", criteria),
        )
        yield Part(
            f"ratio_after_peak_{case}",
            "fig4_2",
            f"{noisy}critical sample ratio gained after the peak of validation accuracy",
            *more_than(criteria, "margin"),
            partial(_after_peak, metrics, case, "critical_sample_ratio", criteria),
        )
        for kind in ("randX", "randY"):
            yield Part(
                f"ratio_over_level_{kind}_{case}",
                "fig4_2",
                f"{title}{kind}, levels below 1: rise of the {ratio}, from no noise to all noise",
                *more_than(criteria, "margin"),
                partial(_over_level, metrics, case, kind, criteria),
            )


def _at_the_end(
    metrics: Mapping[str, xr.Dataset], conditions: tuple[str, str], criteria: dict
) -> Interval:
    """Return the difference of two conditions' ratios, if both have fitted their training data.

    Before it has fitted anything, a model has a low ratio whatever its data.
    """
    curves = metrics["fig4_1"]
    for condition in conditions:
        if condition not in curves["condition"]:
            raise Inconclusive(f"the experiment complexity has no {condition}")
    ratio = _last(curves)
    accuracy = curves["train_accuracy"].sel(epoch=ratio["critical_epoch"]).mean("seed")
    above, below = (ratio.sel(condition=condition) for condition in conditions)
    reached = {condition: accuracy.sel(condition=condition).item() for condition in conditions}
    return over_seeds((above - below).values, criteria).if_fitted(reached, criteria)


def _case(metrics: Mapping[str, xr.Dataset], case: str, kind: str) -> xr.Dataset:
    """Return the curves of a case at the levels of noise that the figure shows, those below 1."""
    curves = metrics["fig4_2"]
    if kind not in curves["noise_kind"]:
        raise Inconclusive(f"the experiment complexity has no {kind}")
    curves = curves.sel(dataset=case, noise_kind=kind)
    return curves.sel(noise_level=curves["noise_level"] < 1)


def _unfinished(curves: xr.Dataset, criteria: dict) -> tuple[np.ndarray, str]:
    """Return at which levels training is unfinished, and a caveat.

    What is still to be fitted would add to what was measured: the measure is a lower bound.
    """
    reached = curves["train_accuracy"].max("epoch").mean("seed")
    levels = curves["noise_level"].values[reached.values < criteria["fitted"]]
    named = ", ".join(f"{level:g}" for level in levels)
    least = reached.min().item()
    caveat = f"training is unfinished at level {named}: training accuracy down to {least:.2f}"
    return reached.values < criteria["fitted"], caveat


def _after_peak(
    metrics: Mapping[str, xr.Dataset], case: str, name: str, criteria: dict
) -> Interval:
    """Return what is gained between the peak of validation accuracy and the last epoch."""
    curves = _case(metrics, case, "randY")
    curves = curves.sel(noise_level=curves["noise_level"] > 0)
    if not curves.sizes["noise_level"]:
        raise Inconclusive("the experiment complexity has no labels that are noise in part")
    (along,) = {"epoch", "critical_epoch"} & set(curves[name].dims)
    gained = xr.apply_ufunc(
        gain,
        curves["epoch"],
        curves["validation_accuracy"],
        curves[along],
        curves[name],
        input_core_dims=[["epoch"], ["epoch"], [along], [along]],
        vectorize=True,
    )
    unfinished, caveat = _unfinished(curves, criteria)
    mean = gained.mean("noise_level", skipna=False).values
    return over_seeds(mean, criteria).bounded(bool(unfinished.any()), False, caveat)


def gain(
    epochs: np.ndarray, validation: np.ndarray, measured_at: np.ndarray, measured: np.ndarray
) -> float:
    """Return how much ``measured`` gains from the peak of ``validation`` to its last value.

    Between the epochs at which it was measured it is taken for a straight line.

    Args:
        epochs: (epochs,), increasing.
        validation: (epochs,), NaN where it was not evaluated.
        measured_at: (others,), the epochs of ``measured``, increasing.
        measured: (others,), NaN where it was not measured.

    Returns:
        The gain; NaN if there are no values, or training diverged.
    """
    evaluated, there = np.isfinite(validation), np.isfinite(measured)
    if not there.any() or not evaluated.any() or epochs[evaluated][-1] < measured_at[there][-1]:
        return np.nan
    peak = epochs[evaluated][np.argmax(validation[evaluated])]
    return measured[there][-1] - np.interp(peak, measured_at[there], measured[there])


def _over_level(
    metrics: Mapping[str, xr.Dataset], case: str, kind: str, criteria: dict
) -> Interval:
    """Return the slope over the noise level of the ratio at the last search."""
    curves = _case(metrics, case, kind)
    weights = slope_weights(curves["noise_level"].values)
    last = _last(curves).transpose("noise_level", "seed")
    unfinished, caveat = _unfinished(curves, criteria)
    return over_seeds(weights @ last.values, criteria).bounded(
        at_least=bool((unfinished & (weights > 0)).any()),
        at_most=bool((unfinished & (weights < 0)).any()),
        caveat=caveat,
    )


def _last(curves: xr.Dataset) -> xr.DataArray:
    """Return the critical sample ratio at the last epoch at which it was searched."""
    searched = curves["critical_sample_ratio"].dropna("critical_epoch", how="all")
    if not searched.sizes["critical_epoch"]:
        raise Inconclusive("all models diverged")
    return searched.isel(critical_epoch=-1)
