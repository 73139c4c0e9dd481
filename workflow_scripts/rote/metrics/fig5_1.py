"""Figure 5.1: what a regulariser costs on real data, and how much it keeps from being memorised."""

import numpy as np
import xarray as xr

from rote.metrics import join_runs, settings_of, unstack_members, with_protocol

MEASURES = {
    "noise_train_accuracy": "training accuracy on random labels after the last epoch",
    "real_validation_accuracy": "best validation accuracy over the epochs, on real data",
}
REGULARIZER = {"long_name": "regulariser"}
STRENGTH_INDEX = {"long_name": "rank of the strength", "units": "1"}
STRENGTHS = {
    "strength": "p of dropout, standard deviation of noise, weight of decay or adversarial loss",
    "dropout": "p of the dropout that goes with adversarial training",
}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return both accuracies of every regulariser and strength.

    Args:
        runs: those of the experiment ``regularization``: that without a regulariser, and one for
            each.

    Returns:
        ``noise_train_accuracy`` and ``real_validation_accuracy`` (regularizer, learning_rate,
        strength_index, seed), missing where a member diverged. ``strength`` and, beside adversarial
        training, ``dropout`` (regularizer, strength_index), missing where a regulariser has fewer
        strengths. Index 0 is strength 0, the model without regulariser, the same for all; it has
        the weight decay of the other regularisers' models. Accuracies are evaluated without the
        noise of the regulariser.
    """
    each = {settings_of(run)["regularizer"]: run for run in runs}
    unregularized = each.pop("none")
    curves = [_curve(name, unregularized, run) for name, run in each.items()]
    result = xr.concat(curves, "regularizer", join="outer")
    for name, long_name in (MEASURES | STRENGTHS).items():
        result[name].attrs = {"long_name": long_name, "units": "1"}
    return with_protocol("fig5_1", result, runs)


def _curve(regularizer: str, unregularized: xr.Dataset, run: xr.Dataset) -> xr.Dataset:
    """Return what is shown of a regulariser, along ``strength_index`` and ``seed``."""
    pairs, ranks = np.unique(strengths(run), axis=0, return_inverse=True)
    members = join_runs(
        [
            # Index 0 by its run, not its strength: all models may have some weight decay.
            unregularized.assign_coords(strength_index=((), 0, STRENGTH_INDEX)),
            run.assign_coords(strength_index=("member", 1 + ranks, STRENGTH_INDEX)),
        ]
    )
    accuracies = members[["train_accuracy", "validation_accuracy"]]
    table = unstack_members(accuracies, "noise_kind", "strength_index", "seed")
    real, noise = (table.sel(noise_kind=kind, drop=True) for kind in ("real", "randY"))
    strength, dropout = np.vstack([(0, 0), pairs]).T
    if regularizer != "adversarial_dropout":
        dropout = np.full_like(dropout, np.nan)
    return xr.Dataset(
        {
            "noise_train_accuracy": noise["train_accuracy"].isel(epoch=-1, drop=True),
            # Missing at the end, it is missing: the member diverged.
            "real_validation_accuracy": real["validation_accuracy"].max("epoch", skipna=False),
            "strength": ("strength_index", strength),
            "dropout": ("strength_index", dropout),
        },
        coords={"regularizer": ((), regularizer, REGULARIZER)},
    )


def strengths(run: xr.Dataset) -> np.ndarray:
    """Return each member's strength and the p of dropout that goes with it or 0: (member, 2)."""
    regularizer, none = settings_of(run)["regularizer"], np.zeros(run.sizes["member"])
    if regularizer == "adversarial_dropout":
        return np.stack([run["adversarial"], run["dropout"]], axis=1)
    return np.stack([none if regularizer == "none" else run[regularizer], none], axis=1)
