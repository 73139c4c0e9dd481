"""Finished members, kept for good, and unfinished ones, kept until they are finished.

Every job appends its members, and the parameters of theirs that are kept, to a pack of its own (see
:mod:`rote.files.pack`), under a fingerprint of all that determines the result. So a study of many
thousand models has as many files as jobs. Whatever asks for the same member again finds it, and a
changed setting can never find old numbers. Deleting the store, or any file of it, costs computing
time and nothing else.

Jobs of several machines may share a store: a file of it is written by one job, and may go at any
time. Jobs that want the same member at the same time each compute it.
"""

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Container, Iterable
from pathlib import Path

import xarray as xr

from rote.files import pack
from rote.files.arrays import decode, encode
from rote.files.atomic import remove_abandoned
from rote.files.pack import Record
from rote.machine.errors import Damaged

logger = logging.getLogger(__name__)

FINISHED, UNFINISHED = -1, -2  # in place of the epoch after which parameters are kept
PACK, CHECKPOINTS = ".pack", ".checkpoints"
FLUSH_SECONDS = 1.0


def fingerprint(**determinants: object) -> str:
    """Return the hash (SHA-256, in hex) of everything that determines a result.

    Equal numbers are the same, however they are written: 0 and 0.0.
    """
    canonical = json.dumps(_plain(determinants), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: object) -> object:
    """Return a value with whole numbers as integers."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Store:
    """The members in the folder ``root``.

    What other jobs put there later is not seen.

    Args:
        root: the folder.
        reuse: whether to find what is kept there already; else only what was kept by this object.
    """

    def __init__(self, root: str | Path, reuse: bool = True):
        self.root, self.reuse = Path(root), reuse
        self._pack = self._new(PACK)
        self._flushed = 0.0  # when the disk last had to write
        self._found: dict[tuple[str, int], list[Record]] | None = None  # the last one is the newest
        self._needed: dict[Path, set[str]] = {}  # unfinished members, by their file of checkpoints

    def _new(self, suffix: str) -> Path:
        return self.root / f"{uuid.uuid4().hex}{suffix}"

    def files(self) -> list[Path]:
        """Return the files of the store, in the order in which they were last written to."""
        times = {}
        for path in self.root.glob("*"):
            if path.suffix in (PACK, CHECKPOINTS):
                try:
                    times[path] = path.stat().st_mtime_ns
                except FileNotFoundError:  # another job has just removed it
                    continue
        return sorted(times, key=lambda path: (times[path], path))

    def records(self) -> list[Record]:
        """Return all records of the store, those of a key and an epoch from old to new."""
        return [record for records in self._index().values() for record in records]

    def remove_all_but(self, keys: Container[str]) -> None:
        """Remove other members, what is damaged or there twice, and checkpoints of no use.

        Files that hold such are written anew, without it; those without records go. No job may be
        at work.
        """
        self._found, self._needed = None, {}  # what was added meanwhile is looked at, too
        remove_abandoned(self.root, f"*{PACK}")
        kept: dict[Path, list[Record]] = {path: [] for path in self.files()}
        for (key, epoch), records in list(self._index().items()):
            if key not in keys or (epoch == UNFINISHED and (key, FINISHED) in self._index()):
                continue
            if self._content(key, epoch) is not None:  # which drops the damaged ones
                kept[records[-1].path].append(records[-1])
        for path, records in kept.items():
            size = sum(record.size for record in records) + pack.LINE_BYTES
            if records and size == path.stat().st_size:
                continue
            if records:
                contents = ((r.key, r.epoch, pack.content(r)) for r in records)
                pack.write(self._new(path.suffix), contents)
            path.unlink()
        self._found, self._needed = None, {}

    def _index(self) -> dict[tuple[str, int], list[Record]]:
        """Return all records by key and epoch, as found at the first call.

        Whatever writes calls it before, so as not to find what it has written.
        """
        if self._found is None:
            self._found = {}
            if self.reuse:
                remove_abandoned(self.root, f"*{CHECKPOINTS}")
                for path in self.files():
                    try:
                        for record in pack.records(path):
                            self._enter(record)
                    except FileNotFoundError:
                        continue
                for needed in self._needed.values():
                    needed -= {key for key in needed if (key, FINISHED) in self._found}
        return self._found

    def _enter(self, record: Record) -> None:
        self._index().setdefault((record.key, record.epoch), []).append(record)
        if record.epoch == UNFINISHED:
            self._needed.setdefault(record.path, set()).add(record.key)

    def _read(self, key: str, epoch: int) -> xr.Dataset | None:
        content = self._content(key, epoch)
        return None if content is None else decode(content)

    def _content(self, key: str, epoch: int) -> bytes | None:
        """Return the newest content of a key and an epoch that can be read, or None."""
        records = self._index().get((key, epoch), [])
        damaged = None
        while records:
            try:
                return pack.content(records[-1])
            except FileNotFoundError:  # another job has just removed it
                pass
            except Damaged as error:
                damaged = damaged or error
            records.pop()
        if damaged:
            logger.warning("%s is damaged (%s). It is computed again.", damaged.path, damaged.why)
        return None

    def _append(self, key: str, epoch: int, dataset: xr.Dataset) -> None:
        self._index()
        flush = time.monotonic() - self._flushed > FLUSH_SECONDS
        self._enter(pack.append(self._pack, key, epoch, encode(dataset), flush=flush))
        if flush:
            self._flushed = time.monotonic()

    def load(self, key: str) -> xr.Dataset | None:
        """Return the finished member of this fingerprint, or None."""
        return self._read(key, FINISHED)

    def save(self, key: str, member: xr.Dataset) -> None:
        """Keep a finished member; its checkpoint is of no more use and goes."""
        self._append(key, FINISHED, member)
        self._remove_checkpoints([key])

    def save_parameters(self, key: str, epoch: int, parameters: xr.Dataset) -> None:
        """Keep the parameters of a member as they were after an epoch."""
        self._append(key, epoch, parameters)

    def load_parameters(self, key: str, epoch: int) -> xr.Dataset | None:
        """Return the parameters of a member after an epoch, or None."""
        return self._read(key, epoch)

    def has_parameters(self, key: str, epochs: list[int]) -> bool:
        """Return whether the parameters of a member are kept, undamaged, for all of ``epochs``."""
        return all(self._content(key, epoch) is not None for epoch in epochs)

    def load_checkpoint(self, key: str) -> xr.Dataset | None:
        """Return the last checkpoint of an unfinished member, or None."""
        return self._read(key, UNFINISHED)

    def save_checkpoints(self, states: Iterable[tuple[str, xr.Dataset]]) -> None:
        """Keep the checkpoints of unfinished members, in place of those before.

        Args:
            states: fingerprints and checkpoints.
        """
        self._index()
        contents = ((key, UNFINISHED, encode(state)) for key, state in states)
        records = pack.write(self._new(CHECKPOINTS), contents)
        self._remove_checkpoints([record.key for record in records])
        for record in records:
            self._enter(record)

    def _remove_checkpoints(self, keys: list[str]) -> None:
        """Forget the checkpoints of members, and remove the files that nobody needs any more."""
        for key in keys:
            for record in self._index().pop((key, UNFINISHED), []):
                needed = self._needed[record.path]
                needed.discard(key)
                if not needed:
                    record.path.unlink(missing_ok=True)
