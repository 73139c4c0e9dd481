"""Figure 1: accuracy against capacity; a panel for each kind of noise, a curve for each level."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, ScalarFormatter

from rote.figures import style

PANELS = {"randX": "randX: noise in the inputs", "randY": "randY: noise in the labels"}


def draw(metrics: xr.Dataset) -> Figure:
    """Draw validation accuracy over hidden units: each seed a dot, their mean a line.

    The band is one standard deviation over the seeds on either side of the mean.
    """
    kinds = metrics["noise_kind"].values
    units = metrics["hidden_units"].values
    figure, axes = plt.subplots(
        1, len(kinds), figsize=(3.5 * len(kinds), 3.2), sharey=True, squeeze=False
    )
    for axis, kind in zip(axes[0], kinds, strict=True):
        for i, level in enumerate(metrics["noise_level"].values):
            accuracy = metrics["validation_accuracy"].sel(noise_kind=kind, noise_level=level)
            mean, spread = accuracy.mean("seed"), accuracy.std("seed", ddof=1)
            colour = style.level_colour(level)
            axis.plot(
                units,
                mean,
                color=colour,
                marker=style.MARKERS[i % len(style.MARKERS)],
                label=style.percent(level),
            )
            axis.fill_between(
                units, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0
            )
            axis.plot(
                np.repeat(units, accuracy.sizes["seed"]),
                accuracy.values.ravel(),
                ".",
                color=colour,
                markersize=2,
                alpha=0.8,
            )
        axis.set_xscale("log", base=2)
        axis.set_xticks(units)
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel("hidden units per layer")
        axis.set_title(PANELS[kind])
    axes[0, 0].set_ylabel("validation accuracy")
    axes[0, -1].legend(
        title="examples\nreplaced", loc="center left", bbox_to_anchor=(1.0, 0.5), alignment="left"
    )
    seeds = metrics.sizes["seed"]
    style.footnote(figure, metrics, f"mean, standard deviation and dots: {seeds} seeds")
    return figure
