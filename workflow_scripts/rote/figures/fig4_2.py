"""Figure 4.2: accuracy and critical sample ratio over training, a curve for each level of noise."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rote.figures import fonts, looks, noise, style
from rote.study.noises import KINDS

PEAKED = "randY"  # claim 4 tests what is gained after the peak of its validation accuracy
VALIDATION = {"linestyle": ":", "linewidth": 1.0}
TRAINING = {"linestyle": "-", "linewidth": 1.0}
HEIGHT = 1.5  # inches of a panel


def draw(metrics: xr.Dataset) -> Figure:
    """Draw for each case, and each kind of noise, accuracy and below it the critical sample ratio.

    Accuracy: solid on the training examples, dotted on validation. Bands are one standard deviation
    over the seeds; rings are at the peak of the mean validation accuracy. The highest level, if it
    is 1, is left to Figure 4.1, as the caption says.
    """
    cases, kinds = metrics["dataset"].values, style.ordered(metrics["noise_kind"].values, KINDS)
    levels = [level for level in metrics["noise_level"].values if level < 1]
    columns = min(len(kinds), 2)
    lines = -(-len(kinds) // columns)  # of a case
    figure = Figure(figsize=(style.PAGE, 1.0 + HEIGHT * 2 * lines * len(cases)))
    axes = figure.subplots(2 * lines * len(cases), columns, squeeze=False)
    for rows, case in zip(axes.reshape(len(cases), lines, 2, columns), cases, strict=True):
        own = metrics.sel(dataset=case)
        pairs = rows.transpose(0, 2, 1).reshape(-1, 2)
        for kind, pair in zip(kinds, pairs, strict=False):
            _draw_pair(*pair, own.sel(noise_kind=kind), looks.of_levels(levels), kind == PEAKED)
            pair[0].set_title(noise.panel(metrics, kind))
        # All kinds of noise on one scale.
        top = max(ratio.get_ylim()[1] for _, ratio in pairs[: len(kinds)])
        for _, ratio in pairs[: len(kinds)]:
            ratio.set_ylim(0, top)
        for axis in pairs[len(kinds) :].ravel():
            axis.remove()
        # The names of cases that are alike have a line of their own: they may be long.
        title = own["title"].item().replace(f" ({case})", f"\n({case})")
        for accuracy, ratio in rows[:, :, 0]:
            accuracy.set_ylabel(f"{fonts.wrapped(title, 8, 72 * HEIGHT)}\naccuracy")
            ratio.set_ylabel("critical\nsample ratio")
        # Below each column, and where the last row has no panel.
        for _, ratio in pairs[len(kinds) - columns : len(kinds)]:
            ratio.set_xlabel("epochs")
    handles = [
        style.handle(look, style.percent(level)) for level, look in looks.of_levels(levels).items()
    ]
    grey = looks.Look("0.3", "", "-")
    handles += [
        style.handle(grey, "training", **TRAINING),
        style.handle(grey, "validation", **VALIDATION),
    ]
    style.legend_above(figure, handles)
    style.footnote(
        figure,
        metrics,
        lines=[
            *["○ peak of the mean validation accuracy"] * (PEAKED in kinds),
            f"critical samples: ratio on real validation inputs; {style.search(metrics)}; "
            f"mean and standard deviation of {style.of_seeds(metrics)}",
        ],
        aside=[
            f"Level {style.percent(level)} is left out here: Figure 4.1 shows it."
            for level in metrics["noise_level"].values
            if level not in levels
        ],
    )
    return figure


def _draw_pair(
    accuracy: Axes, ratio: Axes, metrics: xr.Dataset, levels: dict[float, looks.Look], peak: bool
) -> None:
    """Draw accuracy and ratio of a case and a kind of noise, a curve for each level."""
    searched = style.searched(metrics["critical_sample_ratio"])
    for level, look in levels.items():
        curves = metrics.sel(noise_level=level)
        own = {
            "train_accuracy": curves["train_accuracy"].dropna("epoch", how="all"),
            "validation_accuracy": curves["validation_accuracy"].dropna("epoch", how="all"),
            "ratio": searched.sel(noise_level=level).dropna("epoch", how="all"),
        }
        for name, line in (("train_accuracy", TRAINING), ("validation_accuracy", VALIDATION)):
            marked = np.flatnonzero(np.isin(own[name]["epoch"], searched["epoch"])).tolist()
            style.seeds(accuracy, own[name], look, markersize=3, markevery=marked, **line)
        style.seeds(ratio, own["ratio"], look, markevery=1)
        if peak and level > 0 and own["validation_accuracy"].sizes["epoch"]:
            at = own["validation_accuracy"].mean("seed").idxmax("epoch").item()
            for axis, curve in zip((accuracy, accuracy, ratio), own.values(), strict=True):
                height = np.interp(at, curve["epoch"], curve.mean("seed"))
                ring = {"markersize": 8, "markerfacecolor": "none", "markeredgewidth": 0.9}
                axis.plot(at, height, "o", color=look.colour, **ring)
    for axis in (accuracy, ratio):
        style.powers_of_two(axis, searched["epoch"].values)
    accuracy.set_ylim(0, 1.02)
    accuracy.tick_params(labelbottom=False)
    ratio.set_ylim(bottom=0)
