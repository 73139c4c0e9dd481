"""Figure 5.2: training accuracy over the epochs, with selected strengths of the regularisers."""

import numpy as np
import xarray as xr

from rote.metrics import CONDITION, SEED, filled, settings_of, with_protocol
from rote.metrics.fig4_1 import EPOCH
from rote.metrics.fig5_1 import REGULARIZER, STRENGTHS, strengths


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the training accuracies on real data and on random labels.

    Args:
        runs: those of the experiment ``regularization``: that without a regulariser, and one for
            each.

    Returns:
        ``train_accuracy`` (condition, regularizer, epoch, seed), evaluated without the noise of the
        regulariser and missing where a member diverged. ``strength`` and, beside adversarial
        training, ``dropout`` (regularizer): those that the settings select, 0 for ``none``. A
        regulariser of which no strength is selected is left out.
    """
    selected = {}
    for run in runs:
        settings = settings_of(run)
        if settings["selected"] or settings["regularizer"] == "none":
            pair = np.atleast_1d(settings["selected"]).tolist()
            selected[settings["regularizer"]] = (pair[0], pair[1] if len(pair) > 1 else 0.0), run
    coordinates = {
        "condition": (["real", "randY"], CONDITION),
        "regularizer": (list(selected), REGULARIZER),
        "epoch": (runs[0]["epoch"].values, EPOCH),
        "seed": (np.unique(runs[0]["seed"]), SEED),
    }
    names = {"train_accuracy": "accuracy on the training examples and their labels"}
    result = filled(names, coordinates)
    for name, (wanted, run) in selected.items():
        there = [wanted] * run.sizes["member"] if name == "none" else strengths(run, name)
        for i in (i for i, strength in enumerate(there) if strength == wanted):
            member = run.isel(member=i)
            where = {
                "condition": member["noise_kind"].item(),
                "regularizer": name,
                "seed": member["seed"].item(),
            }
            result["train_accuracy"].loc[where] = member["train_accuracy"].values
    for k, (name, long_name) in enumerate(STRENGTHS.items()):
        values = [wanted[k] for wanted, _ in selected.values()]
        result[name] = "regularizer", values, {"long_name": long_name, "units": "1"}
    return with_protocol(result, [run for _, run in selected.values()])
