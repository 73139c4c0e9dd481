"""The folder that Snakemake works in (--directory): writable, and not locked by a dead process.

Snakemake locks a folder by files that name its inputs and outputs. They outlive a Snakemake that is
killed, and the next one refuses to start although nobody is there. So every Snakemake also holds a
lock of the operating system, which ends with the process that holds it: whoever gets that lock for
itself alone knows that Snakemake's own files, if there are any, are of the dead. While another one
lives nothing is touched, and Snakemake decides by its files, as ever.

Locks of the operating system may not reach other machines that share the folder. So the file of
that lock names the machine, and the files of another machine's Snakemake are left alone: then
``snakemake --unlock`` is for the user to say.

Read by the rules, so it imports nothing but the standard library.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import signal
import socket
from pathlib import Path

from rote.machine.errors import UserError

NEEDED_BYTES = 2**20  # for Snakemake's own notes

_lock = None  # the open file: its lock lasts as long as it is referred to


def enter(folder: Path) -> None:
    """Check that Snakemake can write its notes into ``folder``, and clear the locks of the dead.

    Raises:
        UserError: it cannot write there.
    """
    logging.raiseExceptions = False  # a log that a full disk does not take is no reason to stop
    notes = folder / ".snakemake"
    probe = notes / f"rote.{os.getpid()}.probe"
    try:
        notes.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(bytes(NEEDED_BYTES))
        probe.unlink()
        _clear_stale_locks(notes)
    except OSError as error:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
        raise UserError(
            f"Snakemake cannot write into {folder.resolve()} ({error.strerror}): free some space "
            "or see to the permissions, then run the same command again; nothing was changed."
        ) from error


def _clear_stale_locks(notes: Path) -> None:
    global _lock
    _lock = (notes / "rote.lock").open("a+")
    here = socket.gethostname()
    try:
        fcntl.flock(_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        alone = False
    except OSError:  # a file system without such locks
        return
    else:
        alone = True
    _lock.seek(0)
    left_by = _lock.read()
    locks = notes / "locks"
    if alone and left_by == here:
        shutil.rmtree(locks, ignore_errors=True)
    if left_by != here:
        # Names that are no machine's stand for several: none of them may clear.
        free = alone and not (locks.is_dir() and any(locks.iterdir()))
        _lock.truncate(0)
        _lock.write(here if free else f"{left_by} {here}")
        _lock.flush()
    fcntl.flock(_lock, fcntl.LOCK_SH)  # whoever has it alone shares it at once


def pass_signals_on() -> None:
    """Have SIGTERM and SIGINT reach the scripts too, when only Snakemake is told to stop.

    Snakemake waits for its jobs to end, without a word to them, and a training may take hours.
    """
    import psutil  # which Snakemake needs too

    def passing(handler):
        def handle(number, frame):
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    # Not to the shells between, which would not wait.
                    if "python" in process.name().lower():
                        process.send_signal(signal.SIGTERM)
            handler(number, frame)

        return handle

    for number in (signal.SIGTERM, signal.SIGINT):
        handler = signal.getsignal(number)
        if callable(handler):
            signal.signal(number, passing(handler))
