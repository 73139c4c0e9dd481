import os
import subprocess
import sys

import netCDF4
import pytest
import xarray as xr

from conftest import ROOT
from rote.files import netcdf
from rote.files.store import Store, fingerprint
from rote.machine.errors import UserError


@pytest.fixture
def member():
    return xr.Dataset({"x": ("a", [1.0, 2.0], {"long_name": "x", "units": "1"})})


def test_fingerprint_depends_on_content_not_on_order():
    assert fingerprint(a=1, b={"c": 2, "d": 3}) == fingerprint(b={"d": 3, "c": 2}, a=1)
    assert fingerprint(a=1) != fingerprint(a=2)
    assert fingerprint(a=None) == "d091f9c83c091f79652fe8786375b3fe4ce0861a56f5bfbafedbe431877ff0e8"


def test_members_are_kept(member, tmp_path):
    store = Store(tmp_path)
    assert store.load("ab12") is None
    store.save("ab12", member)
    xr.testing.assert_identical(Store(tmp_path).load("ab12"), member)
    assert store.load("ab13") is None


def test_a_finished_member_needs_no_checkpoint(member, tmp_path):
    store = Store(tmp_path)
    store.save_checkpoint("ab12", member)
    assert store.load("ab12") is None
    xr.testing.assert_identical(store.load_checkpoint("ab12"), member)
    store.save("ab12", member)
    assert store.load_checkpoint("ab12") is None


def test_a_damaged_member_is_removed_and_said(member, tmp_path, caplog):
    store = Store(tmp_path)
    store.save("ab12", member)
    (path,) = tmp_path.rglob("*.nc")
    path.write_bytes(path.read_bytes()[:-50])
    assert store.load("ab12") is None
    assert not path.exists()
    assert "It is computed again." in caplog.text


def test_parameters_are_kept_beside_the_member(member, tmp_path):
    store = Store(tmp_path)
    store.save_parameters("ab12", 3, member)
    assert store.has_parameters("ab12", [3])
    assert store.has_parameters("ab12", [])
    assert not store.has_parameters("ab12", [3, 4])
    xr.testing.assert_identical(store.load_parameters("ab12", 3), member)
    assert store.load("ab12") is None
    assert store.load_parameters("ab12", 4) is None


JOB = """
import sys, time
import numpy as np, xarray as xr
from rote.files.store import Store

store, own, end = Store(sys.argv[1]), float(sys.argv[2]), time.monotonic() + 1.0
named = {"long_name": "x", "units": "1"}
member = xr.Dataset({"x": ("a", np.full(200_000, own), named, {"zlib": False})})
found = 0
while time.monotonic() < end:
    store.save_checkpoint("ab12", member)
    for read in (store.load_checkpoint("ab12"), store.load("ab12")):
        if read is not None:
            found += 1
            assert (read["x"] == read["x"][0]).all() and read.sizes["a"] == 200_000
    store.save("ab12", member)
print(found)
"""


@pytest.mark.slow
def test_jobs_share_a_store(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow_scripts")}
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", JOB, tmp_path, str(i)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(3)
    ]
    for job in jobs:
        printed, error = job.communicate(timeout=60)
        assert job.returncode == 0, error
        assert not error  # no member was found to be damaged
        assert int(printed) > 0
    left = {path.name for path in tmp_path.rglob("*.*")}
    assert "ab12.nc" in left
    assert left <= {"ab12.nc", "ab12.checkpoint.nc"}
    assert Store(tmp_path).load("ab12") is not None


def test_a_file_that_goes_while_it_is_read_is_none(member, tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.save_checkpoint("ab12", member)
    read = netcdf.read

    def read_too_late(path, own):
        path.unlink()
        return read(path)

    monkeypatch.setattr(netcdf, "read", read_too_late)
    assert store.load_checkpoint("ab12") is None


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(member, tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.save("ab12", member)
    read, calls = netcdf.read, []

    def stale_at_first(path, own):
        calls.append(path)
        if len(calls) == 1:
            raise UserError("stale file handle")
        return read(path)

    monkeypatch.setattr(netcdf, "read", stale_at_first)
    xr.testing.assert_identical(store.load("ab12"), member)


def test_equal_numbers_are_the_same_however_they_are_written():
    assert fingerprint(momentum=0, x=[1, {"y": 2.0}]) == fingerprint(
        momentum=0.0, x=[1.0, {"y": 2}]
    )
    assert fingerprint(momentum=0) != fingerprint(momentum=False)
    assert fingerprint(rate=0.1) != fingerprint(rate=0.10000001)
    assert fingerprint(loss=float("nan")) != fingerprint(loss=0)


def test_without_reuse_a_store_finds_only_what_it_has_kept_itself(tmp_path):
    member = xr.Dataset({"x": ("a", [1.0], {"long_name": "x", "units": "1"})})
    before, store = Store(tmp_path), Store(tmp_path, reuse=False)
    before.save("ab" * 32, member)
    before.save_parameters("ab" * 32, 3, member)
    before.save_checkpoint("cd" * 32, member)
    assert store.load("ab" * 32) is None
    assert store.load_parameters("ab" * 32, 3) is None
    assert not store.has_parameters("ab" * 32, [3])
    assert store.load_checkpoint("cd" * 32) is None
    store.save("ab" * 32, member + 1)
    store.save_parameters("ab" * 32, 3, member)
    assert store.load("ab" * 32)["x"].item() == 2
    assert store.has_parameters("ab" * 32, [3])
    assert before.load("ab" * 32)["x"].item() == 2


def test_a_member_that_somebody_has_changed_is_computed_again(tmp_path):
    store = Store(tmp_path)
    member = xr.Dataset({"x": ("a", [1.0], {"long_name": "x", "units": "1"})})
    store.save("ab" * 32, member)
    (path,) = tmp_path.rglob("*.nc")
    with netCDF4.Dataset(path, "a") as file:
        file["x"][0] = 2.0
    assert store.load("ab" * 32) is None
    assert not path.exists()
