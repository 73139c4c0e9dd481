"""Every variable of a run is named, whichever version stored its members."""

import numpy as np
import pytest
import xarray as xr

from rote.runs.variables import ATTRIBUTES, described
from rote.study.plan import Member


def test_every_field_of_a_member_has_a_name():
    assert set(Member._fields) <= ATTRIBUTES.keys()


def test_attributes_are_those_of_this_version():
    old = {"long_name": "as it was called", "units": "nat"}
    stored = xr.Dataset(
        {"train_loss": ("epoch", np.ones(2), old)},
        coords={"epoch": ("epoch", [1, 2], old), "noise_kind": ((), "real", old)},
        attrs={"git_commit": "old"},
    )
    run = described(stored)
    assert run["train_loss"].attrs == {
        "long_name": ATTRIBUTES["train_loss"]["long_name"],
        "units": "1",
    }
    assert run["epoch"].attrs["units"] == "1"
    assert "units" not in run["noise_kind"].attrs
    assert stored["train_loss"].attrs == old


def test_a_variable_without_a_name_is_a_mistake():
    with pytest.raises(KeyError, match="unheard_of"):
        described(xr.Dataset({"unheard_of": 1}))
