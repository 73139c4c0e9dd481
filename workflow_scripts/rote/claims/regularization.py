"""Claim 5: regularisers keep random labels from being memorised at hardly a cost on real data."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial

import numpy as np
import xarray as xr

from rote.claims.verdicts import Inconclusive, Interval, Part, more_than, over_seeds
from rote.machine.randomness import generator

DROPOUT = ("dropout", "adversarial_dropout")  # what the paper finds the most effective
SIMULATED = 20_000  # studies; the quantile is then known to about 3 %


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts on strengths (``fig5_1``) and on the course of training (``fig5_2``).

    Which strength is the best is decided for each seed on the other seeds: judged on those that
    chose it, the best of many would look better than it is.
    """
    margin = criteria["margin"]
    yield Part(
        "memorising_falls",
        "fig5_1",
        "best regulariser and strength: fall of training accuracy on random labels",
        *more_than(criteria, "large"),
        partial(_effect, metrics, "fall", None, criteria),
    )
    yield Part(
        "validation_stays",
        "fig5_1",
        "the same: loss of the best validation accuracy on real data",
        f"less than {margin:g} (margin)",
        (-np.inf, margin),
        partial(_effect, metrics, "loss", None, criteria),
    )
    yield Part(
        "real_stays_fast",
        "fig5_2",
        "mean of the selected strengths: fall of training accuracy, averaged over the epochs, on "
        "random labels less that on real ones",
        *more_than(criteria, "margin"),
        partial(_slowed, metrics, criteria),
    )
    names = metrics["fig5_1"]["regularizer"].values if "fig5_1" in metrics else []
    for name in names:
        yield Part(
            f"memorising_falls_{name}",
            "fig5_1",
            f"{name.replace('_', ' ')}: fall of training accuracy on random labels at a loss of "
            f"validation accuracy of at most {margin:g}",
            *more_than(criteria, "large"),
            partial(_effect, metrics, "fall", [name], criteria),
            "ours",
        )
    yield Part(
        "dropout_most_effective",
        "fig5_1",
        "the same fall, dropout with or without adversarial training less the best of the others",
        *more_than(criteria, "margin"),
        partial(_advantage, metrics, DROPOUT, None, criteria),
        "paper",
    )
    yield Part(
        "adversarial_adds_to_dropout",
        "fig5_1",
        "the same fall, dropout with adversarial training less dropout alone",
        *more_than(criteria, "margin"),
        partial(_advantage, metrics, DROPOUT[1:], DROPOUT[:1], criteria),
        "paper",
    )


def effects(fall: np.ndarray, loss: np.ndarray, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Return each seed's fall and loss at the strength that the other seeds find best.

    The best has the largest mean fall among those whose mean loss is at most ``margin``; where
    there is none, no regulariser is taken, which has no fall, and no loss to tell. Where losses
    differ between seeds by more than ``margin``, others than the best are often chosen: the fall is
    understated.

    Args:
        fall: (choices, seeds), of training accuracy on random labels, against no regulariser.
        loss: (choices, seeds), of validation accuracy on real data, likewise.
        margin: the loss that counts as none.

    Returns:
        Fall and loss, (seeds,) each; the loss is NaN where no regulariser is taken.

    Raises:
        Inconclusive: there is only one seed.
    """
    seeds = fall.shape[1]
    if seeds < 2:
        raise Inconclusive("strengths are chosen on other seeds, and there is only one seed")
    chosen = np.stack([np.zeros(seeds), np.full(seeds, np.nan)])
    for seed in range(seeds):
        others = np.arange(seeds) != seed
        mean_fall, mean_loss = fall[:, others].mean(1), loss[:, others].mean(1)
        free = np.where(mean_loss <= margin, mean_fall, -np.inf)
        best = int(np.argmax(np.append(free, 0.0)))
        if best < len(free):
            chosen[:, seed] = fall[best, seed], loss[best, seed]
    return chosen[0], chosen[1]


@cache
def quantile(counts: tuple[int, ...], seeds: int, confidence: float) -> float:
    """Return how many standard errors an interval over :func:`effects` reaches to either side.

    The seeds share most of the others that choose for them, so the strengths chosen, and their
    values, are alike, and Student's interval is too narrow. Worst are choices that do not differ:
    the quantile is that of these, simulated with normal values.

    Args:
        counts: the number of choices; if two, for the difference between the best of either.
        seeds: the number of seeds.
        confidence: of the interval.
    """
    rng, studies = generator("best of many"), SIMULATED
    means = np.zeros((studies, seeds))
    for sign, count in zip((1, -1), counts, strict=False):
        for some in np.array_split(np.arange(studies), 20):  # bounds the memory
            fall = rng.normal(size=(len(some), count, seeds))
            others = fall.sum(2, keepdims=True) - fall
            chosen = np.take_along_axis(fall, others.argmax(1)[:, None], axis=1)[:, 0]
            means[some] += sign * chosen
    t = means.mean(1) / (means.std(1, ddof=1) / np.sqrt(seeds))
    return float(np.quantile(np.abs(t), confidence))


def _choices(
    metrics: xr.Dataset, regularizers: Sequence[str] | None
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return fall and loss, (choices, seeds), of the strengths of some regularisers, or of all.

    Seeds whose model without a regulariser diverged are left out, and so are strengths of which a
    model did; the words returned with them say so.
    """
    unregularized = metrics.isel(strength_index=0)
    there = unregularized["noise_train_accuracy"] + unregularized["real_validation_accuracy"]
    kept = there.notnull().all("regularizer").values
    if regularizers is not None:
        there = [name for name in regularizers if name in metrics["regularizer"]]
        if not there:
            wanted = " or ".join(regularizers) or "other regulariser"
            raise Inconclusive(f"the experiment regularization has no {wanted}")
        metrics = metrics.sel(regularizer=there)
    dims = "strength_index", "regularizer", "seed"
    train, validation, trained = (
        metrics[name].broadcast_like(metrics["noise_train_accuracy"]).transpose(*dims).values
        for name in ("noise_train_accuracy", "real_validation_accuracy", "strength")
    )
    fall, loss, trained = (
        values.reshape(-1, values.shape[-1])[:, kept]
        for values in (train[:1] - train[1:], validation[:1] - validation[1:], trained[1:])
    )
    # Regularisers have different numbers of strengths.
    fall, loss = (values[np.isfinite(trained).all(1)] for values in (fall, loss))
    finished = np.isfinite(fall + loss).all(1)
    if not kept.any() or not finished.any():
        raise Inconclusive("models of every strength, or all without a regulariser, diverged")
    lost = [
        f"{count} {what} left out: models diverged"
        for count, what in (((~kept).sum(), "seeds"), ((~finished).sum(), "strengths"))
        if count
    ]
    return fall[finished], loss[finished], "; ".join(lost)


def _effect(
    metrics: Mapping[str, xr.Dataset],
    name: str,
    regularizers: Sequence[str] | None,
    criteria: dict,
) -> Interval:
    """Return the fall or the loss at the best choice."""
    choices = _choices(metrics["fig5_1"], regularizers)
    fall, loss = effects(*choices[:2], criteria["margin"])
    interval = _interval(fall if name == "fall" else loss, [choices], criteria)
    return interval.if_fitted(_memorised(metrics["fig5_1"]), criteria)


def _advantage(
    metrics: Mapping[str, xr.Dataset],
    ours: Sequence[str],
    others: Sequence[str] | None,
    criteria: dict,
) -> Interval:
    """Return by how much some regularisers reduce memorising more than others, or all others."""
    strengths = metrics["fig5_1"]
    if others is None:
        others = [name for name in strengths["regularizer"].values if name not in ours]
    each = [_choices(strengths, names) for names in (ours, others)]
    falls = [effects(*choices[:2], criteria["margin"])[0] for choices in each]
    interval = _interval(falls[0] - falls[1], each, criteria)
    return interval.if_fitted(_memorised(strengths), criteria)


def _memorised(metrics: xr.Dataset) -> dict[str, float]:
    """Return what models memorise without a regulariser: where it is little, little can fall."""
    accuracy = metrics["noise_train_accuracy"].isel(strength_index=0)
    return {"random labels without a regulariser": accuracy.mean().item()}


def _interval(
    values: np.ndarray, choices: list[tuple[np.ndarray, np.ndarray, str]], criteria: dict
) -> Interval:
    counts = tuple(len(fall) for fall, _, _ in choices)
    interval = over_seeds(values, criteria, partial(quantile, counts))
    lost = [interval.caveat, *(words for _, _, words in choices)]
    return interval._replace(caveat="; ".join(dict.fromkeys(filter(None, lost))))


def _slowed(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Interval:
    """Return how much more the regularisers lower the curves of random labels than of real ones."""
    curves = metrics["fig5_2"]["train_accuracy"]
    mean = curves.mean("epoch", skipna=False)
    regularised = mean.drop_sel(regularizer="none")
    if not regularised.sizes["regularizer"]:
        raise Inconclusive("the experiment regularization selects no strength")
    fall = mean.sel(regularizer="none") - regularised.mean("regularizer", skipna=False)
    slowed = fall.sel(condition="randY") - fall.sel(condition="real")
    last = curves.sel(regularizer="none").isel(epoch=-1).mean("seed")
    reached = {
        f"{condition} without a regulariser": last.sel(condition=condition).item()
        for condition in ("real", "randY")
    }
    return over_seeds(slowed.values, criteria).if_fitted(reached, criteria)
