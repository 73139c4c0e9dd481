"""Files whose times lie in the future: rote's own are set right, others are named."""

import os
import time

import pytest

from rote.files import times
from rote.machine.errors import UserError

HOUR = 3600


def file(folder, name, ahead):
    path = folder / name
    path.write_bytes(b"content")
    os.utime(path, (time.time() + ahead,) * 2)
    return path


def test_results_and_data_of_rote_are_set_to_now_with_a_word(tmp_path, caplog):
    paths = [file(tmp_path, "run.nc", HOUR), file(tmp_path, "data.nc", HOUR)]
    old = file(tmp_path, "old.nc", -HOUR)
    before = old.stat().st_mtime
    times.set_right(tmp_path, ["run.nc", "data.nc", "old.nc", "missing.nc"], [])
    assert all(path.stat().st_mtime <= time.time() for path in paths)
    assert old.stat().st_mtime == before
    assert [
        message.partition(" was written in the future (")[0] for message in caplog.messages
    ] == [
        "run.nc",
        "data.nc",
    ]


def test_data_of_the_user_is_named_and_not_touched(tmp_path):
    path = file(tmp_path, "my data.nc", HOUR)
    before = path.stat().st_mtime
    sentence = r"my data.nc was written in the future \(.*or call `touch -h 'my data.nc'`"
    with pytest.raises(UserError, match=sentence):
        times.set_right(tmp_path, [], ["my data.nc"])
    assert path.stat().st_mtime == before


def test_a_link_is_set_right_and_not_what_it_leads_to(tmp_path):
    target = file(tmp_path, "target.nc", HOUR)
    link = tmp_path / "run.nc"
    link.symlink_to(target)
    os.utime(link, (time.time() + HOUR,) * 2, follow_symlinks=False)
    times.set_right(tmp_path, ["run.nc"], [])
    assert link.lstat().st_mtime <= time.time() < target.stat().st_mtime


def test_a_time_that_cannot_be_changed_is_one_sentence(tmp_path, monkeypatch):
    def refuses(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    file(tmp_path, "run.nc", HOUR)
    monkeypatch.setattr(os, "utime", refuses)
    with pytest.raises(UserError, match=r"cannot be changed \(Operation not permitted\): see to"):
        times.set_right(tmp_path, ["run.nc"], [])


def test_a_time_beyond_all_calendars_is_set_right_too(tmp_path):
    path = file(tmp_path, "run.nc", 1e10)
    times.set_right(tmp_path, ["run.nc"], [])
    assert path.stat().st_mtime <= time.time()
