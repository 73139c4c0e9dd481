"""Claim 6, our own: nets memorise noise and not real data, by the memorisation score."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.verdicts import Interval, NotTested, Part, over_seeds

SHARE = (
    "memorized_share of memorization.nc, at the first fraction and learning_rate: of each seed, "
    "the share of examples with a memorisation score above memorized_above, corrected for the "
    "noise of the scores. "
)
FITTED = (
    "If train_accuracy, mean over seeds, is below `fitted`, it has no bounds: what is not fitted "
    "is not memorised either."
)


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts on the shares of memorised examples (``memorization``).

    That noise is memorised follows from its being fitted: nothing tells a random label but the
    example itself. So one part asks whether there is anything beyond that.
    """
    margin = criteria["margin"]
    yield Part(
        "memorized_real",
        "memorization",
        "real: share of examples that are memorised",
        f"less than {margin:g} (margin)",
        (-np.inf, margin),
        partial(_share, metrics, "real", "all", criteria),
        "rote",
        f"{SHARE}That of part all of real. {FITTED}",
    )
    for kind in _kinds(metrics):
        yield Part(
            f"memorized_{kind}",
            "memorization",
            f"{kind}: share of memorised examples among those that noise changed, at the highest "
            "level",
            f"more than {1 - margin:g} (1 − margin)",
            (1 - margin, np.inf),
            partial(_share, metrics, kind, "changed", criteria),
            "rote",
            f"{SHARE}That of part changed of {kind} at the highest noise_level. {FITTED}",
        )
        yield Part(
            f"kept_less_real_{kind}",
            "memorization",
            f"{kind}: share of memorised examples among those that noise kept, at the lowest "
            "level of noise, less that of real",
            f"noise has nets memorise real examples: more than {margin:g} (margin)",
            (margin, np.inf),
            partial(_kept, metrics, kind, criteria),
            "ours",
            f"{SHARE}That of part kept of {kind} at the lowest noise_level above 0, less that of "
            f"part all of real, in each seed. {FITTED}",
        )
    if "randY" in _kinds(metrics):
        yield Part(
            "beyond_fitting",
            "memorization",
            "random labels: mean memorisation score less what fitting them implies",
            f"as much as fitting implies: between −{margin:g} and {margin:g} (margin)",
            (-margin, margin),
            partial(_beyond, metrics, criteria),
            "ours",
            "Of each seed, mean_memorization of randY at noise_level 1, part all, less "
            "(train_accuracy − 1/classes): a label that is drawn uniformly is right in 1/classes "
            "of the models that were not trained on it, and as often as the training accuracy in "
            f"the others. {FITTED}",
        )


def _kinds(metrics: Mapping[str, xr.Dataset]) -> list[str]:
    """Return the kinds of noise that there are, at a level above 0."""
    if "memorization" not in metrics or metrics["memorization"]["noise_level"].max() == 0:
        return []
    return [kind for kind in metrics["memorization"]["condition"].values if kind != "real"]


def _of(metrics: Mapping[str, xr.Dataset], kind: str, level: float) -> xr.Dataset:
    """Return the numbers of a condition at a level, of the first fraction."""
    one = metrics["memorization"].isel(fraction=0)
    if kind not in one["condition"] or level not in one["noise_level"]:
        raise NotTested(f"the experiment memorization has no {kind} at level {level:g}")
    return one.sel(condition=kind, noise_level=level)


def _level(metrics: Mapping[str, xr.Dataset], kind: str, lowest: bool = False) -> float:
    """Return the highest, or the lowest, level of a noise: 0 of real data."""
    levels = metrics["memorization"]["noise_level"].values
    if kind == "real":
        return levels.min()
    return levels[levels > 0].min() if lowest else levels.max()


def _interval(values: xr.DataArray, of: Sequence[xr.Dataset], criteria: dict) -> Interval:
    reached = {
        str(one["condition"].item()): one["train_accuracy"].mean("seed").item() for one in of
    }
    return over_seeds(values.values, criteria).if_fitted(reached, criteria)


def _share(metrics: Mapping[str, xr.Dataset], kind: str, part: str, criteria: dict) -> Interval:
    """Return the share of memorised examples of a part."""
    one = _of(metrics, kind, _level(metrics, kind))
    return _interval(one["memorized_share"].sel(part=part), [one], criteria)


def _kept(metrics: Mapping[str, xr.Dataset], kind: str, criteria: dict) -> Interval:
    """Return by how much more of the examples are memorised that noise keeps, than of real data."""
    real = _of(metrics, "real", _level(metrics, "real"))
    share = real["memorized_share"].sel(part="all")
    noise = _of(metrics, kind, _level(metrics, kind, lowest=True))
    return _interval(noise["memorized_share"].sel(part="kept") - share, [real, noise], criteria)


def _beyond(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Interval:
    """Return the mean score of random labels, less what fitting them implies."""
    one = _of(metrics, "randY", 1.0)
    implied = one["train_accuracy"] - 1 / metrics["memorization"].attrs["classes"]
    return _interval(one["mean_memorization"].sel(part="all") - implied, [one], criteria)
