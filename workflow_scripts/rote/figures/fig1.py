"""Figure 1: accuracy against capacity; panels for each kind of noise, a curve for each level."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rote.figures import looks, noise, style
from rote.measures.capacity import Width, fitting, sufficient
from rote.study.noises import KINDS

HEIGHT = 2.3  # inches of a panel
MEASURES = {"validation_accuracy": "validation accuracy", "train_accuracy": "training accuracy"}


def draw(metrics: xr.Dataset, margin: float | None = None, fitted: float | None = None) -> Figure:
    """Draw accuracies over hidden units: above validation, below training, a column a kind.

    Each seed is a dot, their mean a line; the band is one standard deviation over the seeds on
    either side of it. Rings are at the widths that claim 1 tests, mean over the seeds of their
    logarithm: above at the smallest within ``margin`` of the best validation accuracy, for levels
    below 1, below at the smallest whose training accuracy is ``fitted``, a thin line.
    """
    kinds = style.ordered(metrics["noise_kind"].values, KINDS)
    units = metrics["hidden_units"].values
    levels = looks.of_levels(metrics["noise_level"].values)
    columns = min(len(kinds), 2)
    rows = 2 * -(-len(kinds) // columns)
    figure = Figure(figsize=(style.PAGE, HEIGHT * rows))
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    read = {name: [] for name in MEASURES}
    for i, kind in enumerate(kinds):
        above, below = grid[2 * (i // columns) : 2 * (i // columns) + 2, i % columns]
        above.set_title(noise.panel(metrics, kind))
        below.set_xlabel("hidden units per layer")
        for axis, (name, words) in zip((above, below), MEASURES.items(), strict=True):
            widths = _curves(axis, metrics.sel(noise_kind=kind), name, levels, margin, fitted)
            if widths:
                read[name].append(f"{kind}: {', '.join(widths)}")
            style.powers_of_two(axis, units)
            if i % columns == 0:
                axis.set_ylabel(words)
    if len(kinds) % columns:  # an odd number of kinds leaves two panels over
        for axis in grid[-2:, 1]:
            axis.remove()
    grid[0, -1].legend(
        title="examples\nreplaced", loc="center left", bbox_to_anchor=(1.0, 0.5), alignment="left"
    )
    lines = []
    if read["validation_accuracy"]:
        said = f"○ above: smallest width within {margin:g} of the best validation accuracy"
        lines += ["; ".join([f"{said} (≤, ≥: a bound)", *read["validation_accuracy"]])]
    if read["train_accuracy"]:
        said = f"○ below: smallest width with a training accuracy of {fitted:g}, the thin line"
        lines += ["; ".join([said, *read["train_accuracy"]])]
    style.footnote(figure, metrics, style.spread(metrics), lines=lines)
    return figure


def _curves(
    axis: Axes,
    metrics: xr.Dataset,
    name: str,
    levels: dict[float, looks.Look],
    margin: float | None,
    fitted: float | None,
) -> list[str]:
    """Draw a curve a level with its ring, and return the widths of the rings as text."""
    units, said = metrics["hidden_units"].values, []
    if name == "train_accuracy" and fitted is not None:
        axis.axhline(fitted, color="0.35", linewidth=0.7, linestyle=(0, (6, 2)))
    for level, look in levels.items():
        own = metrics.sel(noise_level=level).transpose("seed", ...)
        style.seeds(axis, own[name], look, label=style.percent(level))
        if name == "train_accuracy" and fitted is not None:
            found = [
                fitting(*curves, units, fitted)
                for curves in zip(own[name].values, own["plateau"].values, strict=True)
            ]
        elif name == "validation_accuracy" and margin is not None and level < 1:
            found = [sufficient(curve, units, margin) for curve in own[name].values]
        else:
            continue
        said.append(f"{style.percent(level)} {_ring(axis, own[name], found, look)}")
    return said


def _ring(axis: Axes, accuracy: xr.DataArray, found: list[Width], look: looks.Look) -> str:
    """Draw a ring on a curve at the mean of the widths of its seeds, and return it as text."""
    log2 = np.array([width.log2 for width in found])
    if not np.isfinite(log2).any():
        return "unknown"
    mean = np.nanmean(log2)
    curve = accuracy.mean("seed").values
    there = np.isfinite(curve)
    height = np.interp(mean, np.log2(accuracy["hidden_units"].values[there]), curve[there])
    axis.plot(2**mean, height, "o", markersize=9, markerfacecolor="none", color=look.colour)
    bound = {(True, False): "≤ ", (False, True): "≥ ", (True, True): "≈ "}
    ends = any(width.at_most for width in found), any(width.at_least for width in found)
    return f"{bound.get(ends, '')}{2**mean:.0f}"
