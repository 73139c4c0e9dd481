"""Files name themselves, and keep the conventions that they name."""

import pytest
import xarray as xr

from conftest import ROOT
from conventions import violations
from rote.files import netcdf
from rote.files.provenance import with_provenance

NUMBER = {"long_name": "x", "units": "1"}
KEPT = sorted((ROOT / "docs").rglob("*.nc"))


@pytest.fixture
def named() -> xr.Dataset:
    dataset = xr.Dataset(
        {"x": ("seed", [1.0, 2.0], NUMBER)}, coords={"seed": ("seed", [0.5, 1.5], NUMBER)}
    )
    return with_provenance(dataset, {"a": 1}, title="A file")


@pytest.mark.parametrize("path", KEPT, ids=[str(path.relative_to(ROOT)) for path in KEPT])
def test_every_kept_file_keeps_the_conventions(path):
    assert not violations(path)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda d: d, None),
        (lambda d: d.assign_attrs(title=""), "the file lacks title"),
        (lambda d: d.drop_attrs(deep=False), "the file lacks Conventions"),
        (lambda d: d.assign_attrs(history="1970"), "a history has dates"),
        (lambda d: d.assign(x=d["x"].assign_attrs(units="nat")), "x: its units are not 1"),
        (lambda d: d.assign(y=((), "a", NUMBER)), "y: it is text with units"),
        (lambda d: d.assign({"2": ((), 1, NUMBER)}), "2: it is no name"),
        (lambda d: d.drop_vars("x"), "there are coordinates and no data"),
        (lambda d: d.isel(seed=[1, 0]), "seed: it is a coordinate that does not increase"),
        (lambda d: d.assign_coords(c=("c", ["a", "a"], {"long_name": "c"})), "has a name twice"),
    ],
)
def test_what_breaks_them_is_found(spoil, what, named, tmp_path):
    netcdf.write(spoil(named), tmp_path / "f.nc")
    found = violations(tmp_path / "f.nc")
    assert what in "\n".join(found) if what else not found
