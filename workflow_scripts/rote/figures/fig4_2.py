"""Figure 4.2: accuracy and critical sample ratio over training, a curve for each level of noise."""

import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rote.figures import fonts, style


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a row for each case, and for each kind of noise a pair of panels, two pairs in a row.

    Accuracy: solid on the training examples, dotted on validation. Bands are one standard deviation
    over the seeds. The highest level, if it is 1, is left to Figure 4.1, as the caption says.
    """
    cases, kinds = metrics["dataset"].values, metrics["noise_kind"].values
    levels = [level for level in metrics["noise_level"].values if level < 1]
    pairs = min(len(kinds), 2)  # in a row
    lines = -(-len(kinds) // pairs)  # of a case
    figure = Figure(figsize=(2.0 * 2 * pairs, 0.9 + 1.75 * lines * len(cases)))
    axes = figure.subplots(lines * len(cases), 2 * pairs, squeeze=False)
    for rows, case in zip(axes.reshape(len(cases), lines, 2 * pairs), cases, strict=True):
        own = metrics.sel(dataset=case)
        searched = own["critical_sample_ratio"].dropna("critical_epoch", how="all")
        searched = searched["critical_epoch"].values
        panels = rows.reshape(-1, 2)
        for kind, (accuracy, ratio) in zip(kinds, panels, strict=False):
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
        # All kinds of noise on one scale.
        top = max(ratio.get_ylim()[1] for _, ratio in panels[: len(kinds)])
        for _, ratio in panels[: len(kinds)]:
            ratio.set_ylim(0, top)
        for axis in panels[len(kinds) :].ravel():
            axis.remove()
        # The names of cases that are alike have a line of their own: they may be long.
        title = own["title"].item().replace(f" ({case})", f"\n({case})")
        for row in rows:
            row[0].set_ylabel(fonts.wrapped(title, 8, 72 * 1.6))
    # Below each column, and where the last row of the last case has no panel.
    for axis in panels[len(kinds) - pairs : len(kinds)].ravel():
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
    style.legend_above(figure, handles)
    style.footnote(
        figure,
        metrics,
        lines=[
            f"critical samples: ratio on real validation inputs; {style.search(metrics)}; "
            f"mean and standard deviation of {style.of_seeds(metrics)}"
        ],
        aside=[
            f"Level {style.percent(level)} is left out here: Figure 4.1 shows it."
            for level in metrics["noise_level"].values
            if level not in levels
        ],
    )
    return figure
