"""Conclusions are about the noise of the poster, whatever other noise stands beside it."""

import numpy as np
import pytest
import xarray as xr

from made_up_metrics import CRITERIA, study
from rote.claims import test_claims as claims_of

DIMS = {"fig1": "noise_kind", "fig3_1": "condition", "fig4_1": "condition", "fig4_2": "noise_kind"}
OTHER = {"randX": "shuffledX", "randY": "pairY"}


@pytest.fixture(scope="module")
def metrics() -> dict[str, xr.Dataset]:
    return study(1, seeds=4, noise=0.01, rng=np.random.default_rng(3))


def renamed(one: xr.Dataset, dim: str) -> xr.Dataset:
    """Return metrics with other noise in the place of the poster's."""
    names = [OTHER.get(name, name) for name in one[dim].values]
    return one.assign_coords({dim: names})


def test_other_noise_beside_it_changes_no_verdict(metrics):
    more = dict(metrics)
    for figure, dim in DIMS.items():
        others = renamed(metrics[figure], dim)
        others = others.sel({dim: [name for name in others[dim].values if name != "real"]})
        first, last = others.isel({dim: [0]}), others.isel({dim: slice(1, None)})
        parts = [first, metrics[figure], last]
        more[figure] = xr.concat(
            parts, dim, data_vars="minimal", coords="minimal", compat="override"
        )
        more[figure].attrs = metrics[figure].attrs
    before, after = claims_of(metrics, CRITERIA), claims_of(more, CRITERIA)
    assert (before["verdict"] == "supported").sum() > 20
    for name in ("estimate", "lower", "upper", "verdict"):
        xr.testing.assert_equal(before[name], after[name])


def test_without_the_poster_s_noise_nothing_is_concluded(metrics):
    other = dict(metrics)
    for figure, dim in DIMS.items():
        other[figure] = renamed(metrics[figure], dim)
    claims = claims_of(other, CRITERIA)
    about = claims.sel(test=[name for name in claims["test"].values if "rand" in name]).groupby(
        "figure"
    )
    assert {figure for figure, _ in about} == {"fig1", "fig3_1", "fig4_2"}
    for _, parts in about:
        assert (parts["verdict"] == "not tested").all()
        assert all("no rand" in reason for reason in parts["reason"].values)
