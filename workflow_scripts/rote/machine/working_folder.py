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
import json
import logging
import os
import shutil
import signal
import socket
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path

from rote.machine.errors import UserError, brief

logger = logging.getLogger(__name__)

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


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep every Snakemake of this machine out of a folder, for as long as the context lasts.

    Raises:
        UserError: one is at work there, or it cannot be told.
    """
    notes = folder / ".snakemake"
    busy = f"A Snakemake is at work in {folder.resolve()}, or was killed there"
    with contextlib.ExitStack() as held:
        try:
            notes.mkdir(exist_ok=True)
            lock = held.enter_context((notes / "rote.lock").open("a+"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            locks = notes / "locks"  # of Snakemake, also on another machine
            locked = locks.is_dir() and any(locks.iterdir())
        except BlockingIOError as error:
            raise UserError(f"{busy}: wait for its end.") from error
        except OSError as error:
            raise UserError(
                f"Whether a Snakemake is at work in {folder.resolve()} cannot be told "
                f"({error.strerror}): see to the permissions of {notes}."
            ) from error
        if locked:
            raise UserError(f"{busy}: wait for its end, or call snakemake --unlock.")
        yield


def mark_unfinished(folder: Path, files: Sequence[str]) -> None:
    """Have Snakemake make files again, as if they were unfinished, as soon as they are asked for.

    There is no other way to tell it of a file that is out of date, if it does not know itself.
    Marks that were set here before go from files that are there and out of date no longer; those
    of files that are missing stay, since a job that makes them may have set its own.

    Args:
        folder: that Snakemake works in.
        files: their paths, relative to it.

    Raises:
        UserError: the folder cannot be written to.
    """
    notes = folder / ".snakemake"
    marks, ours = notes / "incomplete", notes / "rote.stale"
    try:
        before = _read(ours)
        marked = [file for file in before if file in files or not (folder / file).exists()]
        for file in {*before} - {*marked}:
            _mark(marks, file).unlink(missing_ok=True)
        for file in files:
            # Snakemake takes a mark away when it has made a file, which may be out of date again.
            if not (mark := _mark(marks, file)).exists():
                logger.warning("%s was made by other settings or other code: made again.", file)
                mark.parent.mkdir(parents=True, exist_ok=True)
                mark.write_text('{"external_jobid": null}')
                marked.append(file)
        if (marked := sorted({*marked})) != before:
            _replace(ours, json.dumps(marked))
    except OSError as error:
        raise UserError(
            f"The notes of Snakemake in {notes} cannot be written ({brief(error)}): see to the "
            "permissions of the folder, then run the same command again."
        ) from error


def _read(path: Path) -> list[str]:
    """Return the files that were marked before; none if that was not written to its end.

    Then their marks stay, and what is not out of date may be made again.
    """
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return []


def _replace(path: Path, text: str) -> None:
    """Write a file under another name, then rename it: it is whole, or as it was before."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _mark(marks: Path, file: str) -> Path:
    """Return where Snakemake notes that a file is unfinished."""
    name, most = urlsafe_b64encode(file.encode()).decode(), 254
    parts = [name[i : i + most] for i in range(0, len(name), most)]
    return marks.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])


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
