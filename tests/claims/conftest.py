"""What tests of the claims share."""

import pytest

from rote.claims import quantiles


@pytest.fixture(scope="module")
def few_simulations():
    """A tenth of the simulated studies, as the last digit of a quantile does not matter here."""

    def forget():
        quantiles.of_best.cache_clear()
        quantiles._distances.cache_clear()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantiles, "SIMULATED", quantiles.SIMULATED // 10)
        forget()
        yield
    forget()
