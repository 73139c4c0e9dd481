"""What figures 3.2 and 3.3 share: the members of a sensitivity run, by condition and seed."""

import xarray as xr

from rote.metrics import unstack_conditions
from rote.study.plan import CONDITIONS

EXPLODED = 1000  # times the sensitivity before training; in none of the usual runs it is above 300


def by_condition(members: xr.Dataset) -> xr.Dataset:
    """Return the variables of ``members`` along ``condition``, in the plan's order, …, ``seed``."""
    name_of = {noise: name for name, noise in CONDITIONS.items()}
    noise = zip(members["noise_kind"].values, members["noise_level"].values, strict=True)
    names = [name_of[kind_and_level] for kind_and_level in noise]
    members = members.drop_vars("learning_rate")  # one a labelling
    table = unstack_conditions(members.assign_coords(noise_kind=("member", names)))
    return table.sel(condition=[name for name in CONDITIONS if name in names])


def exploded(run: xr.Dataset) -> xr.DataArray:
    """Return whether sensitivities have exploded: (member, norm, update), from there on.

    The mean of g_x^t over the examples has then exceeded ``EXPLODED`` times its value before
    training: gradients through training grow without bound, though training itself looks normal.
    """
    of_examples = run["sensitivity"].astype(float).mean("example", skipna=False)
    above = of_examples > EXPLODED * of_examples.sel(update=0)
    return (above.cumsum("update") > 0).assign_attrs(
        long_name=f"sensitivity has exceeded {EXPLODED} times that before training", units="1"
    )
