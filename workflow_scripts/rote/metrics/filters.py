"""Filters of the first layer, learned on real data and on random labels."""

import numpy as np
import xarray as xr

from rote.metrics import CONDITION, SEED, with_protocol


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the filters of the first layer after the last of the critical epochs.

    Args:
        runs: that of the last case of the experiment ``complexity``: CNNs, some of them trained on
            random labels.

    Returns:
        ``filter`` (condition, filter, channel, row, column) of the first seed, for real data and
        the highest level of randY; missing where a member diverged. Attributes ``noise_level`` and
        ``epoch``, the last one at which parameters were kept.
    """
    (run,) = runs
    level = run["noise_level"].where(run["noise_kind"] == "randY").max().item()
    seed = run["seed"].min()
    shown, parts = [], []
    for kind, at in (("real", 0.0), ("randY", level)):
        chosen = (run["noise_kind"] == kind) & (run["noise_level"] == at) & (run["seed"] == seed)
        shown.append(np.flatnonzero(chosen)[0])
        parts.append(run["filter"].isel(member=shown[-1]).reset_coords(drop=True))
    filters = xr.concat(parts, "condition", join="exact", combine_attrs="override")
    filters = filters.rename(map="filter", filter_row="row", filter_column="column")
    result = filters.to_dataset(name="filter")
    result = result.assign_coords(
        condition=("condition", ["real", "randY"], CONDITION), seed=((), seed.item(), SEED)
    )
    attrs = {"noise_level": level, "epoch": run["critical_epoch"].max().item()}
    return with_protocol(result.assign_attrs(attrs), [run.isel(member=shown)])
