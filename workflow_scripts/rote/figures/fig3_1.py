"""Figure 3.1: the misclassification rate of each example after a short training, sorted."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rote.figures import style


def draw(metrics: xr.Dataset) -> Figure:
    """Draw each condition's rates in increasing order, and the binomial reference.

    The band is the standard error of a rate over the experiments, on either side. The legend holds
    the standard deviation over the examples, and that of a binomial of the same mean.
    """
    figure, axis = plt.subplots(figsize=(4.6, 3.6))
    experiments = int(metrics.attrs["experiments"])
    rank = np.arange(1, metrics.sizes["example"] + 1)
    for condition in metrics["condition"].values:
        rate = np.sort(metrics["misclassification_rate"].sel(condition=condition).values)
        used = experiments - int(metrics["diverged"].sel(condition=condition).sum())
        error = np.sqrt(rate * (1 - rate) / used)
        mean = rate.mean()
        binomial = np.sqrt(mean * (1 - mean) / used)
        colour = style.CONDITION_COLOURS[condition]
        axis.fill_between(rank, rate - error, rate + error, color=colour, alpha=0.2, linewidth=0)
        axis.plot(
            rank,
            rate,
            color=colour,
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
    axis.legend(loc="lower right")
    level = style.percent(metrics.attrs["noise_level"])
    style.footnote(
        figure,
        metrics,
        f"{experiments} experiments",
        lines=[f"noise level {level}; band: standard error; SD: over the examples"],
    )
    return figure
