"""One device for each job: a device that a process has claimed is not given to another one.

A claim is a lock on a file of this machine. The operating system gives it back when the process
ends, however it ends. Where SLURM has handed out devices, its jobs number theirs anew, so that the
same number may mean another device in another job: claims count within a SLURM job alone.
"""

import fcntl
import logging
import os
import platform
import tempfile
import time
from pathlib import Path

logger = logging.getLogger(__name__)

_held: dict[str, int] = {}  # device: descriptor of its lock, open until this process ends


def claim(devices: list[str], seconds_between: float = 1.0) -> str:
    """Return one of ``devices`` that no other process has claimed; wait while there is none.

    Args:
        devices: their names on this machine, at least one.
        seconds_between: two looks for a free one.

    Returns:
        The same device every time for a process that asks again.
    """
    for device in devices:
        if device in _held:
            return device
    waiting = False
    while True:
        for device in devices:
            lock = os.open(_lock(device), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
            else:
                _held[device] = lock
                return device
        if not waiting:
            logger.warning("Waiting for another job to give back one of %d devices.", len(devices))
            waiting = True
        time.sleep(seconds_between)


def _lock(device: str) -> Path:
    machine = platform.node(), os.environ.get("SLURM_JOB_ID", "")
    name = f"rote-{os.getuid()}-{'-'.join(filter(None, machine))}-device-{device}.lock"
    return Path(tempfile.gettempdir()) / name
