"""Claim 2: time to convergence grows faster with the size of the data set, the more noise."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.verdicts import Interval, Part, more_than, over_seeds, slope_weights


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the one part (``fig2``)."""
    yield Part(
        "time_over_size",
        "fig2",
        "rise of the slope of log(time to convergence) over log(training examples), "
        f"from no noise to all noise{_width(metrics)}",
        *more_than(criteria, "slope"),
        partial(_rise, metrics, criteria),
    )


def _width(metrics: Mapping[str, xr.Dataset]) -> str:
    """Return the width of the models, on which the effect depends."""
    width = metrics["fig2"].attrs.get("hidden_units") if "fig2" in metrics else None
    return f", at {width} hidden units" if width else ""


def _rise(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Interval:
    """Return the slope, over the noise level, of the slope over the size.

    A time that is only a limit pushes the estimate to one side, which its weight tells.
    """
    dims = "noise_level", "dataset_size", "seed"
    times = metrics["fig2"]
    epochs = times["epochs_to_convergence"].transpose(*dims)
    late = ~times["converged"].astype(bool).transpose(*dims).values
    levels = slope_weights(epochs["noise_level"].values)
    sizes = slope_weights(np.log(epochs["dataset_size"].values))
    weights = levels[:, None, None] * sizes[None, :, None]
    values = (weights * np.log(epochs.values)).sum((0, 1))
    return over_seeds(values, criteria).bounded(
        at_least=bool((late & (weights > 0)).any()),
        at_most=bool((late & (weights < 0)).any()),
        caveat=f"{late.sum()} of {late.size} models did not converge: their times are bounds",
    )
