"""Figure 3.1: the misclassification rate of each example after a short training, sorted."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rote.figures import looks, style
from rote.measures.dispersion import dispersion


def draw(metrics: xr.Dataset) -> Figure:
    """Draw each condition's rates in increasing order, and the binomial reference.

    The band is the standard error of a rate over the experiments, on either side. The legend holds
    what claim 3 tests, the variance over the examples relative to a binomial of the same mean.
    """
    drawn = looks.looks(metrics["condition"].values, looks.CONDITIONS)
    figure = Figure(figsize=(style.COLUMN, 3.4))
    axis = figure.subplots()
    experiments = int(metrics.attrs["experiments"])
    rank = np.arange(1, metrics.sizes["example"] + 1)
    spread = []
    for condition, look in drawn.items():
        rate = np.sort(metrics["misclassification_rate"].sel(condition=condition).values)
        used = experiments - int(metrics["diverged"].sel(condition=condition).sum())
        error = np.sqrt(rate * (1 - rate) / used)
        axis.fill_between(
            rank, rate - error, rate + error, color=look.colour, alpha=0.2, linewidth=0
        )
        axis.plot(
            rank,
            rate,
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            markevery=0.125,
            label=f"{condition}: {style.number(dispersion(rate, used), 2)}",
        )
        binomial = np.sqrt(rate.mean() * (1 - rate.mean()) / used)
        spread.append(f"{condition} {rate.std():.3f} ({binomial:.3f})")
    axis.plot(
        rank,
        np.sort(metrics["binomial_reference"].values),
        color="black",
        linewidth=0.8,
        label=f"binomial, mean of {metrics.attrs['reference']}",
    )
    axis.set_xlim(1, len(rank))
    axis.set_ylim(0, 1)
    axis.set_xlabel("examples, sorted by misclassification rate")
    epochs = metrics.attrs["epochs"]
    axis.set_ylabel(f"misclassification rate after {epochs} epoch{'s' if epochs > 1 else ''}")
    style.legend_above(
        figure, axis.get_legend_handles_labels()[0], title="variance over that of a binomial"
    )
    level = style.percent(metrics.attrs["noise_level"])
    style.footnote(
        figure,
        metrics,
        f"{experiments} experiments",
        lines=[
            f"standard deviation over the examples (of a binomial): {', '.join(spread)}",
            f"noise level {level}; band: standard error",
        ],
    )
    return figure
