"""Memorised examples: training examples with the highest and lowest memorisation scores."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rote.figures import fonts, noise, style
from rote.measures.influence import MINIMUM_MODELS

GAP = 0.12  # between two images, of the width of one
LINES = 2  # of the name of a class below an image
INCH = 72  # points


class Cell(NamedTuple):
    """An image and the lines that stand below it."""

    image: np.ndarray  # (channel, row, column), 0 to 255
    lines: list[str]


class Row(NamedTuple):
    """Images beside each other."""

    title: str
    cells: list[Cell]


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a row of images for each panel, the most extreme on the left.

    Below each image stand the label that models were trained on, the class of the example where
    noise has changed its label, and the memorisation score. Influential pairs of examples, on real
    data, stand below each other: a training example, and the validation example that more models
    (with a negative influence: fewer) are right about for having been trained on it.
    """
    rows = [row for row in [*_panels(metrics), *_pairs(metrics)] if row.cells]
    columns = metrics.sizes["rank"]
    shape = metrics.sizes["row"] / metrics.sizes["column"]
    heights = [
        (shape * _width(columns) + 1.25 * style.SMALL * _lines(row) + (18 if row.title else 4))
        / INCH
        for row in rows
    ]
    figure = Figure(figsize=(style.PAGE, sum(heights) + 0.6))
    grid = figure.subplots(len(rows), 1, squeeze=False, height_ratios=heights)
    for axis, row in zip(grid[:, 0], rows, strict=True):
        _draw_row(axis, row, columns, shape)
    _footnote(figure, metrics, rows)
    return figure


def shown(image: np.ndarray) -> np.ndarray:
    """Return pixels (channel, row, column) as matplotlib takes them: grey, or in three colours.

    Channels other than three become their mean.
    """
    return np.moveaxis(image, 0, -1) if len(image) == 3 else image.mean(0)


def show(axis: Axes, image: np.ndarray, left: float, top: float, shape: float) -> None:
    """Draw pixels (channel, row, column), 0 to 255, one wide and ``shape`` high; y points down."""
    axis.imshow(
        shown(image),
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(left, left + 1, top + shape, top),
        interpolation="nearest",
    )


def _width(columns: int) -> float:
    """Return the width of an image in points."""
    return INCH * style.PAGE / (columns + GAP * (columns - 1))


def _lines(row: Row) -> int:
    return max(len(cell.lines) for cell in row.cells)


def _draw_row(axis: Axes, row: Row, columns: int, shape: float) -> None:
    """Draw images beside each other, each one wide and ``shape`` high, and what is below them."""
    for column, cell in enumerate(row.cells):
        left = column * (1 + GAP)
        show(axis, cell.image, left, 0, shape)
        axis.annotate(
            "\n".join(cell.lines),
            (left + 0.5, shape),
            xytext=(0, -2),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=style.SMALL,
            linespacing=1.1,
        )
    axis.set_xlim(0, columns + GAP * (columns - 1))
    axis.set_ylim(shape, 0)
    axis.set_axis_off()
    axis.set_title(row.title, loc="left", fontsize=8)


def _panels(metrics: xr.Dataset) -> list[Row]:
    """Return a row for each panel."""
    rows = []
    for panel in metrics["panel"].values:
        own = metrics.sel(panel=panel).dropna("rank", subset=["memorization"])
        cells = []
        for rank in range(own.sizes["rank"]):
            one = own.isel(rank=rank)
            label, true = one["label"].item(), one["true_label"].item()
            lines = _name(metrics, label)
            if label != true:
                lines += _name(metrics, true, "(is {})")
            score = style.number(one["memorization"].item(), 2)
            cells.append(Cell(one["image"].values, [*lines, score]))
        rows.append(Row(_title(metrics, own), cells))
    return rows


def _pairs(metrics: xr.Dataset) -> list[Row]:
    """Return a row of training examples, and one of the validation examples that they influence."""
    if "shown_pair" not in metrics:
        return []
    above, below = [], []
    places = metrics["shown_pair"].values
    for rank, place in enumerate(places[places >= 0]):
        pair, images = metrics.isel(pair=place), metrics.isel(pair_rank=rank)
        influence = style.number(pair["influence"].item(), 2)
        signed = influence if influence.startswith("−") else f"+{influence}"
        label, validation_label = (
            _name(metrics, pair[f"pair_{name}label"].item()) for name in ("", "validation_")
        )
        above.append(Cell(images["pair_image"].values, label))
        below.append(Cell(images["pair_validation_image"].values, [*validation_label, signed]))
    return [
        Row(
            "real data: training examples with the largest influence on one validation example",
            above,
        ),
        Row("these validation examples, and the influence of the training example above", below),
    ]


def _name(metrics: xr.Dataset, label: int, form: str = "{}") -> list[str]:
    """Return the name of a class in lines that fit below an image; what is too long is cut."""
    name = " ".join(str(metrics["class_name"].values[label]).split())
    widest = _width(metrics.sizes["rank"])
    return fonts.shortened(form.format(name), style.SMALL, widest, LINES)


def _title(metrics: xr.Dataset, panel: xr.Dataset) -> str:
    """Return what stands above a row of images."""
    condition, level, part, order = (
        panel[f"panel_{name}"].item() for name in ("condition", "noise_level", "part", "order")
    )
    if condition == "real":
        return {
            "most": "real data: most memorised",
            "least": "real data: least memorised of what models know without having seen it",
        }[order]
    return (
        f"{noise.panel(metrics, condition)}, {style.percent(level)} replaced: most memorised of "
        f"the {part} examples"
    )


def _footnote(figure: Figure, metrics: xr.Dataset, rows: list[Row]) -> None:
    attrs, error = metrics.attrs, metrics["memorization_error"].max().item()
    seeds = f"{attrs['seeds']} seeds" if attrs["seeds"] != 1 else "1 seed"
    aside = [
        f"{row.title}: {_sources(metrics.isel(panel=place))}."
        for place, row in enumerate(_panels(metrics))
        if row.cells
    ]
    if "shown_pair" not in metrics:
        aside.append(
            "Influences on validation examples are measured from "
            f"{MINIMUM_MODELS:,} models a condition and seed on."
        )
    if any(line.endswith("…") for row in rows for cell in row.cells for line in cell.lines):
        names = (f"{i} {name}" for i, name in enumerate(metrics["class_name"].values))
        aside.append(f"Classes: {', '.join(names)}.")
    style.footnote(
        figure,
        metrics,
        f"chosen from {seeds}, each image once",
        lines=[
            "below each image: label trained on, (class, where noise changed the label), "
            f"memorisation score with a standard error of up to "
            f"{style.number(error, 2 if error >= 0.005 else 3)}",
            f"{attrs['models_per_replicate']:,} models a condition and seed, each on a random "
            f"{style.percent(round(attrs['fraction'], 6))} of the examples",
        ],
        aside=aside,
    )


def _sources(panel: xr.Dataset) -> str:
    """Return which images of the original data set are in a row, and of which seed each is."""
    own = panel.dropna("rank", subset=["memorization"])
    each = zip(own["index"].values, own["example_seed"].values, strict=True)
    named = ", ".join(f"{index} (seed {seed})" for index, seed in each)
    return f"of {panel['candidates'].item():,} images, {named}"
