"""Figure 4.1: the critical sample ratio over training, and beside it how well the models fit."""

import xarray as xr
from matplotlib.figure import Figure

from rote.figures import style

PANELS = {
    "critical_sample_ratio": "critical sample ratio\n(real validation inputs)",
    "train_accuracy": "training accuracy",
}


def draw(metrics: xr.Dataset) -> Figure:
    """Draw each condition: mean over seeds as a line, one standard deviation as a band.

    A model that has not fitted its data yet has a low ratio whatever the data: so accuracy stands
    beside it. Dashed: the ratio of randX on validation inputs that are noise themselves.
    """
    figure = Figure(figsize=(6.4, 3.0))
    axes = figure.subplots(1, 2)
    searched = metrics["critical_sample_ratio"].dropna("critical_epoch", how="all")
    searched = searched["critical_epoch"].values
    read = []
    looks = style.looks(metrics["condition"].values, style.COMPLEXITY_COLOURS)
    for condition, look in looks.items():
        curves = metrics.sel(condition=condition)
        for axis, name in zip(axes, PANELS, strict=True):
            values = curves[name]
            values = values.sel({values.dims[0]: searched})
            style.seeds(
                axis,
                values,
                look.colour,
                marker=look.marker,
                linestyle=look.line,
                label=condition,
            )
        noise = curves["noise_critical_sample_ratio"]
        if noise.notnull().any():
            style.seeds(
                axes[0],
                noise,
                look.colour,
                linestyle="--",
                marker=None if condition in style.COMPLEXITY_COLOURS else look.marker,
                linewidth=0.9,
                label=f"{condition}, on inputs of noise",
            )
        last = curves["critical_sample_ratio"].sel(critical_epoch=searched[-1])
        read.append(f"{condition} {style.mean_and_spread(last, 3)}")
    for axis, label in zip(axes, PANELS.values(), strict=True):
        style.powers_of_two(axis, searched)
        axis.set_xlabel("epochs of training")
        axis.set_ylabel(label)
        axis.set_ylim(bottom=0)
    axes[1].set_ylim(top=1.02)
    style.legend_above(figure, axes[0].get_legend_handles_labels()[0])
    style.footnote(
        figure,
        metrics,
        style.SPREAD.format(style.of_seeds(metrics)),
        lines=[
            f"critical sample ratio after {searched[-1]} epochs: " + ", ".join(read),
            f"noise level {style.percent(metrics.attrs['noise_level'])}; {style.search(metrics)}",
        ],
    )
    return figure
