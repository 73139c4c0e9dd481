"""Figure 1: accuracy against capacity, for each kind and level of noise."""

import xarray as xr

from rote.metrics import (
    join_runs,
    real_as_every_kind,
    settings_of,
    unstack_members,
    with_protocol,
)

HIDDEN_UNITS = {"long_name": "units of each hidden layer", "units": "1"}
MEASURES = {
    "validation_accuracy": "accuracy on the real validation examples after the last epoch",
    "train_accuracy": "accuracy on the training examples and their labels after the last epoch",
}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the accuracies at the end of training.

    Args:
        runs: those of the experiment ``capacity``, one a width.

    Returns:
        ``validation_accuracy`` and ``train_accuracy`` (learning_rate, noise_kind, noise_level,
        hidden_units, seed); NaN where a member diverged. Level 0 is the real data, the same for
        both kinds.
    """
    of_runs = [
        run[list(MEASURES)]
        .isel(epoch=-1, drop=True)
        .assign_coords(hidden_units=((), settings_of(run)["model"]["hidden_units"], HIDDEN_UNITS))
        for run in runs
    ]
    members = real_as_every_kind(join_runs(of_runs))
    result = unstack_members(members, "noise_kind", "noise_level", "hidden_units", "seed")
    for name, long_name in MEASURES.items():
        result[name].attrs["long_name"] = long_name
    return with_protocol("fig1", result, runs)
