"""The number of each seed, for the parts of claims 1 to 3: one function a family of parts.

Docstrings quote the sentence of claims.md that a function follows.
"""

from math import floor

import numpy as np
import xarray as xr
from seed_statistics import Values

Criteria = dict[str, float]


def first_rate(metrics: xr.Dataset) -> xr.Dataset:
    """“Of several learning rates the first is taken.”"""
    return metrics.isel(learning_rate=0) if "learning_rate" in metrics.dims else metrics


def below(accuracy: xr.DataArray, fitted: float) -> bool:
    """Whether the accuracy, “mean over the seeds, is below 0.9 (fitted)”."""
    return not bool(accuracy.mean("seed") >= fitted)  # nothing is fitted where all diverged


def crossing(widths: np.ndarray, curve: np.ndarray, level: float) -> tuple[float, str]:
    """Return log2 of the smallest width at which a curve has a level, and where it lies.

    “A curve over hidden_units, straight between widths over log2(hidden_units); missing values
    are left out.” Where: “first”, if the smallest width suffices; “none”, if none does; “last”,
    if only the largest does; else “between”.
    """
    x, y = np.log2(widths)[np.isfinite(curve)], curve[np.isfinite(curve)]
    enough = np.flatnonzero(y >= level)
    if not len(y):
        return np.nan, "none"
    if not len(enough):
        return x[-1], "none"
    at = enough[0]
    if at == 0:
        return x[0], "first"
    crossed = x[at - 1] + (level - y[at - 1]) / (y[at] - y[at - 1]) * (x[at] - x[at - 1])
    return crossed, "last" if at == len(y) - 1 else "between"


def fitted_width(fig1: xr.Dataset, kind: str, criteria: Criteria) -> Values:
    """“The smallest width whose train_accuracy is 0.9 (fitted)”: log2 w(1) − log2 w(0).

    “If the smallest width fits, w is at most that width; if none fits, w is the largest width, at
    least. If any narrower model (where none fits, any model) has plateau 0 […], w is at most this.”
    """
    data = first_rate(fig1).sel(noise_kind=kind)
    widths = data.hidden_units.values
    found, up, down = [], False, False
    for seed in data.seed.values:
        w = []
        for level in (1, 0):
            model = data.sel(noise_level=level, seed=seed)
            log2, where = crossing(widths, model.train_accuracy.values, criteria["fitted"])
            tried = model.train_accuracy.notnull().values
            narrower = tried & ((np.log2(widths) < log2) | (where == "none"))
            at_least = where == "none"
            at_most = where == "first" or bool((~model.plateau.values & narrower).any())
            up |= at_least if level == 1 else at_most
            down |= at_most if level == 1 else at_least
            w.append(log2)
        found.append(w[0] - w[1])
    return Values(np.array(found), up, down)


def saturation_width(fig1: xr.Dataset, kind: str, criteria: Criteria) -> Values:
    """“The smallest width whose validation_accuracy is that of the best width less 0.02”.

    “The least-squares slope of log2 s(ℓ) over the levels ℓ < 1, times the highest of them. […] If
    the smallest width suffices, s is at most that width; if only the largest one does, at least.”
    """
    data = first_rate(fig1).sel(noise_kind=kind)
    data = data.sel(noise_level=data.noise_level < 1)
    levels = data.noise_level.values
    weights = levels.max() * (levels - levels.mean()) / ((levels - levels.mean()) ** 2).sum()
    weights[np.isclose(weights, 0)] = 0
    up, down, found = False, False, np.zeros(data.sizes["seed"])
    for level, weight in zip(levels, weights, strict=True):
        for i in range(len(found)):
            curve = data.validation_accuracy.sel(noise_level=level).isel(seed=i).values
            least = np.nanmax(curve) - criteria["margin"]
            log2, where = crossing(data.hidden_units.values, curve, least)
            found[i] += weight * log2
            at_least, at_most = where == "last", where == "first"
            up |= (at_least and weight > 0) or (at_most and weight < 0)
            down |= (at_most and weight > 0) or (at_least and weight < 0)
        if weight:
            fitted = data.train_accuracy.sel(noise_level=level).dropna("hidden_units", how="all")
            if below(fitted.isel(hidden_units=-1), criteria["fitted"]):
                up = down = True
    return Values(found, up, down)


def diminishing_returns(fig1: xr.Dataset, kind: str, criteria: Criteria) -> Values:
    """“h of a curve a […] is (a(√(n·m)) − a(n)) / (a(m) − a(n))”.

    “A seed has no value if one of the two gains, a(m) − a(n), is not above 0.02 (margin).”
    """
    accuracy = first_rate(fig1).sel(noise_kind=kind).validation_accuracy
    between = (accuracy.noise_level > 0) & (accuracy.noise_level < 1)
    noisy = accuracy.sel(noise_level=between).mean("noise_level", skipna=False)
    x = np.log2(accuracy.hidden_units.values)

    def h(curve: np.ndarray) -> float:
        gain = curve[-1] - curve[0]
        there = np.isfinite(curve)
        half = np.interp((x[0] + x[-1]) / 2, x[there], curve[there]) if there.any() else np.nan
        return (half - curve[0]) / gain if gain > criteria["margin"] else np.nan

    seeds = range(accuracy.sizes["seed"])
    real = accuracy.sel(noise_level=0)
    return Values(
        np.array([h(real.isel(seed=i).values) - h(noisy.isel(seed=i).values) for i in seeds])
    )


def validation_falls(fig1: xr.Dataset, kind: str, criteria: Criteria) -> Values:
    """“validation_accuracy at […] the largest of hidden_units and noise_level 0, less that” at 0.8.

    “Both ends of the interval are infinite if the train_accuracy there, mean over the seeds, is
    below 0.9 (fitted) at one of the two levels.”
    """
    data = first_rate(fig1).sel(noise_kind=kind).isel(hidden_units=-1)
    highest = data.noise_level.values[data.noise_level.values < 1].max()
    none, noise = data.sel(noise_level=0), data.sel(noise_level=highest)
    open_ = any(below(one.train_accuracy, criteria["fitted"]) for one in (none, noise))
    falls = none.validation_accuracy - noise.validation_accuracy
    return Values(falls.values, open_, open_)


def time_over_size(fig2: xr.Dataset) -> Values:
    """“b(ℓ) = Σ w(n) · ln t(ℓ, n)”: b(highest noise_level) − b(0).

    “Where converged is false, […] at the highest level and a size with w > 0, or at level 0 and a
    size with w < 0, the true value is at least the measured one.”
    """
    data = first_rate(fig2)
    size = np.log(data.dataset_size)
    weights = (size - size.mean()) / ((size - size.mean()) ** 2).sum()
    slope = (weights * np.log(data.epochs_to_convergence)).sum("dataset_size", skipna=False)
    value = slope.isel(noise_level=-1) - slope.sel(noise_level=0)
    high, none = ~data.converged.isel(noise_level=-1), ~data.converged.sel(noise_level=0)
    at_least = (high & (weights > 0)) | (none & (weights < 0))
    at_most = (high & (weights < 0)) | (none & (weights > 0))
    return Values(value.values, bool(at_least.any()), bool(at_most.any()))


def spread(fig3_1: xr.Dataset, condition: str, within: bool) -> np.ndarray:
    """“C is the sum over the n examples and all ordered pairs of two different experiments”.

    “w is misclassified less its mean over all examples”, or over “the examples with the same label
    trained on, of each experiment”; “the spread is sign(C)·√|C|”. All pairs sum to the square of
    the sum less the sum of squares.
    """
    found = []
    for seed in fig3_1.seed.values:
        one = first_rate(fig3_1).sel(condition=condition, seed=seed)
        wrong = one.misclassified.values[:, ~one.diverged.values].astype(float)
        labels = one.label.values if within else np.zeros(len(wrong))
        groups = np.unique(labels)
        for group in groups:
            wrong[labels == group] -= wrong[labels == group].mean(axis=0)
        n, many = wrong.shape
        pairs = (wrong.sum(axis=1) ** 2 - (wrong**2).sum(axis=1)).sum()
        c = pairs / (many * (many - 1) * (n - len(groups)))
        found.append(np.sign(c) * np.sqrt(abs(c)))
    return np.array(found)


def spreads(fig3_1: xr.Dataset, terms: str, within: bool) -> Values:
    """“That of real”, or “in each replicate, that of real less that of randY”."""
    first, *less = (spread(fig3_1, one, within) for one in terms.split(" less "))
    return Values(first - less[0] if less else first)


def always_or_never(
    fig3_1: xr.Dataset, condition: str, within_label: bool, criteria: Criteria
) -> Values:
    """“An example is always (never) right if at most the fraction nearly = 0.05 […] has it wrong”.

    “Less the probability that this number is at most N·nearly, or at least N − N·nearly (N·nearly
    rounded down)”, the number being Poisson binomial; of alike “examples with the same label
    trained on”, the probability is “averaged over the examples”.
    """
    found = []
    for seed in fig3_1.seed.values:
        one = first_rate(fig3_1).sel(condition=condition, seed=seed)
        wrong = one.misclassified.values[:, ~one.diverged.values]
        many = wrong.shape[1]
        few = floor(round(many * criteria["nearly"], 9))
        counts = wrong.sum(axis=1)
        share = np.mean((counts <= few) | (counts >= many - few))
        number = np.arange(many + 1)
        extreme = (number <= few) | (number >= many - few)
        labels = one.label.values if within_label else np.zeros(len(wrong))
        expected = np.zeros(len(wrong))
        for label in set(labels.tolist()):
            chance = np.ones(1)
            for p in wrong[labels == label].mean(axis=0):
                chance = np.convolve(chance, [1 - p, p])
            expected[labels == label] = chance[extreme].sum()
        found.append(share - expected.mean())
    return Values(np.array(found))


def sensitivity(fig3_2: xr.Dataset, labelling: str, norms: list[str], c: Criteria) -> Values:
    """“share_gini, real less randX, […] at the last update that it was evaluated at”.

    With two norms, the difference at the first less that at the second. “If train_accuracy of real
    or of randX, mean over seeds at the last update, is below `fitted`, […] no bounds.”
    """
    data = fig3_2.sel(labelling=labelling)
    last = data.train_accuracy.dropna("update", how="all")["update"].values[-1]
    data = data.sel(update=last)
    gini = data.share_gini.sel(condition="real") - data.share_gini.sel(condition="randX")
    value = gini.sel(norm=norms[0]) - (gini.sel(norm=norms[1]) if len(norms) > 1 else 0)
    kinds = [data.train_accuracy.sel(condition=one) for one in ("real", "randX")]
    open_ = any(below(one, c["fitted"]) for one in kinds)
    return Values(value.values, open_, open_)


def _gini(values: np.ndarray) -> float:
    """The mean difference of two values over twice their mean, from the sorted values."""
    n = len(values)
    return float((2 * np.arange(1, n + 1) - n - 1) @ np.sort(values) / (n * values.sum()))


def between_classes(fig3_3: xr.Dataset, off_diagonal: bool, criteria: Criteria) -> Values:
    """“The sum of class_share over the cells in which loss_class is example_class”.

    Or “the Gini coefficient of the cells of class_share in which loss_class is not example_class”.
    """
    data = fig3_3.isel(norm=0)
    found = {}
    for condition in ("real", "randX"):
        cells = data.class_share.sel(condition=condition).transpose("seed", ...).values
        own = np.eye(cells.shape[1], dtype=bool)
        of_seed = (lambda x, own=own: _gini(x[~own])) if off_diagonal else lambda x: np.trace(x)
        found[condition] = np.array([of_seed(x) for x in cells])
    kinds = [data.train_accuracy.sel(condition=one) for one in found]
    open_ = any(below(one, criteria["fitted"]) for one in kinds)
    return Values(found["real"] - found["randX"], open_, open_)
