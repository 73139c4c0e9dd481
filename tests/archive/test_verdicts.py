"""Verdicts in the description of an archive, also of a study that lacks figures."""

import numpy as np

from made_up_metrics import CRITERIA, study
from rote.archive import verdicts
from rote.claims import test_claims


def test_what_a_study_lacks_has_a_rating_of_its_own():
    metrics = study(1, seeds=4, noise=0.02, rng=np.random.default_rng(1))
    claims = test_claims({"fig2": metrics["fig2"]}, CRITERIA)
    found = {one["@id"]: one for one in verdicts.entities(claims, "claims.nc", {"fig2": "fig2.nc"})}
    assert not [name for name in found if " " in name]
    named = [
        found[one["reviewRating"]["@id"]]["name"]
        for one in found.values()
        if one["@type"] == "ClaimReview"
    ]
    assert named == claims["claim_verdict"].values.tolist()
    assert "not tested" in named and "supported" in named
