"""The poster's five conclusions, each put to tests on the metrics: one module a claim.

Each module has ``parts(metrics, criteria)``: what the claim says, in numbers. The criteria are
those of ``config.yaml``, fixed beforehand, and the same for every preset.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from rote.claims import capacity, complexity, convergence, examples, regularization
from rote.claims.verdicts import INCONCLUSIVE, Inconclusive, Interval, Part, combined, verdict
from rote.files.provenance import with_provenance
from rote.metrics.sweeps import first_of_each

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
TEXTS = {
    "description": "what the estimate is",
    "criterion": "where the estimate must lie for the part to hold",
    "figure": "figure whose metrics the estimate is computed from",
    "stated_by": "poster: part of the claim; paper: of the long version only; ours: beside them",
    "based_on": "what the interval of confidence is over",
    "reason": "why the verdict is inconclusive, or what to know about the estimate",
}
NUMBERS = {
    "estimate": "estimate",
    "lower": "lower end of the interval of confidence",
    "upper": "upper end of the interval of confidence",
    "holds_from": "the part holds above",
    "holds_to": "the part holds below",
}
UNDECIDED = "the interval reaches both sides of the criterion"


class _Metrics(dict):
    """The metrics that are there, by figure; asking for others says why a part has no verdict.

    ``every`` is the same before :func:`first_of_each`: with all norms and radii.
    """

    every: "_Metrics"

    def __missing__(self, figure: str) -> None:
        raise Inconclusive(f"there are no metrics of {figure}")


def test_claims(metrics: Mapping[str, xr.Dataset], criteria: dict) -> xr.Dataset:
    """Return estimates, intervals and verdicts of all parts of all claims.

    Args:
        metrics: what ``metrics/{figure}.nc`` hold, by figure, with all that is swept; parts of
            figures that are missing are inconclusive.
        criteria: ``claims`` of ``config.yaml``.

    Returns:
        ``estimate``, ``lower``, ``upper``, ``verdict``, ``holds_from``, ``holds_to`` (test) with
        coordinates ``claim``, ``description``, ``criterion``, ``figure``, ``stated_by``,
        ``based_on`` and ``reason``; ``claim_verdict`` (conclusion): supported if all of the
        poster's parts are, not supported if one is not, else inconclusive; ``claim_text``
        (conclusion).
    """
    rows, of_claim = [], {number: [] for number in CLAIMS}
    firsts = _Metrics({figure: first_of_each(one) for figure, one in metrics.items()})
    firsts.every = _Metrics(metrics)
    for number, (_, module) in CLAIMS.items():
        for part in module.parts(firsts, criteria):
            row = _row(part)
            rows.append({"claim": number, **row})
            if part.stated_by == "poster":
                of_claim[number].append(row["verdict"])
    column = {name: [row[name] for row in rows] for name in rows[0]}
    result = xr.Dataset(
        {
            **{name: ("test", column[name], _number(text)) for name, text in NUMBERS.items()},
            "verdict": ("test", column["verdict"], _text("verdict")),
            "claim_verdict": (
                "conclusion",
                [combined(verdicts) for verdicts in of_claim.values()],
                _text("verdict on the claim: that of all of the poster's parts"),
            ),
        },
        coords={
            "test": ("test", column["name"], _text("part of a claim")),
            "claim": ("test", column["claim"], _number("number of the claim")),
            **{name: ("test", column[name], _text(text)) for name, text in TEXTS.items()},
            "conclusion": ("conclusion", list(CLAIMS), _number("number of the claim")),
            "claim_text": (
                "conclusion",
                [text for text, _ in CLAIMS.values()],
                _text("what the poster concludes"),
            ),
        },
    )
    sources = {figure: one.attrs.get("git_commit", "unknown") for figure, one in metrics.items()}
    return with_provenance(
        result,
        {"claims": criteria, "metrics_of_commit": sources},
        title="Verdicts on the poster's five conclusions",
    )


test_claims.__test__ = False  # not one of pytest's


def _row(part: Part) -> dict:
    try:
        interval = part.interval()
    except Inconclusive as why:
        interval, decided, reason = Interval(*[np.nan] * 3, "nothing"), INCONCLUSIVE, str(why)
    else:
        decided, reason = verdict(interval, part.holds), interval.caveat
        if decided == INCONCLUSIVE:
            reason = "; ".join(filter(None, (UNDECIDED, reason)))
    return {
        "name": part.name,
        "verdict": decided,
        **interval._asdict(),
        "holds_from": part.holds[0],
        "holds_to": part.holds[1],
        "description": part.description,
        "criterion": part.criterion,
        "figure": part.figure,
        "stated_by": part.stated_by,
        "reason": reason,
    }


def _text(long_name: str) -> dict:
    return {"long_name": long_name}


def _number(long_name: str) -> dict:
    return {"long_name": long_name, "units": "1"}
