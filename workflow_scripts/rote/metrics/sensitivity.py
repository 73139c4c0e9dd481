"""What figures 3.2 and 3.3 share: the members of a sensitivity run, by condition and seed."""

import numpy as np
import xarray as xr

from rote.metrics import CONDITION, SEED, settings_of
from rote.plan import CONDITIONS, REGULARIZERS


def by_condition(run: xr.Dataset) -> xr.Dataset:
    """Return the variables of a run along ``condition`` and ``seed`` instead of ``member``."""
    of_condition = []
    for kind, level in CONDITIONS.values():
        chosen = (run["noise_kind"] == kind) & (run["noise_level"] == level)
        part = run.isel(member=np.flatnonzero(chosen)).swap_dims(member="seed").sortby("seed")
        of_condition.append(part.drop_vars(["noise_kind", "noise_level", "noise_seed", "device"]))
    present = [
        name for name, part in zip(CONDITIONS, of_condition, strict=True) if part.sizes["seed"]
    ]
    joined = xr.concat(
        [part for part in of_condition if part.sizes["seed"]],
        "condition",
        join="exact",
        coords="minimal",
        compat="override",
        combine_attrs="override",
    )
    return joined.assign_coords(
        condition=("condition", present, CONDITION), seed=("seed", joined["seed"].values, SEED)
    ).drop_vars(REGULARIZERS, errors="ignore")


def labelling(run: xr.Dataset) -> str:
    """Return the labelling of a run: ``class`` or ``unique``."""
    return settings_of(run)["labelling"]
