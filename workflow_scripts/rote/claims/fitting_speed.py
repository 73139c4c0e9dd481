"""Claim 5, the course of training: regularisers slow the fitting of random labels more."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.quantiles import of_best
from rote.claims.verdicts import Inconclusive, Interval, NotTested, Part, more_than, over_seeds

FITTED = (
    'If train_accuracy of regulariser "none" at the last epoch, mean over seeds, is below `fitted` '
    "for real or for randY, the interval has no bounds."
)


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the poster's part and the paper's (``fig5_2``)."""
    yield Part(
        "real_stays_fast",
        "fig5_2",
        "mean of the selected strengths: fall of training accuracy, averaged over the epochs, on "
        "random labels less that on real ones",
        *more_than(criteria, "margin"),
        partial(_slowed, metrics, criteria),
        definition="The fall of a condition is train_accuracy, mean over the epochs, of "
        'regulariser "none" less the mean of that of the others; a seed with a missing epoch has '
        "none. The estimate is the fall of randY less that of real, of each seed. The interval is "
        f"over the seeds. {FITTED}",
    )
    yield Part(
        "order_differs",
        "fig5_2",
        "two regularisers of which the one slows the fitting of random labels more, the other that "
        "of real labels: the smaller of the two differences",
        *more_than(criteria, "margin", "the order differs"),
        partial(_swapped, metrics, criteria),
        "paper",
        definition='The fall of a condition is train_accuracy, mean over the epochs, of "none" '
        "less that of a regulariser, of each seed; a seed with a missing epoch is left out. Of an "
        "ordered pair (a, b), the swap is the smaller of (fall of a less that of b, for randY) and "
        "(fall of b less that of a, for real). The estimate is the swap of the pair that has the "
        "largest swap of the mean falls over the other seeds. The interval is over the seeds, "
        "with the simulated quantile of the best of as many pairs without regard "
        f"to order. Of equal pairs it is the first in the order of the file. {FITTED}",
    )


def _slowed(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Interval:
    """Return how much more the regularisers lower the curves of random labels than of real ones."""
    fall = _falls_of_curves(metrics["fig5_2"]).mean("regularizer", skipna=False)
    slowed = fall.sel(condition="randY") - fall.sel(condition="real")
    reached = _fitted_without(metrics["fig5_2"])
    return over_seeds(slowed.values, criteria).if_fitted(reached, criteria)


def _falls_of_curves(curves: xr.Dataset) -> xr.DataArray:
    """Return the fall of the mean training accuracy by each selected strength."""
    mean = curves["train_accuracy"].mean("epoch", skipna=False)
    regularised = mean.drop_sel(regularizer="none")
    if not regularised.sizes["regularizer"]:
        raise NotTested("the experiment regularization selects no strength")
    return mean.sel(regularizer="none") - regularised


def _fitted_without(curves: xr.Dataset) -> dict[str, float]:
    last = curves["train_accuracy"].sel(regularizer="none").isel(epoch=-1).mean("seed")
    return {
        f"{condition} without a regulariser": last.sel(condition=condition).item()
        for condition in ("real", "randY")
    }


def _swapped(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Interval:
    """Return by how much the order of two regularisers differs between random and real labels."""
    fall = _falls_of_curves(metrics["fig5_2"]).transpose("condition", "regularizer", "seed")
    random, real = (fall.sel(condition=condition).values for condition in ("randY", "real"))
    values = swap_of_others(random, real)
    pairs = len(random) * (len(random) - 1) // 2
    interval = over_seeds(values, criteria, partial(of_best, (pairs,)))
    return interval.if_fitted(_fitted_without(metrics["fig5_2"]), criteria)


def swap_of_others(random: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return each seed's swap of the pair of regularisers that the other seeds swap most.

    The swap of a and b is the smaller of two differences: by how much more a lowers the curve of
    random labels, and by how much more b lowers that of real ones. It is above 0 only if their
    order differs.

    Args:
        random: (regularisers, seeds), falls for random labels.
        real: (regularisers, seeds), falls for real labels.

    Returns:
        (seeds,); NaN where a fall of the seed is missing.

    Raises:
        NotTested: there is only one regulariser.
        Inconclusive: fewer than two seeds have all falls.
    """
    there = np.isfinite(random + real).all(0)
    if len(random) < 2:
        raise NotTested("an order needs two regularisers")
    if there.sum() < 2:
        raise Inconclusive("an order needs two seeds that have not diverged")
    swaps = np.full(len(there), np.nan)
    for seed in np.flatnonzero(there):
        others = there & (np.arange(len(there)) != seed)
        mean = _swaps(random[:, others].mean(1), real[:, others].mean(1))
        pair = np.unravel_index(mean.argmax(), mean.shape)
        swaps[seed] = _swaps(random[:, seed], real[:, seed])[pair]
    return swaps


def _swaps(random: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return the swap of each ordered pair, −∞ of one with itself."""
    swap = np.minimum(random[:, None] - random[None], real[None] - real[:, None])
    return np.where(np.eye(len(swap), dtype=bool), -np.inf, swap)
