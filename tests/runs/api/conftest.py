"""Data and models that the tests of the front door share."""

import pytest
import xarray as xr

from made_up_images import IMAGES, LABELS, MLP
from rote import api


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    drawn = {"train_examples": 60, "validation_examples": 40, "seeds": 2}
    return api.data(IMAGES, LABELS, noises=["randX", "randY"], **drawn)


@pytest.fixture(scope="module")
def trained(data) -> api.Trained:
    return api.train(data, MLP, epochs=2, learning_rate=0.1)
