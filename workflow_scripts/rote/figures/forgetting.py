"""Forgetting: the share of training examples that are forgotten at least so often."""

import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rote.figures import looks, style

WORDS = {"all": "", "kept": ", kept", "replaced": ", replaced"}


def draw(metrics: xr.Dataset) -> Figure:
    """Draw a curve for each condition; of one that noise replaces in part, one for each part.

    An example is forgotten when it is right at one presentation and wrong at the next (Toneva et
    al. 2019). One that was never right is forgotten infinitely often: the curves end at the share
    of these. Bands are one standard deviation over the seeds.
    """
    drawn = looks.looks(metrics["condition"].values, looks.CONDITIONS)
    figure = Figure(figsize=(style.COLUMN, 3.4))
    axis = figure.subplots()
    handles, read = [], {name: [] for name in ("unforgettable", "scored", "never", "epoch")}
    for condition, look in drawn.items():
        for part in _parts(metrics, condition):
            own = metrics.sel(condition=condition, part=part)
            one, scored = (own.sel(counted=counted) for counted in ("presented", "scored"))
            line = {"markerfacecolor": "white"} if part == "kept" else {}
            style.seeds(axis, one["forgotten_share"].transpose("events", "seed"), look, **line)
            name = f"{condition}{WORDS[part]}"
            handles.append(style.handle(look, name, **line))
            for key, values, digits in (
                ("unforgettable", one["unforgettable_share"], 2),
                ("scored", scored["unforgettable_share"], 2),
                ("never", one["never_learned_share"], 2),
                ("epoch", one["learned_epoch"], 1),
            ):
                read[key].append(f"{name} {style.mean_and_spread(values, digits)}")
    axis.set_ylim(0, 1)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("forgetting events")
    axis.set_ylabel("share forgotten at least so often")
    style.legend_above(figure, handles)
    unforgettable, scored, never, epoch = ("; ".join(read[key]) for key in read)
    experiments = int(metrics.attrs["experiments"])
    style.footnote(
        figure,
        metrics,
        f"{experiments} experiments in each of {metrics.sizes['seed']} draws of examples and noise",
        lines=[
            f"unforgettable, between presentations: {unforgettable}",
            f"noise level {style.percent(metrics.attrs['noise_level'])}; mean ± standard deviation "
            "of draws",
        ],
        aside=[
            f"Unforgettable, between the ends of epochs: {scored}.",
            f"Never learned: {never}.",
            f"Epoch in which those that are learned are first right: {epoch}.",
        ],
    )
    return figure


def _parts(metrics: xr.Dataset, condition: str) -> list[str]:
    """Return the parts of a condition's examples: all of them unless noise replaces some alone."""
    some = metrics["replaced"].sel(condition=condition)
    return ["kept", "replaced"] if some.any() and not some.all() else ["all"]
