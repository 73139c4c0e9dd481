"""Figure 3.2: the Gini coefficient of loss-sensitivity over training, for each labelling."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rote.figures import style

PANELS = {"class": "class labels as targets", "unique": "as many classes as examples"}
NAMES = {"real": "real", "halfX": "50 % randX", "randX": "randX"}
ROWS = {
    "gini": "Gini coefficient\nof loss-sensitivity",
    "mean_sensitivity": "mean loss-\nsensitivity [nat]",
}


def draw(metrics: xr.Dataset) -> Figure:
    """Draw each seed as a thin line and their mean as a thick one; below, the mean sensitivity.

    A seed is dotted from where its sensitivities have exploded, and left out of the mean there.
    """
    labellings = metrics["labelling"].values
    figure, axes = plt.subplots(
        2,
        len(labellings),
        figsize=(3.4 * len(labellings), 4.2),
        height_ratios=[2.2, 1],
        sharex="col",
        sharey="row",
        squeeze=False,
    )
    read = []
    for column, labelling in zip(axes.T, labellings, strict=True):
        panel = metrics.sel(labelling=labelling).dropna("update", how="all", subset=["gini"])
        for condition in panel["condition"].values:
            curves = panel.sel(condition=condition)
            for axis, name in zip(column, ROWS, strict=True):
                _draw_seeds(axis, curves[name], curves["exploded"] > 0, condition)
        column[0].set_title(PANELS[labelling])
        column[1].set_yscale("log")
        column[1].set_xlabel("updates of SGD")
        last = panel.isel(update=-1)
        each = [
            f"{NAMES[c]} {style.without_exploded(last.sel(condition=c), 'gini')}"
            for c in panel["condition"].values
        ]
        read.append(f"{PANELS[labelling]}: {', '.join(each)}")
    for axis, label in zip(axes[:, 0], ROWS.values(), strict=True):
        axis.set_ylabel(label)
    axes[0, 0].set_ylim(bottom=0)
    handles = [
        Line2D([], [], color=style.SENSITIVITY_COLOURS[c], marker=_marker(c), label=NAMES[c])
        for c in metrics["condition"].values
    ]
    if (metrics["exploded"] > 0).any():
        handles.append(Line2D([], [], color="0.4", linestyle=":", linewidth=0.9, label="exploded"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    seeds = style.of_seeds(metrics)
    times = metrics["gini"].notnull().any(["condition", "seed"]).sum("update")
    style.footnote(
        figure,
        metrics,
        f"sensitivity at {int(times.max())} times; thick: mean of {seeds}",
        lines=["Gini at the end, " + line for line in read],
    )
    return figure


def _marker(condition: str) -> str:
    return style.MARKERS[list(NAMES).index(condition)]


def _draw_seeds(axis, curves: xr.DataArray, exploded: xr.DataArray, condition: str) -> None:
    colour = style.SENSITIVITY_COLOURS[condition]
    update = curves["update"].values
    for seed in curves["seed"].values:
        one, flag = curves.sel(seed=seed).values, exploded.sel(seed=seed).values
        # The dotted part begins at the last point before the explosion, so that no gap is left.
        onwards = flag | np.append(flag[1:], False)
        axis.plot(update, np.where(flag, np.nan, one), color=colour, linewidth=0.6, alpha=0.6)
        axis.plot(update, np.where(onwards, one, np.nan), ":", color=colour, linewidth=0.9)
    mean = curves.where(~exploded).mean("seed")
    few = max(1, len(update) // 10)  # markers, so that the seeds are seen
    axis.plot(update, mean, color=colour, marker=_marker(condition), markersize=3, markevery=few)
