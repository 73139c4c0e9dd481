"""What figures 3.2 and 3.3 share: the members of a sensitivity run, by condition and seed."""

import numpy as np
import xarray as xr

from rote.metrics import CONDITION, SEED, settings_of
from rote.study.plan import CONDITIONS, REGULARIZERS

EXPLODED = 1000  # times the sensitivity before training; in none of the usual runs it is above 300


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


def exploded(members: xr.Dataset) -> xr.DataArray:
    """Return whether sensitivities have exploded: (condition, update, seed), from there on.

    The mean of g_x^t over the examples has then exceeded ``EXPLODED`` times its value before
    training: gradients through training grow without bound, though training itself looks normal.

    Args:
        members: those of :func:`by_condition`.
    """
    of_examples = members["sensitivity"].astype(float).mean("example", skipna=False)
    above = of_examples > EXPLODED * of_examples.sel(update=0)
    return (above.cumsum("update") > 0).assign_attrs(
        long_name=f"sensitivity has exceeded {EXPLODED} times that before training", units="1"
    )


def labelling(run: xr.Dataset) -> str:
    """Return the labelling of a run: ``class`` or ``unique``."""
    return settings_of(run)["labelling"]
