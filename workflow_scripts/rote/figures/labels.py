"""Labels beside points that do not run into each other, nor into curves and markers."""

from itertools import pairwise, product

import numpy as np
from matplotlib.axes import Axes

from rote.figures import fonts

DISTANCES = 4, 7, 11, 16, 22  # points between a point and the edge of its label
NEAR = 7  # up to there a label needs no line to its point
DIRECTIONS = np.radians(np.arange(0, 360, 22.5) - 45)  # that below on the right first
PADDING = 1.0  # points around a label
STEP = 1.5  # points between two of the places along a curve that a label must not cover
COVERED, OVERLAP, OUTSIDE = 1.0, 1000.0, 1000.0  # costs, in points of distance


def beside(
    axis: Axes,
    points: np.ndarray,
    texts: list[str],
    curves: list[np.ndarray],
    *,
    size: float,
    colours: list,
) -> None:
    """Write a text beside each point where it covers least; a line leads to it from far away.

    Each in its turn takes the best place that is left. Call it when all else is drawn and the
    layout of the figure is done.

    Args:
        axis: where the points are.
        points: (points, 2), in the coordinates of the data.
        texts: one for each point.
        curves: (points, 2) each, polygons that a text should not cover, in the same coordinates.
        size: of the text, in points.
        colours: of the lines that lead to the texts.
    """
    scale = 72 / axis.figure.dpi
    places = axis.transData.transform(points) * scale
    taken = np.concatenate([_along(axis.transData.transform(c) * scale) for c in curves])
    inside = axis.bbox.extents * scale
    boxes = np.empty((0, 4))
    for place, point, text, colour in zip(places, points, texts, colours, strict=True):
        half = np.array([fonts.width(text, size), size]) / 2 + PADDING
        best = None
        for distance, direction in product(DISTANCES, DIRECTIONS):
            towards = np.array([np.cos(direction), np.sin(direction)])
            # As far as a box of this size reaches back towards the point.
            reach = min(half / np.maximum(np.abs(towards), 1e-9))
            offset = towards * (distance + reach)
            box = np.concatenate([place + offset - half, place + offset + half])
            covered = ((taken > box[:2]) & (taken < box[2:])).all(1).sum()
            overlaps = ((boxes[:, :2] < box[2:]) & (boxes[:, 2:] > box[:2])).all(1).any()
            outside = (box[:2] < inside[:2]).any() or (box[2:] > inside[2:]).any()
            cost = distance + COVERED * covered + OVERLAP * overlaps + OUTSIDE * outside
            if best is None or cost < best[0]:
                best = cost, box, offset, distance
        _, box, offset, distance = best
        boxes = np.vstack([boxes, box])
        line = {"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2}
        axis.annotate(
            text,
            tuple(point),
            xytext=tuple(offset),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=size,
            color="0.2",
            in_layout=False,
            arrowprops=line if distance > NEAR else None,
        )


def _along(corners: np.ndarray) -> np.ndarray:
    """Return places along a polygon, so many that nothing fits between them; in points."""
    pieces = [corners]
    for start, end in pairwise(corners):
        count = int(np.ceil(np.hypot(*(end - start)) / STEP)) + 1
        pieces.append(start + np.linspace(0, 1, count)[:, None] * (end - start))
    return np.concatenate(pieces)
