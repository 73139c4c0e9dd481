"""Figure 5.2: training accuracy over the epochs, with each regulariser at a selected strength."""

import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.figure import Figure

from rote.figures import style
from rote.figures.fig5_1 import COLOURS, NAMES, strength_of

PANELS = {"randY": "random labels (randY)", "real": "real labels"}


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a curve for each regulariser: noise left, real right; bands as in the other figures."""
    figure, axes = plt.subplots(1, 2, figsize=(6.6, 3.6), sharey=True)
    for axis, (condition, title) in zip(axes, PANELS.items(), strict=True):
        for regularizer in metrics["regularizer"].values:
            own = metrics.sel(condition=condition, regularizer=regularizer)
            name = NAMES[regularizer]
            if regularizer != "none":
                name = f"{name} {strength_of(own)}"
            style.seeds(
                axis,
                own["train_accuracy"],
                COLOURS[regularizer],
                linestyle="--" if regularizer == "none" else "-",
                label=name,
            )
        axis.set_title(title)
        axis.set_xlabel("epochs of training")
    axes[0].set_ylabel("training accuracy")
    axes[0].set_ylim(0, 1.02)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=7)
    style.footnote(figure, metrics, f"mean and standard deviation of {style.of_seeds(metrics)}")
    return figure
