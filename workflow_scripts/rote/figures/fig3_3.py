"""Figure 3.3: sensitivity of the loss of each class to the examples of each class."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from rote.figures import style
from rote.machine.errors import UserError

PANELS = {"real": "real", "randX": "random inputs (randX)"}
STATISTICS = {
    "diagonal_share": "share of the diagonal",
    "off_diagonal_gini": "Gini coefficient off the diagonal",
}


def draw(metrics: xr.Dataset) -> Figure:
    """Draw the matrices, mean over seeds, in one logarithmic scale of colours.

    Below stand both measures of a matrix's shape, mean and standard deviation over the seeds. Seeds
    whose sensitivities have exploded are left out of all means, which they would make up alone.
    """
    conditions = [name for name in PANELS if name in metrics["condition"].values]
    metrics = metrics.sel(condition=conditions)
    matrices = metrics["class_sensitivity"].where(metrics["exploded"] == 0).mean("seed")
    # A cell that is 0, or has overflowed, has no place on the scale and stays white.
    cells = matrices.values[np.isfinite(matrices.values) & (matrices.values > 0)]
    if not len(cells):
        raise UserError(
            "Sensitivities have exploded in every seed, or none is positive and finite: lower "
            "learning_rate or epochs of the labelling class."
        )
    norm = LogNorm(cells.min(), cells.max())
    figure, axes = plt.subplots(
        1, len(conditions), figsize=(3.1 * len(conditions) + 0.6, 3.7), sharey=True, squeeze=False
    )
    names = metrics["class_name"].values
    for axis, condition in zip(axes[0], conditions, strict=True):
        image = axis.imshow(matrices.sel(condition=condition), norm=norm, cmap="viridis")
        axis.set_title(PANELS[condition])
        axis.set_xlabel("class of the training example")
        for ticks in (axis.xaxis, axis.yaxis):
            # Folders may have any name, and two $ would make a formula of it.
            ticks.set_ticks(np.arange(len(names)), names, parse_math=False)
        axis.grid(visible=False)
        axis.spines[["top", "right"]].set_visible(True)
    axes[0, 0].set_ylabel("class of the loss terms")
    figure.colorbar(image, ax=axes, label="mean loss-sensitivity [nat]", shrink=0.85)
    read = []
    for name, words in STATISTICS.items():
        each = [f"{c} {style.without_exploded(metrics.sel(condition=c), name)}" for c in conditions]
        read.append(f"{words}: " + ", ".join(each))
    style.footnote(figure, metrics, f"mean of {style.of_seeds(metrics)}", lines=read)
    return figure
