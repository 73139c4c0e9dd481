"""Filters of the first layer as one grid of images: learned on real data, and on random labels."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rote.figures import style

PANELS = {"real": "real data", "randY": "random labels (randY)"}


def draw(metrics: xr.Dataset) -> Figure:
    """Draw every filter of the first seed, those of the largest norm first.

    Each is scaled by its own largest weight: grey is 0, or, with three channels, the colour is that
    of the input that excites it most.
    """
    conditions = metrics["condition"].values
    count = metrics.sizes["map"]
    columns = int(np.ceil(np.sqrt(2 * count)))
    height = 3.0 * -(-count // columns) / columns + 0.9  # inches: the grid, title and footnote
    figure, axes = style.panels(len(conditions), 3.2, height)
    for axis, condition in zip(axes, conditions, strict=True):
        weights = metrics["filter"].sel(condition=condition).values
        order = np.argsort(-np.linalg.norm(weights.reshape(count, -1), axis=1), kind="stable")
        axis.imshow(tiled(weights[order], columns), cmap="gray", vmin=0, vmax=1)
        axis.set_title(PANELS.get(condition, condition))
        axis.set_axis_off()
    style.footnote(
        figure,
        metrics,
        lines=[
            f"{count} filters of {metrics.sizes['row']}×{metrics.sizes['column']} pixels of one "
            f"model each after {metrics.attrs['epoch']} epochs, by decreasing norm; each scaled by "
            "its largest weight"
        ],
    )
    return figure


def tiled(weights: np.ndarray, columns: int) -> np.ndarray:
    """Return filters (filters, channels, rows, columns) as one image, values 0 to 1, 0.5 for 0.

    Between them is a white line of a pixel. Channels other than three become their mean.
    """
    if weights.shape[1] != 3:
        weights = weights.mean(1, keepdims=True)
    largest = np.abs(weights).max((1, 2, 3), keepdims=True)
    images = 0.5 + 0.5 * weights / np.where(largest > 0, largest, 1)
    count, channels, height, width = images.shape
    lines = -(-count // columns)
    grid = np.ones((channels, lines * (height + 1) + 1, columns * (width + 1) + 1))
    for i, image in enumerate(np.nan_to_num(images, nan=1.0)):
        top, left = (i // columns) * (height + 1) + 1, (i % columns) * (width + 1) + 1
        grid[:, top : top + height, left : left + width] = image
    return grid[0] if channels == 1 else np.moveaxis(grid, 0, -1)
