"""Figure 3.1: the misclassification rate of each example after a short training, sorted."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rote.figures import style


def draw(metrics: xr.Dataset) -> Figure:
    """Draw each condition's rates in increasing order, and the binomial reference.

    The band is the standard error of a rate over the experiments, on either side. The legend holds
    the standard deviation over the examples, and that of a binomial of the same mean.
    """
    looks = style.looks(metrics["condition"].values, style.CONDITION_COLOURS)
    figure = Figure(figsize=(4.6, 3.6))
    axis = figure.subplots()
    experiments = int(metrics.attrs["experiments"])
    rank = np.arange(1, metrics.sizes["example"] + 1)
    for condition, look in looks.items():
        rate = np.sort(metrics["misclassification_rate"].sel(condition=condition).values)
        used = experiments - int(metrics["diverged"].sel(condition=condition).sum())
        error = np.sqrt(rate * (1 - rate) / used)
        mean = rate.mean()
        binomial = np.sqrt(mean * (1 - mean) / used)
        axis.fill_between(
            rank, rate - error, rate + error, color=look.colour, alpha=0.2, linewidth=0
        )
        axis.plot(
            rank,
            rate,
            color=look.colour,
            linestyle=look.line,
            label=f"{condition}: SD {rate.std():.3f} (binomial {binomial:.3f})",
        )
    axis.plot(
        rank,
        np.sort(metrics["binomial_reference"].values),
        color="black",
        linestyle=(0, (4, 2)),
        linewidth=1.0,
        label=f"binomial, mean of {metrics.attrs['reference']}",
    )
    axis.set_xlim(1, len(rank))
    axis.set_ylim(0, 1)
    axis.set_xlabel("examples, sorted by misclassification rate")
    epochs = metrics.attrs["epochs"]
    axis.set_ylabel(f"misclassification rate after {epochs} epoch{'s' if epochs > 1 else ''}")
    if len(looks) <= len(style.CONDITION_COLOURS):
        axis.legend(loc="lower right")
    else:  # a longer one would hide curves
        style.legend_above(figure, axis.get_legend_handles_labels()[0])
    level = style.percent(metrics.attrs["noise_level"])
    style.footnote(
        figure,
        metrics,
        f"{experiments} experiments",
        lines=[f"noise level {level}; band: standard error; SD: over the examples"],
    )
    return figure
