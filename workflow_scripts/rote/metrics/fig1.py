"""Figure 1: accuracy against capacity, for each kind and level of noise."""

import numpy as np
import xarray as xr

from rote.metrics import (
    NOISE_KIND,
    NOISE_LEVEL,
    SEED,
    filled,
    noise_kinds,
    place,
    settings_of,
    with_protocol,
)

MEASURES = {
    "validation_accuracy": "accuracy on the real validation examples after the last epoch",
    "train_accuracy": "accuracy on the training examples and their labels after the last epoch",
}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the accuracies at the end of training.

    Args:
        runs: those of the experiment ``capacity``, one a width.

    Returns:
        ``validation_accuracy`` and ``train_accuracy`` (noise_kind, noise_level, hidden_units,
        seed); NaN where a member diverged. Level 0 is the real data, the same for both kinds.
    """
    last = [run.isel(epoch=-1) for run in runs]
    coordinates = {
        "noise_kind": (noise_kinds(runs), NOISE_KIND),
        "noise_level": (np.unique(runs[0]["noise_level"]), NOISE_LEVEL),
        "hidden_units": (
            [settings_of(run)["model"]["hidden_units"] for run in runs],
            {"long_name": "units of each hidden layer", "units": "1"},
        ),
        "seed": (np.unique(runs[0]["seed"]), SEED),
    }
    result = filled(MEASURES, coordinates).sortby("hidden_units")
    for run in last:
        units = settings_of(run)["model"]["hidden_units"]
        for i in range(run.sizes["member"]):
            member = run.isel(member=i)
            where = {"hidden_units": units, **place(member)}
            for name in MEASURES:
                result[name].loc[where] = member[name].item()
    return with_protocol(result, runs)
