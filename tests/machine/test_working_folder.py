import fcntl
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from rote.machine import working_folder
from rote.machine.errors import UserError


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch):
    monkeypatch.setattr(working_folder, "_lock", None)
    yield
    if working_folder._lock is not None:
        working_folder._lock.close()


@pytest.fixture
def left(tmp_path):
    """A folder that a killed Snakemake of this machine has left locked."""
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("data/digits.nc\n")
    (tmp_path / ".snakemake" / "rote.lock").write_text(socket.gethostname())
    return tmp_path, locks / "0.output.lock"


def alive(path):
    """Start a process that has entered the folder, and stays."""
    script = f"""
import sys, time; sys.path.insert(0, {str(ROOT / "workflow_scripts")!r})
from pathlib import Path
from rote.machine import working_folder
working_folder.enter(Path({str(path)!r})); print("in", flush=True); time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "in\n"
    return process


def test_the_locks_of_the_dead_are_cleared(left):
    path, lock = left
    working_folder.enter(path)
    assert not lock.exists()


def test_the_locks_of_the_living_stay(tmp_path):
    process = alive(tmp_path)
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir()
    (locks / "0.output.lock").write_text("data/digits.nc\n")
    try:
        for _ in range(2):
            working_folder.enter(tmp_path)
            assert (locks / "0.output.lock").exists()
    finally:
        process.kill()
        process.wait()
    working_folder._lock.close()
    working_folder.enter(tmp_path)
    assert not locks.exists()


def test_of_several_that_live_the_last_one_counts(left):
    path, lock = left
    first = alive(path)
    assert not lock.exists()
    second = alive(path)
    lock.parent.mkdir()
    lock.write_text("data/digits.nc\n")
    first.kill()
    first.wait()
    working_folder.enter(path)
    assert lock.exists()
    working_folder._lock.close()
    second.kill()
    second.wait()
    working_folder.enter(path)
    assert not lock.exists()


def test_the_locks_of_another_machine_stay(left):
    path, lock = left
    (path / ".snakemake" / "rote.lock").write_text("elsewhere")
    for _ in range(2):
        working_folder.enter(path)
        assert lock.exists()
        working_folder._lock.close()
    lock.unlink()  # by snakemake --unlock
    working_folder.enter(path)
    working_folder._lock.close()
    lock.write_text("data/digits.nc\n")
    working_folder.enter(path)
    assert not lock.exists()


def test_a_file_system_without_locks_leaves_all_to_snakemake(left, monkeypatch):
    def unsupported(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    working_folder.enter(left[0])
    assert left[1].exists()


@pytest.mark.parametrize("number", [28, 30, 13])
def test_a_folder_that_cannot_be_written_to_is_named(left, monkeypatch, number):
    def fails(self, content):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("pathlib.Path.write_bytes", fails)
    sentence = rf"cannot write into {left[0]} \({os.strerror(number)}\): free some space or see"
    with pytest.raises(UserError, match=sentence):
        working_folder.enter(left[0])
    assert left[1].exists()
    assert not list(left[0].rglob("*.probe"))


def test_files_are_marked_as_unfinished_where_snakemake_looks(tmp_path):
    from snakemake.persistence.file import FilePersistence

    files = ["results/demo/runs/a.nc", f"results/demo/{'x' * 120}/{'y' * 200}.nc"]
    working_folder.enter(tmp_path)
    working_folder.mark_unfinished(tmp_path, files)
    (tmp_path / ".snakemake" / "metadata").mkdir()
    snakemake = FilePersistence.__new__(FilePersistence)
    snakemake._max_len, snakemake._incomplete_cache = None, None
    snakemake._incomplete_path = str(tmp_path / ".snakemake" / "incomplete")
    assert snakemake._filter_incomplete_keys([*files, "results/b.nc"]) == {*files}
    (tmp_path / files[0]).parent.mkdir(parents=True)
    (tmp_path / files[0]).touch()
    working_folder.mark_unfinished(tmp_path, files[1:])
    snakemake._incomplete_cache = None
    assert snakemake._filter_incomplete_keys(files) == {files[1]}


def test_marks_of_snakemake_itself_stay(tmp_path):
    working_folder.enter(tmp_path)
    own = working_folder._mark(tmp_path / ".snakemake" / "incomplete", "a.nc")
    own.parent.mkdir()
    own.write_text('{"external_jobid": "7"}')
    working_folder.mark_unfinished(tmp_path, [])
    assert own.read_text() == '{"external_jobid": "7"}'


def test_a_file_that_is_out_of_date_again_is_marked_again(tmp_path):
    working_folder.enter(tmp_path)
    mark = working_folder._mark(tmp_path / ".snakemake" / "incomplete", "a.nc")
    working_folder.mark_unfinished(tmp_path, ["a.nc"])
    mark.unlink()  # as Snakemake does once it has made the file
    working_folder.mark_unfinished(tmp_path, ["a.nc"])
    assert mark.exists()


def test_the_mark_of_a_job_that_makes_a_file_now_stays(tmp_path):
    working_folder.enter(tmp_path)
    mark = working_folder._mark(tmp_path / ".snakemake" / "incomplete", "a.nc")
    working_folder.mark_unfinished(tmp_path, ["a.nc"])
    working_folder.mark_unfinished(tmp_path, [])  # it has been deleted, so that it is not stale
    assert mark.exists()
    (tmp_path / "a.nc").touch()
    working_folder.mark_unfinished(tmp_path, [])
    assert not mark.exists()


@pytest.mark.parametrize("left", [b"", b'["a.n', b"\xff"])
def test_a_list_of_marks_that_was_not_written_to_its_end_is_an_empty_one(tmp_path, left):
    working_folder.enter(tmp_path)
    (tmp_path / ".snakemake" / "rote.stale").write_bytes(left)
    for _ in range(2):
        working_folder.mark_unfinished(tmp_path, ["a.nc"])
    assert working_folder._mark(tmp_path / ".snakemake" / "incomplete", "a.nc").exists()
    assert json.loads((tmp_path / ".snakemake" / "rote.stale").read_text()) == ["a.nc"]


def test_a_full_disk_leaves_the_list_of_marks_as_it_was(tmp_path, monkeypatch):
    working_folder.enter(tmp_path)
    working_folder.mark_unfinished(tmp_path, ["a.nc"])
    mark = working_folder._mark(tmp_path / ".snakemake" / "incomplete", "b.nc")
    write = Path.write_text

    def full(self, text):
        write(self, text if self == mark else text[:2])
        if self != mark:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UserError, match=r"cannot be written \(.*No space left on device\): see to"):
        working_folder.mark_unfinished(tmp_path, ["a.nc", "b.nc"])
    notes = [path for path in (tmp_path / ".snakemake").iterdir() if "stale" in path.name]
    assert [path.read_text() for path in notes] == ['["a.nc"]']


def test_a_fault_of_what_is_done_alone_is_none_of_the_lock(tmp_path):
    with pytest.raises(PermissionError, match="of the store"), working_folder.alone(tmp_path):
        raise PermissionError("of the store")
    with pytest.raises(BlockingIOError), working_folder.alone(tmp_path):
        raise BlockingIOError
