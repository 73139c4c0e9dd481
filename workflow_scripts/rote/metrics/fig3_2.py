"""Figure 3.2: how unequally the training examples matter to the loss, over training."""

import xarray as xr

from rote.measures.gini import gini
from rote.metrics import settings_of, with_protocol
from rote.metrics.sensitivity import by_condition, growth, shares

LABELLING = {"long_name": "targets: class labels, or a class of its own for each example"}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the Gini coefficient of the mean loss-sensitivity ḡ_x(T), T being the last update.

    ḡ_x(T) is the mean of g_x^t over the evaluated t ≤ T (Arpit et al. 2017, section 3.2).

    Args:
        runs: those of the experiment ``sensitivity``, one a labelling.

    Returns:
        ``gini`` of ḡ_x(T) over the examples. ``share_gini``, the Gini coefficient of the mean over
        the evaluated t ≤ T of g_x^t / Σ_x' g_x'^t: every update counts alike, however large its
        sensitivities are. ``mean_sensitivity``, the mean of g_x^t over the examples and over the
        evaluated t ≤ T. ``growth``, that of ``rote.metrics.sensitivity``. Each is (labelling,
        condition, norm, update, seed), and ``train_accuracy`` the same without norm. Missing where
        a labelling was not evaluated and, in a seed, from where a sensitivity is not finite.
    """
    of_labellings = []
    for run in runs:
        g = run["sensitivity"].astype(float)
        members = xr.Dataset(
            {
                "gini": _gini(_mean_so_far(g)).assign_attrs(
                    long_name="Gini coefficient over examples of the mean loss-sensitivity so far",
                    units="1",
                ),
                "share_gini": _gini(_mean_so_far(shares(g, ["example"]))).assign_attrs(
                    long_name="the same with every update counting alike: of each example's mean "
                    "share of the sum over examples",
                    units="1",
                ),
                "mean_sensitivity": _mean_so_far(g)
                .mean("example", skipna=False)
                .assign_attrs(
                    long_name="mean loss-sensitivity, over examples and updates so far, in nat",
                    units="1",
                ),
                "growth": growth(run),
                "train_accuracy": run["train_accuracy"],
            }
        )
        labelling = (), settings_of(run)["labelling"], LABELLING
        of_labellings.append(by_condition(members).assign_coords(labelling=labelling))
    result = xr.concat(of_labellings, "labelling", join="outer")
    return with_protocol("fig3_2", result, runs)


def _mean_so_far(values: xr.DataArray) -> xr.DataArray:
    """Return the mean over this update and all before; missing from where a value is."""
    count = xr.ones_like(values["update"], dtype=int).cumsum("update")
    return values.cumsum("update", skipna=False) / count


def _gini(values: xr.DataArray) -> xr.DataArray:
    return xr.apply_ufunc(gini, values, input_core_dims=[["example"]])
