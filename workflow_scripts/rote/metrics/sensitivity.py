"""What figures 3.2 and 3.3 share: the members of a sensitivity run, by condition and seed."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from rote.metrics import unstack_conditions
from rote.study.plan import CONDITIONS


def by_condition(members: xr.Dataset) -> xr.Dataset:
    """Return the variables of ``members`` along ``condition``, in the plan's order, …, ``seed``."""
    name_of = {noise: name for name, noise in CONDITIONS.items()}
    noise = zip(members["noise_kind"].values, members["noise_level"].values, strict=True)
    names = [name_of[kind_and_level] for kind_and_level in noise]
    members = members.drop_vars("learning_rate")  # one a labelling
    table = unstack_conditions(members.assign_coords(noise_kind=("member", names)))
    return table.sel(condition=[name for name in CONDITIONS if name in names])


def growth(run: xr.Dataset) -> xr.DataArray:
    """Return how far sensitivities have grown at most so far: (member, norm, update).

    That is the largest mean of g_x^t over the examples, over its value before training. Gradients
    through training may grow without bound, though training itself looks normal. Missing from where
    training has diverged.
    """
    of_examples = run["sensitivity"].astype(float).mean("example", skipna=False)
    largest = xr.apply_ufunc(
        np.maximum.accumulate,
        of_examples,
        input_core_dims=[["update"]],
        output_core_dims=[["update"]],
        kwargs={"axis": -1},
    )
    return (largest / of_examples.sel(update=0)).assign_attrs(
        long_name="largest mean loss-sensitivity so far, over that before training", units="1"
    )


def shares(values: xr.DataArray, over: Sequence[str]) -> xr.DataArray:
    """Return ``values`` as parts of their sum over some dimensions.

    So the values of one update weigh no more than those of another, however large they are. All are
    missing where one is not finite, or all are 0.
    """
    total = values.sum(over, skipna=False)
    return values / total.where(np.isfinite(total) & (total > 0))
