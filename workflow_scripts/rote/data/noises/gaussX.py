"""gaussX: Gaussian noise of each channel's own mean and variance over the training pixels.

After Zhang et al. 2017, "Understanding deep learning requires rethinking generalization", whose
Gaussian inputs have the mean and the variance of the data set.
"""

import numpy as np

from rote.data.noises import Examples, Inputs
from rote.data.scaling import scale_noise
from rote.machine.randomness import generator

OF_EXAMPLES = False


def inputs(examples: Examples, seed: int, part: str) -> Inputs:
    """Return noise for each example, scaled as a real image is."""
    drawn = generator("gaussX", part, seed).standard_normal(examples.shape, np.float32)
    return drawn, scale_noise(drawn, examples.attributes, "channel")
