"""Memorised share of real data, against how well the same kinds of models fit random labels."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rote.figures import style
from rote.figures.looks import REGULARIZERS, Look, looks

PLAIN = {
    "width": Look("#000000", "*", (0, (5, 1.5))),
    "epochs": Look("#7a7a7a", "h", (0, (1.2, 1.2))),
}


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a curve for the width, the epochs and each regulariser, a point for each value.

    Left: the share of real examples that are memorised (Feldman & Zhang 2020), against the training
    accuracy on random labels of models that differ from one model in one thing. Right: the same
    against the training accuracy on real data. Below the curve of the epochs, a regulariser takes
    more from what is memorised than training that ends early, at the same accuracy. Points are
    means, bars standard deviations over the seeds.
    """
    figure = Figure(figsize=(style.PAGE, 3.2))
    left, right = figure.subplots(1, 2, sharey=True)
    varied = dict.fromkeys(metrics["varied"].values.tolist())
    names = style.ordered([name for name in varied if name != "nothing"], [*PLAIN, *REGULARIZERS])
    drawn = looks(names, {**PLAIN, **REGULARIZERS})
    for name in names:
        of = metrics.isel(variant=np.flatnonzero(metrics["varied"].isin(["nothing", name])))
        of = of.isel(variant=_order(of, name))
        for axis, across in ((left, "noise_train_accuracy"), (right, "train_accuracy")):
            _curve(axis, of[across], of["memorized_share"], drawn[name])
    plain = metrics.isel(variant=np.flatnonzero(metrics["varied"] == "nothing")[0])
    for axis, across in ((left, "noise_train_accuracy"), (right, "train_accuracy")):
        axis.plot(
            plain[across].mean(),
            plain["memorized_share"].mean(),
            "o",
            markersize=9,
            markerfacecolor="none",
            color="0.2",
        )
    left.set_xlabel("training accuracy on random labels")
    right.set_xlabel("training accuracy on real data")
    left.set_ylabel("memorised share of real data")
    style.legend_above(
        figure, [style.handle(drawn[name], name.replace("_", " ")) for name in names]
    )
    style.footnote(
        figure,
        metrics,
        f"{metrics.attrs['models_per_replicate']} models of each kind on random "
        f"{style.percent(metrics.attrs['fraction'])} of the examples, in each of "
        f"{style.of_seeds(metrics)}",
        lines=[
            "memorised: a memorisation score above "
            f"{metrics.attrs['memorized_above']:g}; ringed: the model from which all others differ "
            "in one thing; mean and standard deviation of seeds"
        ],
    )
    return figure


def _order(of: xr.Dataset, name: str) -> np.ndarray:
    """Return the variants of a curve in the order of what is varied, that of nothing in its place.

    What has no regulariser has the strength 0; a width or a number of epochs is put where its
    accuracy on random labels is.
    """
    if name in PLAIN:
        return np.argsort(of["noise_train_accuracy"].mean("seed").values)
    return np.argsort(of["strength"].values)


def _curve(axis: Axes, across: xr.DataArray, up: xr.DataArray, look: Look) -> None:
    axis.errorbar(
        across.mean("seed"),
        up.mean("seed"),
        xerr=across.std("seed", ddof=1),
        yerr=up.std("seed", ddof=1),
        color=look.colour,
        marker=look.marker,
        linestyle=look.line,
        elinewidth=0.6,
        markersize=4,
    )
