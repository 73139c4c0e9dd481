"""From the values of the seeds to a verdict, as the section of that name of claims.md says it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import inf, sqrt

import numpy as np
from scipy import optimize, special, stats

EQUAL = 1.2e-7  # "up to the rounding of single precision (s ≤ 1.2e-07 · max(1, |ȳ|))"
SHAPE = 4  # “a skewness of 1, and so the shape a = 4”
POINTS = 50_000  # v for a mean
OF_GAMMA = 2e-3  # by which part its quantile is off
STUDIES = 200_000  # simulated for the best of many
BLOCK = 20_000
FOUR_SIGMA = 4


@dataclass(frozen=True)
class Values:
    """The number of each seed, NaN where it has none, and which ends of the interval move to ∞.

    ``choices``: of how many the best was taken, in each of the groups that were compared.
    """

    of_seeds: np.ndarray
    at_least: bool = False
    at_most: bool = False
    choices: tuple[int, ...] = ()
    further: Callable[[float], tuple[float, float]] | None = None  # of c, other ends, NaN for none

    @property
    def left(self) -> np.ndarray:
        """The numbers, without the seeds that have none."""
        return self.of_seeds[np.isfinite(self.of_seeds)]

    @property
    def estimate(self) -> float:
        """ȳ = Σ yᵢ / n."""
        return float(self.left.mean()) if len(self.left) else np.nan

    @property
    def error(self) -> float:
        """e = s / √n with s² = Σ (yᵢ − ȳ)² / (n − 1)."""
        return float(self.left.std(ddof=1) / sqrt(len(self.left))) if len(self.left) > 1 else np.nan

    @property
    def simulated(self) -> bool:
        """Whether the quantile is that of the best of many, “which makes the yᵢ alike”."""
        return any(many > 1 for many in self.choices)

    def quantile(self, confidence: float) -> float:
        """q(c): that of gamma values, or “of the best of many”, “at least that of a mean”."""
        of_mean = of_gamma(len(self.left), confidence)
        if self.simulated:
            return max(_quantile(len(self.left), self.choices, confidence), of_mean)
        return of_mean

    def interval(self, confidence: float) -> tuple[float, float]:
        """ȳ ± q(c) · e; ends that “have no bounds”, and those of equal values, are infinite."""
        y = self.left
        if len(y) < 2 or y.std(ddof=1) <= EQUAL * max(1, abs(y.mean())):
            return -inf, inf
        half = self.quantile(confidence) * self.error
        lower, upper = self.further(confidence) if self.further else (np.nan, np.nan)
        lower = -inf if self.at_most else np.nanmin([y.mean() - half, lower])
        upper = inf if self.at_least else np.nanmax([y.mean() + half, upper])
        return float(lower), float(upper)

    def slack(self, confidence: float, studies: int) -> float:
        """By how much an end may lie elsewhere, as the study drew only so many simulations."""
        if len(self.left) < 2:
            return 0.0
        if self.simulated:
            return _quantile_error(len(self.left), self.choices, confidence, studies) * self.error
        return OF_GAMMA * self.quantile(confidence) * self.error


def ends_of_rows(rows: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """ȳ ± q · e of each row; “those with equal values in all seeds take the largest e”."""
    y, s = rows.mean(axis=1), rows.std(axis=1, ddof=1)
    s = np.where(s <= EQUAL * np.maximum(1, abs(y)), s.max(initial=0), s)
    half = reach * s / sqrt(rows.shape[1])
    return y - half, y + half


@cache
def of_gamma(seeds: int, confidence: float) -> float:
    """q(c) that “solves P(t < −q) = (1 − c)/2 […] of independent yᵢ”, of gamma values.

    “P(t < −q) is the mean over v of G(n·a / (1 + q·v/√n))”, here over v of a Halton sequence.
    """
    v, whole = _variation(seeds), seeds * SHAPE

    def beyond(q: float) -> float:
        inside = special.gammainc(whole, whole / (1 + q * v / sqrt(seeds)))
        return float(np.mean(inside)) - (1 - confidence) / 2

    return optimize.brentq(beyond, 0.1, 1000, rtol=1e-6)


@cache
def _variation(seeds: int) -> np.ndarray:
    """Return “v = s / ȳ” of gamma values."""
    uniform = stats.qmc.Halton(seeds, rng=np.random.default_rng(20172)).random(POINTS)
    y = special.gammaincinv(SHAPE, uniform)
    return y.std(axis=1, ddof=1) / y.mean(axis=1)


@cache
def _quantile(seeds: int, choices: tuple[int, ...], confidence: float) -> float:
    """Return of six quantiles “the one […] that is farthest from 0”."""
    ends = (1 - confidence) / 2, (1 + confidence) / 2
    return max(float(abs(np.quantile(t, end))) for t in _simulated(seeds, choices) for end in ends)


@cache
def _quantile_error(seeds: int, choices: tuple[int, ...], confidence: float, studies: int) -> float:
    """Return four standard errors of a quantile: of the share of the draws that lie beyond."""
    rate, q = (1 - confidence) / 2, _quantile(seeds, choices, confidence)
    off = FOUR_SIGMA * sqrt(rate * (1 - rate) * (1 / studies + 1 / STUDIES))
    least = 1 / STUDIES
    ends = (max(rate - off, least), min(rate + off, 0.5))
    wider, narrower = (_quantile(seeds, choices, 1 - 2 * one) for one in ends)
    return max(wider - q, q - narrower)


@cache
def _simulated(seeds: int, choices: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Return (ȳ − μ) / e of “independent values of the same gamma distribution for every choice”.

    And “of the same mirrored and of normal ones”, three arrays of the studies simulated.
    “Each seed takes the choice with the highest mean over the other seeds.” With two groups, the
    best of the second is taken off.
    """
    rng, found = np.random.default_rng(20171), ([], [], [])
    for _ in range(STUDIES // BLOCK):
        sizes = [(many, BLOCK, seeds) for many in choices]
        skewed = [rng.standard_gamma(SHAPE, size, np.float32) - SHAPE for size in sizes]
        normal = [rng.standard_normal(size, np.float32) for size in sizes]
        for each, kept in zip((skewed, [-x for x in skewed], normal), found, strict=True):
            y = 0.0
            for sign, x in zip((1, -1), each, strict=False):
                others = x.sum(axis=2, keepdims=True) - x
                best = others.argmax(axis=0)[None]
                y = y + sign * np.take_along_axis(x, best, axis=0)[0].astype(float)
            kept.append(y.mean(axis=1) / (y.std(axis=1, ddof=1) / sqrt(seeds)))
    return tuple(np.concatenate(kept) for kept in found)


def detectable(values: Values, holds: tuple[float, float], confidence: float) -> float:
    """λ from P(t > q(c)) = 0.8, t noncentral with n − 1 degrees of freedom; d = λ · e.

    “It is ∞ where no effect is found as often: where an end that would have to be bounded is
    not, or where two ends are less than 3d apart.”
    """
    if values.further:  # “not told (–) of the best of several strengths”
        return np.nan
    lower, upper = values.interval(confidence)
    if (holds[0] > -inf and lower == -inf) or (holds[1] < inf and upper == inf):
        return inf
    q, freedom = values.quantile(confidence), len(values.left) - 1
    found = optimize.brentq(lambda x: stats.nct.sf(q, freedom, x) - 0.8, 0, 20 * q + 20)
    d = found * values.error
    return inf if holds[1] - holds[0] < 3 * d else float(d)


def verdict(
    holds: tuple[float, float], interval: tuple[float, float], adjusted: tuple[float, float]
) -> str:
    """Return the verdict on a part.

    Supported: “the whole interval lies where the part holds, with every end of the criterion
    outside of it”. Contradicted: “the whole adjusted interval lies where the part does not hold”.
    """
    below, above = holds
    if (below == -inf or below < interval[0]) and (above == inf or interval[1] < above):
        return "supported"
    if adjusted[1] <= below or adjusted[0] >= above:
        return "contradicted"
    return "inconclusive"


def of_claim(verdicts: list[str]) -> str:
    """Return the verdict on a claim from those on its core parts."""
    if "contradicted" in verdicts:
        return "contradicted"
    alike = {*verdicts}
    return alike.pop() if alike in ({"supported"}, {"not tested"}) else "inconclusive"
