"""Figure 3.3: how much the examples of each class matter to the loss of each class."""

import numpy as np
import xarray as xr

from rote.measures.gini import gini
from rote.metrics import with_protocol
from rote.metrics.sensitivity import by_condition, exploded


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the matrix ḡ_ij of each condition, norm and seed, and two measures of its shape.

    Args:
        runs: that of the experiment ``sensitivity`` with the class labels.

    Returns:
        ``class_sensitivity`` (condition, norm, loss_class, example_class, seed), ḡ_ij as
        ``rote.measures.sensitivity`` defines it, with the names of the classes as coordinates.
        ``diagonal_share`` (condition, norm, seed), the part of the sum of the matrix that is on its
        diagonal: how class-correlated it is. ``off_diagonal_gini`` (condition, norm, seed), the
        Gini coefficient of the other cells: how unevenly classes matter to each other. ``exploded``
        (condition, norm, seed), that of ``rote.metrics.sensitivity`` at the last update: such a
        matrix is that of a few updates.
    """
    (run,) = runs
    matrix = run["class_sensitivity"].transpose("member", "norm", "loss_class", "example_class")
    cells = matrix.values
    diagonal = np.eye(cells.shape[-1], dtype=bool)
    shares = {
        "diagonal_share": (
            cells[..., diagonal].sum(-1) / cells.sum((-2, -1)),
            "part of the matrix's sum on its diagonal",
        ),
        "off_diagonal_gini": (
            gini(cells[..., ~diagonal]),
            "Gini coefficient of the cells off the diagonal",
        ),
    }
    members = xr.Dataset(
        {
            "class_sensitivity": matrix,
            "exploded": exploded(run).isel(update=-1, drop=True),
            **{
                name: (("member", "norm"), values, {"long_name": long_name, "units": "1"})
                for name, (values, long_name) in shares.items()
            },
        }
    )
    return with_protocol("fig3_3", by_condition(members), runs)
