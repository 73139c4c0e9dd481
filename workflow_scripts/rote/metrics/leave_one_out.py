"""Memorisation and influence by leaving one example out, against those by random subsets.

Both are estimates of what a model owes to having been trained on an example. Left out is the
definition itself, for one set of examples: the first of them, as many as a random subset has.
Random subsets give its mean over all sets of this size. So both differ by more than their noise.
"""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from rote.measures import leave_one_out
from rote.measures.agreement import Estimate, agreement, interval, rank_reliability
from rote.measures.correlation import spearman
from rote.measures.memorization import jackknife, mean_score, memorization
from rote.measures.records import unpacked
from rote.metrics import settings_of, with_protocol
from rote.metrics.memorization import Group, groups, halving_groups
from rote.metrics.proxies import NAMES, measured_by_cell, oriented, values_of_proxies

OF_EXAMPLES = {
    "left_out_score": "memorisation score by leaving the example out of the first examples",
    "left_out_score_error": "standard error of this score, over replicates",
    "subset_score": "memorisation score by random subsets of all examples",
    "subset_score_error": "standard error of this score, over models",
}
OF_PAIRS = {
    "left_out_influence": "influence of the training example on the validation example, by leaving "
    "it out instead of another one of the pairs",
    "left_out_influence_error": "standard error of this influence, over replicates",
    "subset_influence": "influence of the training example on the validation example, by random "
    "subsets",
    "subset_influence_error": "standard error of this influence, over models",
}
_INTERVAL = "its 95 % interval, by the jackknife over training examples, models given: {} end"
OF_PARTS = {
    "pearson": "correlation of left out with random subsets",
    "pearson_low": _INTERVAL.format("lower"),
    "pearson_high": _INTERVAL.format("upper"),
    "pearson_ceiling": "correlation if the true values were the same: root of the product of both "
    "reliabilities",
    "spearman": "rank correlation of left out with random subsets",
    "spearman_low": _INTERVAL.format("lower"),
    "spearman_high": _INTERVAL.format("upper"),
    "spearman_ceiling": "the same ceiling, of the rank correlation",
    "slope": "slope of left out on random subsets, divided by the reliability of the latter: noise "
    "in these does not lower it",
    "slope_low": _INTERVAL.format("lower"),
    "slope_high": _INTERVAL.format("upper"),
    "difference": "mean of left out less random subsets",
    "difference_error": "standard error of the difference, over models and replicates",
    "left_out_reliability": "correlation with another study like this one, of replicates",
    "subset_reliability": "correlation with another study like this one, of models",
    "part_examples": "examples, or pairs, of the part",
}
OF_CONDITIONS = {
    "fitted_models": "share of the models that leave one example out and have the others right",
    "diverged_models": "share of the models that leave one example out and diverged",
    "rank_ceiling": "root of the reliability of the ranks of the memorisation scores by leaving "
    "out: about the most that a measure can be expected to correlate with them",
}
OF_PROXIES = {
    "proxy_value": "mean of the measure over the models whose subset holds the example",
    "proxy_correlation": "rank correlation over the examples of the measure with the memorisation "
    "score by leaving out, of the sign that it should have",
    "proxy_correlation_low": _INTERVAL.format("lower"),
    "proxy_correlation_high": _INTERVAL.format("upper"),
}
LONG_NAMES = {
    **OF_EXAMPLES,
    **OF_PAIRS,
    **OF_PARTS,
    **OF_CONDITIONS,
    **OF_PROXIES,
    "changed": "noise has given the example another label, or another input",
    "index": "position of the training example in its part of the original data set",
    "pair_train": "position of the training example of the pair along example",
    "pair_validation": "position of the validation example of the pair",
    "noise_level": "fraction of the training examples that noise replaces",
}
WORDS = {
    "part": "what is compared: memorisation scores of all examples, of those that noise kept as "
    "they are, or of those that it changed; or influences, of the pairs",
    "condition": "training data: real, or the name of a noise",
    "proxy": "cheap measure of a single training",
    "words": "what figures call the measure",
}
PARTS = "all", "kept", "changed", "pairs"
DIMENSIONS = "proxy", "learning_rate", "part", "condition", "noise_level", "pair", "example", "seed"


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return both scores of every example, and how far they agree.

    Args:
        runs: of the experiment ``memorization``: on random subsets, ``left-out`` and, if there are
            such, ``left-out-more`` and ``proxies``.

    Returns:
        Those of ``OF_EXAMPLES`` (learning_rate, condition, noise_level, example, seed), missing for
        examples that are never left out; those of ``OF_PAIRS`` along ``pair`` instead of
        ``example``, with ``pair_train`` and ``pair_validation``, if there are any; those of
        ``OF_PARTS`` along ``part``, those of ``OF_CONDITIONS`` without either; of proxies, those of
        ``OF_PROXIES`` along ``proxy``, ``proxy_value`` also along ``example``; ``changed``
        (condition, noise_level, example, seed) and ``index`` (example, seed). Missing is what there
        is not: real data at a level above 0, and noise at 0. Attributes ``subset_models``, those on
        random subsets, ``replicates``, ``pair_replicates`` and ``proxy_models``, of a condition and
        a seed, ``proxy_fraction``, of the examples that these are trained on, and ``trained``, the
        number of examples that a model with one left out is trained on.
    """
    # Models of proxies are among those on random subsets, and are not counted again.
    scored = [run for run in runs if "right" in run]
    subsets, left_out, *more = scored
    measured = [run for run in runs if "right" not in run]
    pairs = np.array(settings_of(more[0])["pairs"] if more else np.empty((0, 2)), int)
    found = [_of_group(*same, pairs=pairs) for same in _alike(scored)]
    if measured:
        proxies = measured_by_cell(measured[0])
        found = [_with_proxies(one, proxies) for one in found]
    kinds = list(dict.fromkeys(subsets["draw_noise_kind"].values.tolist()))
    rates = list(dict.fromkeys(subsets["learning_rate"].values.tolist()))
    along = ["learning_rate", "condition", "noise_level", "seed"]
    stacked = xr.concat(found, "group", coords="all")
    result = stacked.set_index(group=along).unstack("group", fill_value={"changed": False})
    result = result.sel(condition=kinds, learning_rate=rates)
    _, firsts = np.unique(subsets["draw_seed"].values, return_index=True)
    result = result.assign(index=(("seed", "example"), subsets["index"].values[firsts]))
    if measured:
        result = result.assign_coords(words=("proxy", NAMES))
    if more:
        result = result.assign_coords(
            pair_train=("pair", pairs[:, 0]), pair_validation=("pair", pairs[:, 1])
        )
    result = result.transpose(*DIMENSIONS, missing_dims="ignore")
    for name, long_name in LONG_NAMES.items():
        if name in result.variables:
            result[name].attrs = {"long_name": long_name, "units": "1"}
    for name, words in WORDS.items():
        if name in result.variables:
            result[name].attrs = {"long_name": words}
    for name in ("learning_rate", "seed"):
        result[name].attrs = subsets[name].attrs
    counts = {
        "subset_models": subsets.sizes["member"] // (subsets.sizes["draw"] * len(rates)),
        "replicates": _replicates(left_out),
        "pair_replicates": _replicates(more[0]) if more else 0,
        "proxy_models": _replicates(measured[0]) if measured else 0,
        "proxy_fraction": measured[0]["percent"].values[0].item() / 100 if measured else np.nan,
        "trained": int(np.unpackbits(left_out["trained_on"].values[0]).sum()),
    }
    return with_protocol("leave_one_out", result.assign_attrs(counts), scored)


def _alike(runs: list[xr.Dataset]) -> Iterator[list[Group]]:
    """Yield those groups of models, of each run one, that are trained on the same data."""
    of_runs = [{group.same: group for group in groups(run)} for run in runs]
    for same, group in of_runs[0].items():
        yield [group, *(others[same] for others in of_runs[1:])]


def _replicates(run: xr.Dataset) -> int:
    return len(np.unique(run["experiment"].values))


def _of_group(
    subsets: Group, left_out: Group, more: Group | None = None, *, pairs: np.ndarray
) -> xr.Dataset:
    """Return the numbers of one condition and seed."""
    shares = leave_one_out.shares(left_out.right, left_out.trained, _replicate(left_out))
    examples = np.arange(len(subsets.changed))
    scores, of_scores = _both(shares, subsets.right, subsets.trained), shares
    there, changed = ~np.isnan(scores[0] + scores[2]), subsets.changed
    for values in scores:
        values[~there] = np.nan
    parts = {
        part: _compared(shares, subsets.right, subsets.trained, where, examples)
        for part, where in zip(PARTS, (there, there & ~changed, there & changed), strict=False)
    }
    of_pairs = {}
    if more:
        train, validation = pairs.T
        right, trained = _validation_right(subsets)[:, validation], subsets.trained[:, train]
        shares = leave_one_out.shares(
            _validation_right(more)[:, validation], more.trained[:, train], _replicate(more)
        )
        every = np.ones(len(pairs), bool)
        parts["pairs"] = _compared(shares, right, trained, every, train)
        of_pairs = {
            name: ("pair", values)
            for name, values in zip(OF_PAIRS, _both(shares, right, trained), strict=True)
        }
    else:
        parts["pairs"] = dict.fromkeys(OF_PARTS, np.nan) | {"part_examples": 0.0}
    return xr.Dataset(
        {
            **{name: ("example", one) for name, one in zip(OF_EXAMPLES, scores, strict=True)},
            **of_pairs,
            **{name: ("part", [one[name] for one in parts.values()]) for name in OF_PARTS},
            "fitted_models": (left_out.models["train_accuracy"][:, -1] == 1).mean().item(),
            "diverged_models": (left_out.models["diverged_epoch"] > 0).mean().item(),
            "rank_ceiling": _rank_ceiling(of_scores),
            "changed": ("example", changed),
        },
        coords={
            "part": list(PARTS),
            "learning_rate": left_out.learning_rate,
            "condition": left_out.noise_kind,
            "noise_level": left_out.noise_level,
            "seed": left_out.seed,
        },
    )


def _with_proxies(one: xr.Dataset, proxies: dict[tuple, xr.Dataset]) -> xr.Dataset:
    """Return the numbers of a condition and seed with those of its cheap measures, by rank."""
    cell = tuple(one[name].item() for name in ("learning_rate", "condition", "noise_level", "seed"))
    values = values_of_proxies(proxies[cell])
    score = one["left_out_score"].values
    found = []
    for own in oriented(values).values():
        there = np.isfinite(own + score)
        if not there.any():
            found.append((np.nan, np.nan, np.nan))
            continue
        found.append(interval(spearman, own[there], score[there], np.flatnonzero(there)))
    correlation, low, high = zip(*found, strict=True)
    return one.assign(
        proxy_value=(("proxy", "example"), np.stack([*values.values()])),
        proxy_correlation=("proxy", list(correlation)),
        proxy_correlation_low=("proxy", list(low)),
        proxy_correlation_high=("proxy", list(high)),
    ).assign_coords(proxy=list(values))


def _rank_ceiling(shares: np.ndarray) -> float:
    """Return the root of the reliability of the ranks of scores by leaving out."""
    there = ~np.isnan(leave_one_out.score(shares)[0])
    if not there.any():
        return np.nan
    of_ranks = Estimate(shares.shape[1], lambda own: leave_one_out.score(shares[:, own])[0][there])
    return float(np.sqrt(max(rank_reliability(of_ranks), 0)))


def _both(shares: np.ndarray, right: np.ndarray, trained: np.ndarray) -> list[np.ndarray]:
    """Return the values of all targets by leaving out, their errors, and both by subsets."""
    return [*leave_one_out.score(shares), *memorization(right, trained)]


def _compared(
    shares: np.ndarray,
    right: np.ndarray,
    trained: np.ndarray,
    where: np.ndarray,
    cluster: np.ndarray,
) -> dict[str, float]:
    """Return the numbers of a part of the targets, see ``OF_PARTS``.

    Args:
        shares: by leaving out (2, replicates, targets).
        right: whether a model on a random subset is right about a target, (models, targets).
        trained: whether it was trained on the example of the target, the same.
        where: which targets are of the part.
        cluster: the training example of each.
    """
    if not where.any():
        return dict.fromkeys(OF_PARTS, np.nan) | {"part_examples": 0.0}
    shares, right, trained = shares[..., where], right[:, where], trained[:, where]
    one = Estimate(shares.shape[1], lambda own: leave_one_out.score(shares[:, own])[0])
    other = Estimate(len(right), lambda own: memorization(right[own], trained[own])[0])
    left_out, error = leave_one_out.mean_score(shares)
    mean, of_mean = _mean_by_subsets(right, trained)
    return {
        **agreement(one, other, cluster[where]),
        "difference": left_out - mean,
        "difference_error": np.hypot(error, of_mean),
        "part_examples": float(where.sum()),
    }


def _mean_by_subsets(right: np.ndarray, trained: np.ndarray) -> tuple[float, float]:
    """Return the mean of the values by random subsets, and its standard error over models."""
    if len(right) < 4:
        return mean_score(right, trained), np.nan
    value, error = jackknife(mean_score, right, trained, halving_groups(len(right)))
    return float(value), float(error)


def _replicate(group: Group) -> np.ndarray:
    return group.left["experiment"].values


def _validation_right(group: Group) -> np.ndarray:
    models = group.left
    return unpacked(models["validation_right"].values, models.sizes["validation_example"])
