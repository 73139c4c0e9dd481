"""What the paper alone states beside claim 4: the course of ratios, accuracies, other radii."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.quantiles import of_best
from rote.claims.ratios import (
    FITTED,
    ONE_CLASS,
    OVER_SEEDS,
    RATIO,
    SHARE,
    at_level,
    interpolated,
    last_accuracy,
    of_condition,
    of_kind,
    of_several_classes,
)
from rote.claims.verdicts import Inconclusive, Interval, NotTested, Part, more_than, over_seeds

KINDS = "randX", "randY"


def parts(
    metrics: Mapping[str, xr.Dataset], case: str, title: str, criteria: dict
) -> Iterator[Part]:
    """Yield the parts of a case; ``title`` is what their descriptions begin with."""
    margin, row = criteria["margin"], f'Of dataset "{case}"'
    within = f"between {-margin:g} and {margin:g} (margin)"
    for kind in KINDS:
        of_kind_, ratio = f"{title}{kind}: ", "critical sample ratio"
        thirds = (
            f"{row} and noise_kind {kind}, at its highest noise_level and the first radius: r(t) "
            "is critical_sample_ratio over critical_epoch, of each seed, a straight line between "
            "the searches of the case, and so is the share below; a seed that lacks one has no "
            "value. The last third begins at t = last − (last − first) / 3. "
        )
        rules = f"{OVER_SEEDS} {ONE_CLASS} {FITTED}"
        yield Part(
            f"ratio_rises_{kind}_{case}",
            "fig4_2",
            f"{of_kind_}rise of the {ratio} over the first two thirds of the epochs searched",
            *more_than(criteria, "margin"),
            partial(_third, metrics, case, kind, "rise", criteria),
            "paper",
            definition=f"{thirds}The estimate is r there less r at the first search. {rules}",
        )
        yield Part(
            f"ratio_stabilises_{kind}_{case}",
            "fig4_2",
            f"{of_kind_}change of the {ratio} over the last third of them",
            f"stabilises: {within}",
            (-margin, margin),
            partial(_third, metrics, case, kind, "change", criteria),
            "paper",
            definition=f"{thirds}The estimate is r at the last search less r there. {rules}",
        )
        peak = (
            f"{row} and noise_kind {kind}, at its highest noise_level and the first radius: "
            "train_critical_sample_ratio over the critical_epoch of the case. The peak is, for "
            "each seed, the search between the first and the last at which the mean over the "
            "other seeds is highest, the earliest of equal ones. "
        )
        rules = (
            "If train_accuracy, mean over seeds at the last search, is below `fitted`, there is no "
            "upper bound: the fall, or the rise to a later peak, may go on. Seeds with a missing "
            "value are left out. The interval is over the seeds, with the simulated quantile of "
            f"the best of as many searches as the peak is chosen from. {ONE_CLASS} Here it is "
            "train_commonest_class_share, at the seed's peak and at the first, or the last, search."
        )
        for name, words, text in (
            ("rise", "rise to the peak", "ratio at the peak less that at the first search"),
            ("fall", "fall from the peak", "ratio at the peak less that at the last search"),
        ):
            yield Part(
                f"train_ratio_{name}_{kind}_{case}",
                "fig4_2",
                f"{of_kind_}{words} of the {ratio} on the inputs trained on",
                *more_than(criteria, "margin"),
                partial(_peak, metrics, case, kind, name, criteria),
                "paper",
                definition=f"{peak}The estimate is the {text}. {rules}",
            )
        for name, words, text in (
            ("final", "final", "at the last epoch of the case"),
            ("best", "best", "the highest over the epochs of models with a value at the last one"),
        ):
            yield Part(
                f"{name}_accuracy_falls_{kind}_{case}",
                "fig4_2",
                f"{of_kind_}fall of the {words} validation accuracy, from no noise to the highest "
                "level below 1",
                *more_than(criteria, "margin"),
                partial(_falls, metrics, case, kind, name, criteria),
                "paper",
                definition=f"{row} and noise_kind {kind}: validation_accuracy, {text}, at "
                "noise_level 0 less that at the highest noise_level below 1, of each seed. "
                f"{OVER_SEEDS} If train_accuracy of one of the two, mean over seeds at the last "
                "search, is below `fitted`, the interval has no bounds.",
            )
    yield from _of_radii(metrics, case, title, criteria)


def _of_radii(
    metrics: Mapping[str, xr.Dataset], case: str, title: str, criteria: dict
) -> Iterator[Part]:
    """Yield the parts on radii beside the first, if several were searched."""
    every = getattr(metrics, "every", metrics)
    radii = every["fig4_2"] if "fig4_2" in every else xr.Dataset()
    if "radius" not in radii.dims:
        return
    for radius in radii["radius"].values[1:]:
        for above, below in (("randX", "randY"), ("randY", "real")):
            yield Part(
                f"order_{above}_{below}_radius_{radius:g}_{case}",
                "fig4_2",
                f"{title}radius {radius:g}: critical sample ratio at the last search, {above} less "
                f"{below}, in the order of the first radius",
                "the same order: more than 0",
                (0.0, np.inf),
                partial(_order, every, case, (above, below), radius, criteria),
                "paper",
                definition=f'Of dataset "{case}": critical_sample_ratio of {above} less that of '
                f"{below} (the highest noise_level; real is level 0) at the last critical_epoch of "
                f"the case and radius {radius:g}, of each seed, times the sign of the same "
                "difference at the first radius, mean over the other seeds. If both ratios, mean "
                "over seeds, are within `margin` of 0, or of 1, the interval has no bounds. "
                f"{OVER_SEEDS} Its quantile is that of the best of two. {ONE_CLASS} {FITTED}",
            )


def _third(
    metrics: Mapping[str, xr.Dataset], case: str, kind: str, name: str, criteria: dict
) -> Interval:
    """Return the rise up to the last third of the searched epochs, or the change over it."""
    curves = of_condition(metrics["fig4_2"], case, kind)
    epochs = _several(curves)
    split = epochs[-1] - (epochs[-1] - epochs[0]) / 3
    ends = (epochs[0], split) if name == "rise" else (split, epochs[-1])

    def at_ends(name: str) -> tuple[np.ndarray, np.ndarray]:
        measured = curves[name].transpose("critical_epoch", "seed").values
        before, after = (interpolated(at, epochs, measured) for at in ends)
        return before, after

    before, after = at_ends(RATIO)
    searches = zip(ends, at_ends(SHARE), strict=True)
    shares = {f"{kind} at epoch {at:.3g}": share for at, share in searches}
    reached = {kind: last_accuracy(curves)}
    return of_several_classes(after - before, shares, criteria).if_fitted(reached, criteria)


def _several(curves: xr.Dataset) -> np.ndarray:
    epochs = curves["critical_epoch"].values
    if len(epochs) < 3:
        raise NotTested("critical samples were searched at fewer than three epochs")
    return epochs


def _mean(values: np.ndarray) -> float:
    """Return the mean of those that are there."""
    there = values[np.isfinite(values)]
    return there.mean().item() if len(there) else np.nan


def _peak(
    metrics: Mapping[str, xr.Dataset], case: str, kind: str, name: str, criteria: dict
) -> Interval:
    """Return the rise to the peak on training inputs, or the fall from it.

    The peak is that of the other seeds, since on its own a seed's highest value is too high.
    """
    curves = of_condition(metrics["fig4_2"], case, kind)
    epochs = _several(curves)
    if f"train_{RATIO}" not in curves:
        raise NotTested("no training inputs were searched for critical samples")
    ratio = curves[f"train_{RATIO}"].transpose("critical_epoch", "seed").values
    there = np.isfinite(ratio).all(0)
    if there.sum() < 2:
        raise Inconclusive("the peak is that of the other seeds, and there are fewer than two")
    peaks, values = peak_of_others(ratio[:, there]), np.full(len(there), np.nan)
    own = ratio[:, there]
    end = 0 if name == "rise" else -1
    values[there] = own[peaks, np.arange(len(peaks))] - own[end]
    share = curves[f"train_{SHARE}"].transpose("critical_epoch", "seed").values
    at_peak = np.full(len(there), np.nan)
    at_peak[there] = share[:, there][peaks, np.arange(len(peaks))]
    shares = {f"{kind} at the peak": at_peak, f"{kind} at epoch {epochs[end]:g}": share[end]}
    best = partial(of_best, (len(epochs) - 2,))
    reached = last_accuracy(curves)
    return of_several_classes(values, shares, criteria, best).bounded(
        at_least=not reached >= criteria["fitted"],
        at_most=False,
        caveat=f"training is unfinished: training accuracy of {reached:.2f}",
    )


def peak_of_others(values: np.ndarray) -> np.ndarray:
    """Return where, between the first time and the last, the mean of the other seeds is highest.

    Args:
        values: (times, seeds), three times and two seeds at least.

    Returns:
        (seeds,), positions among the times; the first of equal ones.
    """
    others = values.sum(1, keepdims=True) - values
    return 1 + others[1:-1].argmax(0)


def _falls(
    metrics: Mapping[str, xr.Dataset], case: str, kind: str, name: str, criteria: dict
) -> Interval:
    """Return the fall of validation accuracy from no noise to the highest level below 1."""
    curves = of_kind(metrics["fig4_2"], case, kind)
    below = curves["noise_level"].values
    below = below[(below > 0) & (below < 1)]
    if not len(below):
        raise NotTested("the experiment complexity has no data that is noise in part")
    accuracies, reached = [], {}
    for level in (0, below.max()):
        one = at_level(curves, level)
        accuracy = one["validation_accuracy"]
        # A model that has diverged has no best accuracy, either.
        final = accuracy.isel(epoch=-1)
        best = accuracy.max("epoch").where(final.notnull())
        accuracies.append((final if name == "final" else best).values)
        reached[f"level {level:g}"] = last_accuracy(one)
    real, noisy = accuracies
    return over_seeds(real - noisy, criteria).if_fitted(reached, criteria)


def _order(
    every: Mapping[str, xr.Dataset],
    case: str,
    conditions: tuple[str, str],
    radius: float,
    criteria: dict,
) -> Interval:
    """Return the difference of two ratios at a radius, positive if ordered as at the first one."""
    margin, reached, shares, first, here = criteria["margin"], {}, {}, [], []
    metrics = every["fig4_2"]
    if "learning_rate" in metrics.dims:
        metrics = metrics.isel(learning_rate=0)
    for condition in conditions:
        curves = of_condition(metrics, case, condition)
        last = curves.isel(critical_epoch=-1)
        first.append(last[RATIO].isel(radius=0).values)
        here.append(last[RATIO].sel(radius=radius).values)
        reached[condition] = last_accuracy(curves)
        shares[condition] = last[SHARE].values
    difference, reference = here[0] - here[1], first[0] - first[1]
    there = np.isfinite(reference)
    others = np.where(there, reference, 0).sum() - np.where(there, reference, 0)
    means = [_mean(values) for values in here]
    at_an_end = max(means) < margin or min(means) > 1 - margin
    # Of two differences, which are opposite, each seed takes the one that the others find larger.
    best = partial(of_best, (2,))
    interval = of_several_classes(difference * np.sign(others), shares, criteria, best).bounded(
        at_an_end, at_an_end, f"at radius {radius:g} both ratios are near {round(means[0])}"
    )
    return interval.if_fitted(reached, criteria)
