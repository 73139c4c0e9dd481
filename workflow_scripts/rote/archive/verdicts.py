"""The claims and their verdicts as entities of an RO-Crate.

A conclusion is a ``Claim``. Its verdict is a ``ClaimReview``, of which each part is a ``Review`` of
the same claim; both have one of the verdicts as their rating. What a part rests on is a
``PropertyValue``: the estimate, and as ``minValue`` and ``maxValue`` the ends of its interval of
confidence. An estimate that is missing, or an end that is infinite, is left out, since JSON has
neither.
"""

import math

import xarray as xr

from rote.archive.citation import Entity, references


def entities(claims: xr.Dataset, path: str, metrics: dict[str, str]) -> list[Entity]:
    """Return the entities, those of each conclusion after those that it refers to.

    Args:
        claims: what ``claims.nc`` holds.
        path: of that file in the archive.
        metrics: the path of the metrics of each figure in the archive.
    """
    words = dict.fromkeys(map(str, [*claims.claim_verdict.values, *claims.verdict.values]))
    found: list[Entity] = [
        {"@id": _rating(word), "@type": "Rating", "name": word, "alternateName": word}
        for word in sorted(words)
    ]
    for one in range(claims.sizes["conclusion"]):
        conclusion = claims.isel(conclusion=one)
        number, text = int(conclusion.conclusion), str(conclusion.claim_text.item())
        own = [t for t in range(claims.sizes["test"]) if int(claims.claim[t]) == number]
        parts = []
        for count, test in enumerate(own, 1):
            review, estimate = _part(claims.isel(test=test), f"{number}.{count}", metrics)
            parts.append(review)
            found += [estimate, review | {"itemReviewed": {"@id": f"#claim-{number}"}}]
        found.append(
            {
                "@id": f"#claim-{number}",
                "@type": "Claim",
                "name": f"Claim {number}",
                "text": text,
                "description": f"Stated by: {conclusion.claim_stated_by.item()}",
            }
        )
        verdict = str(conclusion.claim_verdict.item())
        found.append(
            {
                "@id": f"#verdict-{number}",
                "@type": "ClaimReview",
                "name": f"Claim {number}: {verdict}",
                "claimReviewed": text,
                "itemReviewed": {"@id": f"#claim-{number}"},
                "reviewRating": {"@id": _rating(verdict)},
                "isBasedOn": {"@id": path},
                "hasPart": references(parts),
            }
        )
    return found


def _rating(verdict: str) -> str:
    """Return the address of a verdict."""
    return f"#{verdict.replace(' ', '-')}"


def _part(test: xr.Dataset, number: str, metrics: dict[str, str]) -> tuple[Entity, Entity]:
    """Return the review of a part, and the estimate that it rests on."""
    text = {
        name: str(test[name].item())
        for name in ("description", "criterion", "reason", "figure", "stated_by", "definition")
    }
    numbers = {
        key: float(test[name])
        for key, name in (("value", "estimate"), ("minValue", "lower"), ("maxValue", "upper"))
    }
    estimate = {
        "@id": f"#estimate-{number}",
        "@type": "PropertyValue",
        "name": text["description"],
        **{key: value for key, value in numbers.items() if math.isfinite(value)},
    }
    if text["definition"]:
        estimate["measurementTechnique"] = text["definition"]
    review = {
        "@id": f"#part-{number}",
        "@type": "Review",
        "name": text["description"],
        "reviewAspect": text["stated_by"],
        "reviewBody": "; ".join(filter(None, [f"Criterion: {text['criterion']}", text["reason"]])),
        "reviewRating": {"@id": _rating(test.verdict.item())},
        "about": {"@id": estimate["@id"]},
    }
    if text["figure"] in metrics:
        review["isBasedOn"] = {"@id": metrics[text["figure"]]}
    return review, estimate
