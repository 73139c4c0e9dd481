"""Figure 3.2: how unequally the training examples matter to the loss, over training."""

import xarray as xr

from rote.measures.gini import gini
from rote.metrics import with_protocol
from rote.metrics.sensitivity import by_condition, exploded, labelling


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the Gini coefficient of the mean loss-sensitivity ḡ_x(T), T being the last update.

    ḡ_x(T) is the mean of g_x^t over the evaluated t ≤ T (Arpit et al. 2017, section 3.2).

    Args:
        runs: those of the experiment ``sensitivity``, one a labelling.

    Returns:
        ``gini`` of ḡ_x(T) over the examples; ``mean_sensitivity``, the mean of ḡ_x(T) over the
        examples; ``exploded``, that of ``rote.metrics.sensitivity``; ``train_accuracy``. Each is
        (labelling, condition, update, seed); missing where a labelling was not evaluated.
    """
    parts = []
    for run in runs:
        members = by_condition(run)
        g = members["sensitivity"].astype(float)
        count = xr.ones_like(g["update"], dtype=int).cumsum("update")
        # Where training has diverged all is missing, from there on.
        mean = g.cumsum("update", skipna=False) / count
        grown = exploded(members)
        variables = {
            "gini": (
                xr.apply_ufunc(gini, mean, input_core_dims=[["example"]]),
                "Gini coefficient over examples of the mean loss-sensitivity",
                "1",
            ),
            "mean_sensitivity": (
                mean.mean("example", skipna=False),
                "mean loss-sensitivity",
                "nat",
            ),
            "exploded": (
                grown.where(mean.notnull().all("example")),
                grown.attrs["long_name"],
                "1",
            ),
            "train_accuracy": (
                members["train_accuracy"],
                "accuracy on the training examples and their labels",
                "1",
            ),
        }
        parts.append(
            xr.Dataset(
                {
                    # As a number, it can be missing.
                    name: values.astype(float).assign_attrs(long_name=long_name, units=units)
                    for name, (values, long_name, units) in variables.items()
                }
            ).drop_vars("index", errors="ignore")
        )
    labels = ("labelling", [labelling(run) for run in runs], LABELLING)
    joined = xr.concat(parts, "labelling", join="outer", combine_attrs="override")
    update = joined["update"].assign_attrs(long_name="updates of SGD done", units="1")
    joined = joined.assign_coords(labelling=labels, update=update)
    result = joined.transpose("labelling", "condition", "update", "seed")
    return with_protocol(result, runs)


LABELLING = {
    "long_name": "targets: class labels, or a class of its own for each example",
    "units": "1",
}
