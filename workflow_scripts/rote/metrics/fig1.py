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
    "validation_accuracy": "accuracy on the real validation examples at the end of the training",
    "train_accuracy": "accuracy on the training examples and their labels at the end of the "
    "training",
    "epochs_trained": "epochs after which the training ended",
    "plateau": "the training accuracy was 1, or had levelled off, before the limit of epochs",
}
ENDS = "converged_epoch", "plateau_epoch"  # 0 if the training did not end by it


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the accuracies at the end of training.

    The training of a model ends when it has fitted all of its data, when its training accuracy has
    levelled off, or at the limit of epochs. What a run was not asked to end by, it has not reached.

    Args:
        runs: those of the experiment ``capacity``, one a width.

    Returns:
        ``validation_accuracy``, ``train_accuracy``, ``epochs_trained`` and ``plateau``
        (learning_rate, noise_kind, noise_level, hidden_units, seed); accuracies and epochs are NaN
        where a member diverged. Level 0 is the real data, the same for both kinds.
    """
    of_runs = [
        _at_the_end(run).assign_coords(
            hidden_units=((), settings_of(run)["model"]["hidden_units"], HIDDEN_UNITS)
        )
        for run in runs
    ]
    members = real_as_every_kind(join_runs(of_runs))
    result = unstack_members(members, "noise_kind", "noise_level", "hidden_units", "seed")
    for name, long_name in MEASURES.items():
        result[name].attrs = {"long_name": long_name, "units": "1"}
    return with_protocol("fig1", result, runs)


def _at_the_end(run: xr.Dataset) -> xr.Dataset:
    """Return a run's members at the last score of each."""
    scored = run["train_accuracy"].notnull() & (run["diverged_epoch"] == 0)
    trained = run["epoch"].where(scored).max("epoch")
    last = run[["validation_accuracy", "train_accuracy"]].sel(
        epoch=trained.fillna(run["epoch"][-1]).astype(int)
    )
    ended = sum((run[name] > 0 for name in ENDS if name in run), run["diverged_epoch"] < 0)
    last = last.where(trained.notnull()).drop_vars("epoch", errors="ignore")
    return last.assign(epochs_trained=trained, plateau=ended.astype(bool))
