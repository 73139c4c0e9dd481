"""randY: labels drawn uniformly over the classes, whatever the true ones.

They are independent of each other or, where the setting ``random_labels`` has them ``balanced``,
each block of as many examples as there are classes, along the order in which noise replaces them,
has every class once: so at every level one class is at most one label ahead of another.
"""

import numpy as np

from rote.data.noises import Examples
from rote.machine.randomness import generator

OF_EXAMPLES = False


def labels(examples: Examples, seed: int) -> np.ndarray:
    """Return a label for each example."""
    if examples.settings["random_labels"] == "balanced":
        return _balanced(examples.order, examples.classes, seed)
    count = examples.shape[0]
    return generator("randY", seed).integers(examples.classes, size=count, dtype=np.int16)


def _balanced(order: np.ndarray, classes: int, seed: int) -> np.ndarray:
    """Return labels (examples,), of which each block along ``order`` has every class once."""
    rng, blocks = generator("balanced randY", seed), -(-len(order) // classes)
    drawn = np.concatenate([rng.permutation(classes) for _ in range(blocks)])[: len(order)]
    result = np.empty(len(order), np.int16)
    result[order] = drawn
    return result
