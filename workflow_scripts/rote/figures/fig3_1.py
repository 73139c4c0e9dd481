"""Figure 3.1: the misclassification rate of each example after a short training, sorted."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rote.figures import looks, noise, style
from rote.measures.difficulty import dispersion


def draw(metrics: xr.Dataset) -> Figure:
    """Draw each condition's rates in increasing order, and the binomial reference.

    A thin line is a replicate, with examples of its own; the thick one is the mean of these lines.
    The legend holds what claim 3 tests, the standard deviation over the examples of the true error
    rate, in all and among the examples of a label. A draw of which all experiments diverged has no
    line.
    """
    drawn = looks.looks(metrics["condition"].values, looks.CONDITIONS)
    figure = Figure(figsize=(style.COLUMN, 3.4))
    axis = figure.subplots()
    experiments = int(metrics.attrs["experiments"])
    rank = np.arange(1, metrics.sizes["example"] + 1)
    ratios, gone = [], []
    for condition, look in drawn.items():
        one = metrics.sel(condition=condition)
        rates, there = _sorted(one["misclassification_rate"])
        if not there.any():
            gone.append(f"{condition}: diverged in every draw")
            axis.add_line(style.handle(look, gone[-1]))
            continue
        axis.plot(rank, rates.T, color=look.colour, alpha=0.35, linewidth=0.5)
        numbers = [style.mean_and_spread(one[of], 3) for of in ("spread", "spread_within_label")]
        axis.plot(
            rank,
            rates.mean(0),
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            markevery=0.125,
            label=f"{condition}: {numbers[0]} ({numbers[1]})",
        )
        used = experiments - one["diverged"].sum("experiment").transpose("seed").values[there]
        each = np.array([dispersion(rate, n) for rate, n in zip(rates, used, strict=True)])
        each = each[np.isfinite(each)]  # a draw in which all rates are 0, or all are 1, has none
        ratio = each.mean() if len(each) else np.nan
        ratios.append(f"{condition} {style.number(ratio, 2)}")
    reference, _ = _sorted(metrics["binomial_reference"])
    if len(reference):
        axis.plot(
            rank,
            reference.mean(0),
            color="black",
            linewidth=0.8,
            label=f"binomial, mean of {metrics.attrs['reference']}",
        )
    axis.set_xlim(1, len(rank))
    axis.set_ylim(0, 1)
    axis.set_xlabel("examples, sorted by misclassification rate")
    epochs = metrics.attrs["epochs"]
    axis.set_ylabel(f"misclassification rate after {epochs} epoch{'s' if epochs > 1 else ''}")
    style.legend_above(
        figure,
        axis.get_legend_handles_labels()[0],
        title="true error rate: spread over examples (within a label)",
    )
    level = style.percent(metrics.attrs["noise_level"])
    style.footnote(
        figure,
        metrics,
        f"{experiments} experiments in each of {metrics.sizes['seed']} draws of examples and noise",
        lines=[
            "variance of the rates over that of a binomial, which grows with the number of "
            f"experiments: {', '.join(ratios)}",
            f"noise level {level}; thin: a draw; spread: standard deviation, mean ± that of draws",
        ],
        aside=[*noise.explained(metrics, drawn), *(f"{words}." for words in gone)],
    )
    return figure


def _sorted(rates: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rates of each draw that has any, in increasing order, and which draws these are.

    Args:
        rates: (example, seed), missing in a draw of which all experiments diverged.

    Returns:
        (draws, examples), and a mask (seed,).
    """
    values = rates.transpose("seed", "example").values
    there = np.isfinite(values).all(1)
    return np.sort(values[there], axis=1), there
