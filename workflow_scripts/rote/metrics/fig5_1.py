"""Figure 5.1: what a regulariser costs on real data, and how much it keeps from being memorised."""

import numpy as np
import xarray as xr

from rote.metrics import SEED, filled, settings_of, with_protocol

MEASURES = {
    "noise_train_accuracy": "training accuracy on random labels after the last epoch",
    "real_validation_accuracy": "best validation accuracy over the epochs, on real data",
}
REGULARIZER = {"long_name": "regulariser", "units": "1"}
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
        ``noise_train_accuracy`` and ``real_validation_accuracy`` (regularizer, strength_index,
        seed), missing where a member diverged. ``strength`` and, beside adversarial training,
        ``dropout`` (regularizer, strength_index), missing where a regulariser has fewer strengths.
        Index 0 is strength 0, the model without regulariser, the same for all; it has the weight
        decay of the other regularisers' models. Accuracies are evaluated without the noise of the
        regulariser.
    """
    each = {settings_of(run)["regularizer"]: run for run in runs}
    unregularized = each.pop("none")
    ranks = {name: sorted(set(strengths(run, name))) for name, run in each.items()}
    count = 1 + max(map(len, ranks.values()))
    coordinates = {
        "regularizer": (list(each), REGULARIZER),
        "strength_index": (np.arange(count), {"long_name": "rank of the strength", "units": "1"}),
        "seed": (np.unique(unregularized["seed"]), SEED),
    }
    result = filled(MEASURES, coordinates)
    for name, run in each.items():
        # Index 0 by its run, not its strength: all models may have some weight decay.
        indices = [1 + ranks[name].index(strength) for strength in strengths(run, name)]
        for part, at in ((unregularized, [0] * unregularized.sizes["member"]), (run, indices)):
            for i, index in enumerate(at):
                member = part.isel(member=i)
                measure, value = "noise_train_accuracy", member["train_accuracy"][-1].item()
                if member["noise_kind"] == "real":
                    measure = "real_validation_accuracy"
                    # Missing at the end, it is missing: the member diverged.
                    value = member["validation_accuracy"].max("epoch", skipna=False).item()
                where = {
                    "regularizer": name,
                    "strength_index": index,
                    "seed": member["seed"].item(),
                }
                result[measure].loc[where] = value
    for k, (name, long_name) in enumerate(STRENGTHS.items()):
        table = np.full((len(each), count), np.nan)
        for row, regularizer in zip(table, each, strict=True):
            if name == "strength" or regularizer == "adversarial_dropout":
                row[: 1 + len(ranks[regularizer])] = [0, *(pair[k] for pair in ranks[regularizer])]
        attrs = {"long_name": long_name, "units": "1"}
        result[name] = ("regularizer", "strength_index"), table, attrs
    return with_protocol(result, runs)


def strengths(run: xr.Dataset, regularizer: str) -> list[tuple[float, float]]:
    """Return the strength of each member of a run, and the p of dropout that goes with it or 0."""
    name, p = regularizer, np.zeros(run.sizes["member"])
    if regularizer == "adversarial_dropout":
        name, p = "adversarial", run["dropout"].values
    return list(zip(run[name].values.tolist(), p.tolist(), strict=True))
