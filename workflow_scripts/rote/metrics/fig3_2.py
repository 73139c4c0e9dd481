"""Figure 3.2: how unequally the training examples matter to the loss, over training."""

import xarray as xr

from rote.measures.gini import gini
from rote.metrics import settings_of, with_protocol
from rote.metrics.sensitivity import by_condition, exploded

LABELLING = {"long_name": "targets: class labels, or a class of its own for each example"}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the Gini coefficient of the mean loss-sensitivity ḡ_x(T), T being the last update.

    ḡ_x(T) is the mean of g_x^t over the evaluated t ≤ T (Arpit et al. 2017, section 3.2).

    Args:
        runs: those of the experiment ``sensitivity``, one a labelling.

    Returns:
        ``gini`` of ḡ_x(T) over the examples; ``mean_sensitivity``, the mean of ḡ_x(T) over the
        examples; ``exploded``, that of ``rote.metrics.sensitivity``. Each is (labelling, condition,
        norm, update, seed), and ``train_accuracy`` the same without norm; missing where a labelling
        was not evaluated.
    """
    of_labellings = []
    for run in runs:
        g = run["sensitivity"].astype(float)
        count = xr.ones_like(g["update"], dtype=int).cumsum("update")
        # Where training has diverged all is missing, from there on.
        mean = g.cumsum("update", skipna=False) / count
        members = xr.Dataset(
            {
                "gini": xr.apply_ufunc(gini, mean, input_core_dims=[["example"]]).assign_attrs(
                    long_name="Gini coefficient over examples of the mean loss-sensitivity",
                    units="1",
                ),
                "mean_sensitivity": mean.mean("example", skipna=False).assign_attrs(
                    long_name="mean loss-sensitivity, over examples and updates so far, in nat",
                    units="1",
                ),
                "exploded": exploded(run).where(mean.notnull().all("example")),
                "train_accuracy": run["train_accuracy"],
            }
        ).astype(float)  # as a number, exploded can be missing
        labelling = (), settings_of(run)["labelling"], LABELLING
        of_labellings.append(by_condition(members).assign_coords(labelling=labelling))
    result = xr.concat(of_labellings, "labelling", join="outer")
    return with_protocol("fig3_2", result, runs)
