"""Figure 5.2: training accuracy over the epochs, with selected strengths of the regularisers."""

import numpy as np
import xarray as xr

from rote.metrics import join_runs, settings_of, unstack_conditions, with_protocol
from rote.metrics.fig5_1 import REGULARIZER, STRENGTHS, strengths


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the training accuracies on real data and on random labels.

    Args:
        runs: those of the experiment ``regularization``: that without a regulariser, and one for
            each.

    Returns:
        ``train_accuracy`` (condition, regularizer, learning_rate, epoch, seed), evaluated without
        the noise of the regulariser and missing where a member diverged. ``strength`` and, beside
        adversarial training, ``dropout`` (regularizer): those that the settings select, 0 for
        ``none``. A regulariser of which no strength is selected is left out.
    """
    shown, selected = [], {}
    for run in runs:
        regularizer, strength = (settings_of(run)[key] for key in ("regularizer", "selected"))
        if strength or regularizer == "none":
            shown.append(run)
            # A strength of one number has no dropout beside it.
            selected[regularizer] = (*np.atleast_1d(strength), 0.0)[:2]
    of_runs = [
        run[["train_accuracy"]]
        .isel(member=(strengths(run) == pair).all(axis=1))
        .assign_coords(regularizer=((), regularizer, REGULARIZER))
        for run, (regularizer, pair) in zip(shown, selected.items(), strict=True)
    ]
    result = unstack_conditions(join_runs(of_runs), "regularizer")
    result = result.sel(condition=["real", "randY"], regularizer=list(selected))
    for i, (name, long_name) in enumerate(STRENGTHS.items()):
        values = [pair[i] for pair in selected.values()]
        result[name] = "regularizer", values, {"long_name": long_name, "units": "1"}
    return with_protocol("fig5_2", result, shown)
