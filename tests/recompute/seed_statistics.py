"""From the values of the seeds to a verdict, as the section of that name of claims.md says it."""

from dataclasses import dataclass
from functools import cache
from math import inf, sqrt

import numpy as np
from scipy import optimize, stats

EQUAL = 1.2e-7  # "up to the rounding of single precision (s ≤ 1.2e-07 · max(1, |ȳ|))"
STUDIES = 400_000  # simulated here, many more than by the study, whose error then dominates
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
        """q(c): the (1 + c)/2 quantile of Student's t, or the c quantile of simulated |ȳ / e|."""
        if self.simulated:
            return float(np.quantile(_simulated(len(self.left), self.choices), confidence))
        return float(stats.t.ppf((1 + confidence) / 2, len(self.left) - 1))

    def interval(self, confidence: float) -> tuple[float, float]:
        """ȳ ± q(c) · e; ends that “have no bounds”, and those of equal values, are infinite."""
        y = self.left
        if len(y) < 2 or y.std(ddof=1) <= EQUAL * max(1, abs(y.mean())):
            return -inf, inf
        half = self.quantile(confidence) * self.error
        lower = -inf if self.at_most else y.mean() - half
        upper = inf if self.at_least else y.mean() + half
        return float(lower), float(upper)

    def slack(self, confidence: float, studies: int) -> float:
        """By how much an end may lie elsewhere, as the study drew only so many simulations.

        Four standard errors of its quantile: of the share of its draws that lie beyond.
        """
        if not self.simulated:
            return 0.0
        t = _simulated(len(self.left), self.choices)
        off = FOUR_SIGMA * sqrt(confidence * (1 - confidence) / studies)
        low, middle, high = np.quantile(t, [confidence - off, confidence, min(confidence + off, 1)])
        return float(max(high - middle, middle - low) * self.error)


@cache
def _simulated(seeds: int, choices: tuple[int, ...]) -> np.ndarray:
    """Return |ȳ / e| of studies “in which all strengths are the same and values are normal”.

    Each seed's choice is the one that the other seeds find best. With two groups, the best of
    the second is taken off.
    """
    rng = np.random.default_rng(20171)
    found = []
    for _ in range(STUDIES // BLOCK):
        y = 0.0
        for sign, many in zip((1, -1), choices, strict=False):
            x = rng.standard_normal((BLOCK, seeds, many))
            others = x.sum(axis=1, keepdims=True) - x
            best = others.argmax(axis=2)[..., None]
            y = y + sign * np.take_along_axis(x, best, axis=2)[..., 0]
        found.append(np.abs(y.mean(axis=1)) / (y.std(axis=1, ddof=1) / sqrt(seeds)))
    return np.concatenate(found)


def detectable(values: Values, holds: tuple[float, float], confidence: float) -> float:
    """λ from P(t > q(c)) = 0.8, t noncentral with n − 1 degrees of freedom; d = λ · e.

    “It is ∞ where no effect is found as often: where an end that would have to be bounded is
    not, or where two ends are less than 2d apart.”
    """
    lower, upper = values.interval(confidence)
    if (holds[0] > -inf and lower == -inf) or (holds[1] < inf and upper == inf):
        return inf
    q, freedom = values.quantile(confidence), len(values.left) - 1
    found = optimize.brentq(lambda x: stats.nct.sf(q, freedom, x) - 0.8, 0, 20 * q + 20)
    d = found * values.error
    return inf if holds[1] - holds[0] < 2 * d else float(d)


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
    return "supported" if {*verdicts} == {"supported"} else "inconclusive"
