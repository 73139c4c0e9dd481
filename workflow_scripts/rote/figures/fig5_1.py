"""Figure 5.1: validation accuracy on real data against training accuracy on random labels."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rote.figures import style

NAMES = {
    "none": "none",
    "dropout": "dropout",
    "input_dropout": "input dropout",
    "input_noise": "input Gaussian noise",
    "hidden_noise": "hidden Gaussian noise",
    "weight_decay": "weight decay",
    "adversarial": "adversarial training",
    "adversarial_dropout": "adversarial training and dropout",
}
# Of different lightness, so that grey prints keep them apart; markers differ as well.
COLOURS = dict(
    zip(
        NAMES,
        ("black", "#1b3f8b", "#4a90d9", "#dd4433", "#f2a23a", "#7cc576", "#8e5ea2", "#c9a0dc"),
        strict=True,
    )
)


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a curve for each regulariser, mean over seeds, from no regulariser to the strongest.

    Bars are one standard deviation over the seeds; the strength stands at each point. The further
    left a curve gets before it falls, the less the model memorises at no cost.
    """
    figure = Figure(figsize=(6.4, 4.4))
    axis = figure.subplots()
    looks = style.looks(metrics["regularizer"].values, COLOURS)
    for i, (regularizer, look) in enumerate(looks.items()):
        own = metrics.sel(regularizer=regularizer).dropna("strength_index", subset=["strength"])
        x, y = own["noise_train_accuracy"], own["real_validation_accuracy"]
        axis.errorbar(
            x.mean("seed"),
            y.mean("seed"),
            xerr=np.nan_to_num(x.std("seed", ddof=1)),
            yerr=np.nan_to_num(y.std("seed", ddof=1)),
            color=look.colour,
            linestyle=look.line,
            marker=style.MARKERS[i % len(style.MARKERS)],
            linewidth=1.1,
            elinewidth=0.5,
            label=NAMES.get(regularizer, regularizer),
        )
        for k, strength in enumerate(own["strength"].values):
            if strength > 0:
                place = x.mean("seed")[k].item(), y.mean("seed")[k].item()
                axis.annotate(
                    strength_of(own.isel(strength_index=k)),
                    place,
                    xytext=(3, -7),
                    textcoords="offset points",
                    fontsize=5,
                    color=look.colour,
                )
    baseline = metrics.isel(regularizer=0, strength_index=0)
    axis.plot(
        baseline["noise_train_accuracy"].mean(),
        baseline["real_validation_accuracy"].mean(),
        marker="*",
        markersize=11,
        color="black",
        linestyle="none",
        label="no regulariser",
        zorder=5,
    )
    axis.set_xlabel("training accuracy on random labels (randY)")
    axis.set_ylabel("best validation accuracy on real data")
    if len(looks) <= len(COLOURS):
        axis.legend(loc="lower right")
    else:  # a longer one would hide curves
        style.legend_above(figure, axis.get_legend_handles_labels()[0])
    seeds = style.of_seeds(metrics)
    style.footnote(figure, metrics, f"mean and standard deviation of {seeds}; numbers: strengths")
    return figure


def strength_of(point: xr.Dataset) -> str:
    """Return the strength of a regulariser as text, and that of dropout if it goes with it."""
    strength, p = point["strength"].item(), point["dropout"].item()
    return f"{strength:g}, {p:g}" if p > 0 else f"{strength:g}"
