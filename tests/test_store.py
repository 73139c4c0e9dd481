import pytest
import xarray as xr

from rote.store import Store, fingerprint


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
