"""Files that are whole or absent: written under another name, then renamed."""

import contextlib
import fcntl
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

ABANDONED_SECONDS = 120


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give another name to write to: afterwards ``path`` is whole, or what was there before.

    Raises:
        OSError: the folder cannot be made, or the file not be renamed.
    """
    # No process of any machine that shares the folder has this name too.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        yield temporary
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    """Remove the temporary files of ``path`` that killed writers have left behind.

    HDF5 holds a lock on a file that it writes. Where locks do not reach other machines, and for
    other files, one that is being written was at least touched a short time ago.
    """
    for temporary in path.parent.glob(f".{path.name}.*.tmp"):
        # NFS locks only what is open for writing.
        with contextlib.suppress(OSError), temporary.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - temporary.stat().st_mtime > ABANDONED_SECONDS:
                temporary.unlink()
