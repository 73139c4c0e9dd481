"""Figure 3.2: the Gini coefficient of loss-sensitivity over training, for each labelling."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rote.figures import looks, style

PANELS = {"class": "class labels as targets", "unique": "as many classes as examples"}
NAMES = {"halfX": "50 % randX"}
ROWS = {
    "gini": "Gini coefficient\nof loss-sensitivity",
    "mean_sensitivity": "mean loss-\nsensitivity [nat]",
}


def draw(metrics: xr.Dataset, exploded: float = np.inf) -> Figure:
    """Draw each seed as a thin line and their mean as a thick one; below, the mean sensitivity.

    A seed is dotted from where its sensitivities have grown to more than ``exploded`` times those
    before training, and left out of the mean there. The coefficient for which all updates count
    alike, which claim 3 tests, stands below and leaves none out.
    """
    flags = metrics["growth"] > exploded
    labellings = metrics["labelling"].values
    drawn = looks.looks(metrics["condition"].values, looks.CONDITIONS)
    names = {condition: NAMES.get(condition, condition) for condition in drawn}
    figure = Figure(figsize=(style.PAGE / 2 * max(2, len(labellings)), 4.2))
    axes = figure.subplots(
        2,
        len(labellings),
        height_ratios=[2.2, 1],
        sharex="col",
        sharey="row",
        squeeze=False,
    )
    read = []
    for column, labelling in zip(axes.T, labellings, strict=True):
        whole = metrics.sel(labelling=labelling)
        there = whole.dropna("update", how="all", subset=["gini"])
        panel = there if there.sizes["update"] else whole  # all models diverged: no curve
        for condition, look in drawn.items():
            curves = panel.sel(condition=condition)
            for axis, name in zip(column, ROWS, strict=True):
                flag = flags.sel(labelling=labelling, condition=condition, update=panel["update"])
                _draw_seeds(axis, curves[name], flag, look)
        title = PANELS.get(labelling, labelling)
        column[0].set_title(title)
        column[1].set_yscale("log")
        column[1].set_xlabel("updates of SGD")
        last = panel.isel(update=-1)
        each = [
            f"{name} {_without_exploded(last.sel(condition=condition), exploded)}"
            for condition, name in names.items()
        ]
        alike = [
            f"{name} {style.mean_and_spread(last['share_gini'].sel(condition=condition))}"
            for condition, name in names.items()
        ]
        read.append(f"Gini at the end, {title}: {', '.join(each)}")
        read.append(f"with all updates counting alike: {', '.join(alike)}")
    for axis, label in zip(axes[:, 0], ROWS.values(), strict=True):
        axis.set_ylabel(label)
    axes[0, 0].set_ylim(bottom=0)
    handles = [style.handle(look, names[condition]) for condition, look in drawn.items()]
    if flags.any():
        grey = looks.Look("0.4", "", ":")
        handles.append(style.handle(grey, "exploded", linewidth=0.9))
    style.legend_above(figure, handles)
    seeds = style.of_seeds(metrics)
    norm = style.NORMS[metrics["norm"].item()]
    times = metrics["gini"].notnull().any(["condition", "seed"]).sum("update")
    style.footnote(
        figure,
        metrics,
        f"sensitivity ({norm} norm) at {int(times.max())} times; thick: mean of {seeds}",
        lines=read,
    )
    return figure


def _without_exploded(metrics: xr.Dataset, exploded: float) -> str:
    """Return the coefficient of the seeds that have not exploded, and how many are left out."""
    left_out = metrics["growth"] > exploded
    if left_out.all():
        return "exploded in every seed"
    text = style.mean_and_spread(metrics["gini"].where(~left_out))
    if left_out.any():
        text += f" (without {int(left_out.sum())} of {left_out.size} seeds, exploded)"
    return text


def _draw_seeds(axis, curves: xr.DataArray, exploded: xr.DataArray, look: looks.Look) -> None:
    update = curves["update"].values
    for seed in curves["seed"].values:
        one, flag = curves.sel(seed=seed).values, exploded.sel(seed=seed).values
        # The dotted part begins at the last point before the explosion, so that no gap is left.
        onwards = flag | np.append(flag[1:], False)
        axis.plot(update, np.where(flag, np.nan, one), color=look.colour, linewidth=0.6, alpha=0.6)
        axis.plot(update, np.where(onwards, one, np.nan), ":", color=look.colour, linewidth=0.9)
    mean = curves.where(~exploded).mean("seed")
    few = max(1, len(update) // 8)  # markers, so that the seeds are seen
    axis.plot(
        update,
        mean,
        color=look.colour,
        linestyle=look.line,
        marker=look.marker,
        markevery=few,
    )
