"""The look that all figures share: sizes for a paper, the colours of the poster, the footnote."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
import xarray as xr
import yaml
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import NullFormatter, NullLocator, ScalarFormatter

from rote.figures import fonts
from rote.files.atomic import replacing

# The poster's blue, green and red, of different lightness so that grey prints keep them apart.
_BLUE, _GREEN, _RED = "#1b3f8b", "#7cc576", "#dd4433"
CONDITION_COLOURS = {"real": _BLUE, "randX": _GREEN, "randY": _RED}
# The poster changes them from figure to figure.
SENSITIVITY_COLOURS = {"real": _BLUE, "halfX": _GREEN, "randX": _RED}
COMPLEXITY_COLOURS = {"real": _BLUE, "randY": _GREEN, "randX": _RED}
# Real data yellow, more noise redder and darker.
_LEVELS = LinearSegmentedColormap.from_list(
    "noise level", ["#f2cc1f", "#f39c1f", "#e05f28", "#b01b1b", "#4a0010"]
)
SPREAD = "mean, standard deviation and dots: {}"
MARKERS = "osD^vPX*"
SMALL = 6.0  # points: text below a figure
# For what has no colour of the poster: distinct from its colours, and from each other, in grey and
# to the colour-blind. Five colours and four lines make twenty pairs.
_OTHER_COLOURS = "#7a3d99", "#eabf3f", "#3f1a08", "#3a9bc9", "#949494"
_OTHER_LINES = (0, (5, 1.5)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (6, 1, 1, 1, 1, 1))


class Look(NamedTuple):
    """How the curves of one condition are drawn."""

    colour: str
    marker: str
    line: str | tuple


@contextmanager
def paper():
    """Draw with the settings of a paper, and none of the user's, while the context lasts."""
    defaults = {key: matplotlib.rcParamsDefault[key] for key in matplotlib.rcParamsDefault}
    del defaults["backend"]  # files have one of their own
    with matplotlib.rc_context(
        defaults
        | {
            "figure.constrained_layout.use": True,
            "font.size": 8,
            "axes.titlesize": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.grid": True,
            "grid.color": "0.9",
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "lines.linewidth": 1.4,
            "lines.markersize": 4,
            "pdf.fonttype": 42,  # text stays text
            "savefig.dpi": 300,
        }
    ):
        yield


def looks(names: Iterable[str], known: Mapping[str, str]) -> dict[str, Look]:
    """Return the look of each name: first of those with a colour of their own, then of the others.

    Args:
        names: what metrics hold.
        known: a colour for each name that has one, in the order in which they are drawn.
    """
    names = list(names)
    result = {
        name: Look(colour, MARKERS[i % len(MARKERS)], "-")
        for i, (name, colour) in enumerate(known.items())
        if name in names
    }
    others = [name for name in names if name not in known]
    for i, name in enumerate(others):
        result[name] = Look(
            _OTHER_COLOURS[i % len(_OTHER_COLOURS)],
            MARKERS[(len(known) + i) % len(MARKERS)],
            _OTHER_LINES[i % len(_OTHER_LINES)],
        )
    return result


def ordered(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the names that metrics hold: first those that are known, in that order."""
    names = list(names)
    return [name for name in known if name in names] + [n for n in names if n not in known]


def panels(count: int, width: float, height: float, *, margin: float = 0.0) -> tuple:
    """Return a figure of ``count`` panels, two in a row, and the list of its axes.

    A panel is ``width`` × ``height`` inches; ``margin`` inches of width are beside them all. All
    share the vertical axis.
    """
    columns = min(count, 2)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns + margin, height * rows))
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axis in axes[count:]:
        axis.remove()
    return figure, list(axes[:count])


def level_colour(level: float) -> tuple:
    """Return the colour of a noise level from 0 to 1."""
    return _LEVELS(float(level))  # an integer would be an index


def percent(level: float) -> str:
    """Return a noise level as people read it: 0.2 as 20 %."""
    return f"{100 * level:g} %"


def of_seeds(metrics: xr.Dataset) -> str:
    """Return how many seeds there are, for people."""
    count = metrics.sizes["seed"]
    return f"{count} seeds" if count != 1 else "1 seed"


def mean_and_spread(values: xr.DataArray, digits: int = 2) -> str:
    """Return the mean and the standard deviation of a number over the seeds."""
    mean, spread = values.mean("seed").item(), values.std("seed", ddof=1).item()
    text = f"{round(mean, digits) + 0.0:.{digits}f}"  # no −0.00
    return f"{text} ± {spread:.{digits}f}" if np.isfinite(spread) else text


def without_exploded(metrics: xr.Dataset, name: str) -> str:
    """Return the same of the seeds that are not ``exploded``, and how many are left out."""
    exploded = metrics["exploded"] > 0
    if exploded.all():
        return "exploded in every seed"
    text = mean_and_spread(metrics[name].where(~exploded))
    if exploded.any():
        text += f" (without {int(exploded.sum())} of {exploded.size} seeds, exploded)"
    return text


def search(metrics: xr.Dataset) -> str:
    """Return how critical samples were searched, for people."""
    search = yaml.safe_load(metrics.attrs["settings"])["critical_samples"]
    return (
        f"LASS: radius {search['radius']:g}, α {search['alpha']:g}, β {search['beta']:g} grey "
        f"levels, {search['max_iterations']} iterations, {search['examples']:,} inputs"
    )


def seeds(axis: Axes, values: xr.DataArray, colour: tuple | str, **line: object) -> None:
    """Draw a curve over the dimension beside ``seed``: the mean, and dots where there are few.

    The band is one standard deviation over the seeds on either side. Missing values are left out;
    ``line`` goes to the curve of the mean.
    """
    values = values.transpose(..., "seed").dropna(values.dims[0], how="all")
    along = values[values.dims[0]].values
    mean, spread = values.mean("seed"), values.std("seed", ddof=1)
    axis.plot(along, mean, color=colour, **line)
    axis.fill_between(along, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0)
    if len(along) <= 10:
        dots = np.repeat(along, values.sizes["seed"])
        axis.plot(dots, values.values.ravel(), ".", color=colour, markersize=2, alpha=0.8)


def legend_above(figure: Figure, handles: Sequence[Artist]) -> None:
    """Put a legend above all panels, in as few rows as the width of the figure allows.

    The figure gets higher by all rows but the first.
    """
    for columns in range(len(handles), 0, -1):
        legend = figure.legend(handles=handles, loc="outside upper center", ncols=columns)
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            break
        legend.remove()
    rows = -(-len(handles) // columns)
    figure.set_figheight(figure.get_figheight() + 0.15 * (rows - 1))


def powers_of_two(axis: Axes, ticks: np.ndarray) -> None:
    """Give an axis over numbers that double a logarithmic scale, with numbers at ``ticks``."""
    axis.set_xscale("log", base=2)
    axis.set_xticks(ticks)
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())


def footnote(
    figure: Figure,
    metrics: xr.Dataset,
    *more: str,
    lines: Sequence[str] = (),
    aside: Sequence[str] = (),
    diverged: str = "are left out",
) -> None:
    """Write below the figure what data and which models it was drawn from, and what to read off.

    ``more`` goes on in the line about the training; ``lines`` are lines of their own, above it all.
    ``diverged`` says what became of models that diverged. The figure's label becomes all this, as
    it is written, and ``aside``: that is for the caption alone.
    """
    text = [*lines, "; ".join([metrics.attrs["protocol"], *more])]
    if metrics.attrs["diverged_members"]:
        text.append(f"{metrics.attrs['diverged_members']} models diverged and {diverged}")
    widest = 72 * figure.get_figwidth() - SMALL  # points
    below = "\n".join(fonts.wrapped(line, SMALL, widest) for line in text)
    figure.supxlabel(below, fontsize=SMALL, color="0.35")
    figure.set_label("\n".join([*text, *aside]))


def save(figure: Figure, png: str | Path, pdf: str | Path) -> None:
    """Write a figure as PNG (300 dpi) and as PDF: afterwards each is whole, or as it was before.

    What no font of the system has is replaced before, by words that say so.

    Raises:
        UserError: the files cannot be written.
    """
    fonts.make_readable(figure, remedy=f"install such a font and delete {png} to draw it again")
    # matplotlib writes fonts with PostScript outlines, as those of Noto CJK, wrongly as type 42.
    borrowed = any(len(text.get_fontfamily()) > 1 for text in figure.findobj(Text))
    embedded = {"pdf.fonttype": 3} if borrowed else {}
    # Without dates, the same metrics give the same file.
    metadata = {"png": None, "pdf": {"CreationDate": None, "ModDate": None}}
    for kind, path in (("png", Path(png)), ("pdf", Path(pdf))):
        with replacing(path) as temporary, matplotlib.rc_context(embedded):
            for _ in range(3):
                figure.savefig(temporary, format=kind, metadata=metadata[kind])
                # Images keep their shape, so that one pass of the layout may cut off what is around
                # them. The next one begins where it ended.
                if _within(figure):
                    break


def _within(figure: Figure) -> bool:
    """Tell whether all of a figure is on the page."""
    drawn = figure.get_tightbbox()  # inches
    width, height = figure.get_size_inches()
    beyond = max(-drawn.x0, -drawn.y0, drawn.x1 - width, drawn.y1 - height)
    return beyond <= 0.01  # rounding to pixels
