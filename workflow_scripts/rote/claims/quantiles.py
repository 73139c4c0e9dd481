"""How many standard errors an interval of confidence reaches, for values that may be skewed.

No interval is nominal for the mean of every population (Bahadur and Savage 1956), and Student's,
exact for normal values, is wrong too often where they are skewed: towards the long tail its end
falls short. So the quantiles here are those of t for values with a skewness of ``SKEWNESS``, the
longer tail to the side of the end that is asked about. For normal values, and whatever is less
skewed, they are conservative. ``measure_coverage.py`` compares them with other intervals.
"""

from functools import cache

import numpy as np
from scipy import optimize, special, stats

from rote.machine.randomness import generator

SKEWNESS = 1.0  # up to which the rate of wrong ends is nominal
SHAPE = 4 / SKEWNESS**2  # of a gamma distribution with this skewness
POINTS = 2**16  # of the integration; quantiles for 4 seeds and more are then known to 0.2 %
SIMULATED = 200_000  # studies; the widest quantile that is asked for is then known to about 1 %


@cache
def of_mean(seeds: int, confidence: float) -> float:
    """Return q with P(t < −q) = (1 − ``confidence``)/2, t the mean's distance in standard errors.

    The values are gamma distributed with the skewness ``SKEWNESS``: t = (ȳ − μ) / (s/√n). Their
    mean ȳ is independent of v = s/ȳ (Lukacs 1955), and n·ȳ has a gamma distribution of n times the
    shape a, with the distribution function G. So P(t < −q) is the mean over v of
    G(n·a / (1 + q·v/√n)).

    Args:
        seeds: n, the number of values.
        confidence: of the interval; each of its ends is wrong in half of the rest.
    """
    variation, whole = _coefficients_of_variation(seeds), seeds * SHAPE
    rate = (1 - confidence) / 2

    def excess(log_quantile: float) -> float:
        ends = whole / (1 + np.exp(log_quantile) * variation / np.sqrt(seeds))
        return float(np.log(special.gammainc(whole, ends).mean() / rate))

    # A little above Student's quantile for many values, some times as large for few.
    near = np.log(stats.t.ppf(1 - rate, seeds - 1))
    return float(np.exp(optimize.brentq(excess, near - 1, near + 5, xtol=1e-9)))


@cache
def _coefficients_of_variation(seeds: int) -> np.ndarray:
    """Return s/ȳ of gamma values at the points of a scrambled Sobol sequence, (points,)."""
    sequence = stats.qmc.Sobol(seeds, rng=generator("skewed values"))
    values = special.gammaincinv(SHAPE, sequence.random(POINTS))
    return values.std(1, ddof=1) / values.mean(1)


@cache
def of_best(counts: tuple[int, ...], seeds: int, confidence: float) -> float:
    """Return the same where each seed takes the choice that is best over the other seeds.

    The seeds share most of the others that choose for them, so what they choose, and its values,
    are alike, and the interval of a mean is too narrow. Worst are choices that do not differ: the
    quantile is that of these, simulated with values that are normal, and skewed to either side,
    the largest of all ends. In the difference of two of the best the skewness cancels, if both
    spread alike; as one may spread much wider, the quantile is at least that of a mean.

    Args:
        counts: the number of choices; if two, for the difference between the best of either.
        seeds: the number of seeds.
        confidence: of the interval.
    """
    ends = (1 - confidence) / 2, (1 + confidence) / 2
    simulated = float(np.abs(np.quantile(_distances(counts, seeds), ends, axis=1)).max())
    return max(simulated, of_mean(seeds, confidence))


@cache
def _distances(counts: tuple[int, ...], seeds: int) -> np.ndarray:
    """Return how far simulated estimates lie from the truth, in standard errors.

    Returns:
        (3, studies): of values with the long tail upwards, the same mirrored, and normal ones.
    """
    rng, values = generator("best of many"), np.zeros((3, SIMULATED, seeds))
    for sign, count in zip((1, -1), counts, strict=False):
        for some in np.array_split(np.arange(SIMULATED), 100):  # bounds the memory
            size = len(some), count, seeds
            skewed = rng.standard_gamma(SHAPE, size, np.float32) - SHAPE
            normal = rng.standard_normal(size, np.float32)
            for population, drawn in enumerate((skewed, -skewed, normal)):
                others = drawn.sum(2, keepdims=True) - drawn
                best = np.take_along_axis(drawn, others.argmax(1)[:, None], axis=1)[:, 0]
                values[population, some] += sign * best
    return values.mean(2) / (values.std(2, ddof=1) / np.sqrt(seeds))
