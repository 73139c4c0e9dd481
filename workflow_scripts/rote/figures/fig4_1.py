"""Figure 4.1: the critical sample ratio over training, and beside it how well the models fit."""

import xarray as xr
from matplotlib.figure import Figure

from rote.figures import looks, style

ON_NOISE = {"markerfacecolor": "white", "linewidth": 0.9}


def draw(metrics: xr.Dataset, fitted: float | None = None) -> Figure:
    """Draw each condition: mean over seeds as a line, one standard deviation as a band.

    A model that has not fitted its data yet has a low ratio whatever the data: so accuracy stands
    beside it, and a line where claim 4 takes data for ``fitted``. Hollow: the ratio of randX on
    validation inputs that are noise themselves.
    """
    figure = Figure(figsize=(style.PAGE, 3.2))
    left, right = figure.subplots(1, 2)
    drawn = looks.looks(metrics["condition"].values, looks.CONDITIONS)
    ratios = style.searched(metrics["critical_sample_ratio"])
    epochs = ratios["epoch"].values
    accuracies = metrics["train_accuracy"].sel(epoch=epochs)
    on_noise = style.searched(metrics["noise_critical_sample_ratio"])
    read = []
    for condition, look in drawn.items():
        ratio = ratios.sel(condition=condition)
        style.seeds(left, ratio, look, markevery=1, label=condition)
        style.seeds(right, accuracies.sel(condition=condition), look, markevery=1)
        read.append(f"{condition} {style.mean_and_spread(ratio.sel(epoch=epochs[-1]), 3)}")
        noise = on_noise.sel(condition=condition)
        if noise.notnull().any():
            label = f"{condition}, on inputs of noise"
            style.seeds(left, noise, look, markevery=1, label=label, **ON_NOISE)
    handles = left.get_legend_handles_labels()[0]
    if fitted is not None:
        right.axhline(fitted, color="0.4", linewidth=0.8)
        handles.append(
            style.handle(looks.Look("0.4", "", "-"), f"fitted ({fitted:g})", linewidth=0.8)
        )
    left.set_ylabel("critical sample ratio")
    right.set_ylabel("training accuracy")
    for axis in (left, right):
        style.powers_of_two(axis, epochs)
        axis.set_xlabel("epochs of training")
        axis.set_ylim(bottom=0)
    right.set_ylim(top=1.02)
    style.legend_above(figure, handles)
    style.footnote(
        figure,
        metrics,
        style.SPREAD.format(style.of_seeds(metrics)),
        lines=[
            f"critical sample ratio of real validation inputs after {epochs[-1]} epochs: "
            + ", ".join(read),
            f"noise level {style.percent(metrics.attrs['noise_level'])}; {style.search(metrics)}",
        ],
    )
    return figure
