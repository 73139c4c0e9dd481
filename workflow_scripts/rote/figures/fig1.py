"""Figure 1: accuracy against capacity; a panel for each kind of noise, a curve for each level."""

import xarray as xr
from matplotlib.figure import Figure

from rote.figures import style

PANELS = {"randX": "randX: noise in the inputs", "randY": "randY: noise in the labels"}


def draw(metrics: xr.Dataset) -> Figure:
    """Draw validation accuracy over hidden units: each seed a dot, their mean a line.

    The band is one standard deviation over the seeds on either side of the mean.
    """
    kinds = metrics["noise_kind"].values
    units = metrics["hidden_units"].values
    figure, axes = style.panels(len(kinds), 3.5, 3.2)
    for axis, kind in zip(axes, kinds, strict=True):
        for i, level in enumerate(metrics["noise_level"].values):
            accuracy = metrics["validation_accuracy"].sel(noise_kind=kind, noise_level=level)
            style.seeds(
                axis,
                accuracy,
                style.level_colour(level),
                marker=style.MARKERS[i % len(style.MARKERS)],
                label=style.percent(level),
            )
        style.powers_of_two(axis, units)
        axis.set_xlabel("hidden units per layer")
        axis.set_title(PANELS.get(kind, kind))
    for axis in axes[::2]:
        axis.set_ylabel("validation accuracy")
    axes[:2][-1].legend(
        title="examples\nreplaced", loc="center left", bbox_to_anchor=(1.0, 0.5), alignment="left"
    )
    style.footnote(figure, metrics, style.SPREAD.format(style.of_seeds(metrics)))
    return figure
