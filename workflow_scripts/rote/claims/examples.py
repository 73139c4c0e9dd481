"""Claim 3: on real data examples differ in how soon they are fit and in how much they matter."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr

from rote.claims import sensitivity
from rote.claims.verdicts import (
    Interval,
    NotTested,
    Part,
    at_level,
    more_than,
    over_seeds,
)
from rote.measures.difficulty import extremes


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts on misclassification (``fig3_1``), sensitivity (``fig3_2``, ``fig3_3``)."""
    margin, level = criteria["margin"], at_level(metrics, "fig3_1")
    for name, words, stated_by in (
        ("spread", "standard deviation over examples of the true error rate", "poster"),
        ("spread_within_label", "the same among examples of a label", "ours"),
    ):
        definition = _definition(name)
        yield Part(
            f"{name}_real",
            "fig3_1",
            f"real: {words}",
            *more_than(criteria, "margin", "examples differ"),
            partial(_of_condition, metrics, name, "real", criteria),
            stated_by,
            f"{definition} That of real.",
        )
        yield Part(
            f"{name}_randX",
            "fig3_1",
            f"randX: {words}{level}",
            f"examples are alike: less than {margin:g} (margin)",
            (-np.inf, margin),
            partial(_of_condition, metrics, name, "randX", criteria),
            stated_by,
            f"{definition} That of randX.",
        )
        for above, below in (("real", "randY"), ("randY", "randX")):
            yield Part(
                f"{name}_{above}_less_{below}",
                "fig3_1",
                f"{above} less {below}: {words}{level}",
                *more_than(criteria, "margin", "randY lies between"),
                partial(_less, metrics, name, above, below, criteria),
                stated_by,
                f"{definition} In each replicate, that of {above} less that of {below}.",
            )
    for within, stated_by in ((False, "poster"), (True, "ours")):
        for condition in ("real", "randX", "randY"):
            real = condition == "real"
            yield Part(
                f"extremes{'_within_label' if within else ''}_{condition}",
                "fig3_1",
                f"{condition}: share of examples that are always, or never, right, less what it "
                f"would be if all {'of a label ' if within else ''}were alike"
                f"{'' if real else level}",
                f"{'more' if real else 'less'} than {margin:g} (margin)",
                (margin, np.inf) if real else (-np.inf, margin),
                partial(_extremes, metrics, condition, within, criteria),
                stated_by,
                _definition_of_extremes(within, criteria),
            )
    yield from sensitivity.parts(metrics, criteria)


def _definition(name: str) -> str:
    around = "all examples" if name == "spread" else "the examples with the same label trained on"
    less = "n − 1" if name == "spread" else "n − the number of labels"
    return (
        f"{name} of fig3_1.nc, in each replicate (seed): w is misclassified less its mean over "
        f"{around}, of each experiment; C is the sum over the n examples and all ordered pairs of "
        f"two different experiments e, f of w_e·w_f, divided by N·(N − 1)·({less}), N being the "
        "experiments that did not diverge; the spread is sign(C)·√|C|."
    )


def _definition_of_extremes(within: bool, criteria: dict) -> str:
    alike, error, mean = "the examples of a replicate", "mean error", ""
    if within:
        alike = "the examples of a replicate with the same label trained on (label)"
        error = "mean error on them"
        mean = ", averaged over the examples"
    return (
        "In each replicate (seed), misclassified of fig3_1.nc: an example is always (never) right "
        f"if at most the fraction nearly = {criteria['nearly']:g} of the N experiments that did "
        f"not diverge has it wrong (right). Were {alike} alike, the number of experiments that "
        "have one wrong would be a sum of N independent draws, that of experiment e with e's own "
        f"{error} as its probability: a Poisson binomial number. The estimate is the share of such "
        "examples less the probability that this number is at most N·nearly, or at least N − "
        f"N·nearly (N·nearly rounded down){mean}."
    )


def _at(metrics: Mapping[str, xr.Dataset], conditions: Sequence[str]) -> xr.Dataset:
    """Return what Figure 3.1 has of some conditions."""
    difficulty = metrics["fig3_1"]
    for condition in conditions:
        if condition not in difficulty["condition"]:
            raise NotTested(f"the experiment difficulty has no {condition}")
    return difficulty.sel(condition=list(conditions))


def _of_condition(
    metrics: Mapping[str, xr.Dataset], name: str, condition: str, criteria: dict
) -> Interval:
    """Return a number of each replicate, of one condition."""
    return over_seeds(_at(metrics, [condition])[name].isel(condition=0).values, criteria)


def _less(
    metrics: Mapping[str, xr.Dataset], name: str, above: str, below: str, criteria: dict
) -> Interval:
    """Return by how much a number of each replicate is larger in one condition than in another."""
    both = _at(metrics, [above, below])[name]
    return over_seeds((both.isel(condition=0) - both.isel(condition=1)).values, criteria)


def _extremes(
    metrics: Mapping[str, xr.Dataset], condition: str, within: bool, criteria: dict
) -> Interval:
    """Return the share of examples at the extremes, less that of examples that are alike."""
    one = _at(metrics, [condition]).isel(condition=0)
    wrong = one["misclassified"].transpose("seed", "example", "experiment").values
    finished = ~one["diverged"].astype(bool).transpose("seed", "experiment").values
    labels = [None] * len(wrong)
    if within:
        labels = one["label"].transpose("seed", "example").values
    values = np.full(len(wrong), np.nan)
    for i, used in enumerate(finished):
        if used.any():  # else nothing is known
            share, alike = extremes(wrong[i][:, used], criteria["nearly"], labels[i])
            values[i] = share - alike
    return over_seeds(values, criteria)
