"""Claim 4: critical sample ratio and accuracy over training say that simple patterns come first."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims import course
from rote.claims.ratios import (
    FITTED,
    ONE_CLASS,
    OVER_SEEDS,
    RATIO,
    SHARE,
    at_level,
    last_accuracy,
    of_condition,
    of_kind,
    of_several_classes,
    titled_cases,
)
from rote.claims.verdicts import Interval, NotTested, Part, more_than

LAST = (
    "at the last critical_epoch of the case and the first radius, for the highest noise_level of "
    "each kind; real is noise_level 0"
)
PEAK = (
    "The peak is the first epoch at which validation_accuracy of the seed and level is highest; "
    "{}the gain is the last value less that at the peak, for noise_kind randY, mean over the "
    "levels between 0 and 1 of each seed. A model without a value at the last epoch, or search, of "
    "the case has diverged, and its seed has none. If at one of these levels the mean over seeds "
    "of the highest train_accuracy over the epochs is below `fitted`, the interval has no upper "
    "bound: what is still to be fitted would add to the gain."
)


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts of every case (``fig4_2``): on the ratio at the end, and on the course."""
    margin = criteria["margin"]
    ratio, level = "critical sample ratio at the last search", ""
    if "fig4_2" in metrics and (highest := metrics["fig4_2"]["noise_level"].max().item()) != 1:
        level = f", at noise level {highest:g}"
    for case, title in titled_cases(metrics).items():
        row = f'Of dataset "{case}"'
        yield Part(
            f"ratio_randX_over_randY_{case}",
            "fig4_2",
            f"{title}{ratio}, randX less randY{level}",
            *more_than(criteria, "margin"),
            partial(_at_the_end, metrics, case, {"randX": "", "randY": ""}, criteria),
            definition=f"{row}: critical_sample_ratio of randX less that of randY, of each seed, "
            f"{LAST}. {OVER_SEEDS} {ONE_CLASS} {FITTED}",
        )
        yield Part(
            f"ratio_randY_over_real_{case}",
            "fig4_2",
            f"{title}{ratio}, randY less real{level}",
            f"above or equal: more than {-margin:g} (margin)",
            (-margin, np.inf),
            partial(_at_the_end, metrics, case, {"randY": "", "real": ""}, criteria),
            definition=f"{row}: critical_sample_ratio of randY less that of real, of each seed, "
            f"{LAST}. {OVER_SEEDS} {ONE_CLASS} {FITTED}",
        )
        yield Part(
            f"own_ratio_randX_over_randY_{case}",
            "fig4_2",
            f"{title}{ratio}, on inputs of the kind trained on, randX less randY{level}",
            *more_than(criteria, "margin"),
            partial(_at_the_end, metrics, case, {"randX": "noise_", "randY": ""}, criteria),
            "ours",
            definition=f"{row}: noise_critical_sample_ratio of randX, on inputs of noise, less "
            f"critical_sample_ratio of randY, on real ones, of each seed, {LAST}. {OVER_SEEDS} "
            f"{ONE_CLASS} On inputs of noise it is noise_commonest_class_share. {FITTED}",
        )
        noisy = f"{title}randY, mean of the levels of noise between 0 and 1: "
        yield Part(
            f"memorised_after_peak_{case}",
            "fig4_2",
            f"{noisy}training accuracy gained after the peak of validation accuracy",
            *more_than(criteria, "large", "the peak comes early"),
            partial(_after_peak, metrics, case, "train_accuracy", criteria),
            definition=f"{row}: the gain of train_accuracy. {PEAK.format('')} {OVER_SEEDS}",
        )
        between = (
            "critical_sample_ratio, of the first radius, is taken for a straight line between the "
            "searches; "
        )
        yield Part(
            f"ratio_after_peak_{case}",
            "fig4_2",
            f"{noisy}critical sample ratio gained after the peak of validation accuracy",
            *more_than(criteria, "margin"),
            partial(_after_peak, metrics, case, RATIO, criteria),
            definition=f"{row}: the gain of critical_sample_ratio. {PEAK.format(between)} "
            f"{OVER_SEEDS} {ONE_CLASS} The compared searches are the peak, at which the share is a "
            "straight line, too, and the last, of each level.",
        )
        for kind in ("randX", "randY"):
            yield Part(
                f"ratio_over_level_{kind}_{case}",
                "fig4_2",
                f"{title}{kind}: rise of the {ratio}, from no noise to all noise",
                *more_than(criteria, "margin"),
                partial(_over_level, metrics, case, kind, criteria),
                definition=f"{row} and noise_kind {kind}: critical_sample_ratio at noise_level 1 "
                "less that at 0, of each seed, at the last critical_epoch of the case and the "
                "first radius. If the mean over seeds of the highest train_accuracy over the "
                "epochs is below `fitted`, there is no upper bound (level 1) or no lower one "
                "(level 0): what is still to be fitted would add to the ratio. "
                f"{OVER_SEEDS} {ONE_CLASS}",
            )
        yield from course.parts(metrics, case, title, criteria)


def _at_the_end(
    metrics: Mapping[str, xr.Dataset], case: str, inputs: Mapping[str, str], criteria: dict
) -> Interval:
    """Return the difference of two conditions' ratios, if both have fitted their training data.

    Before it has fitted anything, a model has a low ratio whatever its data. ``inputs`` are the
    two conditions, each with what the names of its variables begin with.
    """
    ratios, shares, reached = [], {}, {}
    for condition, prefix in inputs.items():
        curves = of_condition(metrics["fig4_2"], case, condition)
        last = curves.isel(critical_epoch=-1)
        ratios.append(last[f"{prefix}{RATIO}"].values)
        shares[condition] = last[f"{prefix}{SHARE}"].values
        reached[condition] = last_accuracy(curves)
    above, below = ratios
    return of_several_classes(above - below, shares, criteria).if_fitted(reached, criteria)


def _unfinished(curves: xr.Dataset, criteria: dict) -> tuple[np.ndarray, str]:
    """Return at which levels training is unfinished, and a caveat.

    What is still to be fitted would add to what was measured: the measure is a lower bound.
    """
    reached = curves["train_accuracy"].max("epoch").mean("seed")
    # A level of which all models diverged has no accuracy, and has fitted nothing.
    unfinished = ~(reached.values >= criteria["fitted"])
    levels = curves["noise_level"].values[unfinished]
    named = ", ".join(f"{level:g}" for level in levels)
    least = reached.min().item()
    return unfinished, (
        f"training is unfinished at level {named}: training accuracy down to {least:.2f}"
    )


def _after_peak(
    metrics: Mapping[str, xr.Dataset], case: str, name: str, criteria: dict
) -> Interval:
    """Return what is gained between the peak of validation accuracy and the last epoch."""
    curves = of_kind(metrics["fig4_2"], case, "randY")
    levels = curves["noise_level"].values
    levels = levels[(levels > 0) & (levels < 1)]
    curves = curves.sel(noise_level=levels)
    if not len(levels):
        raise NotTested("the experiment complexity has no labels that are noise in part")

    def over_peak(name: str) -> tuple[xr.DataArray, xr.DataArray]:
        (along,) = {"epoch", "critical_epoch"} & set(curves[name].dims)
        return xr.apply_ufunc(
            peak_and_last,
            curves["epoch"],
            curves["validation_accuracy"],
            curves[along],
            curves[name],
            input_core_dims=[["epoch"], ["epoch"], [along], [along]],
            output_core_dims=[[], []],
            vectorize=True,
        )

    at_peak, last = over_peak(name)
    mean = (last - at_peak).mean("noise_level", skipna=False).values
    unfinished, caveat = _unfinished(curves, criteria)
    shares = {}
    if name == RATIO:
        for when, share in zip(("at the peak", "at the end"), over_peak(SHARE), strict=True):
            of_levels = zip(levels, share.transpose("noise_level", "seed").values, strict=True)
            shares |= {f"level {level:g} {when}": one for level, one in of_levels}
    interval = of_several_classes(mean, shares, criteria)
    return interval.bounded(bool(unfinished.any()), False, caveat)


def peak_and_last(
    epochs: np.ndarray, validation: np.ndarray, measured_at: np.ndarray, measured: np.ndarray
) -> tuple[float, float]:
    """Return ``measured`` at the peak of ``validation``, and its last value.

    Between the epochs at which it was measured it is taken for a straight line.

    Args:
        epochs: (epochs,), increasing, up to the last one of the training.
        validation: (epochs,), NaN where it was not evaluated.
        measured_at: (others,), the epochs of ``measured``, increasing, up to the last one at which
            it was to be measured.
        measured: (others,), NaN where it was not measured.

    Returns:
        Both values; NaN if one of the two lacks its last value, since training diverged.
    """
    evaluated, there = np.isfinite(validation), np.isfinite(measured)
    if not (evaluated[-1] and there[-1]):
        return np.nan, np.nan
    peak = epochs[evaluated][np.argmax(validation[evaluated])]
    return np.interp(peak, measured_at[there], measured[there]), measured[there][-1]


def _over_level(
    metrics: Mapping[str, xr.Dataset], case: str, kind: str, criteria: dict
) -> Interval:
    """Return the ratio of all noise less that of none, at the last search."""
    curves = of_kind(metrics["fig4_2"], case, kind)
    for level in (0, 1):
        at_level(curves, level)
    curves = curves.sel(noise_level=[0, 1])
    last = curves.isel(critical_epoch=-1).transpose("noise_level", ...)
    none, all_noise = last[RATIO].values
    (none_unfinished, all_unfinished), caveat = _unfinished(curves, criteria)
    shares = {f"level {level}": share for level, share in enumerate(last[SHARE].values)}
    return of_several_classes(all_noise - none, shares, criteria).bounded(
        at_least=bool(all_unfinished), at_most=bool(none_unfinished), caveat=caveat
    )
