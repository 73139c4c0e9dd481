"""Figure 4.2: accuracy and critical sample ratio over training, for each level of noise."""

import numpy as np
import xarray as xr

from rote.metrics import (
    join_runs,
    protocol,
    real_as_every_kind,
    settings_of,
    unstack_members,
    with_protocol,
)
from rote.metrics.fig4_1 import ratios_and_accuracies
from rote.metrics.words import kind

CASE = {"long_name": "case: data and model"}
RATE = {"long_name": "learning rate at the beginning of the training", "units": "1"}
TITLE = {"long_name": "data and kind of model"}
SIZES = {
    "train_examples": {"long_name": "training examples", "units": "1"},
    "validation_examples": {"long_name": "validation examples", "units": "1"},
    "drawn_from": {"long_name": "images from which the examples are drawn", "units": "1"},
    "image_size": {"long_name": "rows×columns of an image, in pixels"},
}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the ratios and accuracies of every case, kind and level of noise.

    Args:
        runs: those of the experiment ``complexity``, one a case.

    Returns:
        ``train_accuracy``, ``validation_accuracy`` (dataset, noise_kind, noise_level, epoch, seed),
        and the ratios and shares of Figure 4.1 (dataset, noise_kind, noise_level, radius,
        critical_epoch, seed), the shares without radius; missing at epochs at which
        another case alone was evaluated or searched, and where a member diverged. Level 0 is the
        real data, the same for both kinds. ``dataset`` names the cases of the configuration; along
        it, ``title`` says what they are, and names those that are alike, and ``train_examples``,
        ``validation_examples``, ``drawn_from`` and ``image_size`` say what they have.
        ``learning_rate`` stands behind ``dataset`` in all variables; as cases have rates of their
        own, it has no values, and ``rate`` (dataset, learning_rate) says them, missing where a case
        has fewer.
    """
    cases = [settings_of(run)["case"] for run in runs]
    titles = [f"{run.attrs['dataset']}, {kind(settings_of(run)['model'])}" for run in runs]
    titles = [
        f"{title} ({case})" if titles.count(title) > 1 else title
        for case, title in zip(cases, titles, strict=True)
    ]
    of_cases = [
        _by_rank(ratios_and_accuracies(run)).assign_coords(dataset=((), case, CASE))
        for case, run in zip(cases, runs, strict=True)
    ]
    members = real_as_every_kind(join_runs(of_cases))
    result = unstack_members(members, "dataset", "noise_kind", "noise_level", "seed")
    along_cases = {
        name: ("dataset", [run.attrs[name] for run in runs], attrs) for name, attrs in SIZES.items()
    }
    rates = [dict.fromkeys(run["learning_rate"].values.tolist()) for run in runs]
    table = np.full((len(runs), max(map(len, rates))), np.nan)
    for row, own in zip(table, rates, strict=True):
        row[: len(own)] = list(own)
    result = (
        result.sel(dataset=cases)
        .drop_vars("learning_rate")
        .assign_coords(
            title=("dataset", titles, TITLE),
            rate=(("dataset", "learning_rate"), table, RATE),
            **along_cases,
        )
    )
    return with_protocol(
        "fig4_2",
        result.transpose(
            "dataset", "learning_rate", ..., "epoch", "radius", "critical_epoch", "seed"
        ),
        runs,
        [line for run in runs for line in protocol([run])],
    )


def _by_rank(members: xr.Dataset) -> xr.Dataset:
    """Return ``members`` with the position of their learning rate in its place."""
    rates = members["learning_rate"].values.tolist()
    ranks = {rate: rank for rank, rate in enumerate(dict.fromkeys(rates))}
    return members.assign_coords(learning_rate=("member", [ranks[rate] for rate in rates]))
