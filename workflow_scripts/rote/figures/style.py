"""The look that all figures share: sizes for a paper, the colours of the poster, the footnote."""

from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from rote.errors import UserError

# The poster's blue, green and red, of different lightness so that grey prints keep them apart.
_BLUE, _GREEN, _RED = "#1b3f8b", "#7cc576", "#dd4433"
CONDITION_COLOURS = {"real": _BLUE, "randX": _GREEN, "randY": _RED}
SENSITIVITY_COLOURS = {"real": _BLUE, "halfX": _GREEN, "randX": _RED}  # as the poster changes them
# Real data yellow, more noise redder and darker.
_LEVELS = LinearSegmentedColormap.from_list(
    "noise level", ["#f2cc1f", "#f39c1f", "#e05f28", "#b01b1b", "#4a0010"]
)
MARKERS = "osD^vPX*"


@contextmanager
def paper():
    """Draw with the settings of a paper for as long as the context lasts."""
    with plt.rc_context(
        {
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
    plt.close("all")


def level_colour(level: float) -> tuple:
    """Return the colour of a noise level from 0 to 1."""
    return _LEVELS(float(level))  # an integer would be an index


def percent(level: float) -> str:
    """Return a noise level as people read it: 0.2 as 20 %."""
    return f"{100 * level:g} %"


def mean_and_spread(values: xr.DataArray) -> str:
    """Return the mean and the standard deviation of a number over the seeds."""
    mean, spread = values.mean("seed").item(), values.std("seed", ddof=1).item()
    return f"{mean:.2f} ± {spread:.2f}" if np.isfinite(spread) else f"{mean:.2f}"


def footnote(figure: Figure, metrics: xr.Dataset, *more: str, lines: Sequence[str] = ()) -> None:
    """Write below the figure what data and which models it was drawn from, and what to read off.

    ``more`` goes on in the line about the training; ``lines`` are lines of their own, above it all.
    """
    text = [*lines, "; ".join([metrics.attrs["protocol"], *more])]
    if metrics.attrs["diverged_members"]:
        text.append(f"{metrics.attrs['diverged_members']} models diverged and are left out")
    figure.supxlabel("\n".join(text), fontsize=6, color="0.35")


def save(figure: Figure, png: str | Path, pdf: str | Path) -> None:
    """Write a figure as PNG (300 dpi) and as PDF.

    Raises:
        UserError: the files cannot be written.
    """
    try:
        figure.savefig(png)
        # Without dates, the same metrics give the same file.
        figure.savefig(pdf, metadata={"CreationDate": None, "ModDate": None})
    except OSError as error:
        raise UserError(f"Cannot write {png} or {pdf} ({error}): free some space.") from error
