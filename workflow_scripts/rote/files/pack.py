"""Packs: files to which records are appended, each with a checksum of its own.

One process writes a pack, and any number may read it. A record is found if it is whole: what a
killed writer has left unfinished counts for nothing, and damage costs the records that it hits.

A pack begins with a line that says its format. A record is a head (mark, key, epoch, length of the
content, CRC-32 of these), the content, and the SHA-256 of both.
"""

import contextlib
import errno
import fcntl
import hashlib
import logging
import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rote.files.atomic import replacing, writing
from rote.machine.errors import Damaged, UserError

logger = logging.getLogger(__name__)

FORMAT = 2  # 1 was a NetCDF file a model
MARK = b"\x00rote\xffr2"
HEAD = struct.Struct("<8s32siQ")
CRC = struct.Struct("<I")
HEAD_BYTES, SHA_BYTES = HEAD.size + CRC.size, 32
BLOCK = 2**20


def _line(number: int) -> bytes:
    words = f"rote store, format {number}"
    return f"{words}, {zlib.crc32(words.encode()):08x}\n".encode()


LINE_BYTES = len(_line(FORMAT))


class Record(NamedTuple):
    """Where a record is, and of what."""

    path: Path
    key: str  # 64 hexadecimal digits
    epoch: int
    offset: int  # of its head in the file
    length: int  # of its content, in bytes

    @property
    def size(self) -> int:
        """The bytes that it takes in its file."""
        return HEAD_BYTES + self.length + SHA_BYTES


def append(path: Path, key: str, epoch: int, content: bytes, *, flush: bool) -> Record:
    """Append a record to a pack, which is made if it is not there.

    Args:
        path: of a pack that no other process writes to.
        key: 64 hexadecimal digits.
        epoch: tells apart records of the same key.
        content: of the record.
        flush: whether to have the disk write it now.

    Raises:
        UserError: the disk is full, or the folder cannot be written to; the pack is as before.
    """
    with writing(path):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        end = os.fstat(file).st_size
        try:
            begin = b"" if end else _line(FORMAT)
            _write(file, begin + _record(key, epoch, content))
            if flush:
                os.fsync(file)
        except BaseException:
            os.ftruncate(file, end)
            raise
        finally:
            os.close(file)
    return Record(path, key, epoch, end + len(begin), len(content))


def write(path: Path, contents: Iterable[tuple[str, int, bytes]]) -> list[Record]:
    """Write a whole pack at once: afterwards it is there with all records, or not at all.

    Args:
        path: of the pack.
        contents: key, epoch and content of each record.

    Raises:
        UserError: the disk is full, or the folder cannot be written to.
    """
    records = []
    with replacing(path) as temporary, temporary.open("wb") as file:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)  # which tells that it is not abandoned
        file.write(_line(FORMAT))
        for key, epoch, content in contents:
            records.append(Record(path, key, epoch, file.tell(), len(content)))
            file.write(_record(key, epoch, content))
        file.flush()
        os.fsync(file.fileno())
    return records


def _head(key: str, epoch: int, length: int) -> bytes:
    head = HEAD.pack(MARK, bytes.fromhex(key), epoch, length)
    return head + CRC.pack(zlib.crc32(head))


def _record(key: str, epoch: int, content: bytes) -> bytes:
    head = _head(key, epoch, len(content))
    sha = hashlib.sha256(head)
    sha.update(content)
    return b"".join([head, content, sha.digest()])


def _write(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def records(path: Path) -> Iterator[Record]:
    """Yield the records of a pack; their contents are not read.

    Raises:
        UserError: the pack is of another format, or cannot be read.
        FileNotFoundError: it is not there any more.
    """
    with _reading(path) as file:
        size, offset = os.fstat(file).st_size, _after_line(path, os.pread(file, 64, 0))
        while offset + HEAD_BYTES <= size:
            head = os.pread(file, HEAD_BYTES, offset)
            if not _is_head(head):
                found = _next_head(file, offset + 1)
                logger.warning(
                    "%s is damaged (%d bytes at %d). What was there is computed again.",
                    path,
                    found - offset,
                    offset,
                )
                offset = found
                continue
            _, key, epoch, length = HEAD.unpack(head[: HEAD.size])
            record = Record(path, key.hex(), epoch, offset, length)
            offset += record.size
            if offset <= size:  # else its writer was killed, or is at it
                yield record


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[int]:
    """Open a pack.

    Raises:
        UserError: it cannot be read.
        FileNotFoundError: it is not there any more.
    """
    try:
        file = os.open(path, os.O_RDONLY)
        try:
            yield file
        finally:
            os.close(file)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESTALE):  # as NFS calls what another machine removes
            raise FileNotFoundError(errno.ENOENT, "It is not there any more", str(path)) from error
        raise UserError(f"{path} cannot be read ({error.strerror}): see to it.") from error


def _after_line(path: Path, begin: bytes) -> int:
    """Return where the first record is.

    Raises:
        UserError: the line tells of another format.
    """
    said = re.match(rb"rote store, format (\d+), [0-9a-f]{8}\n", begin)
    if said and said[0] == _line(int(said[1])) != _line(FORMAT):
        raise UserError(
            f"{path} is of format {int(said[1])}, and this version of rote reads format {FORMAT}: "
            "use the version that wrote it, or move it away to have its models computed again."
        )
    return LINE_BYTES  # a damaged line costs nothing


def _is_head(head: bytes) -> bool:
    crc = CRC.pack(zlib.crc32(head[: HEAD.size]))
    return head.startswith(MARK) and head.endswith(crc)


def _next_head(file: int, offset: int) -> int:
    """Return where the next whole head is, or the end of the file."""
    while block := os.pread(file, BLOCK + HEAD_BYTES, offset):
        for found in re.finditer(re.escape(MARK), block[: BLOCK + len(MARK)]):
            if _is_head(block[found.start() : found.start() + HEAD_BYTES]):
                return offset + found.start()
        offset += min(BLOCK, len(block))
    return offset


def content(record: Record) -> bytes:
    """Return the content of a record.

    Raises:
        Damaged: it is not what was written.
        UserError: it cannot be read.
        FileNotFoundError: its pack is not there any more.
    """
    with _reading(record.path) as file:
        os.lseek(file, record.offset, os.SEEK_SET)
        with os.fdopen(file, "rb", closefd=False) as reader:
            whole = reader.read(record.size)
    body, sha = whole[:-SHA_BYTES], whole[-SHA_BYTES:]
    expected = _head(record.key, record.epoch, record.length)
    if not body.startswith(expected) or hashlib.sha256(body).digest() != sha:
        raise Damaged(record.path, f"its record at {record.offset} is not what was written")
    return body[HEAD_BYTES:]
