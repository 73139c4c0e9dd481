"""Times of files that lie in the future, since a clock was wrong.

Snakemake ends each job that is made from such a file with an error, since its output is older.
Read by the rules, so it imports nothing but the standard library.
"""

import logging
import os
import shlex
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from rote.files import made_by
from rote.machine.errors import UserError

logger = logging.getLogger(__name__)


def set_right(folder: Path, results: Iterable[str], data: Iterable[str]) -> None:
    """Set the times of files of rote that lie in the future to now, and say so.

    Args:
        folder: what the paths are relative to.
        results: paths of results.
        data: paths of data sets, each made by rote or put there by the user.

    Raises:
        UserError: a data set of the user lies in the future: it is not rote's to change.
    """
    for file in (*results, *data):
        path, now = folder / file, time.time()
        try:
            written = path.lstat().st_mtime  # of a link itself, as Snakemake looks at it
            if written <= now:
                continue
            ahead = f"{file} was written in the future ({datetime.fromtimestamp(written):%c})"
            if file in data and made_by.read(path) is None:
                raise UserError(
                    f"{ahead}, and Snakemake refuses what is made from such a file: set the clock "
                    f"right if it is wrong, or call `touch -h {shlex.quote(file)}`, then run the "
                    "same command again."
                )
            os.utime(path, (now, now), follow_symlinks=False)
            logger.warning("%s: its time is now.", ahead)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise UserError(
                f"{ahead}, and its time cannot be changed ({error.strerror}): see to its "
                "permissions, then run the same command again."
            ) from error
