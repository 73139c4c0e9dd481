"""Which function computes a part, by its name in claims.md."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import estimates as early
import estimates_of_memorization as own
import estimates_of_training as late
import xarray as xr
from estimates import Criteria
from seed_statistics import Values

Compute = Callable[[xr.Dataset, Criteria, dict[str, str]], Values]
AT_LOSS = "fall of training accuracy on random labels at a loss of validation accuracy"
WITH_DROPOUT = ["dropout", "adversarial_dropout"]
LABELLINGS = {"class labels": "class", "a class for each example": "unique"}
NORMS = {"ℓ1": "l1", "ℓ2": "l2", "ℓ∞": "linf"}


def _sensitivity(data: xr.Dataset, c: Criteria, g: dict[str, str]) -> Values:
    norms = [NORMS[g["first"]], NORMS[g["second"]]] if g.get("first") else [data.norm.values[0]]
    return early.sensitivity(data, LABELLINGS[g["labels"]], norms, c)


def _in_case(function: Callable[..., Values], *fixed: object) -> Compute:
    """Return ``function`` for the case whose ``title`` the part begins with."""

    def compute(data: xr.Dataset, criteria: Criteria, g: dict[str, str]) -> Values:
        names = data.dataset.values[data.title.values == g["case"]]
        if len(names) != 1:
            raise ValueError(f"{len(names)} cases are called {g['case']}")
        return function(late.case(data, names[0]), g["kind"], *fixed, criteria)

    return compute


def _best(data: xr.Dataset, c: Criteria, g: dict[str, str]) -> Values:
    return late.Strengths(data, c).fall([g["name"].replace(" ", "_")])


def _dropout(data: xr.Dataset, c: Criteria, g: dict[str, str]) -> Values:
    others = [str(one) for one in data.regularizer.values if one not in WITH_DROPOUT]
    return late.Strengths(data, c).fall(WITH_DROPOUT, others)


FAMILIES: dict[str, Compute] = {
    r"(?P<kind>rand.): doublings of the smallest width that fits .*": (
        lambda data, c, g: early.fitted_width(data, g["kind"], c)
    ),
    r"(?P<kind>rand.): doublings of the width at which .* saturates, .*": (
        lambda data, c, g: early.saturation_width(data, g["kind"], c)
    ),
    r"(?P<kind>rand.): share of the gain of validation accuracy .*": (
        lambda data, c, g: early.diminishing_returns(data, g["kind"], c)
    ),
    r"(?P<kind>rand.): validation accuracy of the largest width .*": (
        lambda data, c, g: early.validation_falls(data, g["kind"], c)
    ),
    r"rise of the slope of log\(time to convergence\) .*": (
        lambda data, c, g: early.time_over_size(data)
    ),
    r"(?P<terms>[^:]+): standard deviation over examples of the true error rate.*": (
        lambda data, c, g: early.spreads(data, g["terms"], within=False)
    ),
    r"(?P<terms>[^:]+): the same among examples of a label.*": (
        lambda data, c, g: early.spreads(data, g["terms"], within=True)
    ),
    r"(?P<condition>\w+): share of examples that are always, or never, right, less what it would "
    r"be if all (?P<within>of a label )?were alike.*": (
        lambda data, c, g: early.always_or_never(data, g["condition"], g["within"] is not None, c)
    ),
    r"(?P<labels>[^:]+): Gini coefficient of the loss-sensitivity, real less randX": _sensitivity,
    r"(?P<labels>[^:]+): the same .* with the norm (?P<first>ℓ.) less that with (?P<second>ℓ.)": (
        _sensitivity
    ),
    r"share of the per-class sensitivity on the diagonal, real less randX": (
        lambda data, c, g: early.between_classes(data, False, c)
    ),
    r"Gini coefficient of the sensitivity off the diagonal, real less randX": (
        lambda data, c, g: early.between_classes(data, True, c)
    ),
    r"(?P<case>.+), critical sample ratio at the last search, (?P<kind>\w+ less \w+)(?:, at .*)?": (
        _in_case(late.compared_ratios, False)
    ),
    r"(?P<case>.+), .* on inputs of the kind trained on, (?P<kind>\w+ less \w+)(?:, at .*)?": (
        _in_case(late.compared_ratios, True)
    ),
    r"(?P<case>.+), (?P<kind>rand.), .*: training accuracy gained after the peak .*": (
        _in_case(late.gained_after_peak, False)
    ),
    r"(?P<case>.+), (?P<kind>rand.), .*: critical sample ratio gained after the peak .*": (
        _in_case(late.gained_after_peak, True)
    ),
    r"(?P<case>.+), (?P<kind>rand.): rise of the .* ratio at the last search, from no noise .*": (
        _in_case(late.rise_with_noise)
    ),
    r"(?P<case>.+), (?P<kind>rand.): rise of the .* over the first two thirds .*": (
        _in_case(late.over_searches, "first two thirds")
    ),
    r"(?P<case>.+), (?P<kind>rand.): change of the .* over the last third .*": (
        _in_case(late.over_searches, "last third")
    ),
    r"(?P<case>.+), (?P<kind>rand.): rise to the peak of .*": _in_case(late.around_peak, False),
    r"(?P<case>.+), (?P<kind>rand.): fall from the peak of .*": _in_case(late.around_peak, True),
    r"(?P<case>.+), (?P<kind>rand.): fall of the final validation accuracy, .*": (
        _in_case(late.validation_fall, False)
    ),
    r"(?P<case>.+), (?P<kind>rand.): fall of the best validation accuracy, .*": (
        _in_case(late.validation_fall, True)
    ),
    r"best regulariser and strength: .*": lambda data, c, g: late.Strengths(data, c).fall(),
    r"the same: loss of the best validation accuracy on real data": (
        lambda data, c, g: late.Strengths(data, c).loss()
    ),
    r"mean of the selected strengths: .*": lambda data, c, g: late.slowed(data, c),
    r"two regularisers of which .*": lambda data, c, g: late.swapped(data, c),
    rf"(?P<name>[\w ]+): {AT_LOSS} .*": _best,
    r"the same fall, dropout with or without adversarial training less .*": _dropout,
    r"the same fall, dropout with adversarial training less dropout alone": (
        lambda data, c, g: late.Strengths(data, c).fall(["adversarial_dropout"], ["dropout"])
    ),
    r"(?P<kind>real): share of examples that are memorised": (
        lambda data, c, g: own.memorized(data, g["kind"], c)
    ),
    r"(?P<kind>\w+): share of memorised examples among those that noise changed, .*": (
        lambda data, c, g: own.memorized(data, g["kind"], c)
    ),
    r"(?P<kind>\w+): share of memorised examples among those that noise kept, .* of real": (
        lambda data, c, g: own.kept_less_real(data, g["kind"], c)
    ),
    r"random labels: mean memorisation score less what fitting them implies": (
        lambda data, c, g: own.beyond_fitting(data, c)
    ),
    r"(?P<name>[\w ]+): fall of the share of real examples that are memorised, .*": (
        lambda data, c, g: own.natural_fall(data, g["name"].replace(" ", "_"), False, c)
    ),
    r"(?P<name>[\w ]+): the same fall from models that end early, .*": (
        lambda data, c, g: own.natural_fall(data, g["name"].replace(" ", "_"), True, c)
    ),
    r"rank correlation, over all variants, .*": lambda data, c, g: own.together(data),
}


@cache
def _metrics(path: Path) -> xr.Dataset:
    with xr.open_dataset(path) as data:
        return data.load()


def values(name: str, figure: str, metrics: Path, criteria: Criteria) -> Values:
    """Return what the seeds have of a part, from the file of its figure under ``metrics``."""
    return _values(name, (metrics / f"{figure}.nc").resolve(), tuple(criteria.items()))


@cache
def _values(name: str, path: Path, criteria: tuple[tuple[str, float], ...]) -> Values:
    name = re.sub(r" \((paper|ours)\)$", "", name)
    for pattern, compute in FAMILIES.items():
        if found := re.fullmatch(pattern, name):
            return compute(_metrics(path), dict(criteria), found.groupdict())
    raise ValueError(f"no function computes: {name}")
