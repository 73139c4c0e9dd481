"""Claim 3: on real data examples differ in how soon they are fit and in how much they matter."""

from collections.abc import Iterator, Mapping
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
    over_examples_and_experiments,
)
from rote.measures.dispersion import dispersion


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts on misclassification (``fig3_1``), sensitivity (``fig3_2``, ``fig3_3``)."""
    ratio = criteria["dispersion_ratio"]
    over_binomial = "variance of the misclassification rate over that of the binomial"
    level = at_level(metrics, "fig3_1")
    yield Part(
        "dispersion_real",
        "fig3_1",
        f"real: {over_binomial}",
        *more_than(criteria, "dispersed", "far above 1"),
        partial(_dispersion, metrics, ["real"], criteria),
    )
    yield Part(
        "dispersion_randX",
        "fig3_1",
        f"randX: {over_binomial}{level}",
        f"near 1: between {1 / ratio:.2f} and {ratio:g} (dispersion_ratio)",
        (1 / ratio, ratio),
        partial(_dispersion, metrics, ["randX"], criteria),
    )
    for above, below in (("real", "randY"), ("randY", "randX")):
        yield Part(
            f"dispersion_{above}_over_{below}",
            "fig3_1",
            f"{above} relative to {below}: {over_binomial}{level}",
            *more_than(criteria, "dispersion_ratio", "randY lies between"),
            partial(_dispersion, metrics, [above, below], criteria),
        )
    yield from sensitivity.parts(metrics, criteria)


def _dispersion(
    metrics: Mapping[str, xr.Dataset], conditions: list[str], criteria: dict
) -> Interval:
    """Return the dispersion of a condition, or of one relative to another on the same examples."""
    difficulty = metrics["fig3_1"]
    for condition in conditions:
        if condition not in difficulty["condition"]:
            raise Inconclusive(f"the experiment difficulty has no {condition}")
    chosen = difficulty.sel(condition=conditions)
    finished = ~chosen["diverged"].astype(bool).any("condition").values
    wrong = chosen["misclassified"].transpose("condition", "example", "seed").values[..., finished]
    experiments = wrong.shape[2]
    if experiments <= 2 * criteria["dispersed"]:
        raise Inconclusive(f"{experiments} experiments are too few: the ratio cannot exceed them")

    def log_dispersion(rate: np.ndarray, count: int) -> np.ndarray:
        # What exceeds 1 grows with the number of experiments: where one is left out, by that much.
        grown = (experiments - 1) / (count - 1)
        return np.log(1 + (dispersion(rate, count) - 1) * grown)

    def statistic(*arguments: np.ndarray) -> np.ndarray:
        *rates, count = arguments
        each = [log_dispersion(rate, count) for rate in rates]
        return each[0] if len(each) == 1 else each[0] - each[1]

    return over_examples_and_experiments(statistic, wrong.astype(float), criteria)
