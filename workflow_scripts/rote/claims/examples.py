"""Claim 3: on real data examples differ in how soon they are fit and in how much they matter."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr

from rote.claims import sensitivity
from rote.claims.verdicts import (
    Inconclusive,
    Interval,
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
    for condition in ("real", "randX", "randY"):
        holds, words = (
            ((margin, np.inf), "more") if condition == "real" else ((-np.inf, margin), "less")
        )
        yield Part(
            f"extremes_{condition}",
            "fig3_1",
            f"{condition}: share of examples that are always, or never, right, less what it would "
            f"be if all were alike{level if condition != 'real' else ''}",
            f"{words} than {margin:g} (margin)",
            holds,
            partial(_extremes, metrics, condition, criteria),
            definition="In each replicate (seed), misclassified of fig3_1.nc: an example is always "
            f"(never) right if at most the fraction nearly = {criteria['nearly']:g} of the N "
            "experiments that did not diverge has it wrong (right). Were the examples of a "
            "replicate alike, the number of experiments that have one wrong would be a sum of N "
            "independent draws, that of experiment e with e's own mean error as its probability: a "
            "Poisson binomial number. The estimate is the share of such examples less the "
            "probability that this number is at most N·nearly, or at least N − N·nearly (N·nearly "
            "rounded down).",
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


def _at(metrics: Mapping[str, xr.Dataset], conditions: Sequence[str]) -> xr.Dataset:
    """Return what Figure 3.1 has of some conditions."""
    difficulty = metrics["fig3_1"]
    for condition in conditions:
        if condition not in difficulty["condition"]:
            raise Inconclusive(f"the experiment difficulty has no {condition}")
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


def _extremes(metrics: Mapping[str, xr.Dataset], condition: str, criteria: dict) -> Interval:
    """Return the share of examples at the extremes, less that of examples that are alike."""
    one = _at(metrics, [condition]).isel(condition=0)
    values = []
    for _, of_seed in one[["misclassified", "diverged"]].groupby("seed"):
        finished = ~of_seed["diverged"].astype(bool).values.ravel()
        wrong = of_seed["misclassified"].squeeze("seed").transpose("example", "experiment").values
        # Of a replicate whose experiments all diverged nothing is known.
        share, alike = (
            extremes(wrong[:, finished], criteria["nearly"]) if finished.any() else (np.nan, np.nan)
        )
        values.append(share - alike)
    return over_seeds(np.array(values), criteria)
