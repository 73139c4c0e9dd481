"""Claim 2: time to convergence grows faster with the size of the data set, the more noise."""

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

DEFINITION = (
    "For each seed and noise level ℓ, b(ℓ) = Σ w(n) · ln t(ℓ, n) is the least-squares slope of the "
    "logarithm of t = epochs_to_convergence over that of n = dataset_size: w(n) = (ln n − m) / "
    "Σ (ln n − m)² with m the mean of ln n, sums over all sizes. The value of a seed is b(highest "
    "noise_level) − b(0), both measured; other levels have no part in it. Of several learning "
    "rates the first is taken. Bounds: where converged is false, at one of the two levels and for "
    "whatever seed, t is the limit of epochs and the true time is longer. At the highest level "
    "and a size with w > 0, or at level 0 and a size with w < 0, the true value is at least the "
    "measured one, and the upper end of the interval becomes ∞; at the highest level and w < 0, "
    "or at level 0 and w > 0, it is at most that, and the lower end becomes −∞. A model that "
    "diverged counts as one that did not converge. Nothing is left out."
)


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the one part (``fig2``)."""
    highest = metrics["fig2"]["noise_level"].max().item() if "fig2" in metrics else 1
    yield Part(
        "time_over_size",
        "fig2",
        "rise of the slope of log(time to convergence) over log(training examples), "
        f"from no noise to {up_to(highest)}{_width(metrics)}",
        *more_than(criteria, "slope"),
        partial(_rise, metrics, criteria),
        definition=DEFINITION,
    )


def _width(metrics: Mapping[str, xr.Dataset]) -> str:
    """Return the width of the models, on which the effect depends."""
    width = metrics["fig2"].attrs.get("hidden_units") if "fig2" in metrics else None
    return f", at {width} hidden units" if width else ""


def _rise(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Interval:
    """Return the slope over the size at the highest noise level less that without noise.

    A time that is only a limit pushes the estimate to one side, which its weight tells.
    """
    levels = metrics["fig2"]["noise_level"].values
    if 0 not in levels or levels.max() == 0:
        raise NotTested("the experiment convergence compares no noise with noise: it lacks one")
    dims = "noise_level", "dataset_size", "seed"
    times = metrics["fig2"].sel(noise_level=[0, levels.max()])
    epochs = times["epochs_to_convergence"].transpose(*dims)
    late = ~times["converged"].astype(bool).transpose(*dims).values
    sizes = slope_weights(np.log(epochs["dataset_size"].values))
    weights = np.array([-1, 1])[:, None, None] * sizes[None, :, None]
    values = (weights * np.log(epochs.values)).sum((0, 1))
    return over_seeds(values, criteria).bounded(
        at_least=bool((late & (weights > 0)).any()),
        at_most=bool((late & (weights < 0)).any()),
        caveat=f"{late.sum()} of the {late.size} models at the two levels did not converge: "
        "their times are bounds",
    )
