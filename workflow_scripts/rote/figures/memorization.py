"""Memorisation: how much of an example is known only to models that were trained on it."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rote.figures import looks, noise, style
from rote.study.noises import KINDS

HEIGHT = 2.15  # inches of a row of panels
SCORES = np.linspace(0, 1, 101)  # at which the curves are drawn
SHARES = -0.03, 1.06  # range of the vertical axes
ROUNDING = 1e-6  # of scores in single precision: one of exactly s counts as at least s
PARTS = {
    "all": looks.Look("#000000", "o", "-"),
    "kept": looks.Look("#7a7a7a", "s", (0, (5, 1.5))),
    "changed": looks.Look("#b01b1b", "^", (0, (1.2, 1.2))),
}
BESIDE = {"all": 0.0, "kept": -0.012, "changed": 0.012}  # noise level by which each stands aside
ASIDE = 0.03  # the same of the dots, which the markers would hide
THRESHOLD = {"color": "0.35", "linewidth": 0.7, "linestyle": (0, (6, 2))}
CEILING = {"color": "0.35", "linewidth": 0.9, "linestyle": (0, (1, 1.5))}


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a row for each kind of noise: two panels of scores, and the shares above a threshold.

    On the left is the share of the examples whose score is at least what the horizontal axis says,
    a curve a noise level: of those that noise kept as they are, and of those that it changed.
    Bands are one standard deviation over the seeds. On the right is the share of the examples with
    a score above the threshold, corrected for the noise of the scores, so that it may leave the
    range from 0 to 1: seeds are dots, the lines their means, and the bars one standard error of the
    mean over models. Dotted is the score that a label drawn uniformly has if all models that were
    trained on it fit it, the others being right by chance. Real data alone has one panel.
    """
    first = metrics.isel(fraction=0)
    levels = looks.of_levels(first["noise_level"].values)
    conditions = first["condition"].values
    kinds = style.ordered([name for name in conditions if name != "real"], KINDS)
    if kinds:
        figure = Figure(figsize=(style.PAGE, HEIGHT * len(kinds) + 0.5))
        grid = figure.subplots(len(kinds), 3, squeeze=False)
    else:
        figure = Figure(figsize=(style.COLUMN, 2.9))
        grid = figure.subplots(1, 1, squeeze=False)
    for row, kind in zip(grid, kinds or ["real"], strict=True):
        own = first.sel(condition=kind)
        row[0].set_ylabel("share of the examples")
        _scores(row[0], own, "kept", levels)
        if kinds:
            row[0].set_title(f"{noise.panel(metrics, kind)}\nkept examples", loc="left")
            row[1].set_title("changed examples", loc="left")
            row[2].set_title(
                f"score above {metrics.attrs['memorized_above']:g}, corrected", loc="left"
            )
            _scores(row[1], own, "changed", levels)
            row[1].axvline(_ceiling(metrics), **CEILING)
            row[1].tick_params(labelleft=False)
            _shares(row[2], own)
    for axis in grid[-1, :2]:
        axis.set_xlabel("memorisation score, at least")
    if kinds:
        grid[-1, 2].set_xlabel("share of the examples replaced")
        grid[0, 2].legend(handles=[_handle(part) for part in PARTS], loc="best", fontsize=7)
    _legend(figure, metrics, levels if kinds else {})
    _footnote(figure, metrics, kinds or ["real"])
    return figure


def survival(scores: xr.DataArray, part: xr.DataArray) -> xr.DataArray:
    """Return the share of the examples of a part with at least each of ``SCORES``, (score, seed).

    Examples without a score count nowhere; a seed without any has none (NaN).
    """
    own = scores.where(part)
    at_least = xr.DataArray(SCORES - ROUNDING, dims="score", coords={"score": SCORES})
    count = own.count("example")
    return ((own >= at_least).sum("example") / count.where(count > 0)).transpose("score", "seed")


def _scores(axis: Axes, metrics: xr.Dataset, part: str, levels: dict[float, looks.Look]) -> None:
    """Draw how scores are distributed over the examples of a part, a curve for each noise level."""
    for i, (level, look) in enumerate(levels.items()):
        own = metrics.sel(noise_level=level)
        shares = survival(own["memorization"], own["changed"] == (part == "changed"))
        if shares.notnull().any():
            style.seeds(axis, shares, look, markevery=(5 * i % 20, 20))
    axis.axvline(metrics.attrs["memorized_above"], **THRESHOLD)
    axis.set_xlim(-0.02, 1.02)
    axis.set_ylim(*SHARES)


def _shares(axis: Axes, metrics: xr.Dataset) -> None:
    """Draw the corrected share of the examples of each part with a score above the threshold."""
    for part, look in PARTS.items():
        own = metrics.sel(part=part).dropna("noise_level", how="all", subset=["memorized_share"])
        own = own.transpose("noise_level", "seed", ...)
        share, error = own["memorized_share"], own["memorized_share_error"]
        along = share["noise_level"].values + BESIDE[part]
        dots = np.repeat(along + ASIDE, share.sizes["seed"])
        axis.plot(dots, share.values.ravel(), ".", color=look.colour, markersize=2, alpha=0.8)
        # Models of different seeds are independent.
        of_mean = np.sqrt((error**2).sum("seed", min_count=1)) / share.count("seed")
        face = {"markerfacecolor": "white"} if part == "kept" else {}
        axis.errorbar(
            along,
            share.mean("seed").values,
            of_mean.values,
            color=look.colour,
            marker=look.marker,
            linestyle=look.line,
            elinewidth=0.8,
            capsize=2,
            **face,
        )
    low, high = axis.get_ylim()
    axis.set_ylim(min(low, SHARES[0]), max(high, SHARES[1]))
    axis.set_xticks(metrics["noise_level"].values)
    axis.xaxis.set_major_formatter(lambda level, _: style.percent(round(level, 6)))


def _handle(part: str) -> Line2D:
    face = {"markerfacecolor": "white"} if part == "kept" else {}
    return style.handle(PARTS[part], part, **face)


def _ceiling(metrics: xr.Dataset) -> float:
    """Return the score that a label drawn uniformly has if all models that see it fit it.

    The others have it right by chance: of K classes, in one of K cases.
    """
    return 1 - 1 / metrics.attrs["classes"]


def _legend(figure: Figure, metrics: xr.Dataset, levels: dict[float, looks.Look]) -> None:
    marks = [(THRESHOLD, f"threshold: {metrics.attrs['memorized_above']:g}")]
    if levels:
        marks.append((CEILING, f"fitted random label: {_ceiling(metrics):.3g}"))
    handles = [
        style.handle(look, f"{style.percent(level)}{'' if i else ' replaced'}")
        for i, (level, look) in enumerate(levels.items())
    ]
    handles += [Line2D([], [], label=words, **line) for line, words in marks]
    style.legend_above(figure, handles)


def _footnote(figure: Figure, metrics: xr.Dataset, kinds: list[str]) -> None:
    first = metrics.isel(fraction=0)
    sizes = [style.percent(round(one, 6)) for one in metrics["fraction"].values]
    several = f" (first of {', '.join(sizes)})" if len(sizes) > 1 else ""
    read = {
        name: "; ".join(_of_conditions(first[name], kinds))
        for name in ("fitted_models", "train_accuracy", "reliability")
    }
    fitted, accuracy, reliability = read.values()
    bars = "; bars: standard error of the mean over models" if kinds != ["real"] else ""
    style.footnote(
        figure,
        metrics,
        f"{style.spread(metrics)}{bars}",
        lines=[
            f"{metrics.attrs['models_per_replicate']:,} models a condition and seed, each on a "
            f"random {sizes[0]} of the examples{several}; share that fits all of it: {fitted}",
            f"reliability of the scores (rank correlation with another study's): {reliability}",
        ],
        aside=[
            f"Accuracy of the models on their examples: {accuracy}.",
            "Changed: noise has given the example another label, or another input; a random label "
            "may be the true one, which changes nothing.",
            *noise.explained(metrics, [kind for kind in kinds if kind != "real"]),
        ],
    )


def _of_conditions(values: xr.DataArray, kinds: list[str]) -> list[str]:
    """Return a number of real data, then of each kind of noise and level above 0, as text."""
    levels = values["noise_level"].values
    real = values.isel(condition=0).sel(noise_level=levels[levels == 0])
    said = [f"real {style.mean_and_spread(own)}" for own in real.transpose("noise_level", ...)]
    for kind in kinds if kinds != ["real"] else []:
        each = [
            f"{style.percent(level)} {style.mean_and_spread(own)}"
            for level in levels[levels > 0]
            for own in [values.sel(condition=kind, noise_level=level)]
        ]
        said.append(f"{kind}: {', '.join(each)}")
    return said
