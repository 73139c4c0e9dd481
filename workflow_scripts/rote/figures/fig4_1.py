"""Figure 4.1: the critical sample ratio over training, and beside it how well the models fit."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rote.figures import looks, noise, style

ON_NOISE = {"markerfacecolor": "white", "linewidth": 0.9}
INPUTS = {  # by how the names of the variables begin
    "": "real validation inputs",
    "noise_": "validation inputs of noise",
    "train_": "training inputs",
}


def draw(metrics: xr.Dataset, fitted: float | None = None) -> Figure:
    """Draw each condition: mean over seeds as a line, one standard deviation as a band.

    A model that has not fitted its data yet has a low ratio whatever the data: so accuracy stands
    beside it, and a line where claim 4 takes data for ``fitted``. Hollow: the ratio on validation
    inputs that are noise themselves, of what was trained on such noise. The panel of the training
    inputs is there if they were searched.
    """
    prefixes = ["", "train_"] if "train_critical_sample_ratio" in metrics else [""]
    figure = Figure(figsize=(style.PAGE, 3.2))
    *panels, right = figure.subplots(1, len(prefixes) + 1)
    drawn = looks.looks(metrics["condition"].values, looks.CONDITIONS)
    epochs = style.searched(metrics["critical_sample_ratio"])["epoch"].values
    for axis, prefix in zip(panels, prefixes, strict=True):
        _draw_ratios(axis, metrics[f"{prefix}critical_sample_ratio"], drawn)
        axis.set_title(f"on {INPUTS[prefix].removeprefix('real ')}")
        axis.sharey(panels[0])
    on_noise = metrics["noise_critical_sample_ratio"].dropna("condition", how="all")
    of_noise = {name: look for name, look in drawn.items() if name in on_noise["condition"]}
    _draw_ratios(panels[0], on_noise, of_noise, ", on inputs of noise", **ON_NOISE)
    handles = panels[0].get_legend_handles_labels()[0]
    accuracies = metrics["train_accuracy"].sel(epoch=epochs)
    for condition, look in drawn.items():
        style.seeds(right, accuracies.sel(condition=condition), look, markevery=1)
    if fitted is not None:
        right.axhline(fitted, color="0.4", linewidth=0.8)
        handles.append(
            style.handle(looks.Look("0.4", "", "-"), f"fitted ({fitted:g})", linewidth=0.8)
        )
    panels[0].set_ylabel("critical sample ratio")
    right.set_ylabel("training accuracy")
    for axis in (*panels, right):
        style.powers_of_two(axis, epochs)
        axis.set_xlabel("epochs of training")
        axis.set_ylim(bottom=0)
    right.set_ylim(top=1.02)
    style.legend_above(figure, handles)
    last = metrics.sel(critical_epoch=epochs[-1])
    ratios = [
        f"{INPUTS[prefix]}: {_read(last[f'{prefix}critical_sample_ratio'], drawn)}"
        for prefix in prefixes
    ]
    shares = [
        f"{words}: {_read(last[f'{prefix}commonest_class_share'], drawn)}"
        for prefix, words in INPUTS.items()
        if f"{prefix}commonest_class_share" in last
    ]
    style.footnote(
        figure,
        metrics,
        style.spread(metrics),
        lines=[
            *(f"critical sample ratio after {epochs[-1]} epochs, {ratio}" for ratio in ratios),
            f"noise level {style.percent(metrics.attrs['noise_level'])}; "
            f"{style.search(metrics, len(prefixes) > 1)}",
        ],
        aside=[
            *noise.explained(metrics, drawn),
            "A model that puts nearly all inputs into one class has a low ratio, whatever its "
            "boundary. The class that is predicted most often has this share of the inputs after "
            f"{epochs[-1]} epochs: {'; '.join(shares)}.",
        ],
    )
    return figure


def _draw_ratios(
    axis: Axes, ratios: xr.DataArray, drawn: dict[str, looks.Look], label: str = "", **line: object
) -> None:
    """Draw the ratio of each condition at the epochs at which it was searched."""
    ratios = style.searched(ratios)
    for condition, look in drawn.items():
        curve = ratios.sel(condition=condition)
        style.seeds(axis, curve, look, markevery=1, label=f"{condition}{label}", **line)


def _read(values: xr.DataArray, conditions: dict[str, looks.Look]) -> str:
    """Return the value of each condition that has one, for people."""
    each = {name: values.sel(condition=name) for name in conditions}
    return ", ".join(
        f"{name} {style.mean_and_spread(value, 3)}"
        for name, value in each.items()
        if value.notnull().any()
    )
