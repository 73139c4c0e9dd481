"""Figure 1: accuracy against capacity, for each kind and level of noise."""

import json

import numpy as np
import xarray as xr

from rote.metrics import NOISE_KIND, SEED, with_protocol

MEASURES = {
    "validation_accuracy": "accuracy on the real validation examples after the last epoch",
    "train_accuracy": "accuracy on the training examples and their labels after the last epoch",
}


def metrics(dataset: xr.Dataset, runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the accuracies at the end of training.

    Args:
        dataset: the noised data set of the experiment ``capacity``.
        runs: its runs, one a width.

    Returns:
        ``validation_accuracy`` and ``train_accuracy`` (noise_kind, noise_level, hidden_units,
        seed); NaN where a member diverged. Level 0 is the real data, the same for both kinds.
    """
    last = [run.isel(epoch=-1) for run in runs]
    kinds = sorted({kind for run in runs for kind in run["noise_kind"].values} - {"real"})
    coordinates = {
        "noise_kind": (kinds, NOISE_KIND),
        "noise_level": (
            np.unique(runs[0]["noise_level"]),
            {"long_name": "fraction of the training examples that noise replaces", "units": "1"},
        ),
        "hidden_units": (
            [json.loads(run.attrs["settings"])["model"]["hidden_units"] for run in runs],
            {"long_name": "units of each hidden layer", "units": "1"},
        ),
        "seed": (np.unique(runs[0]["seed"]), SEED),
    }
    shape = [len(values) for values, _ in coordinates.values()]
    result = xr.Dataset(
        {
            name: (list(coordinates), np.full(shape, np.nan), {"long_name": text, "units": "1"})
            for name, text in MEASURES.items()
        },
        coords={name: (name, values, attrs) for name, (values, attrs) in coordinates.items()},
    ).sortby("hidden_units")
    for run in last:
        units = json.loads(run.attrs["settings"])["model"]["hidden_units"]
        for i in range(run.sizes["member"]):
            member = run.isel(member=i)
            where = {
                "noise_level": member["noise_level"].item(),
                "hidden_units": units,
                "seed": member["seed"].item(),
            }
            if member["noise_kind"] != "real":
                where["noise_kind"] = member["noise_kind"].item()
            for name in MEASURES:
                result[name].loc[where] = member[name].item()
    return with_protocol(result, dataset, runs)
