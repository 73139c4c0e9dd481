"""Figure 5.2: training accuracy over the epochs, with each regulariser at a selected strength."""

import xarray as xr
from matplotlib.figure import Figure

from rote.figures import looks, style
from rote.figures.fig5_1 import NAMES, strength_of

PANELS = {"randY": "random labels (randY)", "real": "real labels"}


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a curve for each regulariser: noise left, real right; bands as in the other figures."""
    conditions = style.ordered(metrics["condition"].values, PANELS)
    drawn = looks.looks(metrics["regularizer"].values, looks.REGULARIZERS)
    figure, axes = style.panels(len(conditions), 3.6)
    for axis, condition in zip(axes, conditions, strict=True):
        for regularizer, look in drawn.items():
            own = metrics.sel(condition=condition, regularizer=regularizer)
            name = NAMES.get(regularizer, regularizer)
            if regularizer != "none":
                name = f"{name} {strength_of(own)}"
            style.seeds(axis, own["train_accuracy"], look, label=name)
        axis.set_title(PANELS.get(condition, condition))
        axis.set_xlabel("epochs of training")
    for axis in axes[::2]:
        axis.set_ylabel("training accuracy")
    axes[0].set_ylim(0, 1.02)
    style.legend_above(figure, axes[0].get_legend_handles_labels()[0])
    style.footnote(figure, metrics, f"mean and standard deviation of {style.of_seeds(metrics)}")
    return figure
