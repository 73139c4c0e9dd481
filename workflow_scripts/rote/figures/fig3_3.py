"""Figure 3.3: sensitivity of the loss of each class to the examples of each class."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib import rcParams
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from rote.figures import fonts, style
from rote.machine.errors import UserError

PANELS = {"real": "real", "randX": "random inputs (randX)"}
LEFT_OUT = "halfX"  # between the two, and part of Figure 3.2
STATISTICS = {
    "diagonal_share": "share of the diagonal",
    "off_diagonal_gini": "Gini coefficient off the diagonal",
}
SIZE, SMALLEST = 8.0, style.SMALL  # points of a class's name
MATRIX = 165.0  # points: the width of a matrix, beside long names
LONGEST = 95.0  # points of a name beside it


class ClassLabels(NamedTuple):
    """What stands beside the rows and below the columns of a matrix."""

    labels: dict[int, str]  # by the number of the class; not every class needs one
    size: float  # points
    turned: bool  # below the columns
    width: float  # points of the widest


def class_labels(names: list[str]) -> ClassLabels:
    """Return the names of the classes, turned or smaller if they are long or many.

    Where even so they would run into each other or leave no room for the matrix, or no font has
    their letters, it is the numbers of the classes, of as many as there is room for.
    """
    cell = MATRIX / len(names)
    if not fonts.lacking("".join(names)):
        every = dict(enumerate(names))
        widest = max(fonts.width(name, SIZE) for name in names)
        if widest + SIZE / 2 <= cell:
            return ClassLabels(every, SIZE, False, widest)
        size = min(SIZE, cell / 1.2)
        widest *= size / SIZE
        if size >= SMALLEST and widest <= LONGEST:
            return ClassLabels(every, size, True, widest)
    widest = fonts.width(str(len(names) - 1), SIZE)
    steps = (step * 10**power for power in range(9) for step in (1, 2, 5))
    step = next(step for step in steps if widest + SIZE / 2 <= step * cell)
    return ClassLabels({i: str(i) for i in range(0, len(names), step)}, SIZE, False, widest)


def draw(metrics: xr.Dataset) -> Figure:
    """Draw each matrix as shares of its sum, mean over seeds, in one logarithmic scale of colours.

    So the part on the diagonal, which claim 3 tests, is seen whatever the sum, which stands below.
    All measures are mean and standard deviation over the seeds. Every update counts alike, so that
    none makes up the matrix alone, however large its sensitivities are.
    """
    stored = style.ordered(metrics["condition"].values, PANELS)
    conditions = [name for name in stored if name != LEFT_OUT]
    metrics = metrics.sel(condition=conditions)
    matrices = 100 * metrics["class_share"].mean("seed")
    matrices = matrices.transpose(..., "loss_class", "example_class")
    # A cell that is 0 has no place on the scale and stays white.
    drawn = matrices.values[np.isfinite(matrices.values) & (matrices.values > 0)]
    if not len(drawn):
        raise UserError(
            "In every seed sensitivities are infinite, or all are 0: lower learning_rate or epochs "
            "of the labelling class."
        )
    norm = LogNorm(drawn.min(), drawn.max())
    names = [" ".join(name.split()) for name in metrics["loss_class"].values]
    ticks = class_labels(names)
    aside = ticks.width / 72 if ticks.turned else 0.0  # inches
    figure, axes = style.panels(len(conditions), 3.9 + aside)
    for axis, condition in zip(axes, conditions, strict=True):
        image = axis.imshow(matrices.sel(condition=condition), norm=norm, cmap="viridis")
        axis.set_title(_title(condition, matrices.sel(condition=condition)))
        axis.set_xlabel("class of the training example")
        for side in (axis.xaxis, axis.yaxis):
            # Folders may have any name, and two $ would make a formula of it.
            side.set_ticks(
                list(ticks.labels),
                ticks.labels.values(),
                parse_math=False,
                fontsize=ticks.size,
                fontfamily=[*rcParams["font.family"], *fonts.families("".join(names))],
            )
        if ticks.turned:
            axis.tick_params(axis="x", rotation=90)
        axis.grid(visible=False)
        axis.spines[["top", "right"]].set_visible(True)
    for axis in axes[::2]:
        axis.set_ylabel("class of the loss terms")
    bar = figure.colorbar(image, ax=axes, label="share of the matrix's sum [%]", shrink=0.85)
    style.logarithmic_ticks(bar.ax)
    # Of the seeds the median, since gradients through training explode in some.
    sizes = metrics["class_sensitivity"].mean(["loss_class", "example_class"]).median("seed")
    sizes = {c: sizes.sel(condition=c).item() for c in conditions}
    read = [
        "mean sensitivity, median of the seeds [nat]: "
        + ", ".join(f"{c} {'unknown' if np.isnan(x) else f'{x:#.2g}'}" for c, x in sizes.items())
    ]
    for name, words in STATISTICS.items():
        each = [f"{c} {style.mean_and_spread(metrics[name].sel(condition=c))}" for c in conditions]
        read.append(f"{words}: " + ", ".join(each))
    below = []
    if any(names[i] != label for i, label in ticks.labels.items()):
        read.append("classes: by number, as listed in the caption")
        listed = ", ".join(f"{i} {name}" for i, name in enumerate(names))
        below.append(f"Classes: {listed}.")
    if LEFT_OUT in stored:
        below.append(f"{LEFT_OUT} is left out here: the numbers hold it, and Figure 3.2 shows it.")
    norm = f"{style.NORMS[metrics['norm'].item()]} norm, mean of {style.of_seeds(metrics)}"
    style.footnote(figure, metrics, norm, lines=read, aside=below)
    return figure


def _title(condition: str, matrix: xr.DataArray) -> str:
    """Return what stands above a matrix of shares in percent."""
    name, diagonal = PANELS.get(condition, condition), np.trace(matrix.values)
    return f"{name}: {diagonal:.0f} % on the diagonal" if np.isfinite(diagonal) else name
