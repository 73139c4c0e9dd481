"""Forgetting: how often each training example is right, and then wrong again."""

import numpy as np
import xarray as xr

from rote.metrics import settings_of, unstack_conditions, with_protocol
from rote.metrics.fig3_1 import examples_of

COUNTED = {"presented": "", "scored": "_scored"}  # and what the names of a run end with
COUNTS = "forgetting_events", "first_learned"
PARTS = "all", "kept", "replaced"
LONG_NAMES = {
    "forgetting_events": "times that the example was right, and wrong the next time",
    "first_learned": "epoch in which the example was first right, 0 if it never was",
    "diverged": "experiment diverged",
    "forgotten_share": "share of the examples that are forgotten at least so often; never learned "
    "is forgotten infinitely often",
    "unforgettable_share": "share of the examples that are learned and never forgotten",
    "never_learned_share": "share of the examples that are never right",
    "learned_epoch": "mean over the examples that are learned of the epoch of first_learned",
}
WORDS = {
    "counted": "between what: presented, two presentations in batches (Toneva et al. 2019); "
    "scored, two scores at the ends of epochs",
    "part": "which examples: all, those that noise kept as they are, or those that it replaced",
    "events": "forgetting events of an example",
    "noise_level": "fraction of the training examples that noise replaces, if it is not real data",
}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the forgetting events of every example, and the shares of examples with so many.

    Args:
        runs: the one of the experiment ``forgetting``, with what
            :class:`rote.measures.forgetting.Forgetting` keeps, and ``replaced``, ``index`` and
            ``label`` (member, example).

    Returns:
        ``forgetting_events`` and ``first_learned`` (counted, condition, noise_level, learning_rate,
        example, experiment, seed), ``diverged`` (condition, learning_rate, experiment, seed); over
        the experiments that did not diverge, ``forgotten_share`` (counted, part, condition,
        learning_rate, events, seed), up to one event more than any example has, and
        ``unforgettable_share``, ``never_learned_share`` and ``learned_epoch``, the same without
        events; missing where a part is empty. ``index`` (seed, example), ``label`` and ``replaced``
        (condition, seed, example). Attributes ``epochs``, ``experiments`` and ``noise_level``.
    """
    (run,) = runs
    names = [name + ends for ends in COUNTED.values() for name in COUNTS]
    table = unstack_conditions(
        xr.Dataset({**{name: run[name] for name in names}, "diverged": run["diverged_epoch"] > 0}),
        "experiment",
    )
    counted = xr.Variable("counted", list(COUNTED))
    events, first = (
        xr.concat([table[name + ends] for ends in COUNTED.values()], counted) for name in COUNTS
    )
    conditions, seeds = table["condition"].values.tolist(), table["seed"].values
    examples = examples_of(run, conditions, seeds)
    replaced = examples["replaced"]
    parts = xr.concat(
        [xr.ones_like(replaced), ~replaced, replaced], xr.Variable("part", list(PARTS))
    )
    counts = (parts & ~table["diverged"]).astype(float)

    def share(true: xr.DataArray) -> xr.DataArray:
        """Return the share of the examples of each part, over all experiments that count."""
        return true.weighted(counts).mean(("example", "experiment"))

    level = {"noise_level": [run["noise_level"].max().item()]}  # of what is not real
    times = np.arange(1, int(events.max()) + 2)
    forgotten = events.where(first > 0, np.inf)
    shares = [share(forgotten >= count) for count in times]
    result = xr.Dataset(
        {
            "forgetting_events": events.expand_dims(level),
            "first_learned": first.expand_dims(level),
            "diverged": table["diverged"],
            "forgotten_share": xr.concat(shares, xr.Variable("events", times)),
            "unforgettable_share": share(forgotten == 0),
            "never_learned_share": share(first == 0),
            "learned_epoch": first.weighted(counts * (first > 0)).mean(("example", "experiment")),
        }
    ).transpose(
        "counted",
        "part",
        "condition",
        "noise_level",
        "learning_rate",
        "events",
        "example",
        "experiment",
        "seed",
        missing_dims="ignore",
    )
    for name, long_name in LONG_NAMES.items():
        result[name].attrs = {"long_name": long_name, "units": "1"}
    for name, words in WORDS.items():
        result[name].attrs = {"long_name": words} | (
            {"units": "1"} if name in ("events", "noise_level") else {}
        )
    return with_protocol(
        "forgetting",
        result.assign_coords(examples).assign_attrs(
            experiments=table.sizes["experiment"],
            epochs=settings_of(run)["training"]["epochs"],
            noise_level=level["noise_level"][0],
        ),
        runs,
    )
