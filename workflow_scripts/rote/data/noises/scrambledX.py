"""scrambledX: the pixels of each image in a random order of its own.

The random pixels of Zhang et al. 2017, "Understanding deep learning requires rethinking
generalization". A pixel moves with all of its channels, so an image keeps what it has of each
colour, and nothing else.
"""

import numpy as np

from rote.data.noises import Examples, Inputs
from rote.machine.randomness import generator

OF_EXAMPLES = True


def inputs(examples: Examples, seed: int, part: str) -> Inputs:
    """Return the images, the order of the pixels of each drawn for its position."""
    flat = examples.images.reshape(*examples.shape[:2], -1)
    rng, pixels = generator("scrambledX", part, seed), flat.shape[2]
    scrambled = np.empty_like(flat)
    for image, out in zip(flat, scrambled, strict=True):
        out[:] = image[:, rng.permutation(pixels)]
    return scrambled.reshape(examples.shape), examples.levels
