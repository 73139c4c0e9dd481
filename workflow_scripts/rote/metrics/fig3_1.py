"""Figure 3.1: how often each training example is wrong after a training as short as an epoch."""

import numpy as np
import xarray as xr

from rote.machine.randomness import generator
from rote.metrics import settings_of, unstack_conditions, with_protocol

LONG_NAMES = {
    "misclassified": "example is wrong after the last epoch",
    "diverged": "experiment diverged",
    "misclassification_rate": "misclassification rate",
    "binomial_reference": "misclassification rate if all examples were alike",
}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the misclassification rate of every example, and a binomial reference.

    The rate is the fraction of experiments in which the model gets the example wrong, against the
    label it was trained on. Were all examples alike, the number of times that one is right would be
    binomial: the reference draws it for as many examples, with p the mean P(correct) on randX
    (Arpit et al. 2017, Figure 2), or else on the last kind of noise.

    Args:
        runs: the one of the experiment ``difficulty``, with ``misclassified`` (member, example).

    Returns:
        ``misclassified`` (condition, learning_rate, example, seed), ``diverged`` (condition,
        learning_rate, seed), ``misclassification_rate`` (condition, learning_rate, example) over
        the experiments that did not diverge, ``binomial_reference`` (learning_rate, example), the
        same draws for each learning rate. Attributes ``experiments``, ``epochs``, ``noise_level``
        and ``reference``, the condition that the binomial has its mean from.
    """
    (run,) = runs
    of_members = {"misclassified": run["misclassified"], "diverged": run["diverged_epoch"] > 0}
    result = unstack_conditions(xr.Dataset(of_members))
    wrong, counts = result["misclassified"], ~result["diverged"]
    rate = (wrong & counts).sum("seed") / counts.sum("seed")
    experiments, conditions = result.sizes["seed"], result["condition"].values.tolist()
    # Without randX, the last kind of noise stands for data whose examples are all alike.
    alike = "randX" if "randX" in conditions else conditions[-1]
    # If all experiments diverged, there is no rate.
    right = (1 - rate.sel(condition=alike).mean("example")).fillna(0).values
    draws = [
        generator("binomial reference").binomial(experiments, p, size=result.sizes["example"])
        for p in right
    ]
    reference = ("learning_rate", "example"), 1 - np.array(draws) / experiments
    result = result.assign(misclassification_rate=rate, binomial_reference=reference).assign_coords(
        index=run["index"]
    )
    for name, long_name in LONG_NAMES.items():
        result[name].attrs = {"long_name": long_name, "units": "1"}
    return with_protocol(
        "fig3_1",
        result.assign_attrs(
            experiments=experiments,
            epochs=settings_of(run)["training"]["epochs"],
            noise_level=run["noise_level"].max().item(),
            reference=alike,
        ),
        runs,
    )
