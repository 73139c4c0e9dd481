"""Proxies: cheap measures, of single trainings, of what the memorisation score says of examples."""

import numpy as np
import xarray as xr
from scipy import stats

from rote.measures.correlation import spearman
from rote.measures.memorization import memorization, reliability
from rote.measures.records import unpacked
from rote.metrics import settings_of, with_protocol
from rote.metrics.memorization import Group, groups, members_alike

# By name, the variable of a run, and the sign by which it should grow with the memorisation score.
PROXIES = {
    "misclassified_after_one": ("misclassified after one epoch", 1),
    "first_learned": ("epoch of first learning", 1),
    "forgetting_events": ("forgetting events", 1),
    "area_under_margin": ("area under the margin, negative", -1),
    "cumulative_loss": ("cumulative loss", 1),
    "error_norm": ("EL2N", 1),
    "gradient_norm": ("GraNd", 1),
    "input_curvature": ("input curvature", 1),
    "loss_sensitivity": ("loss-sensitivity", 1),
}
NAMES = [words for words, _ in PROXIES.values()]  # what figures call them
SCORE = "memorization"
LONG_NAMES = {
    "proxy_value": "mean of the measure over the models whose subset holds the example",
    "correlation": "rank correlation over the examples of the measure with the memorisation score, "
    "of the sign that it should have",
    "ceiling": "root of the reliability of the memorisation score: about the most that a measure "
    "can be expected to correlate with it",
    "auroc": "probability that the measure is larger for an example that noise changed than for "
    "one that it kept: area under the ROC curve",
    "changed": "noise has given the example another label, or another input",
}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return how the measures rank the examples, beside the memorisation score.

    Args:
        runs: of the experiment ``memorization``: that of the largest size of the subsets, and that
            of the proxies.

    Returns:
        ``proxy_value`` (proxy, learning_rate, condition, noise_level, example, seed), as measured,
        missing where no model was trained on an example, or nothing measured; ``correlation`` (the
        same without example), and ``auroc``, which ``memorization`` has, too; ``ceiling`` (without
        proxy); ``changed`` (condition, noise_level, example, seed). What is not trained, such as
        real data at a level of noise, is missing. What is never learned counts as learned last.
        Attributes ``models_per_replicate``, of each condition and level, and ``scored_models``,
        from which the scores are.
    """
    scored, measured = runs
    scores = {group.same: group for group in groups(scored)}
    rates = list(dict.fromkeys(scored["learning_rate"].values.tolist()))
    cells = [_of_cell(scores[cell], one) for cell, one in measured_by_cell(measured).items()]
    result = xr.combine_by_coords(cells, join="outer")
    kinds = list(dict.fromkeys(scored["draw_noise_kind"].values.tolist()))
    result = result.sel(condition=kinds, learning_rate=rates).transpose(
        "proxy", "learning_rate", "condition", "noise_level", "example", "seed"
    )
    result["changed"] = result["changed"].isel(learning_rate=0, drop=True)
    for name, long_name in LONG_NAMES.items():
        result[name].attrs = {"long_name": long_name, "units": "1"}
    result["words"].attrs = {"long_name": "what figures call the measure"}
    result["proxy"].attrs = {"long_name": "cheap measure, or the memorisation score"}
    for name in ("learning_rate", "seed"):
        result[name].attrs = {**scored[name].attrs, "units": "1"}
    result["noise_level"].attrs = {
        "long_name": "fraction of the training examples that noise replaces",
        "units": "1",
    }
    result["condition"].attrs = {"long_name": "training data: real, or the name of a noise"}
    draws = measured.sizes["draw"]
    return with_protocol(
        "proxies",
        result.assign_attrs(
            models_per_replicate=measured.sizes["member"] // draws,
            scored_models=scored.sizes["member"] // draws,
        ),
        runs[:1],
    )


def measured_by_cell(run: xr.Dataset) -> dict[tuple, xr.Dataset]:
    """Return the members of each draw and learning rate of a run, by what ``Group.same`` is."""
    names = "draw_noise_kind", "draw_noise_level", "draw_seed"
    return {
        (rate, *(draw[name].item() for name in names)): draw.isel(member=members)
        for draw, rate, members in members_alike(run)
    }


def _of_cell(group: Group, measured: xr.Dataset) -> xr.Dataset:
    """Return the numbers of a condition, a level and a seed, each of them a dimension of one."""
    score, certain = np.full(measured.sizes["example"], np.nan), np.nan
    if len(group.right):  # or all of its models have diverged
        score, _ = memorization(group.right, group.trained)
        certain = reliability(group.right, group.trained)
    values = values_of_proxies(measured)
    signed = oriented(values)
    correlations = [spearman(own, score) for own in signed.values()]
    ranked = {**signed, SCORE: score}
    numbers = {
        "proxy_value": (("proxy", "example"), np.stack([*values.values(), score])),
        "correlation": ("proxy", [*correlations, np.nan]),
        "auroc": ("proxy", [_auroc(own, group.changed) for own in ranked.values()]),
        "changed": ("example", group.changed.astype(float)),
        "ceiling": np.sqrt(np.maximum(certain, 0.0)),
    }
    words = [*NAMES, "memorisation score"]
    cell = xr.Dataset(numbers, coords={"proxy": list(ranked), "words": ("proxy", words)})
    of = {
        "learning_rate": group.learning_rate,
        "condition": group.noise_kind,
        "noise_level": group.noise_level,
        "seed": group.seed,
    }
    return cell.expand_dims({name: [value] for name, value in of.items()})


def values_of_proxies(measured: xr.Dataset) -> dict[str, np.ndarray]:
    """Return each measure of every example: its mean over the members that were trained on it.

    Members that diverged do not count.
    """
    inside = unpacked(measured["trained_on"].values, measured.sizes["example"])
    inside &= ~(measured["diverged_epoch"].values > 0)[:, None]
    return {name: _mean(measured, name, inside) for name in PROXIES}


def oriented(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return measures, each of the sign by which it should grow with the memorisation score."""
    return {name: PROXIES[name][1] * own for name, own in values.items()}


def _mean(measured: xr.Dataset, name: str, inside: np.ndarray) -> np.ndarray:
    """Return the mean of a measure over the members ``inside`` of each example."""
    values = measured[name].values.astype(float)
    if name == "first_learned":
        values = np.where(values == 0, settings_of(measured)["training"]["epochs"] + 1, values)
    values = np.where(inside & np.isfinite(values), values, np.nan)
    count = np.isfinite(values).sum(0)
    total = np.nansum(values, 0)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def _auroc(values: np.ndarray, changed: np.ndarray) -> float:
    """Return P(value of a changed example > that of a kept one), ties counting half."""
    there = np.isfinite(values)
    above, below = values[there & changed], values[there & ~changed]
    if not (len(above) and len(below)):
        return np.nan
    found = stats.mannwhitneyu(above, below).statistic
    return float(found / (len(above) * len(below)))
