"""Figure 3.1: how often each training example is wrong after a training as short as an epoch."""

import numpy as np
import xarray as xr

from rote.machine.randomness import generator
from rote.measures.difficulty import spread
from rote.metrics import settings_of, unstack_conditions, with_protocol

LONG_NAMES = {
    "misclassified": "example is wrong after the last epoch",
    "diverged": "experiment diverged",
    "misclassification_rate": "misclassification rate",
    "spread": "standard deviation over examples of the true error rate; below 0: of a negative "
    "variance",
    "spread_within_label": "the same around the mean of the examples of a label",
    "binomial_reference": "misclassification rate if all examples were alike",
}
DIMS = "condition", "learning_rate", "example", "experiment", "seed"


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the misclassification rate of every example, how far they spread, and a reference.

    The rate is the fraction of experiments in which the model gets the example wrong, against the
    label it was trained on. Were all examples alike, the number of times that one is right would be
    binomial: the reference draws it for as many examples, with p the mean P(correct) on randX
    (Arpit et al. 2017, Figure 2), or else on the last kind of noise.

    Args:
        runs: the one of the experiment ``difficulty``, with ``misclassified``, ``index`` and
            ``label`` (member, example).

    Returns:
        ``misclassified`` (condition, learning_rate, example, experiment, seed), ``diverged``
        (condition, learning_rate, experiment, seed); over the experiments that did not diverge,
        ``misclassification_rate`` (condition, learning_rate, example, seed), and ``spread`` and
        ``spread_within_label`` (condition, learning_rate, seed), those of
        :func:`rote.measures.difficulty.spread`; ``binomial_reference`` (learning_rate, example,
        seed), the same draws for each learning rate, missing where no experiment gives a mean.
        ``index`` (seed, example) says which examples a seed has drawn, ``label`` (condition, seed,
        example) what they were trained on. Attributes ``experiments``, ``epochs``, ``noise_level``
        and ``reference``, the condition that the binomial has its mean from.
    """
    (run,) = runs
    of_members = {"misclassified": run["misclassified"], "diverged": run["diverged_epoch"] > 0}
    table = unstack_conditions(xr.Dataset(of_members), "experiment").transpose(*DIMS)
    wrong, counts = table["misclassified"], ~table["diverged"]
    rate = (wrong & counts).sum("experiment") / counts.sum("experiment")
    conditions, seeds = table["condition"].values.tolist(), table["seed"].values
    # Without randX, the last kind of noise stands for data whose examples are all alike.
    alike = "randX" if "randX" in conditions else conditions[-1]
    examples = examples_of(run, conditions, seeds)
    result = table.assign(
        misclassification_rate=rate,
        spread=_spread(wrong, counts, None),
        spread_within_label=_spread(wrong, counts, examples["label"]),
        binomial_reference=_reference(rate.sel(condition=alike), table.sizes["experiment"]),
    )
    result["binomial_reference"] = result["binomial_reference"].transpose(..., "seed")
    for name, long_name in LONG_NAMES.items():
        result[name].attrs = {"long_name": long_name, "units": "1"}
    return with_protocol(
        "fig3_1",
        result.assign_coords(examples).assign_attrs(
            experiments=table.sizes["experiment"],
            epochs=settings_of(run)["training"]["epochs"],
            noise_level=run["noise_level"].max().item(),
            reference=alike,
        ),
        runs,
    )


def examples_of(
    run: xr.Dataset, conditions: list[str], seeds: np.ndarray
) -> dict[str, xr.DataArray]:
    """Return ``index`` (seed, example), and ``label`` (condition, seed, example).

    Of a run that says it also, like the latter, which examples noise has ``replaced``.
    """
    columns = zip(run["noise_kind"].values, run["seed"].values, strict=True)
    member = {column: i for i, column in enumerate(columns)}  # one of those that share them
    rows = np.array([[member[kind, seed] for seed in seeds] for kind in conditions])
    found = {"index": xr.DataArray(run["index"].values[rows[0]], dims=("seed", "example"))}
    for name in ("label", "replaced"):
        if name in run.coords:
            values, dims = run[name].values[rows], ("condition", "seed", "example")
            found[name] = xr.DataArray(values, dims=dims)
    return {name: values.assign_attrs(run[name].attrs) for name, values in found.items()}


def _spread(wrong: xr.DataArray, counts: xr.DataArray, label: xr.DataArray | None) -> xr.DataArray:
    """Return the spread over the examples, (condition, learning_rate, seed)."""
    groups = label if label is not None else xr.zeros_like(wrong.isel(experiment=0), dtype=int)
    return xr.apply_ufunc(
        lambda w, counted, group: spread(w[:, counted], group),
        wrong,
        counts,
        groups,
        input_core_dims=[["example", "experiment"], ["experiment"], ["example"]],
        vectorize=True,
    ).transpose("condition", "learning_rate", "seed")


def _reference(rate: xr.DataArray, experiments: int) -> tuple:
    """Return the rates of a binomial, the dimensions with them; ``rate`` is that of alike ones."""
    right, size = 1 - rate.mean("example"), rate.sizes["example"]
    draws = [
        [
            generator("binomial reference", int(seed)).binomial(experiments, p, size=size)
            if np.isfinite(p)
            else np.full(size, np.nan)  # there is no rate: all experiments diverged
            for p in right.sel(seed=seed).values
        ]
        for seed in rate["seed"].values
    ]
    return ("seed", "learning_rate", "example"), 1 - np.array(draws) / experiments
