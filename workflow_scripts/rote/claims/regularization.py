"""Claim 5: regularisers keep random labels from being memorised at hardly a cost on real data."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.verdict import Inconclusive, Interval, Part, over_seeds

DROPOUT = ("dropout", "adversarial_dropout")  # what the paper finds the most effective


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts on strengths (``fig5_1``) and on the course of training (``fig5_2``).

    Which strength is the best is decided for each seed on the other seeds: judged on those that
    chose it, the best of many would look better than it is.
    """
    margin, large = criteria["margin"], criteria["large"]
    yield Part(
        "memorising_falls",
        "fig5_1",
        "best regulariser and strength: fall of training accuracy on random labels",
        f"more than {large:g}",
        (large, np.inf),
        partial(_effect, metrics, "fall", None, criteria),
    )
    yield Part(
        "validation_stays",
        "fig5_1",
        "the same: loss of the best validation accuracy on real data",
        f"less than {margin:g}",
        (-np.inf, margin),
        partial(_effect, metrics, "loss", None, criteria),
    )
    yield Part(
        "real_stays_fast",
        "fig5_2",
        "mean of the selected strengths: fall of training accuracy, averaged over the epochs, on "
        "random labels less that on real ones",
        f"more than {margin:g}",
        (margin, np.inf),
        partial(_slowed, metrics, criteria),
    )
    names = metrics["fig5_1"]["regularizer"].values if "fig5_1" in metrics else []
    for name in names:
        yield Part(
            f"memorising_falls_{name}",
            "fig5_1",
            f"{name.replace('_', ' ')}: fall of training accuracy on random labels at a loss of "
            f"validation accuracy of at most {margin:g}",
            f"more than {large:g}",
            (large, np.inf),
            partial(_effect, metrics, "fall", [name], criteria),
            "ranking",
        )
    yield Part(
        "dropout_most_effective",
        "fig5_1",
        "the same fall, dropout with or without adversarial training less the best of the others",
        f"more than {margin:g}",
        (margin, np.inf),
        partial(_advantage, metrics, DROPOUT, None, criteria),
        "paper",
    )
    yield Part(
        "adversarial_adds_to_dropout",
        "fig5_1",
        "the same fall, dropout with adversarial training less dropout alone",
        f"more than {margin:g}",
        (margin, np.inf),
        partial(_advantage, metrics, DROPOUT[1:], DROPOUT[:1], criteria),
        "paper",
    )


def effects(fall: np.ndarray, loss: np.ndarray, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Return each seed's fall and loss at the strength that the other seeds find best.

    The best has the largest mean fall among those whose mean loss is at most ``margin``; where there
    is none, no regulariser is taken, which has neither fall nor loss.

    Args:
        fall: (choices, seeds), of training accuracy on random labels, against no regulariser.
        loss: (choices, seeds), of validation accuracy on real data, likewise. NaN: diverged.
        margin: the loss that counts as none.

    Returns:
        Fall and loss, (seeds,) each.

    Raises:
        Inconclusive: there is only one seed.
    """
    seeds = fall.shape[1]
    if seeds < 2:
        raise Inconclusive("strengths are chosen on other seeds, and there is only one seed")
    chosen = np.zeros((2, seeds))
    for seed in range(seeds):
        others = np.arange(seeds) != seed
        mean_fall, mean_loss = fall[:, others].mean(1), loss[:, others].mean(1)
        free = np.where(mean_loss <= margin, mean_fall, -np.inf)  # where NaN: not free
        best = int(np.nanargmax(np.append(free, 0.0)))
        if best < len(free):
            chosen[:, seed] = fall[best, seed], loss[best, seed]
    return chosen[0], chosen[1]


def _choices(
    metrics: xr.Dataset, regularizers: list[str] | None, criteria: dict
) -> tuple[np.ndarray, np.ndarray]:
    """Return fall and loss per seed at the best choice among some regularisers, or all."""
    if regularizers is not None:
        there = [name for name in regularizers if name in metrics["regularizer"]]
        if not there:
            raise Inconclusive(f"the experiment regularization has no {' or '.join(regularizers)}")
        metrics = metrics.sel(regularizer=there)
    dims = "strength_index", "regularizer", "seed"
    fall, loss = (
        (values.isel(strength_index=0) - values.isel(strength_index=slice(1, None)))
        .transpose(*dims)
        .values.reshape(-1, metrics.sizes["seed"])
        for values in (metrics["noise_train_accuracy"], metrics["real_validation_accuracy"])
    )
    return effects(fall, loss, criteria["margin"])


def _effect(
    metrics: Mapping[str, xr.Dataset], name: str, regularizers: list[str] | None, criteria: dict
) -> Interval:
    fall, loss = _choices(metrics["fig5_1"], regularizers, criteria)
    return over_seeds(fall if name == "fall" else loss, criteria)


def _advantage(
    metrics: Mapping[str, xr.Dataset],
    ours: tuple[str, ...],
    others: tuple[str, ...] | None,
    criteria: dict,
) -> Interval:
    """Return by how much some regularisers reduce memorising more than others, or all others."""
    strengths = metrics["fig5_1"]
    if others is None:
        others = tuple(name for name in strengths["regularizer"].values if name not in ours)
    falls = [_choices(strengths, list(names), criteria)[0] for names in (ours, others)]
    return over_seeds(falls[0] - falls[1], criteria)


def _slowed(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Interval:
    """Return how much more the regularisers lower the curves of random labels than of real ones."""
    mean = metrics["fig5_2"]["train_accuracy"].mean("epoch")
    regularised = mean.drop_sel(regularizer="none")
    if not regularised.sizes["regularizer"]:
        raise Inconclusive("the experiment regularization selects no strength")
    fall = mean.sel(regularizer="none") - regularised.mean("regularizer", skipna=False)
    return over_seeds((fall.sel(condition="randY") - fall.sel(condition="real")).values, criteria)
