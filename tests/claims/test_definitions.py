"""Whoever has the metrics alone can compute every estimate: each part says how."""

import numpy as np

from made_up_metrics import CRITERIA, study
from rote.claims import test_claims


def test_every_part_has_a_definition():
    metrics = study(1, seeds=6, noise=0.005, rng=np.random.default_rng(31))
    definitions = test_claims(metrics, CRITERIA)["definition"]
    missing = definitions["test"].values[definitions.values == ""]
    assert not missing.size, f"without a definition: {', '.join(missing)}"
