"""What each figure shows, computed from the runs of its experiment: one module a figure.

Each has ``metrics(dataset, runs)``: the noised data set and the runs in, the content of
``metrics/{figure}.nc`` out. Nothing is averaged away before the figure.
"""

import json
import logging

import xarray as xr

from rote import netcdf

logger = logging.getLogger(__name__)

NOISE_KIND = {"long_name": "kind of noise: randX in the inputs, randY in the labels", "units": "1"}
CONDITION = {"long_name": "training data: real, randX, randY or halfX (50 % randX)", "units": "1"}
SEED = {"long_name": "seed of initialisation and shuffling", "units": "1"}


def with_protocol(metrics: xr.Dataset, dataset: xr.Dataset, runs: list[xr.Dataset]) -> xr.Dataset:
    """Return ``metrics`` with what a figure says about the data and the models."""
    each = [json.loads(run.attrs["settings"]) for run in runs]
    settings, model = each[0], each[0]["model"]
    widths = sorted({one["model"]["hidden_units"] for one in each})
    training = {
        key: list(dict.fromkeys(one["training"][key] for one in each))
        for key in ("epochs", "batch_size", "learning_rate")
    }
    diverged = sum(int((run["diverged_epoch"] > 0).sum()) for run in runs)
    if diverged:
        logger.warning("%d members diverged: they are left out, as missing values.", diverged)
    devices = ", ".join(sorted({run.attrs["device"] for run in runs}))
    return netcdf.with_provenance(
        metrics.assign_attrs(
            dataset=dataset.attrs["title"],
            train_examples=dataset.sizes["example"],
            validation_examples=dataset.sizes["validation_example"],
            image_size=f"{dataset.sizes['row']}×{dataset.sizes['column']}",
            hidden_layers=model["hidden_layers"],
            hidden_units=widths,
            diverged_members=diverged,
            **training,
        ),
        {
            **settings,
            "model": {**model, "hidden_units": widths},
            "data": json.loads(dataset.attrs["settings"]),
        },
        device=devices,
    )
