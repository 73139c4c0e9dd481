"""pairY: the label of the class that follows the true one; of the last class, that of the first.

The pair flips of Han et al. 2018, "Co-teaching: Robust training of deep neural networks with
extremely noisy labels". The level of the noise is the fraction of wrong labels.
"""

import numpy as np

from rote.data.noises import Examples

OF_EXAMPLES = True


def labels(examples: Examples, seed: int) -> np.ndarray:
    """Return a label for each example; ``seed`` draws nothing but which of them are replaced."""
    # The type of the true labels may hold no number as large as that of classes.
    return (examples.label.astype(np.int64) + 1) % examples.classes
