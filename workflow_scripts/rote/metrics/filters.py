"""Filters of the first layer, learned on real data and on random labels."""

import xarray as xr

from rote.metrics import CONDITION, with_protocol


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the filters of the first layer after the last of the critical epochs.

    Args:
        runs: that of the last case of the experiment ``complexity``: CNNs, some of them trained on
            random labels.

    Returns:
        ``filter`` (condition, map, channel, row, column) of the first seed, for real data and
        the highest level of randY; missing where a member diverged. Attributes ``noise_level`` and
        ``epoch``, the last one at which parameters were kept.
    """
    (run,) = runs
    level = run["noise_level"].where(run["noise_kind"] == "randY").max().item()
    seed = run["seed"].min().item()
    shown = (
        run.set_index(member=["noise_kind", "noise_level", "seed"])
        .sel(member=[("real", 0.0, seed), ("randY", level, seed)])
        .reset_index("member")
    )
    filters = (
        shown["filter"]
        .reset_coords(drop=True)
        .rename(member="condition", filter_row="row", filter_column="column")
    )
    result = filters.to_dataset(name="filter").assign_coords(
        condition=("condition", ["real", "randY"], CONDITION), seed=((), seed, run["seed"].attrs)
    )
    attrs = {"noise_level": level, "epoch": run["critical_epoch"].max().item()}
    return with_protocol("filters", result.assign_attrs(attrs), [shown])
