"""Figure 2: time to convergence against the size of the data set, and against capacity."""

import numpy as np
import xarray as xr

from rote.metrics import join_runs, settings_of, unstack_members, with_protocol
from rote.metrics.fig1 import HIDDEN_UNITS

SIZE = {"long_name": "training examples", "units": "1"}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the times to convergence at every size, and at every width for the largest size.

    The time is the number of epochs after which the accuracy on the training examples has first
    reached the threshold. A member that has not reached it is censored: it holds the limit, and
    ``converged`` is false; so is one that diverged. The sizes have nested examples. The noise of an
    example is the same at every size, up to the mean and variance of the data; but which examples
    it replaces is drawn for each size anew, except at levels 0 and 1, where there is no choice.

    Args:
        runs: those of the experiment ``convergence``; one that has both the largest size and the
            width of the others is in both panels.

    Returns:
        ``epochs_to_convergence``, ``converged``, ``diverged`` and ``normalized_time``
        (learning_rate, noise_level, dataset_size, seed), the last one relative to the smallest size
        of the same level and seed: a bound, and no value, where either of the two did not converge.
        ``slope`` (learning_rate, noise_level, seed) of the least-squares line of log(time) over
        log(size), censored times taken as they are. ``capacity_epochs_to_convergence``,
        ``capacity_converged`` and ``capacity_diverged`` (learning_rate, noise_level, hidden_units,
        seed). Attributes ``threshold``, ``epoch_limit``, ``hidden_units`` and ``capacity_size``.
    """
    members = join_runs(
        [
            run[["converged_epoch", "diverged_epoch"]].assign_coords(
                dataset_size=((), run.attrs["train_examples"], SIZE),
                hidden_units=((), settings_of(run)["model"]["hidden_units"], HIDDEN_UNITS),
            )
            for run in runs
        ]
    )
    sizes, widths = members["dataset_size"], members["hidden_units"]
    largest, units = sizes.max().item(), widths[sizes.argmin("member")].item()
    training = settings_of(runs[0])["training"]
    by_size = _times(members.sel(member=widths == units), "dataset_size", training)
    by_width = _times(members.sel(member=sizes == largest), "hidden_units", training)
    epochs = by_size["epochs_to_convergence"]
    relative = epochs / epochs.isel(dataset_size=0)
    result = by_size.assign(
        normalized_time=relative.assign_attrs(
            long_name="time to convergence relative to the smallest data set", units="1"
        ),
        slope=_slope(epochs).assign_attrs(
            long_name="slope of log(time to convergence) over log(training examples)", units="1"
        ),
    ).merge(by_width.rename({name: f"capacity_{name}" for name in by_width.data_vars}))
    return with_protocol(
        "fig2",
        result.assign_attrs(
            threshold=training["threshold"],
            epoch_limit=training["epochs"],
            hidden_units=units,
            capacity_size=largest,
        ),
        # A figure says how many examples the first run has.
        sorted(runs, key=lambda run: run.attrs["train_examples"] != largest),
    )


def _times(members: xr.Dataset, varied: str, training: dict) -> xr.Dataset:
    """Return the times of ``members``, (learning_rate, noise_level, ``varied``, seed)."""
    table = unstack_members(members, "noise_level", varied, "seed")
    epoch = table["converged_epoch"]
    return xr.Dataset(
        {
            "epochs_to_convergence": epoch.where(epoch > 0, training["epochs"])
            .astype(float)
            .assign_attrs(long_name="epochs to convergence, or their limit", units="1"),
            "converged": (epoch > 0).assign_attrs(
                long_name="whether training converged within the limit", units="1"
            ),
            "diverged": (table["diverged_epoch"] > 0).assign_attrs(
                long_name="whether the loss became infinite", units="1"
            ),
        }
    )


def _slope(epochs: xr.DataArray) -> xr.DataArray:
    """Return the least-squares slope of log(epochs) over log(dataset_size)."""
    x = np.log(epochs["dataset_size"])
    x = x - x.mean()
    return (x * np.log(epochs)).sum("dataset_size") / (x**2).sum()
