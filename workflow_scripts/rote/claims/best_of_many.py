"""What is the best of many is chosen on other seeds than those on which it is judged."""

import numpy as np

from rote.claims.verdicts import Inconclusive


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
