"""Figure 3.3: how much the examples of each class matter to the loss of each class."""

import numpy as np
import xarray as xr

from rote.measures.gini import gini
from rote.metrics import with_protocol
from rote.metrics.sensitivity import by_condition, shares

CLASSES = ["loss_class", "example_class"]


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the matrix ḡ_ij of each condition, norm and seed, and two measures of its shape.

    Args:
        runs: that of the experiment ``sensitivity`` with the class labels.

    Returns:
        ``class_sensitivity`` (condition, norm, loss_class, example_class, seed), ḡ_ij as
        ``rote.measures.sensitivity`` defines it, with the names of the classes as coordinates.
        ``class_share``, the same dimensions: the mean over the evaluated updates of each update's
        matrix over its sum, so that every update counts alike. Of ``class_share`` are
        ``diagonal_share`` (condition, norm, seed), its sum on the diagonal: how class-correlated
        sensitivity is; and ``off_diagonal_gini`` (condition, norm, seed), the Gini coefficient of
        the other cells: how unevenly classes matter to each other. These three are missing where
        a cell of an update is not finite. ``train_accuracy`` (condition, seed) after the last
        update.
    """
    (run,) = runs
    matrices = run["class_sensitivity"].transpose("member", "norm", "class_update", *CLASSES)
    share = shares(matrices, CLASSES).mean("class_update", skipna=False)
    cells = share.values
    diagonal = np.eye(cells.shape[-1], dtype=bool)
    measures = {
        "diagonal_share": (cells[..., diagonal].sum(-1), "sum of class_share on its diagonal"),
        "off_diagonal_gini": (
            gini(cells[..., ~diagonal]),
            "Gini coefficient of the cells of class_share off the diagonal",
        ),
    }
    members = xr.Dataset(
        {
            "class_sensitivity": matrices.mean("class_update", skipna=False).assign_attrs(
                matrices.attrs
            ),
            "class_share": share.assign_attrs(
                long_name="part of the sum of the matrix of sensitivities, mean over the updates",
                units="1",
            ),
            "train_accuracy": run["train_accuracy"].isel(update=-1, drop=True),
            **{
                name: (("member", "norm"), values, {"long_name": long_name, "units": "1"})
                for name, (values, long_name) in measures.items()
            },
        }
    )
    return with_protocol("fig3_3", by_condition(members), runs)
