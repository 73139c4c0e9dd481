"""randX: Gaussian noise of one mean and one variance, those of all training pixels."""

import numpy as np

from rote.data.noises import Examples, Inputs
from rote.data.scaling import scale_noise
from rote.machine.randomness import generator

OF_EXAMPLES = False
STREAMS = {"train": "randX", "validation": "randX validation"}


def inputs(examples: Examples, seed: int, part: str) -> Inputs:
    """Return noise for each example, scaled as a real image is."""
    drawn = generator(STREAMS[part], seed).standard_normal(examples.shape, np.float32)
    return drawn, scale_noise(drawn, examples.attributes)
