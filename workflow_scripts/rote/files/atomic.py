"""Files that are whole or absent: written under another name, then renamed."""

import contextlib
import fcntl
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from rote.machine.errors import UserError, brief

ABANDONED_SECONDS = 120


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give another name to write to: afterwards ``path`` is whole, or what was there before.

    Raises:
        UserError: the disk is full, or the folder cannot be written to.
    """
    # No process of any machine that shares the folder has this name too.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with writing(path):
            remove_abandoned(path.parent, path.name)
            yield temporary
            temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Make the folder of ``path``, and turn what keeps one from writing there into a sentence.

    Raises:
        UserError: the disk is full, or the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise UserError(
            # The system's own words, without the temporary path.
            f"Cannot write {path} ({error.strerror or brief(error)}{_space(path.parent)}): free "
            "some space or choose a folder that can be written to, then run the same command "
            "again; what is finished is kept."
        ) from error


def _space(folder: Path) -> str:
    """Return what is left on the disk, which HDF5 does not say when it is too little."""
    with contextlib.suppress(OSError):
        return f", {shutil.disk_usage(folder).free / 1e6:.1f} MB left on the disk"
    return ""


def remove_abandoned(folder: Path, name: str) -> None:
    """Remove the temporary files that killed writers have left behind.

    Args:
        folder: where they are.
        name: that of the files that were to be written, may be a pattern.

    HDF5 holds a lock on a file that it writes. Where locks do not reach other machines, and for
    other files, one that is being written was at least touched a short time ago.
    """
    for temporary in folder.glob(f".{name}.*.tmp"):
        # NFS locks only what is open for writing.
        with contextlib.suppress(OSError), temporary.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - temporary.stat().st_mtime > ABANDONED_SECONDS:
                temporary.unlink()
