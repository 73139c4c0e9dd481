"""transitionY: labels drawn by a matrix of transition probabilities, by the true class.

Class-dependent noise as in Patrini et al. 2017, "Making deep neural networks robust to label noise:
a loss correction approach". The matrix is that of the replaced examples: at noise level ℓ, that of
all examples is ℓ·T + (1 − ℓ)·I.
"""

import numpy as np

from rote.data.noises import Examples
from rote.machine.errors import UserError
from rote.machine.randomness import generator

OF_EXAMPLES = True


def labels(examples: Examples, seed: int, matrix: list[list[float]]) -> np.ndarray:
    """Return a label for each example.

    Args:
        examples: with their true classes.
        seed: of the noise; all matrices share its random numbers.
        matrix: (classes, classes), T_ij the probability of label j for an example of class i.

    Raises:
        UserError: the matrix is of another number of classes.
    """
    if len(matrix) != examples.classes:
        raise UserError(
            f"The matrix of transitionY has {len(matrix)} rows, but the data set has "
            f"{examples.classes} classes: write a row for each, under noises."
        )
    cumulative = np.cumsum(matrix, axis=1, dtype=float)
    cumulative /= cumulative[:, -1:]  # rounding leaves the last one above every number drawn
    drawn = generator("transitionY", seed).random(len(examples.label))
    return (drawn[:, None] >= cumulative[examples.label]).sum(1)
