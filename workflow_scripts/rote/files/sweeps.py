"""What a study may sweep beside what its figures are about: a dimension of its own in the metrics.

The dimension is there for a single value, too. Values stand in the order of the configuration:
figures and claims show the first, and all are in the file. (In fig4_2 the dimension of the learning
rate has no values of its own: its cases differ in them.)
"""

import xarray as xr

SWEPT = ("learning_rate", "norm", "radius")


def first_of_each(metrics: xr.Dataset) -> xr.Dataset:
    """Return ``metrics`` at the first value of everything that is swept, without its dimension.

    The values remain, as coordinates without a dimension, for captions.
    """
    return metrics.isel({name: 0 for name in SWEPT if name in metrics.dims})
