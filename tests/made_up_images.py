"""Arrays such as a notebook has, and models that are small enough for them."""

import numpy as np

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(256, size=(200, 4, 4))
COLOUR = RNG.integers(256, size=(200, 4, 4, 3))
LABELS = np.array(["cat", "dog", "eel"])[RNG.integers(3, size=200)]
MLP = {"hidden_layers": 2, "hidden_units": 8}
CNN = {"maps": 2, "dense": [4], "padding": "same", "pooling_stride": 2}
