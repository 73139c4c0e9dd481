"""Figure 2: time to convergence against the size of the data set, and against capacity."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rote.figures import looks, style


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a curve for each noise level: each seed a dot, their geometric mean a line.

    Left the time relative to the smallest data set, right the epochs of the largest one. Axes are
    logarithmic, so that the slope that claim 2 tests is that of the thin straight line, which is
    fitted to each curve. Hollow triangles are seeds that did not converge: their time is longer
    than drawn or, where the smallest data set is what did not converge, unknown.
    """
    figure = Figure(figsize=(style.PAGE, 3.3))
    left, right = figure.subplots(1, 2)
    base = metrics["converged"].isel(dataset_size=0, drop=True)
    panels = (
        (left, metrics["normalized_time"], metrics["converged"] & base),
        (right, metrics["capacity_epochs_to_convergence"], metrics["capacity_converged"]),
    )
    levels = looks.of_levels(metrics["noise_level"].values)
    for axis, times, converged in panels:
        for level, look in levels.items():
            own = times.sel(noise_level=level)
            style.seeds(axis, own, look, geometric=True, label=style.percent(level))
            _censored(axis, own.where(~converged.sel(noise_level=level)), look.colour)
        style.powers_of_two(axis, times[times.dims[1]].values)
        style.logarithmic(axis)
    for level, look in levels.items():
        _fitted(left, metrics.sel(noise_level=level), look.colour)
    left.set_xlabel("training examples")
    left.set_ylabel("time to convergence\n(1: that of the smallest data set)")
    left.set_title(f"{metrics.attrs['hidden_units']} hidden units per layer")
    right.set_xlabel("hidden units per layer")
    right.set_ylabel("epochs to convergence")
    right.set_title(f"{metrics.attrs['capacity_size']:,} training examples")
    right.legend(
        title="examples\nreplaced", loc="center left", bbox_to_anchor=(1.0, 0.5), alignment="left"
    )
    style.footnote(
        figure,
        metrics,
        f"geometric mean, standard deviation and dots: {style.of_seeds(metrics)}",
        lines=_read(metrics),
        diverged="count as not converged",
    )
    return figure


def _fitted(axis: Axes, metrics: xr.Dataset, colour: tuple) -> None:
    """Draw the least-squares line of log(time) over log(size), mean over the seeds."""
    size = metrics["dataset_size"]
    centred = np.log(size) - np.log(size).mean()
    line = np.exp(np.log(metrics["normalized_time"]).mean() + metrics["slope"].mean() * centred)
    axis.plot(size, line, color=colour, linewidth=0.7, linestyle=(0, (6, 2)))


def _censored(axis: Axes, times: xr.DataArray, colour: tuple) -> None:
    """Mark the times of the seeds that did not converge; those of the others are missing."""
    for seed in times["seed"].values:
        axis.plot(
            times[times.dims[0]],
            times.sel(seed=seed),
            linestyle="",
            marker="^",
            markersize=7,
            markerfacecolor="none",
            color=colour,
        )


def _read(metrics: xr.Dataset) -> list[str]:
    """Return the lines that say what convergence is, and what the slopes are."""
    slopes = ", ".join(
        f"{style.percent(level)} {style.mean_and_spread(metrics['slope'].sel(noise_level=level))}"
        for level in metrics["noise_level"].values
    )
    lines = [
        f"slope of log(time) over log(size), thin lines: {slopes}",
        f"noise: randX; converged: training accuracy {style.percent(metrics.attrs['threshold'])}",
    ]
    converged = metrics["converged"], metrics["capacity_converged"]
    if not all(each.all() for each in converged):
        # The runs of the largest size and the usual width are in both panels.
        both = metrics["capacity_converged"].sel(hidden_units=metrics.attrs["hidden_units"])
        open_ends = sum(int((~each).sum()) for each in converged) - int((~both).sum())
        lines.append(
            f"△ not converged: {open_ends} model{'s' if open_ends > 1 else ''}, drawn and counted "
            f"at the limit of {metrics.attrs['epoch_limit']:,} epochs"
        )
    return lines
