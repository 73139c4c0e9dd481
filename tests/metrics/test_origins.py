"""Where the models of a figure come from is said for each of them."""

import json
import logging

import xarray as xr

from rote.metrics import origins

NAMED = {"long_name": "x", "units": "1"}


def run(commits, torch_versions, **attrs):
    software = [json.dumps({"torch": version, "numpy": "2"}) for version in torch_versions]
    members = {
        "git_commit": ("member", commits, NAMED),
        "software": ("member", software, NAMED),
        "device": ("member", ["cpu"] * len(commits), NAMED),
    }
    return xr.Dataset(coords=members, attrs=attrs)


def test_models_of_one_origin_are_counted_together(caplog):
    with caplog.at_level(logging.WARNING):
        found = origins([run(["a", "a"], ["1", "1"]), run(["a"], ["1"])])
    software = {"torch": "1", "numpy": "2"}
    expected = {"git_commit": "a", "software": software, "device": "cpu", "models": 3}
    assert found == [expected]
    assert not caplog.records


def test_several_commits_and_versions_are_told_apart_and_said(caplog):
    with caplog.at_level(logging.WARNING):
        found = origins([run(["a", "b", "b"], ["1", "1", "2"])])
    told = [(one["git_commit"], one["software"]["torch"], one["models"]) for one in found]
    assert told == [("a", "1", 1), ("b", "1", 1), ("b", "2", 1)]
    (record,) = caplog.records
    assert record.getMessage() == "The models were computed with several versions: torch 1 and 2."


def test_a_run_of_an_earlier_version_speaks_for_its_members():
    earlier = xr.Dataset({"x": ("member", [1, 2])}, attrs={"git_commit": "old", "device": "cpu"})
    assert origins([earlier]) == [
        {"git_commit": "old", "software": {}, "device": "cpu", "models": 2}
    ]
