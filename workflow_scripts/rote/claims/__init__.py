"""The poster's five conclusions and two of our own, each put to tests: one module a claim.

Each module has ``parts(metrics, criteria)``: what the claim says, in numbers. The criteria are
those of ``config.yaml``, the same for every preset; :mod:`rote.claims.criteria` says why they are
what they are, and when each was fixed.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from rote.claims import (
    capacity,
    complexity,
    convergence,
    draws,
    examples,
    fair_proxy,
    memorization,
    regularization,
)
from rote.claims.verdicts import (
    INCONCLUSIVE,
    LACKING,
    NOT_TESTED,
    Inconclusive,
    Interval,
    NotTested,
    Part,
    adjusted_confidence,
    combined,
    comparisons_beside,
    verdict,
)
from rote.files.provenance import with_provenance
from rote.files.sweeps import first_of_each

CLAIMS = {
    1: ("Fitting noise requires more effective capacity.", capacity),
    2: ("Training on noise gets harder, faster, when the data set grows.", convergence),
    3: (
        "On real data some examples are always, or never, fit at once, and some matter more than "
        "others; not so for noise.",
        examples,
    ),
    4: ("Simple patterns are learned first, before memorising.", complexity),
    5: ("Regularisation can effectively reduce memorisation.", regularization),
}
# Of our own, beside the poster's: tested where there is what they are tested on.
OWN = {
    6: ("Nets memorise noise and not real data.", memorization, "memorization"),
    7: (
        "What regularisers take from noise, they take from natural memorisation too.",
        fair_proxy,
        "fair_proxy",
    ),
}
TEXTS = {
    "description": "what the estimate is",
    "criterion": "where the estimate must lie for the part to hold",
    "figure": "figure whose metrics the estimate is computed from",
    "stated_by": "poster: core part of the claim; paper: of the long version only; ours: beside "
    "them; rote: core part of a claim of our own",
    "definition": "how the estimate is computed from the metrics of the figure",
    "based_on": "what the interval of confidence is over",
    "reason": "why nothing is decided, or what to know about the estimate",
    "dependent_on": "settings on which the verdict depends, where they were varied",
}
NUMBERS = {
    "estimate": "estimate",
    "lower": "lower end of the interval of confidence",
    "upper": "upper end of the interval of confidence",
    "standard_error": "standard error of the estimate",
    "adjusted_lower": "lower end of the interval at the confidence adjusted for several parts",
    "adjusted_upper": "upper end of the interval at the confidence adjusted for several parts",
    "adjusted_for": "ends of criteria that the confidence is adjusted for",
    "detectable": "distance beyond the criterion of an effect that is found 4 times in 5",
    "holds_from": "the part holds above",
    "holds_to": "the part holds below",
}
UNDECIDED = "the interval reaches both sides of the criterion"
NEARLY = (
    "the interval lies where the part does not hold, but not the one that is adjusted for the "
    "number of parts"
)


class Metrics(dict):
    """The metrics that are there, by figure; asking for others says why a part has no verdict.

    ``every`` is the same before :func:`first_of_each`: with all norms and radii.
    """

    every: "Metrics"

    @classmethod
    def of(cls, metrics: Mapping[str, xr.Dataset]) -> "Metrics":
        """Return the first of all that is swept, and as ``every`` what ``metrics`` hold."""
        firsts = cls({figure: first_of_each(one) for figure, one in metrics.items()})
        firsts.every = cls(metrics)
        return firsts

    def __missing__(self, figure: str) -> None:
        """Say that there are none of a figure."""
        raise NotTested(f"{LACKING} {figure}")


def test_claims(
    metrics: Mapping[str, xr.Dataset],
    criteria: dict,
    dependent_on: Mapping[str, Sequence[str]] | None = None,
) -> xr.Dataset:
    """Return estimates, intervals and verdicts of all parts of all claims.

    Args:
        metrics: what ``metrics/{figure}.nc`` hold, by figure, with all that is swept; parts of
            figures, noises or levels that are missing are not tested.
        criteria: ``claims`` of ``config.yaml``.
        dependent_on: the settings on which the verdict of a part is known to depend, by its name.

    Returns:
        ``verdict`` and the numbers of ``NUMBERS`` (test), with the coordinates ``claim`` and those
        of ``TEXTS``; ``claim_verdict`` (conclusion): supported if all of its core parts are,
        contradicted if one is, not tested if none is, else inconclusive; ``claim_dependent_on``
        (conclusion): the settings on which the parts depend that make it; ``claim_text`` and
        ``claim_stated_by`` (conclusion): those of our own are there if the metrics are that they
        are tested on.
    """
    rows, of_claims, dependent_on = [], {}, dependent_on or {}
    firsts = Metrics.of(metrics)
    own = {n: (words, module) for n, (words, module, figure) in OWN.items() if figure in metrics}
    claims = {**CLAIMS, **own}
    for number, (_, module) in claims.items():
        parts = list(module.parts(firsts, criteria))
        counts = comparisons_beside(parts)
        own = [
            _row(part, criteria["confidence"], counts[part.core], dependent_on.get(part.name, ()))
            for part in parts
        ]
        rows += [{"claim": number, **row} for row in own]
        of_claims[number] = _of_claim(
            [row for row, part in zip(own, parts, strict=True) if part.core]
        )
    column = {name: [row[name] for row in rows] for name in rows[0]}
    result = xr.Dataset(
        {
            **{name: ("test", column[name], _number(text)) for name, text in NUMBERS.items()},
            "verdict": ("test", column["verdict"], _text("verdict")),
            "claim_verdict": (
                "conclusion",
                [decided for decided, _ in of_claims.values()],
                _text("verdict on the claim: that of all of its core parts"),
            ),
            "claim_dependent_on": (
                "conclusion",
                [settings for _, settings in of_claims.values()],
                _text("settings on which the parts depend that make the verdict on the claim"),
            ),
        },
        coords={
            "test": ("test", column["name"], _text("part of a claim")),
            "claim": ("test", column["claim"], _number("number of the claim")),
            **{name: ("test", column[name], _text(text)) for name, text in TEXTS.items()},
            "conclusion": ("conclusion", list(claims), _number("number of the claim")),
            "claim_stated_by": (
                "conclusion",
                ["poster" if number in CLAIMS else "rote" for number in claims],
                _text("whose conclusion it is: the poster's, or our own, rote"),
            ),
            "claim_text": (
                "conclusion",
                [text for text, _ in claims.values()],
                _text("what is concluded"),
            ),
        },
    )
    sources = {figure: one.attrs.get("git_commit", "unknown") for figure, one in metrics.items()}
    return with_provenance(
        result,
        {"claims": criteria, "metrics_of_commit": sources, "draws": draws.of_figures(metrics)},
        title="Verdicts on the poster's five conclusions, and on our own",
    )


test_claims.__test__ = False  # not one of pytest's


def _of_claim(core: list[dict]) -> tuple[str, str]:
    """Return the verdict on a claim, and on which settings the parts depend that make it."""
    decided = combined([row["verdict"] for row in core])
    settings = [row["dependent_on"] for row in core if row["verdict"] == decided]
    return decided, ", ".join(dict.fromkeys(filter(None, ", ".join(settings).split(", "))))


def _row(part: Part, confidence: float, count: int, dependent_on: Sequence[str]) -> dict:
    adjusted, detectable = (np.nan, np.nan), np.nan
    try:
        interval = part.interval()
    except Inconclusive as why:
        interval, reason = Interval(*[np.nan] * 3, "nothing"), str(why)
        decided = NOT_TESTED if isinstance(why, NotTested) else INCONCLUSIVE
    else:
        adjusted = interval.at(adjusted_confidence(confidence, count))
        detectable = interval.detectable(part.holds, confidence)
        decided = verdict(interval, part.holds, adjusted)
        adjusted_open = (f"{why} for the adjusted interval" for why in interval.why_open(*adjusted))
        reasons = [interval.caveat, *adjusted_open]
        if decided == INCONCLUSIVE:
            reasons.insert(0, _undecided(interval, part.holds))
        reason = "; ".join(filter(None, reasons))
    return {
        "name": part.name,
        "verdict": decided,
        "estimate": interval.estimate,
        "lower": interval.lower,
        "upper": interval.upper,
        "standard_error": interval.standard_error,
        "adjusted_lower": adjusted[0],
        "adjusted_upper": adjusted[1],
        "adjusted_for": count,
        "detectable": detectable,
        "holds_from": part.holds[0],
        "holds_to": part.holds[1],
        "description": part.description,
        "criterion": part.criterion,
        "figure": part.figure,
        "stated_by": part.stated_by,
        "definition": part.definition,
        "based_on": interval.based_on,
        "reason": reason,
        "dependent_on": ", ".join(dependent_on),
    }


def _undecided(interval: Interval, holds: tuple[float, float]) -> str:
    """Return why an interval decides nothing, where its caveat does not say all of it."""
    if np.isneginf(interval.lower) and np.isposinf(interval.upper):
        return ""
    outside = interval.upper <= holds[0] or interval.lower >= holds[1]
    return NEARLY if outside else UNDECIDED


def _text(long_name: str) -> dict:
    return {"long_name": long_name}


def _number(long_name: str) -> dict:
    return {"long_name": long_name, "units": "1"}
