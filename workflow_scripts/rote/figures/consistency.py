"""Consistency: how well models know examples that they were not trained on."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from rote.figures import fonts, looks, style
from rote.figures.memorized_examples import show

SCORES = np.linspace(0, 1, 401)  # at which the curves are drawn
ROUNDING = 1e-6  # of scores in single precision
MEAN = looks.Look("#000000", "o", "-")
CURVES = 4  # of single sizes at most
PANELS = 2.2  # inches of the panels' height
HIGHEST = 8.8  # inches: what a page has, less its captions
NAMES = 62  # points: the width of the names of measures
NEXT, BELOW = 0.12, 0.32  # between two images, beside and below each other, of the width of one


def draw(metrics: xr.Dataset) -> Figure:
    """Draw the scores of all examples, and below them the images with the lowest.

    On the left is the mean consistency of the examples against the size of the subsets; bars are
    one standard error over models. Beside it is the share of the examples whose consistency is at
    most what the horizontal axis says, for some of the sizes and for the consistency score, their
    mean (Jiang et al. 2021): the fewer models are not trained on an example, the coarser are the
    steps of a curve, and the more is noise. On the right, if it was measured, is how cheap measures
    rank the examples as the score does; the line is the ceiling, the root of the score's
    reliability. Below stand the images of the lowest scores of each class, the lowest on top.
    """
    order = _order(metrics)
    columns = 3 if order else 2
    count = max(metrics.sizes["shown_class"], 10)  # images are so wide as if there were ten
    shape = metrics.sizes["row"] / metrics.sizes["column"]
    high = (shape + BELOW) * style.PAGE / (count * (1 + NEXT))  # inches of an image and its score
    ranks = max(1, min(_ranks(metrics), int((HIGHEST - PANELS - 1.2) / high)))
    heights = PANELS, 0.25 + ranks * high
    figure = Figure(figsize=(style.PAGE, sum(heights) + 0.7))
    grid = figure.add_gridspec(2, columns, height_ratios=heights)
    panels = [figure.add_subplot(grid[0, k]) for k in range(columns)]
    _by_size(panels[0], metrics)
    _distribution(panels[1], metrics)
    if order:
        _correlations(panels[2], metrics, order)
    _images(figure.add_subplot(grid[1, :]), metrics, count, ranks, shape)
    _footnote(figure, metrics, order, ranks)
    return figure


def at_most(scores: xr.DataArray) -> xr.DataArray:
    """Return the share of the examples with at most each of ``SCORES``, (score, seed).

    Examples without a score count nowhere; a seed without any has none (NaN).
    """
    bounds = xr.DataArray(SCORES + ROUNDING, dims="score", coords={"score": SCORES})
    count = scores.count("example")
    # One bound after another: a table of all would be as large as all runs together.
    each = [(scores <= bound).sum("example") for bound in bounds.values]
    found = xr.concat(each, bounds["score"]) / count.where(count > 0)
    return found.transpose("score", "seed")


def _by_size(axis: Axes, metrics: xr.Dataset) -> None:
    mean, error = metrics["mean_consistency"], metrics["mean_consistency_error"]
    style.seeds(axis, mean, MEAN, markevery=1)
    # Models of different seeds are independent.
    of_mean = np.sqrt((error**2).sum("seed", min_count=1)) / error.count("seed")
    axis.errorbar(
        mean["fraction"],
        mean.mean("seed"),
        of_mean,
        fmt="none",
        ecolor=MEAN.colour,
        elinewidth=0.8,
        capsize=2,
    )
    axis.set_xlabel("share of the examples\ntrained on")
    axis.set_ylabel("mean consistency")
    axis.xaxis.set_major_formatter(lambda share, _: style.percent(round(share, 6)))
    axis.set_xlim(0, 1)


def _distribution(axis: Axes, metrics: xr.Dataset) -> None:
    """Draw which share of the examples has at most a score, for some sizes and for their mean."""
    count = metrics.sizes["fraction"]
    chosen = np.unique(np.linspace(0, count - 1, min(count, CURVES)).round().astype(int))
    # Looks of noise levels: each is darker than the one before.
    drawn = looks.of_levels(np.linspace(0, 1, len(chosen)))
    handles = []
    for k, (place, look) in enumerate(zip(chosen, drawn.values(), strict=True)):
        own = metrics.isel(fraction=place)
        style.seeds(axis, at_most(own["consistency"]), look, markevery=(20 * k, 100))
        handles.append(style.handle(look, style.percent(round(own["fraction"].item(), 6))))
    score = MEAN._replace(marker="")
    style.seeds(axis, at_most(metrics["consistency_score"]), score)
    handles.append(style.handle(score, "score"))
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(lambda share, _: f"{share:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_xlim(-0.02, 1.02)
    axis.set_ylim(top=1.2)
    axis.set_xlabel("consistency, at most")
    axis.set_ylabel("share of the examples")
    axis.legend(handles=handles, loc="best", fontsize=style.SMALL, handlelength=1.5)


def _order(metrics: xr.Dataset) -> list[str]:
    """Return the measures by their correlation, those that were not measured out."""
    if "correlation" not in metrics:
        return []
    mean = metrics["correlation"].mean("seed").dropna("proxy")
    return mean["proxy"].values[np.argsort(-mean.values, kind="stable")].tolist()


def _correlations(axis: Axes, metrics: xr.Dataset, order: list[str]) -> None:
    own = metrics["correlation"].sel(proxy=order)
    spread = own.std("seed", ddof=1) if own.sizes["seed"] > 1 else None
    places = np.arange(len(order))
    look = looks.CONDITIONS["real"]
    axis.errorbar(
        own.mean("seed"), places, xerr=spread, fmt=look.marker, color=look.colour, markersize=4
    )
    if np.isfinite(ceiling := metrics["ceiling"].mean("seed").item()):
        axis.axvline(ceiling, color="0.35", linewidth=1)
    words = metrics["words"].sel(proxy=order).values
    names = [fonts.wrapped(name, style.SMALL, NAMES) for name in words]
    axis.set_yticks(places, names, fontsize=style.SMALL, linespacing=0.9)
    axis.set_ylim(len(order) - 0.5, -0.5)
    axis.set_xlim(right=1.02)
    axis.set_xlabel("rank correlation\nwith low scores")


def _ranks(metrics: xr.Dataset) -> int:
    """Return how many images stand below each other."""
    return int(metrics["image_score"].notnull().sum("rank").max())


def _images(axis: Axes, metrics: xr.Dataset, columns: int, ranks: int, shape: float) -> None:
    """Draw a column of images for each class, each image one wide and ``shape`` high."""
    words = {"ha": "center", "fontsize": style.SMALL, "textcoords": "offset points"}
    # In points. A part of the page's width is beside the images.
    widest = 0.85 * 72 * style.PAGE / (columns * (1 + NEXT))
    for k, label in enumerate(metrics["shown_class"].values):
        own, left = metrics.sel(shown_class=label), k * (1 + NEXT)
        (name,) = fonts.shortened(str(metrics["class_name"].values[label]), style.SMALL, widest)
        axis.annotate(name, (left + 0.5, 0), xytext=(0, 3), va="bottom", **words)
        for rank in range(ranks):
            score, top = own["image_score"].values[rank], rank * (shape + BELOW)
            if np.isnan(score):
                continue
            show(axis, own["image"].values[rank], left, top, shape)
            below = (left + 0.5, top + shape)
            axis.annotate(style.number(score, 3), below, xytext=(0, -2), va="top", **words)
    axis.set_xlim(0, columns * (1 + NEXT) - NEXT)
    axis.set_ylim(ranks * (shape + BELOW), -0.05)
    axis.set_axis_off()
    classes = "each class"
    if metrics.sizes["class"] > metrics.sizes["shown_class"]:
        classes = f"the {metrics.sizes['shown_class']} classes with the lowest mean"
    axis.set_title(f"lowest consistency scores of {classes}", loc="left", fontsize=8, pad=12)


def _footnote(figure: Figure, metrics: xr.Dataset, order: list[str], ranks: int) -> None:
    models, sizes = metrics.attrs["models_per_replicate"], metrics["fraction"].values
    names = ", ".join(style.percent(round(size, 6)) for size in sizes)
    error = metrics["consistency_score_error"].max().item()
    lines = [
        f"{models:,} models on random subsets of each size; score: mean over all sizes, standard "
        f"error up to {style.number(error, 3)}; bars: standard error over models"
    ]
    aside = [f"Sizes of the subsets: {names} of the examples."]
    if order:
        lines.append(
            f"cheap measures: of {metrics.attrs['proxy_models']} models on "
            f"{style.percent(round(sizes.max(), 6))}; line: root of the score's reliability"
        )
        each = (
            f"{metrics['words'].sel(proxy=name).item()} "
            f"{style.mean_and_spread(metrics['correlation'].sel(proxy=name))}"
            for name in order
        )
        ceiling = "it is not known"
        if metrics["ceiling"].notnull().any():
            ceiling = style.mean_and_spread(metrics["ceiling"])
        aside.append(f"Rank correlation with low scores: {'; '.join(each)}. Ceiling: {ceiling}.")
    each = (
        f"{metrics['class_name'].values[own['shown_class'].item()]} "
        f"{', '.join(str(i) for i in own['image_index'].values[:ranks] if i >= 0)}"
        for own in (metrics.sel(shown_class=label) for label in metrics["shown_class"].values)
    )
    aside.append(f"Images, by their position in the data set: {'; '.join(each)}.")
    style.footnote(figure, metrics, style.spread(metrics), lines=lines, aside=aside)
