"""Figure 2: time to convergence against the size of the data set, and against capacity."""

import numpy as np
import xarray as xr

from rote.metrics import NOISE_LEVEL, SEED, settings_of, with_protocol

SIZE = {"long_name": "training examples", "units": "1"}
UNITS = {"long_name": "units of each hidden layer", "units": "1"}


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
        ``epochs_to_convergence``, ``converged``, ``diverged`` and ``normalized_time`` (noise_level,
        dataset_size, seed), the last one relative to the smallest size of the same level and seed:
        a bound, and no value, where either of the two did not converge. ``slope`` (noise_level,
        seed) of the least-squares line of log(time) over log(size), censored times taken as they
        are. ``capacity_epochs_to_convergence``, ``capacity_converged`` and ``capacity_diverged``
        (noise_level, hidden_units, seed). Attributes ``threshold``, ``epoch_limit``,
        ``hidden_units`` and ``capacity_size``.
    """
    size_of = [run.attrs["train_examples"] for run in runs]
    width_of = [settings_of(run)["model"]["hidden_units"] for run in runs]
    largest, units = max(size_of), width_of[int(np.argmin(size_of))]
    training = settings_of(runs[0])["training"]
    by_size = _table(
        [run for run, width in zip(runs, width_of, strict=True) if width == units],
        [size for size, width in zip(size_of, width_of, strict=True) if width == units],
        ("dataset_size", SIZE),
    )
    at_largest = [run for run, size in zip(runs, size_of, strict=True) if size == largest]
    by_width = _table(
        at_largest,
        [width for width, size in zip(width_of, size_of, strict=True) if size == largest],
        ("hidden_units", UNITS),
    )
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
        result.assign_attrs(
            threshold=training["threshold"],
            epoch_limit=training["epochs"],
            hidden_units=units,
            capacity_size=largest,
        ),
        [*at_largest, *(run for run in runs if run.attrs["train_examples"] != largest)],
    )


def _slope(epochs: xr.DataArray) -> xr.DataArray:
    """Return the least-squares slope of log(epochs) over log(dataset_size)."""
    x = np.log(epochs["dataset_size"])
    x = x - x.mean()
    return (x * np.log(epochs)).sum("dataset_size") / (x**2).sum()


def _table(runs: list[xr.Dataset], along: list[int], coordinate: tuple[str, dict]) -> xr.Dataset:
    """Return the times of ``runs``, which differ in one coordinate of the values ``along``."""
    name, attrs = coordinate
    levels, seeds = (np.unique(runs[0][key]) for key in ("noise_level", "seed"))
    values = sorted(along)
    shape = len(levels), len(values), len(seeds)
    epochs, converged, diverged = np.zeros(shape), np.zeros(shape, bool), np.zeros(shape, bool)
    for run, value in zip(runs, along, strict=True):
        place = (
            np.searchsorted(levels, run["noise_level"]),
            values.index(value),
            np.searchsorted(seeds, run["seed"]),
        )
        at, limit = run["converged_epoch"].values, settings_of(run)["training"]["epochs"]
        epochs[place], converged[place] = np.where(at > 0, at, limit), at > 0
        diverged[place] = run["diverged_epoch"] > 0
    dims = "noise_level", name, "seed"
    return xr.Dataset(
        {
            "epochs_to_convergence": (
                dims,
                epochs,
                {"long_name": "epochs to convergence, or their limit", "units": "epoch"},
            ),
            "converged": (
                dims,
                converged,
                {"long_name": "whether training converged within the limit", "units": "1"},
            ),
            "diverged": (
                dims,
                diverged,
                {"long_name": "whether the loss became infinite", "units": "1"},
            ),
        },
        coords={
            "noise_level": ("noise_level", levels, NOISE_LEVEL),
            name: (name, values, attrs),
            "seed": ("seed", seeds, SEED),
        },
    )
