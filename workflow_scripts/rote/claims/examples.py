"""Claim 3: on real data examples differ in how soon they are fit and in how much they matter."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.verdicts import Inconclusive, Interval, Part, over_examples, over_seeds


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts on misclassification (``fig3_1``), sensitivity (``fig3_2``, ``fig3_3``)."""
    ratio, margin = criteria["dispersion_ratio"], criteria["margin"]
    over_binomial = "variance of the misclassification rate over that of the binomial"
    yield Part(
        "dispersion_real",
        "fig3_1",
        f"real: {over_binomial}",
        f"far above 1: more than {criteria['dispersed']:g} (dispersed)",
        (criteria["dispersed"], np.inf),
        partial(_dispersion, metrics, ["real"], criteria),
    )
    yield Part(
        "dispersion_randX",
        "fig3_1",
        f"randX: {over_binomial}",
        f"near 1: between {1 / ratio:.2f} and {ratio:g} (dispersion_ratio)",
        (1 / ratio, ratio),
        partial(_dispersion, metrics, ["randX"], criteria),
    )
    for above, below in (("real", "randY"), ("randY", "randX")):
        yield Part(
            f"dispersion_{above}_over_{below}",
            "fig3_1",
            f"{above} relative to {below}: {over_binomial}",
            f"randY lies between: more than {ratio:g} (dispersion_ratio)",
            (ratio, np.inf),
            partial(_dispersion, metrics, [above, below], criteria),
        )
    for labelling, words in (("class", "class labels"), ("unique", "a class for each example")):
        yield Part(
            f"gini_{labelling}",
            "fig3_2",
            f"{words}: Gini coefficient of the loss-sensitivity, real less randX",
            f"more than {margin:g} (margin)",
            (margin, np.inf),
            partial(_gini, metrics, labelling, criteria),
        )
    for name, words, who in (
        ("diagonal_share", "share of the per-class sensitivity on the diagonal", "poster"),
        ("off_diagonal_gini", "Gini coefficient of the sensitivity off the diagonal", "paper"),
    ):
        yield Part(
            name,
            "fig3_3",
            f"{words}, real less randX",
            f"more than {margin:g} (margin)",
            (margin, np.inf),
            partial(_shape, metrics, name, criteria),
            who,
        )


def dispersion(rate: np.ndarray, experiments: int, axis: int = -1) -> np.ndarray:
    """Return the variance of rates over examples relative to that of equal examples.

    Were all examples alike, the number of errors in N experiments would be binomial and the
    variance of its rate p(1 − p)/N, p being the mean rate: the ratio is then 1.

    Args:
        rate: misclassification rates along ``axis``.
        experiments: N.
        axis: that of the examples.
    """
    p = rate.mean(axis)
    return rate.var(axis, ddof=1) / (p * (1 - p) / experiments)


def _dispersion(
    metrics: Mapping[str, xr.Dataset], conditions: list[str], criteria: dict
) -> Interval:
    """Return the dispersion of a condition, or of one relative to another on the same examples."""
    difficulty = metrics["fig3_1"]
    rates, counts = [], []
    for condition in conditions:
        if condition not in difficulty["condition"]:
            raise Inconclusive(f"the experiment difficulty has no {condition}")
        one = difficulty.sel(condition=condition)
        rates.append(one["misclassification_rate"].values)
        counts.append(int((~one["diverged"].astype(bool)).sum()))
        if not np.nanvar(rates[-1]) or np.isnan(rates[-1]).any():
            raise Inconclusive(f"{condition}: all examples have the same rate, or none has one")

    def statistic(*samples: np.ndarray, axis: int) -> np.ndarray:
        each = [dispersion(s, n, axis) for s, n in zip(samples, counts, strict=True)]
        return each[0] if len(each) == 1 else each[0] / each[1]

    return over_examples(statistic, tuple(rates), criteria)


def _gini(metrics: Mapping[str, xr.Dataset], labelling: str, criteria: dict) -> Interval:
    """Return the difference after the last update, without seeds whose sensitivity exploded."""
    sensitivity = metrics["fig3_2"]
    if labelling not in sensitivity["labelling"]:
        raise Inconclusive(f"the experiment sensitivity has no labelling {labelling}")
    one = sensitivity.sel(labelling=labelling).dropna("update", how="all", subset=["gini"])
    last = one.isel(update=-1)
    return _difference(last["gini"].where(last["exploded"] == 0), criteria)


def _shape(metrics: Mapping[str, xr.Dataset], name: str, criteria: dict) -> Interval:
    return _difference(metrics["fig3_3"][name], criteria)


def _difference(values: xr.DataArray, criteria: dict) -> Interval:
    """Return real less randX, seed by seed."""
    if not {"real", "randX"} <= set(values["condition"].values):
        raise Inconclusive("the experiment sensitivity lacks real or randX")
    difference = values.sel(condition="real") - values.sel(condition="randX")
    return over_seeds(difference.values, criteria)
