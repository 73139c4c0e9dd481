"""How much more examples differ in their error rates than if all were alike."""

import numpy as np


def dispersion(rate: np.ndarray, experiments: int) -> np.ndarray:
    """Return the variance of misclassification rates over examples relative to equal examples.

    Were all examples alike, the number of errors in N experiments would be binomial and the
    variance of its rate p(1 − p)/N, p being the mean rate: the ratio is then 1.

    Args:
        rate: (..., examples).
        experiments: N.
    """
    p = rate.mean(-1)
    return rate.var(-1, ddof=1) / (p * (1 - p) / experiments)
