"""What tests of the configuration share."""

import pytest

from made_up_configurations import SHIPPED
from rote.study import configuration


@pytest.fixture
def config():
    return configuration.load(SHIPPED)
