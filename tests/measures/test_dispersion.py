import numpy as np
import pytest

from rote.measures.dispersion import dispersion


def test_dispersion_of_a_beta_binomial():
    rng, n, rho, p = np.random.default_rng(13), 100, 0.05, 0.3
    a = (1 - rho) / rho
    rate = rng.binomial(n, rng.beta(p * a, (1 - p) * a, 200_000)) / n
    assert dispersion(rate, n) == pytest.approx(1 + (n - 1) * rho, rel=0.02)
