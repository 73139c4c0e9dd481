"""What tests look at in a store, and do to it."""

from collections.abc import Callable
from pathlib import Path

from rote.files import pack
from rote.files.pack import Record
from rote.files.store import FINISHED, UNFINISHED, Store


def finished(root: Path) -> set[Record]:
    """Return the finished members."""
    return {record for record in Store(root).records() if record.epoch == FINISHED}


def parameters(root: Path) -> set[Record]:
    """Return the kept parameters."""
    return {record for record in Store(root).records() if record.epoch >= 0}


def checkpoints(root: Path) -> set[Record]:
    """Return the checkpoints."""
    return {record for record in Store(root).records() if record.epoch == UNFINISHED}


def drop(root: Path, unwanted: Callable[[Record], bool]) -> None:
    """Write every file of a store anew without some of its records."""
    for path in Store(root).files():
        records = [record for record in pack.records(path) if not unwanted(record)]
        pack.write(path, [(r.key, r.epoch, pack.content(r)) for r in records])


def damage(record: Record, do: Callable[[bytes], bytes]) -> None:
    """Damage the content of a record."""
    whole = record.path.read_bytes()
    start = record.offset + pack.HEAD_BYTES
    end = start + record.length
    content = do(whole[start:end]).ljust(record.length, b"\0")
    record.path.write_bytes(whole[:start] + content + whole[end:])
