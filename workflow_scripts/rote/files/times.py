"""Times of files that lie in the future, since a clock was wrong.

Snakemake ends each job that is made from such a file with an error, since its output is older.
Read by the rules, so it imports nothing but the standard library.
"""

import logging
import os
import shlex
import time
from collections.abc import Iterable
from pathlib import Path

from rote.machine.errors import UserError
from rote.machine.progress import readable

AHEAD_SECONDS = 2  # by which clocks of machines that share a folder may differ

logger = logging.getLogger(__name__)


def set_right(folder: Path, made: Iterable[str], own: Iterable[str]) -> None:
    """Set the times of files of rote that lie in the future to now, and say so.

    Args:
        folder: what the paths are relative to.
        made: paths of what rote has made.
        own: paths of the user's own files.

    Raises:
        UserError: a file of the user's lies in the future: it is not rote's to change.
    """
    for file in (*made, *own):
        path, now = folder / file, time.time()
        try:
            ahead = path.lstat().st_mtime - now  # of a link itself, as Snakemake looks at it
        except OSError:  # there is none
            continue
        if ahead <= AHEAD_SECONDS:
            continue
        said = f"{file} was written in the future (in {readable(ahead)})"
        if file in own:
            raise UserError(
                f"{said}, and Snakemake refuses what is made from such a file: set the clock right "
                f"if it is wrong, or call `touch -h {shlex.quote(file)}`, then run the same "
                "command again."
            )
        try:
            os.utime(path, (now, now), follow_symlinks=False)
        except OSError as error:
            raise UserError(
                f"{said}, and its time cannot be changed ({error.strerror}): see to its "
                "permissions, then run the same command again."
            ) from error
        logger.warning("%s: its time is now.", said)
