"""A file says what it was made by, to whoever looks for it and to nobody else."""

import pytest
import xarray as xr

from rote.files import made_by, netcdf
from rote.machine.errors import Damaged

DIGEST = "0123456789abcdef"
DATASET = xr.Dataset({"x": ("a", [1.0, 2.0], {"long_name": "x", "units": "1"})})


def test_a_netcdf_file_has_it_behind_its_data(tmp_path):
    netcdf.write(DATASET, tmp_path / "a.nc", DIGEST)
    assert made_by.read(tmp_path / "a.nc") == DIGEST
    assert netcdf.read(tmp_path / "a.nc").identical(DATASET)
    with xr.open_dataset(tmp_path / "a.nc") as other_reader:
        assert other_reader.load().equals(DATASET)


def test_it_is_sealed(tmp_path):
    path = tmp_path / "a.nc"
    netcdf.write(DATASET, path, DIGEST)
    content = path.read_bytes()
    path.write_bytes(content.replace(DIGEST.encode(), DIGEST[::-1].encode()))
    with pytest.raises(Damaged, match="SHA-256"):
        netcdf.read(path)


@pytest.mark.parametrize("text", ["{}", "# {}\n", "<sub>{}</sub>\n", "Numbers.\n\n{}\n"])
def test_a_page_has_it_in_its_last_words(tmp_path, text):
    path = tmp_path / "page"
    path.write_text("Made by fedcba9876543210, long ago.\n" + text.format(made_by.words(DIGEST)))
    assert made_by.read(path) == DIGEST


def test_what_says_nothing_or_is_not_there_has_none(tmp_path):
    netcdf.write(DATASET, tmp_path / "a.nc")
    (tmp_path / "empty").touch()
    (tmp_path / "page").write_text("Made by hand.")
    for name in ("a.nc", "empty", "page", "gone", "."):
        assert made_by.read(tmp_path / name) is None


def test_files_that_were_made_by_something_else_are_stale_but_none_that_is_missing(tmp_path):
    for name, digest in (("same", DIGEST), ("other", "f" * 16)):
        netcdf.write(DATASET, tmp_path / f"{name}.nc", digest)
    netcdf.write(DATASET, tmp_path / "older.nc")
    expected = dict.fromkeys(("same.nc", "other.nc", "older.nc", "gone.nc"), DIGEST)
    assert made_by.stale(expected, tmp_path) == ["other.nc", "older.nc"]
