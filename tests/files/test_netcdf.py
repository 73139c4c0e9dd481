import fcntl
import hashlib
import os

import numpy as np
import pytest
import xarray as xr
import yaml

import rote
from rote.files import netcdf
from rote.files.provenance import with_provenance
from rote.machine.errors import UserError

NAMED = {"long_name": "numbers", "units": "1"}


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {
            "random": (("a", "b"), rng.random((300, 1000)), NAMED, {"zlib": False}),
            "whole": ("a", np.arange(300, dtype=np.int16), NAMED),
            "flag": ("a", np.arange(300) % 2 == 0, NAMED),
            "empty": ("c", np.empty(0), NAMED),
            "name": ("d", ["one", "zwei"], NAMED),
        },
        attrs={"answer": 42},
    )


def test_what_is_written_is_read(dataset, tmp_path):
    netcdf.write(dataset, tmp_path / "new" / "file.nc")
    xr.testing.assert_identical(netcdf.read(tmp_path / "new" / "file.nc"), dataset)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file.nc"]


def test_same_content_gives_the_same_bytes(dataset, tmp_path):
    paths = [tmp_path / name for name in ("1.nc", "2.nc")]
    for path in paths:
        netcdf.write(with_provenance(dataset, {"seed": 0}, title="t"), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("variable", ["random", "whole", "flag"])
def test_a_flipped_bit_is_found(dataset, tmp_path, variable):
    path = tmp_path / "file.nc"
    netcdf.write(dataset[[variable]], path)
    content = bytearray(path.read_bytes())
    intact = netcdf.read(path)
    found = 0
    for position in np.linspace(len(content) // 4, len(content) - 1, 40, dtype=int):
        damaged = content.copy()
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        try:
            xr.testing.assert_equal(netcdf.read(path), intact)  # padding may be damaged at will
        except UserError as error:
            assert str(path) in str(error)
            assert "delete it" in str(error)
            found += 1
    assert found > 0


def test_a_truncated_file_is_found(dataset, tmp_path):
    path = tmp_path / "file.nc"
    netcdf.write(dataset, path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(UserError, match="is damaged"):
        netcdf.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="gone.nc is missing"):
        netcdf.read(tmp_path / "gone.nc")


def test_a_full_disk_keeps_what_was_there(dataset, tmp_path, monkeypatch):
    path = tmp_path / "file.nc"
    netcdf.write(dataset, path)

    def full(self, target, **_):
        target.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    with pytest.raises(UserError, match=r"Cannot write .*No space left.*free some space"):
        netcdf.write(dataset.isel(a=slice(10)), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.nc"]
    xr.testing.assert_identical(netcdf.read(path), dataset)


def test_what_killed_writers_leave_behind_is_removed_but_nothing_else(dataset, tmp_path):
    left = [tmp_path / f".{name}" for name in ("file.nc.1.tmp", "file.nc.2.tmp", "file.nc.3.tmp")]
    other = tmp_path / ".other.nc.1.tmp"
    for path in (*left, other):
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    left[1].touch()  # a moment ago
    with left[2].open("rb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        netcdf.write(dataset, tmp_path / "file.nc")
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {"file.nc", left[1].name, left[2].name, other.name}


def test_the_sha_of_a_file_can_be_checked_without_rote(dataset, tmp_path):
    netcdf.write(dataset, tmp_path / "file.nc")
    content = (tmp_path / "file.nc").read_bytes()
    assert content[-77:] == b"rote-sha256:%s\n" % hashlib.sha256(content[:-77]).hexdigest().encode()
    assert xr.open_dataset(tmp_path / "file.nc").load().equals(dataset)  # as anybody reads it


@pytest.mark.parametrize(
    ("values", "attrs", "lacking"),
    [
        ([1.0], {}, "long_name and units"),
        ([1.0], {"long_name": "x"}, "units"),
        (["a"], {"units": "1"}, "long_name"),
    ],
)
def test_a_variable_that_is_not_named_or_has_no_units_is_refused(values, attrs, lacking, tmp_path):
    with pytest.raises(ValueError, match=f"x of .*file.nc lacks {lacking}$"):
        netcdf.write(xr.Dataset({"x": ("a", values, attrs)}), tmp_path / "file.nc")
    assert not list(tmp_path.iterdir())


def test_provenance_names_settings_software_commit_and_device(dataset):
    attrs = with_provenance(dataset, {"seed": 7}, title="t", device="cpu").attrs
    assert [*attrs][:3] == ["title", "Conventions", "references"]
    assert yaml.safe_load(attrs["settings"]) == {"seed": 7}
    software = yaml.safe_load(attrs["software"])
    assert software["rote"] == rote.__version__
    assert software["torch"].startswith("2.13.0")
    assert "arxiv.org/abs/1706.05394" in attrs["references"]
    assert attrs["device"] == "cpu"
    assert attrs["git_commit"]


def test_chunks_hold_about_a_mebibyte():
    for shape in [(60000, 1, 28, 28), (3, 50000, 784), (5,), (2, 10**7)]:
        chunks = netcdf._chunks(
            xr.Variable(list("abcd")[: len(shape)], np.broadcast_to(np.float32(0), shape))
        )
        assert np.prod(chunks) * 4 <= 2**20
        assert np.prod(chunks) * 4 > 2**18 or chunks == shape


def test_objects_in_a_netcdf_file_stay_text(tmp_path):
    """NetCDF has no type that would be executed; arrays of objects cannot even be written."""
    named = {"long_name": "x"}
    with pytest.raises((UserError, ValueError, TypeError)):
        netcdf.write(xr.Dataset({"x": ("a", np.array([{1: 2}], object), named)}), tmp_path / "a.nc")
    netcdf.write(xr.Dataset({"x": ("a", ["__import__(1)"], named)}), tmp_path / "a.nc")
    assert netcdf.read(tmp_path / "a.nc")["x"].values.tolist() == ["__import__(1)"]
