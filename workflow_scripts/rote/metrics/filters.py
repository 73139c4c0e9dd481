"""Filters of the first layer, learned on real data and on random labels."""

import xarray as xr

from rote.metrics import unstack_conditions, with_protocol


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the filters of the first layer after the last of the critical epochs.

    Args:
        runs: that of the last case of the experiment ``complexity``: CNNs, some of them trained on
            random labels.

    Returns:
        ``filter`` (condition, learning_rate, map, channel, row, column) of the first seed, for real
        data and the highest level of randY; missing where a member diverged. Attributes
        ``noise_level`` and ``epoch``, the last one at which parameters were kept.
    """
    (run,) = runs
    level = run["noise_level"].where(run["noise_kind"] == "randY").max().item()
    seed = run["seed"].min().item()
    kinds = run["noise_kind"]
    noise = (kinds == "randY") & (run["noise_level"] == level)
    shown = run.sel(member=((kinds == "real") | noise) & (run["seed"] == seed))
    result = (
        unstack_conditions(shown[["filter"]])
        .sel(condition=["real", "randY"])
        .squeeze("seed")
        .rename(filter_row="row", filter_column="column")
    )
    attrs = {"noise_level": level, "epoch": run["critical_epoch"].max().item()}
    return with_protocol("filters", result.assign_attrs(attrs), [shown])
