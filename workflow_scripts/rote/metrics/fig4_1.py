"""Figure 4.1: the critical sample ratio over training, for real data and both kinds of noise."""

import numpy as np
import xarray as xr

from rote.metrics import CONDITION, SEED, filled, with_protocol

EPOCH = {"long_name": "epochs of training done", "units": "epoch"}
MEASURES = {
    "critical_sample_ratio": "fraction of real validation inputs that are critical",
    "noise_critical_sample_ratio": "fraction of validation inputs of noise that are critical",
    "train_accuracy": "accuracy on the training examples and their labels",
    "validation_accuracy": "accuracy on the real validation examples",
}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the ratios and accuracies of real data and of the highest level of noise.

    Args:
        runs: that of the last case of the experiment ``complexity``.

    Returns:
        ``critical_sample_ratio``, ``noise_critical_sample_ratio`` (for randX: on inputs of noise),
        ``train_accuracy`` and ``validation_accuracy`` (condition, epoch, seed); missing at epochs
        at which critical samples were not searched, and where a member diverged. Attribute
        ``noise_level``.
    """
    (run,) = runs
    level = run["noise_level"].max().item()
    shown = (run["noise_level"] == level) | (run["noise_kind"] == "real")
    run = run.isel(member=np.flatnonzero(shown))
    coordinates = {
        "condition": (list(dict.fromkeys(run["noise_kind"].values.tolist())), CONDITION),
        "epoch": (run["epoch"].values, EPOCH),
        "seed": (np.unique(run["seed"]), SEED),
    }
    result = filled(MEASURES, coordinates)
    for i in range(run.sizes["member"]):
        member = run.isel(member=i)
        where = {"condition": member["noise_kind"].item(), "seed": member["seed"].item()}
        for name, values in over_epochs(member).items():
            result[name].loc[where] = values
    return with_protocol(result.assign_attrs(noise_level=level), [run])


def over_epochs(member: xr.Dataset) -> dict[str, np.ndarray]:
    """Return each of ``MEASURES`` of a member at all epochs of its run."""
    epochs = member["epoch"].values
    ratio = member["critical_sample_ratio"].transpose("critical_inputs", "critical_epoch")
    at = np.searchsorted(epochs, ratio["critical_epoch"])
    values = {name: np.full(len(epochs), np.nan) for name in MEASURES}
    values["critical_sample_ratio"][at] = ratio.sel(critical_inputs="real")
    values["noise_critical_sample_ratio"][at] = ratio.sel(critical_inputs="noise")
    for name in ("train_accuracy", "validation_accuracy"):
        values[name][:] = member[name]
    return values
