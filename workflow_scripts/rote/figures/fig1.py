"""Figure 1: accuracy against capacity; a panel for each kind of noise, a curve for each level."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rote.figures import looks, style
from rote.measures.capacity import sufficient

PANELS = {"randX": "randX: noise in the inputs", "randY": "randY: noise in the labels"}


def draw(metrics: xr.Dataset, margin: float | None = None) -> Figure:
    """Draw validation accuracy over hidden units: each seed a dot, their mean a line.

    The band is one standard deviation over the seeds on either side of the mean. A ring is at the
    smallest width within ``margin`` of the best accuracy, mean over the seeds of its logarithm,
    which claim 1 tests.
    """
    kinds = metrics["noise_kind"].values
    units = metrics["hidden_units"].values
    levels = looks.of_levels(metrics["noise_level"].values)
    figure, axes = style.panels(len(kinds), 3.4)
    read = []
    for axis, kind in zip(axes, kinds, strict=True):
        widths = []
        for level, look in levels.items():
            accuracy = metrics["validation_accuracy"].sel(noise_kind=kind, noise_level=level)
            style.seeds(axis, accuracy, look, label=style.percent(level))
            if margin is not None:
                width = _sufficient(axis, accuracy, margin, look)
                widths.append(f"{style.percent(level)} {width}")
        style.powers_of_two(axis, units)
        axis.set_xlabel("hidden units per layer")
        axis.set_title(PANELS.get(kind, kind))
        if widths:
            read.append(f"{kind}: {', '.join(widths)}")
    for axis in axes[::2]:
        axis.set_ylabel("validation accuracy")
    axes[:2][-1].legend(
        title="examples\nreplaced", loc="center left", bbox_to_anchor=(1.0, 0.5), alignment="left"
    )
    if read:
        read.insert(0, f"○ smallest width within {margin:g} of the best accuracy; ≤, ≥: a bound")
    style.footnote(figure, metrics, style.SPREAD.format(style.of_seeds(metrics)), lines=read)
    return figure


def _sufficient(axis: Axes, accuracy: xr.DataArray, margin: float, look: looks.Look) -> str:
    """Draw a ring at the smallest sufficient width of a curve, and return the width as text."""
    units = accuracy["hidden_units"].values
    curves = accuracy.transpose("seed", "hidden_units").values
    found = np.array([sufficient(curve, units, margin) for curve in curves])
    mean = np.nanmean(found[:, 0]) if np.isfinite(found[:, 0]).any() else np.nan
    curve = accuracy.mean("seed").values
    there = np.isfinite(curve)
    if np.isnan(mean):
        return "unknown"
    height = np.interp(mean, np.log2(units[there]), curve[there])
    axis.plot(2**mean, height, "o", markersize=9, markerfacecolor="none", color=look.colour)
    at_most, at_least = found[:, 1].any(), found[:, 2].any()
    bound = {(True, False): "≤ ", (False, True): "≥ ", (True, True): "≈ "}
    return f"{bound.get((at_most, at_least), '')}{2**mean:.0f}"
