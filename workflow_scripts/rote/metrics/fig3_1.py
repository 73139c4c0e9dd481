"""Figure 3.1: how often each training example is wrong after a training as short as an epoch."""

import numpy as np
import xarray as xr

from rote.machine.randomness import generator
from rote.metrics import CONDITION, SEED, settings_of, with_protocol


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the misclassification rate of every example, and a binomial reference.

    The rate is the fraction of experiments in which the model gets the example wrong, against the
    label it was trained on. Were all examples alike, the number of times that one is right would be
    binomial: the reference draws it for as many examples, with p the mean P(correct) on randX
    (Arpit et al. 2017, Figure 2), or else on the last kind of noise.

    Args:
        runs: the one of the experiment ``difficulty``, with ``misclassified`` (member, example).

    Returns:
        ``misclassified`` (condition, example, seed), ``diverged`` (condition, seed),
        ``misclassification_rate`` (condition, example) over the experiments that did not diverge,
        ``binomial_reference`` (example). Attributes ``experiments``, ``epochs``, ``noise_level``
        and ``reference``, the condition that the binomial has its mean from.
    """
    (run,) = runs
    conditions = list(dict.fromkeys(run["noise_kind"].values.tolist()))
    of_condition = [run.isel(member=run["noise_kind"].values == name) for name in conditions]
    wrong = np.stack([part["misclassified"].values.T for part in of_condition])
    diverged = np.stack([part["diverged_epoch"].values > 0 for part in of_condition])
    rate = np.ma.masked_array(wrong, np.broadcast_to(diverged[:, None], wrong.shape)).mean(2)
    rate = rate.filled(np.nan)
    experiments = wrong.shape[2]
    # Without randX, the last kind of noise stands for data whose examples are all alike.
    alike = "randX" if "randX" in conditions else conditions[-1]
    right = np.nan_to_num(1 - rate[conditions.index(alike)].mean())
    draws = generator("binomial reference").binomial(experiments, right, size=wrong.shape[1])
    result = xr.Dataset(
        {
            "misclassified": (
                ("condition", "example", "seed"),
                wrong,
                {"long_name": "example is wrong after the last epoch", "units": "1"},
            ),
            "diverged": (
                ("condition", "seed"),
                diverged,
                {"long_name": "experiment diverged", "units": "1"},
            ),
            "misclassification_rate": (
                ("condition", "example"),
                rate,
                {"long_name": "misclassification rate", "units": "1"},
            ),
            "binomial_reference": (
                "example",
                1 - draws / experiments,
                {"long_name": "misclassification rate if all examples were alike", "units": "1"},
            ),
        },
        coords={
            "condition": ("condition", conditions, CONDITION),
            "seed": ("seed", of_condition[0]["seed"].values, SEED),
            "index": run["index"],
        },
        attrs={
            "experiments": experiments,
            "epochs": settings_of(run)["training"]["epochs"],
            "noise_level": run["noise_level"].max().item(),
            "reference": alike,
        },
    )
    return with_protocol(result, runs)
