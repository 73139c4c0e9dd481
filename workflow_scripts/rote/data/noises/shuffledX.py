"""shuffledX: the pixels of every image in one random order, the same for all of them.

The shuffled pixels of Zhang et al. 2017, "Understanding deep learning requires rethinking
generalization". A pixel moves with all of its channels. What training and validation images show of
each other stays, but no longer where.
"""

from rote.data.noises import Examples, Inputs
from rote.machine.randomness import generator

OF_EXAMPLES = True


def inputs(examples: Examples, seed: int, part: str) -> Inputs:
    """Return the images in the order of ``seed``, which is that of validation images, too."""
    flat = examples.images.reshape(*examples.shape[:2], -1)
    order = generator("shuffledX", seed).permutation(flat.shape[2])
    return flat[:, :, order].reshape(examples.shape), examples.levels
