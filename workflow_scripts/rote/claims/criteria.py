"""Why each criterion of ``config.yaml`` has its value, and when it was fixed."""

from typing import NamedTuple


class Criterion(NamedTuple):
    """What stands beside a criterion in ``claims.md``."""

    reason: str
    fixed: str


FIRST = (
    "written down before the code of the tests, but after figures with slopes and standard "
    "deviations had been seen"
)
DRAWS = (
    "fixed on 28 November 2026, before any study with several draws of data was run; results of "
    "three seeds of one draw were known"
)
OWN = (
    "fixed on 28 November 2026, before any of the studies that it is for was run; shares of "
    "memorised digits were known from a trial"
)

CRITERIA = {
    "confidence": Criterion(
        "of each interval: under no effect, a part is supported in at most 2.5 % of studies", FIRST
    ),
    "minimum_seeds": Criterion(
        "with fewer, a part is inconclusive: with three, even Student's interval is two and a half "
        "standard deviations to either side",
        DRAWS,
    ),
    "margin": Criterion(
        "smallest difference between fractions that counts: what one sees on an axis from 0 to 1, "
        "and two standard errors of an accuracy that is measured on 2,000 examples",
        FIRST,
    ),
    "large": Criterion(
        "a large difference between fractions: ten times the smallest that counts", FIRST
    ),
    "doublings": Criterion("of the width: one step between the widths compared", FIRST),
    "slope": Criterion(
        "rise of the exponent of the size of the data set: for ten times the examples a quarter "
        "more time",
        FIRST,
    ),
    "nearly": Criterion(
        "an example is always, or never, right if up to one in twenty experiments disagree", DRAWS
    ),
    "fitted": Criterion(
        "training accuracy from which on a model counts as having fitted its data", FIRST
    ),
    "commonest": Criterion(
        "most inputs: of a model that puts more of them than this into one class, the critical "
        "sample ratio can be low, whatever it has learned, and is no evidence",
        f"{DRAWS}; how it is used was changed on 29 November 2026, when a verdict of the demo had "
        "turned out to hang on it, at last by a rule that was written down before new models were "
        "trained for it",
    ),
    "together": Criterion(
        "rank correlation from which on two measures move together: half of what it can be",
        OWN,
    ),
    "exploded": Criterion(
        "a sensitivity that grows to so many times that before training has exploded: used in "
        "Figure 3.2, where such seeds are dotted, and in no part",
        DRAWS,
    ),
}
