"""What all figures share: sizes for a paper, bands over seeds, numbers as people write them."""

from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import numpy as np
import xarray as xr
import yaml
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, ScalarFormatter

from rote.figures import fonts, own_style
from rote.figures.looks import Look
from rote.files.atomic import replacing

NORMS = {"l1": "ℓ1", "l2": "ℓ2", "linf": "ℓ∞"}
SMALL = 6.0  # points: the smallest text of a figure
COLUMN, PAGE = 3.5, 7.2  # inches: the widths at which figures are printed


@contextmanager
def paper(own: str | Path | None = None):
    """Draw with the settings of a paper while the context lasts, and none of the user's machine.

    Args:
        own: a style file of matplotlib, whose settings come on top of them.

    Raises:
        UserError: it cannot be used.
    """
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
        | (own_style.settings(own) if own else {})
    ):
        yield


def ordered(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the names that metrics hold: first those that are known, in that order."""
    names = list(names)
    return [name for name in known if name in names] + [n for n in names if n not in known]


def panels(
    count: int, height: float, *, width: float = PAGE, more: float = 0.0
) -> tuple[Figure, list[Axes]]:
    """Return a figure of ``count`` panels, two in a row, and the list of its axes.

    The figure is ``width`` inches wide, each row of panels ``height`` inches high, with ``more``
    inches beside them all. All panels share the vertical axis.
    """
    columns = min(count, 2)
    rows = -(-count // columns)
    figure = Figure(figsize=(width, height * rows + more))
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axis in axes[count:]:
        axis.remove()
    return figure, list(axes[:count])


def percent(level: float) -> str:
    """Return a noise level as people read it: 0.2 as 20 %."""
    return f"{100 * level:g} %"


def of_seeds(metrics: xr.Dataset) -> str:
    """Return how many seeds there are, for people."""
    count = metrics.sizes["seed"]
    return f"{count} seeds" if count != 1 else "1 seed"


def spread(metrics: xr.Dataset) -> str:
    """Return what curves over the seeds are, for people: of a single one there is no spread."""
    several = "mean, standard deviation and dots: " if metrics.sizes["seed"] > 1 else ""
    return f"{several}{of_seeds(metrics)}"


def mean_and_spread(values: xr.DataArray, digits: int = 2) -> str:
    """Return the mean and the standard deviation of a number over the seeds."""
    # Of equal values, the standard deviation is that of rounding.
    mean, spread = values.mean("seed").item(), round(values.std("seed", ddof=1).item(), 12)
    if not np.isfinite(spread):
        return number(mean, digits)
    if 0 < spread < 0.5 * 10**-digits:  # which would read ± 0.00
        digits += 1
    return f"{number(mean, digits)} ± {number(spread, digits)}"


def number(value: float, digits: int) -> str:
    """Return a number with so many digits after the point, and with a true minus sign.

    One that is missing, such as that of models that all diverged, is unknown.
    """
    if np.isnan(value):
        return "unknown"
    rounded = round(value, digits) + 0.0  # no −0.00
    return f"{rounded:.{digits}f}".replace("-", "−")


def search(metrics: xr.Dataset, training: bool = False) -> str:
    """Return how critical samples were searched, for people; ``training``: on such inputs, too."""
    search = yaml.safe_load(metrics.attrs["settings"])["critical_samples"]
    inputs = f"{search['examples']:,} validation inputs"
    if training:
        inputs += f", {search['train_examples']:,} training inputs"
    return (
        f"LASS: radius {metrics['radius'].item():g}, α {search['alpha']:g}, β {search['beta']:g} "
        f"grey levels, {search['max_iterations']} iterations, {inputs}"
    )


def searched(ratio: xr.DataArray) -> xr.DataArray:
    """Return a critical sample ratio along ``epoch``, at those at which it was searched."""
    return ratio.rename(critical_epoch="epoch").dropna("epoch", how="all")


def seeds(
    axis: Axes, values: xr.DataArray, look: Look, *, geometric: bool = False, **line: object
) -> None:
    """Draw a curve over the dimension beside ``seed``: the mean, and dots where there are few.

    The band is one standard deviation over the seeds on either side; ``geometric`` takes both of
    the logarithm. Missing values are left out; ``line`` goes to the curve of the mean.
    """
    values = values.transpose(..., "seed").dropna(values.dims[0], how="all")
    along = values[values.dims[0]].values
    scaled, back = (np.log(values), np.exp) if geometric else (values, lambda value: value)
    mean, spread = scaled.mean("seed"), scaled.std("seed", ddof=1)
    few = max(1, len(along) // 8)  # markers
    drawn = {"linestyle": look.line, "marker": look.marker, "markevery": few} | line
    axis.plot(along, back(mean), color=look.colour, **drawn)
    axis.fill_between(
        along, back(mean - spread), back(mean + spread), color=look.colour, alpha=0.15, linewidth=0
    )
    if len(along) <= 10:
        dots = np.repeat(along, values.sizes["seed"])
        axis.plot(dots, values.values.ravel(), ".", color=look.colour, markersize=2, alpha=0.8)


def handle(look: Look, label: str, **line: object) -> Line2D:
    """Return what stands for a look in a legend."""
    drawn = {"color": look.colour, "linestyle": look.line, "marker": look.marker} | line
    return Line2D([], [], label=label, **drawn)


def legend_above(figure: Figure, handles: Sequence[Artist], title: str | None = None) -> None:
    """Put a legend above all panels, in as few rows as the width of the figure allows.

    The figure gets higher by all rows but the first, and by a title.
    """
    for columns in range(len(handles), 0, -1):
        legend = figure.legend(
            handles=handles, loc="outside upper center", ncols=columns, title=title
        )
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            break
        legend.remove()
    rows = -(-len(handles) // columns) + (title is not None)
    row = 1.35 * matplotlib.rcParams["font.size"] / 72  # inches
    figure.set_figheight(figure.get_figheight() + row * (rows - 1))


def powers_of_two(axis: Axes, ticks: np.ndarray) -> None:
    """Give an axis over numbers that double a logarithmic scale, with numbers at ``ticks``."""
    axis.set_xscale("log", base=2)
    axis.set_xticks(ticks)
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())


def logarithmic(axis: Axes) -> None:
    """Give a vertical axis a logarithmic scale with plain numbers."""
    axis.set_yscale("log")
    logarithmic_ticks(axis)


def logarithmic_ticks(axis: Axes) -> None:
    """Give a logarithmic vertical axis, or a bar of colours, plain numbers."""
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())


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
    below = "\n".join(fonts.balanced(line, SMALL, widest) for line in text)
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
