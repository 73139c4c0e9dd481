"""Rank correlation of cheap measures with the memorisation score, and what noise they find."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rote.figures import looks, style

SCORE = "memorization"  # among the measures: what the others stand for
APART = 0.16  # of a row, between two conditions in it


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a row for each measure, those that rank real data best on top.

    Left: its rank correlation over the examples with their memorisation score (Feldman & Zhang
    2020), a mark for each condition and level of noise; lines in the same colours are the
    ceiling, the root of the score's own reliability, which no measure can be expected to exceed.
    Right: the probability that the measure is larger for an example that noise changed than for one
    that it kept, beside that of the score. Marks are means, bars standard deviations over the
    seeds.
    """
    cells = _cells(metrics)
    order = _order(metrics, cells[0])
    some = [cell for cell in cells if np.isfinite(_at(metrics["auroc"], cell)).any()]
    some = [cell for cell in some if 0 < cell[1] < 1]
    columns = 2 if some else 1
    width = style.PAGE if some else 0.75 * style.PAGE
    figure = Figure(figsize=(width, 0.8 + 0.27 * len(order) + 0.7))
    axes = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
    drawn = _looks(cells)
    rows = np.arange(len(order))
    # What the score itself would have is the ceiling.
    correlation = metrics["correlation"].where(metrics["proxy"] != SCORE, metrics["ceiling"])
    _panel(axes[0], correlation, cells, order, drawn)
    for cell in cells:
        ceiling = _at(metrics["ceiling"], cell).mean("seed").item()
        axes[0].axvline(ceiling, color=drawn[cell].colour, linestyle=drawn[cell].line, linewidth=1)
    axes[0].set_yticks(rows, metrics["words"].sel(proxy=order).values)
    axes[0].set_ylim(len(order) - 0.5, -0.5)
    axes[0].set_xlabel("rank correlation with the memorisation score")
    axes[0].axvline(0, color="0.6", linewidth=0.8)
    if some:
        _panel(axes[1], metrics["auroc"], some, order, drawn)
        axes[1].axvline(0.5, color="0.6", linewidth=0.8)
        axes[1].set_xlabel("AUROC of examples that noise changed")
    style.legend_above(figure, [style.handle(drawn[cell], _name(cell)) for cell in cells])
    ceilings = "; ".join(
        f"{_name(cell)} {style.mean_and_spread(_at(metrics['ceiling'], cell))}" for cell in cells
    )
    models, scored = metrics.attrs["models_per_replicate"], metrics.attrs["scored_models"]
    style.footnote(
        figure,
        metrics,
        f"scores of {scored} models a condition, measures of {models} of them, in each of "
        f"{style.of_seeds(metrics)}",
        lines=["lines: ceiling, the rank correlation of the score with the true one"],
        aside=[f"Ceiling: {ceilings}.", *_table(metrics, cells, some)],
    )
    return figure


def _cells(metrics: xr.Dataset) -> list[tuple[str, float]]:
    """Return the conditions and levels that there are, real data first."""
    return [
        (str(condition), float(level))
        for condition in metrics["condition"].values
        for level in metrics["noise_level"].values
        if np.isfinite(_at(metrics["ceiling"], (condition, level))).any()
    ]


def _at(values: xr.DataArray, cell: tuple[str, float]) -> xr.DataArray:
    return values.sel(condition=cell[0], noise_level=cell[1])


def _name(cell: tuple[str, float]) -> str:
    condition, level = cell
    return condition if condition == "real" else f"{condition} {style.percent(level)}"


def _order(metrics: xr.Dataset, first: tuple[str, float]) -> list[str]:
    """Return the measures by their correlation in a condition, those that were not measured out."""
    correlation = metrics["correlation"].mean("seed")
    names = [name for name in metrics["proxy"].values if name != SCORE]
    there = np.isfinite(metrics["correlation"])
    measured = [name for name in names if there.sel(proxy=name).any()]
    of = {name: _at(correlation.sel(proxy=name), first).item() for name in measured}
    return [*sorted(measured, key=lambda name: -np.nan_to_num(of[name], nan=-2)), SCORE]


def _looks(cells: list[tuple[str, float]]) -> dict[tuple[str, float], looks.Look]:
    """Return looks: the highest level of a kind has that of the kind, the others lighter ones."""
    kinds = looks.looks(dict.fromkeys(kind for kind, _ in cells), looks.CONDITIONS)
    found = {}
    for kind, look in kinds.items():
        levels = sorted((level for name, level in cells if name == kind), reverse=True)
        for rank, level in enumerate(levels):
            colour, marker = look.colour, look.marker
            if rank:
                colour = looks.lighter(look.colour, 0.7 * rank / (rank + 1))
                marker = looks.MARKERS[(looks.MARKERS.index(look.marker) + rank) % 8]
            found[kind, level] = looks.Look(colour, marker, look.line if not rank else ":")
    return {cell: found[cell] for cell in cells}


def _panel(
    axis: Axes,
    values: xr.DataArray,
    cells: list[tuple[str, float]],
    order: list[str],
    drawn: dict,
) -> None:
    for i, cell in enumerate(cells):
        own = _at(values, cell).sel(proxy=order)
        at = np.arange(len(order)) + APART * (i - (len(cells) - 1) / 2)
        spread = own.std("seed", ddof=1) if own.sizes["seed"] > 1 else None
        look = drawn[cell]
        axis.errorbar(
            own.mean("seed"),
            at,
            xerr=spread,
            fmt=look.marker,
            color=look.colour,
            elinewidth=0.8,
            markersize=4,
        )


def _table(metrics: xr.Dataset, cells: list, some: list) -> list[str]:
    """Return a sentence for each measure: its correlations, and how well it finds noise."""
    lines = []
    for name in metrics["proxy"].values:
        own = metrics.sel(proxy=name)
        parts = [
            f"{_name(cell)} {style.mean_and_spread(_at(own['correlation'], cell))}"
            for cell in cells
            if np.isfinite(_at(own["correlation"], cell)).any()
        ]
        parts += [
            f"AUROC {_name(cell)} {style.mean_and_spread(_at(own['auroc'], cell))}" for cell in some
        ]
        words = own["words"].item()
        lines.append(f"{words[:1].upper()}{words[1:]}: {'; '.join(parts)}.")
    return lines
