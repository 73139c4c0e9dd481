import errno
import os
import subprocess
import sys
import zlib

import numpy as np
import pytest
import xarray as xr

import stores
from conftest import ROOT
from rote.files import pack
from rote.files import store as store_module
from rote.files.store import FINISHED, Store, fingerprint
from rote.machine.errors import UserError

KEY, OTHER, THIRD = "ab" * 32, "cd" * 32, "ef" * 32


@pytest.fixture
def member():
    return xr.Dataset({"x": ("a", [1.0, 2.0], {"long_name": "x", "units": "1"})})


def test_fingerprint_depends_on_content_not_on_order():
    assert fingerprint(a=1, b={"c": 2, "d": 3}) == fingerprint(b={"d": 3, "c": 2}, a=1)
    assert fingerprint(a=1) != fingerprint(a=2)
    assert fingerprint(a=None) == "d091f9c83c091f79652fe8786375b3fe4ce0861a56f5bfbafedbe431877ff0e8"


def test_equal_numbers_are_the_same_however_they_are_written():
    assert fingerprint(momentum=0, x=[1, {"y": 2.0}]) == fingerprint(
        momentum=0.0, x=[1.0, {"y": 2}]
    )
    assert fingerprint(momentum=0) != fingerprint(momentum=False)
    assert fingerprint(rate=0.1) != fingerprint(rate=0.10000001)
    assert fingerprint(loss=float("nan")) != fingerprint(loss=0)


def test_members_are_kept(member, tmp_path):
    store = Store(tmp_path)
    assert store.load(KEY) is None
    store.save(KEY, member)
    xr.testing.assert_identical(store.load(KEY), member)
    xr.testing.assert_identical(Store(tmp_path).load(KEY), member)
    assert store.load(OTHER) is None


def test_a_job_has_one_file_however_many_members_it_keeps(member, tmp_path):
    store = Store(tmp_path)
    for i in range(50):
        store.save(f"{i:064x}", member + i)
        store.save_parameters(f"{i:064x}", 3, member - i)
    assert len(list(tmp_path.iterdir())) == 1
    found = Store(tmp_path)
    for i in range(50):
        xr.testing.assert_identical(found.load(f"{i:064x}"), member + i)
        xr.testing.assert_identical(found.load_parameters(f"{i:064x}", 3), member - i)


def test_parameters_are_kept_beside_the_member(member, tmp_path):
    store = Store(tmp_path)
    store.save_parameters(KEY, 3, member)
    for found in (store, Store(tmp_path)):
        assert found.has_parameters(KEY, [3])
        assert found.has_parameters(KEY, [])
        assert not found.has_parameters(KEY, [3, 4])
        xr.testing.assert_identical(found.load_parameters(KEY, 3), member)
        assert found.load(KEY) is None
        assert found.load_parameters(KEY, 4) is None


def test_the_last_checkpoint_is_kept_until_the_member_is_finished(member, tmp_path):
    store = Store(tmp_path)
    store.save_checkpoints([(KEY, member), (OTHER, member + 1)])
    store.save_checkpoints([(KEY, member + 2)])
    for found in (store, Store(tmp_path)):
        assert found.load(KEY) is None
        xr.testing.assert_identical(found.load_checkpoint(KEY), member + 2)
        xr.testing.assert_identical(found.load_checkpoint(OTHER), member + 1)
    store.save(KEY, member)
    assert store.load_checkpoint(KEY) is None
    assert len(list(tmp_path.glob("*.checkpoints"))) == 1
    store.save(OTHER, member)
    assert not list(tmp_path.glob("*.checkpoints"))


def test_the_checkpoints_of_a_killed_job_go_once_its_members_are_finished(member, tmp_path):
    killed = Store(tmp_path)
    killed.save_checkpoints([(KEY, member), (OTHER, member)])
    killed.save(KEY, member)
    (tmp_path / f".{'a' * 32}.checkpoints.{'b' * 32}.tmp").write_bytes(b"half")
    os.utime(tmp_path / f".{'a' * 32}.checkpoints.{'b' * 32}.tmp", (0, 0))
    next_one = Store(tmp_path)
    xr.testing.assert_identical(next_one.load_checkpoint(OTHER), member)
    next_one.save(OTHER, member)
    assert {path.suffix for path in tmp_path.iterdir()} == {".pack"}


def test_a_checkpoint_that_a_job_writes_while_another_one_finishes_the_member_is_no_harm(
    member, tmp_path
):
    late, other = Store(tmp_path), Store(tmp_path)
    assert not late.records()
    other.save(KEY, member)
    late.save_checkpoints([(KEY, member)])
    xr.testing.assert_identical(Store(tmp_path).load(KEY), member)
    Store(tmp_path).remove_all_but({KEY})
    assert {path.suffix for path in tmp_path.iterdir()} == {".pack"}


def test_damaged_parameters_are_not_there(member, tmp_path):
    Store(tmp_path).save_parameters(KEY, 3, member)
    (record,) = stores.parameters(tmp_path)
    stores.damage(record, lambda content: content[:-1] + b"!")
    assert not Store(tmp_path).has_parameters(KEY, [3])
    store = Store(tmp_path)
    store.save_parameters(KEY, 3, member)
    assert store.has_parameters(KEY, [3])
    assert Store(tmp_path).has_parameters(KEY, [3])


@pytest.mark.parametrize("where", ["scanned", "read"])
def test_a_file_that_another_machine_has_just_removed_is_none(member, tmp_path, monkeypatch, where):
    Store(tmp_path).save(KEY, member)
    found, pread, reader = Store(tmp_path), os.pread, os.fdopen
    if where == "read":
        assert found.records()

    def stale(*_, **__):
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(os, "pread", stale)
    monkeypatch.setattr(os, "fdopen", stale)
    assert found.load(KEY) is None
    monkeypatch.setattr(os, "pread", pread)
    monkeypatch.setattr(os, "fdopen", reader)
    xr.testing.assert_identical(Store(tmp_path).load(KEY), member)


def test_what_another_job_is_writing_is_not_taken_for_abandoned(member, tmp_path, monkeypatch):
    writer, encode = Store(tmp_path), store_module.encode

    def slowly(state):
        (temporary,) = tmp_path.glob(".*.tmp")
        os.utime(temporary, (0, 0))  # as a clock that is ahead sees it
        assert not Store(tmp_path).records()
        return encode(state)

    monkeypatch.setattr(store_module, "encode", slowly)
    writer.save_checkpoints([(KEY, member)])
    xr.testing.assert_identical(Store(tmp_path).load_checkpoint(KEY), member)


def test_without_reuse_a_store_finds_only_what_it_has_kept_itself(member, tmp_path):
    before, store = Store(tmp_path), Store(tmp_path, reuse=False)
    before.save(KEY, member)
    before.save_parameters(KEY, 3, member)
    before.save_checkpoints([(OTHER, member)])
    assert store.load(KEY) is None
    assert store.load_parameters(KEY, 3) is None
    assert not store.has_parameters(KEY, [3])
    assert store.load_checkpoint(OTHER) is None
    store.save(KEY, member + 1)
    store.save_parameters(KEY, 3, member)
    xr.testing.assert_identical(store.load(KEY), member + 1)
    assert store.has_parameters(KEY, [3])
    xr.testing.assert_identical(before.load(KEY), member)


def test_a_damaged_member_is_said_and_the_others_are_found(member, tmp_path, caplog):
    store = Store(tmp_path)
    for key in (KEY, OTHER, THIRD):
        store.save(key, member)
    (path,) = tmp_path.iterdir()
    _, second, _ = Store(tmp_path).records()
    content = bytearray(path.read_bytes())
    content[second.offset + 100] ^= 1  # in its content
    path.write_bytes(content)
    found = Store(tmp_path)
    assert found.load(OTHER) is None
    assert f"{path} is damaged (its record at" in caplog.text
    assert "It is computed again." in caplog.text
    xr.testing.assert_identical(found.load(KEY), member)
    xr.testing.assert_identical(found.load(THIRD), member)
    content[second.offset + 20] ^= 1  # in its head
    path.write_bytes(content)
    found = Store(tmp_path)
    assert found.load(OTHER) is None
    assert f"{path} is damaged ({second.size} bytes at {second.offset})" in caplog.text
    xr.testing.assert_identical(found.load(THIRD), member)
    found.save(OTHER, member)  # from now on without a word
    caplog.clear()
    xr.testing.assert_identical(Store(tmp_path).load(OTHER), member)
    assert "again" not in caplog.text.replace("What was there is computed again", "")


def test_what_a_killed_writer_left_unfinished_counts_for_nothing(member, tmp_path, caplog):
    store = Store(tmp_path)
    store.save(KEY, member)
    store.save(OTHER, member)
    (path,) = tmp_path.iterdir()
    content, second = path.read_bytes(), Store(tmp_path).records()[1]
    for length in (*range(second.offset, len(content), 37), *range(60)):
        path.write_bytes(content[:length])
        found = Store(tmp_path)
        assert (found.load(KEY) is None) == (length < second.offset)
        assert found.load(OTHER) is None
    assert not caplog.text


def test_a_write_that_fails_leaves_what_was_there_before(member, tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.save(KEY, member)
    (path,) = tmp_path.iterdir()
    content, write = path.read_bytes(), os.write

    def full(file, left):
        if len(left) < 100:
            raise OSError(28, "No space left on device")
        return write(file, left[:50])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(UserError, match=r"Cannot write .*\.pack \(No space left on device"):
        store.save(OTHER, member)
    monkeypatch.undo()
    assert path.read_bytes() == content
    store.save(OTHER, member)
    xr.testing.assert_identical(Store(tmp_path).load(OTHER), member)


def test_another_format_is_refused_in_a_sentence(member, tmp_path):
    Store(tmp_path).save(KEY, member)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    words = b"rote store, format 7"
    line = words + f", {zlib.crc32(words):08x}\n".encode()
    path.write_bytes(line + content.partition(b"\n")[2])
    with pytest.raises(UserError, match="is of format 7, and this version of rote reads format 2"):
        Store(tmp_path).load(KEY)
    path.write_bytes(content.replace(b"format 2", b"format 3", 1))  # damage, not another format
    xr.testing.assert_identical(Store(tmp_path).load(KEY), member)


def test_a_file_that_goes_costs_its_members_alone(member, tmp_path):
    one, two = Store(tmp_path), Store(tmp_path)
    one.save(KEY, member)
    (path,) = tmp_path.iterdir()
    two.save(OTHER, member)
    reader = Store(tmp_path)
    assert len(reader.records()) == 2
    path.unlink()
    assert reader.load(KEY) is None
    xr.testing.assert_identical(reader.load(OTHER), member)
    one.save(THIRD, member)  # into a new file of the same name
    assert reader.load(KEY) is None
    xr.testing.assert_identical(Store(tmp_path).load(THIRD), member)


def test_files_without_records_are_removed(member, tmp_path):
    store = Store(tmp_path)
    store.save(KEY, member)
    for suffix in (store_module.PACK, store_module.CHECKPOINTS):
        pack.write(tmp_path / f"empty{suffix}", [])
    store.remove_all_but({KEY})
    assert len(list(tmp_path.iterdir())) == 1
    xr.testing.assert_identical(Store(tmp_path).load(KEY), member)


def test_all_but_some_is_removed(member, tmp_path):
    one, two, three = Store(tmp_path), Store(tmp_path), Store(tmp_path)
    one.save(KEY, member)
    two.save(KEY, member)
    two.save_parameters(KEY, 3, member)
    two.save(OTHER, member)
    three.save(THIRD, member)
    begun, unwanted = "12" * 32, "34" * 32
    three.save_checkpoints([(unwanted, member), (begun, member)])
    store = Store(tmp_path)
    store.remove_all_but({KEY, begun})
    for found in (store, Store(tmp_path)):
        assert sorted(record.key for record in found.records()) == [begun, KEY, KEY]
        xr.testing.assert_identical(found.load(KEY), member)
        xr.testing.assert_identical(found.load_parameters(KEY, 3), member)
        xr.testing.assert_identical(found.load_checkpoint(begun), member)
        assert found.load(THIRD) is None
    assert len(list(tmp_path.iterdir())) == 2
    untouched = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    store.remove_all_but({KEY, begun})
    assert untouched == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    Store(tmp_path).remove_all_but(set())
    assert not list(tmp_path.iterdir())


JOB = """
import sys, time
import numpy as np, xarray as xr
from rote.files.store import Store

root, own, end = sys.argv[1], float(sys.argv[2]), time.monotonic() + 1.0
named = {"long_name": "x", "units": "1"}
member = xr.Dataset({"x": ("a", np.full(200_000, own), named)})
found = 0
while time.monotonic() < end:
    store = Store(root)
    store.save_checkpoints([("ab" * 32, member)])
    for read in (store.load_checkpoint("ab" * 32), store.load("ab" * 32)):
        if read is not None:
            found += 1
            assert (read["x"] == read["x"][0]).all() and read.sizes["a"] == 200_000
    store.save("ab" * 32, member)
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
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]
    store = Store(tmp_path)
    assert {record.key for record in store.records() if record.epoch == FINISHED} == {KEY}
    assert np.unique(store.load(KEY)["x"]) in (0, 1, 2)
