"""How often intervals of confidence miss the mean of a population, whose values may be skewed.

Beside the interval of the claims stand those that could have been taken in its place. An interval
is nominal if each of its ends is wrong in at most (1 − confidence)/2 of studies.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from scipy import stats

from rote.claims.intervals import ROUNDING
from rote.claims.quantiles import SKEWNESS, of_mean

CONFIDENCES = 0.95, 1 - 0.05 / 8  # the latter as adjusted for eight ends of criteria
SEEDS = 4, 6
BOOTSTRAPS = 1000
BOOTSTRAPPED = 4000  # studies, of the interval by the bootstrap, which takes long

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
Wrong = Callable[[np.ndarray, float], tuple[float, float]]


def skewed(skewness: float, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    """Return values of a gamma distribution with a mean of 0 and a standard deviation of 1."""
    shape = 4 / skewness**2
    return (rng.standard_gamma(shape, size) - shape) / np.sqrt(shape)


def _two_points(share: float, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return (rng.random(size) < share) - share


# With a mean of 0, and their longer tail upwards.
POPULATIONS: dict[str, Draw] = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "uniform": lambda rng, size: rng.random(size) - 0.5,
    "two points, each half": partial(_two_points, 0.5),
    "gamma, skewness 0.5": partial(skewed, 0.5),
    "gamma, skewness 1": partial(skewed, 1.0),
    "gamma, skewness 1.5": partial(skewed, 1.5),
    "gamma, skewness 2": partial(skewed, 2.0),
    "two points, one in ten above": partial(_two_points, 0.1),
}
# Of these the interval of the claims is nominal, mirrored ones included.
PROMISED = list(POPULATIONS)[:5]


def outside(values: np.ndarray, confidence: float) -> tuple[float, float]:
    """Return the share of studies whose interval lies above 0, and the share below.

    Args:
        values: (studies, seeds).
        confidence: of the interval of the claims.
    """
    return _beyond(_t(values), of_mean(values.shape[1], confidence))


def _students(values: np.ndarray, confidence: float) -> tuple[float, float]:
    return _beyond(_t(values), stats.t.ppf((1 + confidence) / 2, values.shape[1] - 1))


def _johnsons(values: np.ndarray, confidence: float) -> tuple[float, float]:
    """Student's with t corrected for the skewness of the sample (Johnson 1978)."""
    t, skewness, seeds = _t(values), _skewness(values), values.shape[1]
    corrected = t + skewness * (1 + 2 * t**2) / (6 * np.sqrt(seeds))
    return _beyond(corrected, stats.t.ppf((1 + confidence) / 2, seeds - 1))


def _halls(values: np.ndarray, confidence: float) -> tuple[float, float]:
    """Student's with t transformed so that it grows with the mean (Hall 1992, eq. 3)."""
    t, skewness, seeds = _t(values), _skewness(values), values.shape[1]
    scaled = t / np.sqrt(seeds)
    cubic = scaled + skewness * scaled**2 / 3 + skewness**2 * scaled**3 / 27
    transformed = np.sqrt(seeds) * (cubic + skewness / (6 * seeds))
    return _beyond(transformed, stats.t.ppf((1 + confidence) / 2, seeds - 1))


def _bootstrap(values: np.ndarray, confidence: float) -> tuple[float, float]:
    """The quantiles of the means of values drawn with replacement."""
    values, rng = values[:BOOTSTRAPPED], np.random.default_rng(0)
    seeds = values.shape[1]
    chosen = rng.multinomial(seeds, np.full(seeds, 1 / seeds), BOOTSTRAPS) / seeds
    ends = np.quantile(values @ chosen.T, [(1 - confidence) / 2, (1 + confidence) / 2], axis=1)
    different = values.std(1) > ROUNDING
    return float((different & (ends[0] > 0)).mean()), float((different & (ends[1] < 0)).mean())


INTERVALS: dict[str, Wrong] = {
    "of the claims": outside,
    "Student's": _students,
    "Johnson's": _johnsons,
    "Hall's": _halls,
    "bootstrap": _bootstrap,
}


def _t(values: np.ndarray) -> np.ndarray:
    """Return the distance of the mean from 0 in standard errors; 0 where all are equal."""
    deviation = values.std(1, ddof=1)
    # Equal values have no interval: they decide nothing.
    different = deviation > ROUNDING
    error = np.where(different, deviation, 1.0) / np.sqrt(values.shape[1])
    return np.where(different, values.mean(1) / error, 0.0)


def _skewness(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(1, keepdims=True)
    deviation = values.std(1, ddof=1)
    return (centred**3).mean(1) / np.where(deviation > ROUNDING, deviation, 1.0) ** 3


def _beyond(t: np.ndarray, quantile: float) -> tuple[float, float]:
    return float((t > quantile).mean()), float((t < -quantile).mean())


Counted = Mapping[tuple[float, int, str, str], tuple[float, float]]


def count(studies: int, rng: np.random.Generator) -> Counted:
    """Return how often each interval is wrong: above the mean, and below.

    Returns:
        By confidence, number of seeds, population and interval.
    """
    found = {}
    for seeds in SEEDS:
        for population, draw in POPULATIONS.items():
            values = draw(rng, (studies, seeds))
            for confidence in CONFIDENCES:
                for name, wrong in INTERVALS.items():
                    found[confidence, seeds, population, name] = wrong(values, confidence)
    return found


def markdown(counted: Counted, studies: int) -> str:
    """Return the page about the rates, for people."""
    lines = [
        "# How often an interval misses the mean",
        "",
        "Written by `PYTHONPATH=workflow_scripts .venv/bin/python "
        f"workflow_scripts/measure_coverage.py`, from {studies:,} simulated studies of each "
        f"population ({BOOTSTRAPPED:,} with the bootstrap). The first number of a cell is how "
        "often the whole interval lies above the mean of the population, the second how often it "
        "lies below: of values whose longer tail reaches upwards, the second is the larger one. "
        "For the same values mirrored, the two change places.",
        "",
        f"The interval of the claims is nominal, with {SEEDS[0]} seeds and more, for the first "
        f"{len(PROMISED)} populations: it is that of gamma values with a skewness of "
        f"{SKEWNESS:g}. Student's is nominal for normal values alone. Johnson's (1978) and Hall's "
        "(1992) correct for the skewness of the sample, of which four or six values tell little. "
        "The bootstrap takes the spread of the sample for that of the population. An interval by "
        "signs or ranks with four or five values does not exist: the rarest order of their signs "
        "has a probability of 1/16 or 1/32. No interval is nominal for every population (Bahadur "
        "and Savage 1956): of a rare value that is far from the others, a few seeds say nothing.",
        "",
        "A skewness of 1, since that of the values of 48 replicates is 0.4 in the median part of "
        "the claims, either sign, and about 1 or less in nine of ten. That much was seen of them "
        "before the interval was chosen, and no verdict. A quantile for a skewness of 2 would be "
        "half as large again.",
    ]
    for confidence in CONFIDENCES:
        for seeds in SEEDS:
            nominal = (1 - confidence) / 2
            error = 2 * np.sqrt(nominal * (1 - nominal) / studies)
            lines += [
                "",
                f"## {seeds} values, confidence {100 * confidence:.4g} %",
                "",
                f"Nominal are {nominal:.2%} to either side, here ± {error:.2%}.",
                "",
                f"| population | {' | '.join(INTERVALS)} |",
                "|-|" + "-|" * len(INTERVALS),
            ]
            for population in POPULATIONS:
                cells = [
                    " / ".join(f"{rate:.2%}" for rate in counted[confidence, seeds, population, i])
                    for i in INTERVALS
                ]
                lines.append(f"| {population} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])
