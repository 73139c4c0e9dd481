"""Figure 5.1: validation accuracy on real data against training accuracy on random labels."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rote.figures import labels, looks, style

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
STAR = 11  # points across
# The two bars of a point, as factors of its standard deviations.
_BARS = np.array([[-1, 0], [1, 0]]), np.array([[0, -1], [0, 1]])


def draw(metrics: xr.Dataset, margin: float | None = None, large: float | None = None) -> Figure:
    """Draw a curve for each regulariser, mean over seeds, from no regulariser to the strongest.

    Bars are one standard deviation over the seeds; the strength stands at each point, but for those
    that lie under the star of no regulariser, since nothing is seen there. The further left a curve
    gets before it falls, the less the model memorises at no cost. Grey is what
    claim 5 asks for: ``large`` or more to the left of no regulariser, and less than ``margin``
    below it.
    """
    figure = Figure(figsize=(style.PAGE, 4.4))
    axis = figure.subplots()
    drawn = looks.looks(metrics["regularizer"].values, looks.REGULARIZERS)
    strengths, curves = [], []
    for regularizer, look in drawn.items():
        own = metrics.sel(regularizer=regularizer).dropna("strength_index", subset=["strength"])
        x, y = own["noise_train_accuracy"], own["real_validation_accuracy"]
        mean = np.stack([x.mean("seed"), y.mean("seed")], 1)
        spread = np.nan_to_num(np.stack([x.std("seed", ddof=1), y.std("seed", ddof=1)], 1))
        axis.errorbar(
            *mean.T,
            xerr=spread[:, 0],
            yerr=spread[:, 1],
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            linewidth=1.1,
            elinewidth=0.5,
            label=NAMES.get(regularizer, regularizer),
        )
        curves.append(mean)
        for k, strength in enumerate(own["strength"].values):
            if strength > 0 and np.isfinite(mean[k]).all():
                text = strength_of(own.isel(strength_index=k))
                strengths.append((mean[k], text, look.colour))
                curves += [mean[k] + spread[k] * side for side in _BARS]
    baseline = metrics.isel(regularizer=0, strength_index=0)
    none = [
        baseline[name].mean().item()
        for name in ("noise_train_accuracy", "real_validation_accuracy")
    ]
    axis.plot(
        *none,
        marker="*",
        markersize=STAR,
        color="black",
        linestyle="none",
        label="no regulariser",
        zorder=5,
    )
    read = []
    if margin is not None and large is not None:
        _tested(axis, none, margin, large)
        read.append(
            "grey: compared with no regulariser, accuracy is lower by at least "
            f"{large:g} on random labels, and by less than {margin:g} on real data"
        )
    axis.set_xlabel("training accuracy on random labels (randY)")
    axis.set_ylabel("best validation accuracy on real data")
    style.legend_above(figure, axis.get_legend_handles_labels()[0])
    seeds = style.of_seeds(metrics)
    style.footnote(
        figure,
        metrics,
        f"mean and standard deviation of {seeds}; numbers: strengths",
        lines=read,
    )
    figure.draw_without_rendering()  # labels go where the layout leaves room for them
    if strengths := [one for one in strengths if not _distance(axis, one[0], none) <= STAR / 2]:
        points, texts, colours = zip(*strengths, strict=True)
        curves = [curve[np.isfinite(curve).all(1)] for curve in [*curves, _star(axis, none)]]
        labels.beside(axis, np.array(points), texts, curves, size=style.SMALL, colours=colours)
    return figure


def _star(axis: Axes, place: Sequence[float]) -> np.ndarray:
    """Return a polygon around the star at a place, and the place, in coordinates of the axis."""
    angles = np.linspace(0, 2 * np.pi, 9)
    around = STAR / 2 * np.stack([np.cos(angles), np.sin(angles)], 1)
    pixels = axis.transData.transform(place) + around * axis.figure.dpi / 72
    return np.vstack([axis.transData.inverted().transform(pixels), place])


def _distance(axis: Axes, *places: Sequence[float]) -> float:
    """Return how far two places of an axis are from each other, in points."""
    one, other = axis.transData.transform(places)
    return np.hypot(*(one - other)) * 72 / axis.figure.dpi


def _tested(axis: Axes, none: list[float], margin: float, large: float) -> None:
    """Shade where a model memorises less than without a regulariser, and generalises as well."""
    axis.autoscale_view()
    (left, _), (_, top) = axis.get_xlim(), axis.get_ylim()
    right, bottom = none[0] - large, none[1] - margin
    if right > left and top > bottom:
        axis.add_patch(
            Rectangle(
                (left, bottom),
                right - left,
                top - bottom,
                color="0.94",
                zorder=0,
            )
        )
        axis.set(xlim=axis.get_xlim(), ylim=(axis.get_ylim()[0], top))


def strength_of(point: xr.Dataset) -> str:
    """Return the strength of a regulariser as text, and that of dropout if it goes with it."""
    strength, p = point["strength"].item(), point["dropout"].item()
    return f"{strength:g}, {p:g}" if p > 0 else f"{strength:g}"
