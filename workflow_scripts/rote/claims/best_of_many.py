"""What is the best of many is chosen on other seeds than those on which it is judged."""

from functools import cache

import numpy as np

from rote.claims.verdicts import Inconclusive
from rote.machine.randomness import generator

SIMULATED = 200_000  # studies; the widest quantile that is asked for is then known to about 1 %


def effects(fall: np.ndarray, loss: np.ndarray, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Return each seed's fall and loss at the strength that the other seeds find best.

    The best has the largest mean fall among those whose mean loss is at most ``margin``; where
    there is none, no regulariser is taken, which has no fall, and no loss to tell. Nor has one a
    loss to tell whose mean fall is not above 0. Where losses differ between seeds by more than
    ``margin``, others than the best are often chosen: the fall is understated.

    Args:
        fall: (choices, seeds), of training accuracy on random labels, against no regulariser.
        loss: (choices, seeds), of validation accuracy on real data, likewise.
        margin: the loss that counts as none.

    Returns:
        Fall and loss, (seeds,) each; the loss is NaN where there is none to tell.

    Raises:
        Inconclusive: there is only one seed, or no seed takes a regulariser.
    """
    seeds = fall.shape[1]
    if seeds < 2:
        raise Inconclusive("strengths are chosen on other seeds, and there is only one seed")
    chosen, taken = np.stack([np.zeros(seeds), np.full(seeds, np.nan)]), False
    for seed in range(seeds):
        others = np.arange(seeds) != seed
        mean_fall, mean_loss = fall[:, others].mean(1), loss[:, others].mean(1)
        free = np.where(mean_loss <= margin, mean_fall, -np.inf)
        best = int(np.argmax(free))
        if np.isfinite(free[best]):
            taken = True
            chosen[:, seed] = fall[best, seed], loss[best, seed] if free[best] > 0 else np.nan
    if not taken:
        # Zeros of all seeds would pass for a measurement without any spread.
        raise Inconclusive("every strength costs more validation accuracy than is allowed for")
    return chosen[0], chosen[1]


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
    return float(np.quantile(_distances(counts, seeds), confidence))


@cache
def _distances(counts: tuple[int, ...], seeds: int) -> np.ndarray:
    """Return how far simulated estimates lie from the truth, in standard errors, (studies,)."""
    rng, studies = generator("best of many"), SIMULATED
    values = np.zeros((studies, seeds))
    for sign, count in zip((1, -1), counts, strict=False):
        for some in np.array_split(np.arange(studies), 100):  # bounds the memory
            fall = rng.standard_normal((len(some), count, seeds), np.float32)
            others = fall.sum(2, keepdims=True) - fall
            chosen = np.take_along_axis(fall, others.argmax(1)[:, None], axis=1)[:, 0]
            values[some] += sign * chosen
    return np.abs(values.mean(1)) / (values.std(1, ddof=1) / np.sqrt(seeds))
