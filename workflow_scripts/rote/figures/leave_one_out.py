"""Leave one out: scores and influences by leaving out, against those by random subsets."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy import stats

from rote.figures import looks, style

# By the name of what is compared: its targets, its axes, and the part that its numbers are of.
ROWS = {"score": ("memorisation score", "all"), "influence": ("influence", "pairs")}
PARTS = "all", "kept", "changed", "pairs"
RANKED = "loss_sensitivity"  # of the cheap measures, that which is drawn


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a point for each example, and for each pair if there are any, of every condition.

    The vertical axis is what leaving one example out gives, the horizontal one what random subsets
    do (Feldman & Zhang 2020). Bars are one standard error over models on either side; both agree on
    the diagonal. Examples that noise has changed are hollow. Below, if it was measured, the ranks
    of the scores by leaving out stand against those of the loss-sensitivity: it is a derivative by
    the inputs, so that its scale is another.
    """
    conditions = _conditions(metrics)
    drawn = looks.looks(dict.fromkeys(kind for kind, _ in conditions), looks.CONDITIONS)
    rows = {name: row for name, row in ROWS.items() if f"left_out_{name}" in metrics}
    ranked = _is_ranked(metrics)
    columns, count = len(conditions), len(rows) + ranked
    width = style.COLUMN if columns == 1 else style.PAGE
    # Three rows of panels, and what stands around them, have to fit on a page.
    panel = min(width / max(columns, 1.4) * 0.9 + 0.1, 8 / count)
    figure = Figure(figsize=(width, count * panel + 0.8))
    axes = figure.subplots(count, columns, squeeze=False, sharex="row", sharey="row")
    handles, read = [], {name: [] for name in rows}
    for k, (kind, level) in enumerate(conditions):
        own = metrics.sel(condition=kind, noise_level=level)
        words = kind if kind == "real" else f"{kind} {style.percent(level)}"
        axes[0, k].set_title(words)
        handles += _handles(drawn[kind], words, own["changed"].any())
        for (name, (what, part)), axis in zip(rows.items(), axes[: len(rows), k], strict=True):
            _panel(axis, own, name, drawn[kind])
            axis.set_xlabel("by random subsets")
            if k == 0:
                axis.set_ylabel(f"{what}\nby leaving one out")
            read[name].append(f"{words} {_said(own.sel(part=part))}")
        if ranked and own["proxy_value"].sel(proxy=RANKED).notnull().any():
            _ranks(axes[-1, k], own, drawn[kind])
        elif ranked:
            axes[-1, k].set_visible(False)
    if columns == 2:  # square panels are narrower than their room: no gap between them
        for row in axes:
            row[0].set_anchor("E")
            row[1].set_anchor("W")
    if ranked:
        axes[-1, 0].set_ylabel("memorisation score\nby leaving one out, rank")
    style.legend_above(figure, handles)
    models, replicates = (int(metrics.attrs[n]) for n in ("subset_models", "replicates"))
    counts = f"{models:,} models on random subsets, {replicates} without each example"
    if "influence" in rows:
        counts += f", {int(metrics.attrs['pair_replicates'])} without each example of the pairs"
    style.footnote(
        figure,
        metrics,
        style.of_seeds(metrics),
        lines=[f"{counts}, for each condition"]
        + [
            f"{words}s: r (its ceiling by the noise of both), slope without the noise of random "
            f"subsets, mean difference ± standard error; {'; '.join(read[name])}"
            for name, (words, _) in rows.items()
        ]
        + [
            f"leaving out: of one set of {int(metrics.attrs['trained']) + 1} examples; random "
            "subsets: mean over sets of as many, so that both differ by more than noise"
        ]
        + _of_proxies(metrics, conditions, [RANKED] if ranked else []),
        aside=[*_aside(metrics, conditions), *_of_proxies(metrics, conditions, _others(metrics))],
    )
    return figure


def _conditions(metrics: xr.Dataset) -> list[tuple[str, float]]:
    """Return kinds and levels that there are: of each noise the highest level."""
    there = metrics["left_out_score"].notnull().any(("example", "seed"))
    found = []
    for kind in style.ordered(metrics["condition"].values.tolist(), looks.CONDITIONS):
        levels = metrics["noise_level"].values[there.sel(condition=kind).values]
        found += [(kind, levels.max().item())] if len(levels) else []
    return found


def _panel(axis: Axes, own: xr.Dataset, name: str, look: looks.Look) -> None:
    """Draw the points of one condition, and the diagonal."""
    y, y_error, x, x_error = (
        own[f"{way}_{name}{end}"].transpose("seed", ...).values.ravel()
        for way in ("left_out", "subset")
        for end in ("", "_error")
    )
    axis.axline((0, 0), slope=1, color="0.5", linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    axis.errorbar(x, y, y_error, x_error, fmt="none", ecolor=look.colour, elinewidth=0.5, alpha=0.3)
    changed = own["changed"].transpose("seed", "example").values
    hollow = (changed if name == "score" else changed[:, own["pair_train"].values]).ravel()
    _points(axis, x, y, hollow, look)
    axis.set_aspect("equal")


def _is_ranked(metrics: xr.Dataset) -> bool:
    """Tell whether there is a loss-sensitivity, which is not measured of every training."""
    there = "proxy_value" in metrics and metrics["proxy_value"].sel(proxy=RANKED).notnull().any()
    return bool(there)


def _others(metrics: xr.Dataset) -> list[str]:
    """Return the cheap measures that are said in the caption alone."""
    if "proxy" not in metrics.dims:
        return []
    there = metrics["proxy_correlation"].notnull()
    names = metrics["proxy"].values
    return [name for name in names if name != RANKED and there.sel(proxy=name).any()]


def _ranks(axis: Axes, own: xr.Dataset, look: looks.Look) -> None:
    """Draw the ranks of scores by leaving out against those of the loss-sensitivity, by seed."""
    for seed in own["seed"].values:
        one = own.sel(seed=seed)
        values, score = one["proxy_value"].sel(proxy=RANKED).values, one["left_out_score"].values
        there = np.isfinite(values + score)
        x, y = stats.rankdata(values[there]), stats.rankdata(score[there])
        hollow = one["changed"].values[there].astype(bool)
        _points(axis, x, y, hollow, look)
    axis.set_box_aspect(1)
    axis.set_xlabel("loss-sensitivity, rank")


def _points(axis: Axes, x: np.ndarray, y: np.ndarray, hollow: np.ndarray, look: looks.Look) -> None:
    for where, face in ((~hollow, look.colour), (hollow, "white")):
        axis.plot(
            x[where],
            y[where],
            color=look.colour,
            marker=look.marker,
            linestyle="none",
            markersize=3,
            markerfacecolor=face,
            markeredgewidth=0.6,
            alpha=0.8,
        )


def _of_proxies(
    metrics: xr.Dataset, conditions: list[tuple[str, float]], names: list[str]
) -> list[str]:
    """Return how cheap measures rank the examples as leaving out does, a line for each."""
    lines = []
    for name in names:
        told = []
        for kind, level in conditions:
            own = metrics.sel(proxy=name, condition=kind, noise_level=level)
            if own["proxy_correlation"].notnull().any():
                words = kind if kind == "real" else f"{kind} {style.percent(level)}"
                ceiling = style.number(own["rank_ceiling"].mean().item(), 2)
                told.append(f"{words} {_with_interval(own, 'proxy_correlation')} ({ceiling})")
        words = metrics["words"].sel(proxy=name).item()
        lines.append(
            f"{words}: rank correlation with leaving out (its ceiling by the noise of the scores); "
            f"{', '.join(told)}"
        )
    if lines:
        share = style.percent(round(metrics.attrs["proxy_fraction"], 6))
        lines[0] += f"; of {metrics.attrs['proxy_models']} models on a random {share}"
    return lines


def _handles(look: looks.Look, words: str, noised: bool) -> list[Line2D]:
    """Return what stands for a condition in the legend, two if noise has changed some examples."""
    line = {"linestyle": "none"}
    if not noised:
        return [style.handle(look, words, **line)]
    return [
        style.handle(look, f"{words}, kept", **line),
        style.handle(look, f"{words}, changed", **line, markerfacecolor="white"),
    ]


def _said(own: xr.Dataset) -> str:
    """Return the numbers of a condition, means over the seeds."""
    value = {name: own[name].mean("seed").item() for name in own.data_vars if own[name].ndim == 1}
    error = np.sqrt((own["difference_error"] ** 2).sum("seed").item()) / own.sizes["seed"]
    return (
        f"{style.number(value['pearson'], 2)} ({style.number(value['pearson_ceiling'], 2)}), "
        f"{style.number(value['slope'], 2)}, {style.number(value['difference'], 3)} ± "
        f"{style.number(error, 3)}"
    )


def _aside(metrics: xr.Dataset, conditions: list[tuple[str, float]]) -> list[str]:
    """Return what is written for the caption alone: each part of each condition, by seed."""
    lines = []
    for kind, level in conditions:
        own = metrics.sel(condition=kind, noise_level=level)
        for part in PARTS:
            one = own.sel(part=part)
            if one["pearson"].isnull().all():
                continue
            told = [
                f"{words} {_with_interval(one, name)}"
                for name, words in (("pearson", "r"), ("spearman", "rank r"), ("slope", "slope"))
            ]
            lines.append(f"{kind} {style.percent(level)}, {part}: {', '.join(told)}.")
    return lines


def _with_interval(one: xr.Dataset, name: str) -> str:
    """Return a number and its 95 % interval, of each seed."""
    return " / ".join(
        f"{style.number(value, 3)} [{style.number(low, 3)}, {style.number(high, 3)}]"
        for value, low, high in zip(
            *(one[f"{name}{end}"].values.ravel() for end in ("", "_low", "_high")), strict=True
        )
    )
