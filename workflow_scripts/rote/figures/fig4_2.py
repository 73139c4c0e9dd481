"""Figure 4.2: accuracy and critical sample ratio over training, a curve for each level of noise."""

import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rote.figures import style


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a row for each case and a pair of panels for each kind of noise.

    Accuracy: solid on the training examples, dotted on validation. Bands are one standard deviation
    over the seeds. The highest level, if it is 1, is left to Figure 4.1.
    """
    cases, kinds = metrics["dataset"].values, metrics["noise_kind"].values
    levels = [level for level in metrics["noise_level"].values if level < 1]
    figure, axes = plt.subplots(
        len(cases),
        2 * len(kinds),
        figsize=(2.0 * 2 * len(kinds), 0.9 + 1.75 * len(cases)),
        squeeze=False,
    )
    for row, case in zip(axes, cases, strict=True):
        own = metrics.sel(dataset=case)
        searched = own["critical_sample_ratio"].dropna("epoch", how="all")["epoch"].values
        for k, kind in enumerate(kinds):
            accuracy, ratio = row[2 * k : 2 * k + 2]
            for i, level in enumerate(levels):
                curves = own.sel(noise_kind=kind, noise_level=level)
                colour = style.level_colour(level)
                style.seeds(accuracy, curves["train_accuracy"], colour, linewidth=1.1)
                style.seeds(
                    accuracy, curves["validation_accuracy"], colour, linestyle=":", linewidth=1.1
                )
                marker = style.MARKERS[i % len(style.MARKERS)]
                style.seeds(ratio, curves["critical_sample_ratio"], colour, marker=marker)
            accuracy.set_ylim(0, 1.02)
            ratio.set_ylim(bottom=0)
            for axis, what in ((accuracy, "accuracy"), (ratio, "critical samples")):
                style.powers_of_two(axis, searched)
                axis.tick_params(labelsize=6)
                axis.set_title(f"{kind}: {what}", fontsize=7)
        # Both kinds of noise on one scale.
        top = max(axis.get_ylim()[1] for axis in row[1::2])
        for axis in row[1::2]:
            axis.set_ylim(0, top)
        # The names of cases that are alike have a line of their own: they may be long.
        row[0].set_ylabel(own["title"].item().replace(f" ({case})", f"\n({case})"))
    for axis in axes[-1]:
        axis.set_xlabel("epochs")
    handles = [
        Line2D(
            [],
            [],
            color=style.level_colour(level),
            marker=style.MARKERS[i % len(style.MARKERS)],
            label=style.percent(level),
        )
        for i, level in enumerate(levels)
    ]
    handles += [
        Line2D([], [], color="0.3", linewidth=1.1, linestyle=line, label=label)
        for line, label in (("-", "training"), (":", "validation"))
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    style.footnote(
        figure,
        metrics,
        lines=[
            f"critical samples: ratio on real validation inputs; {style.search(metrics)}; "
            f"mean and standard deviation of {style.of_seeds(metrics)}"
        ],
    )
    return figure
