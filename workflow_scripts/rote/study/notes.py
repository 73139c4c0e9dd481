"""What was found out about files before, so that only those that have changed are read again."""

import contextlib
import hashlib
import json
import logging
import os
from functools import cache
from pathlib import Path

from rote.machine.errors import UserError
from rote.machine.progress import Progress
from rote.study.image_folder import listing

PATH = Path(".snakemake/rote.code.json")  # in the folder that Snakemake works in
BY = "notes.py", "code.py", "image_folder.py"  # what finds it out

known: dict[str, list] = {}  # by file or folder: its state, its digest and what else is known

logger = logging.getLogger(__name__)


def _by() -> str:
    files = [Path(__file__).with_name(name).read_bytes() for name in BY]
    return hashlib.sha256(b"".join(files)).hexdigest()


def read(path: Path) -> None:
    """Read what was found out; what other code has found may be another digest, and is left."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(path.read_text())
        if kept["by"] == _by():
            known.update(kept["files"])


def write(path: Path) -> None:
    """Keep what was found out for the next time; without room for it nothing is lost but time."""
    with contextlib.suppress(OSError):
        whole = path.with_name(f"{path.name}.{os.getpid()}")  # a job may be reading the other one
        whole.write_text(json.dumps({"by": _by(), "files": known}))
        whole.replace(path)


def state(path: Path) -> list[int]:
    """Return what tells whether a file changed: of another one that takes its place, too.

    A copy may have the time of its original, and the size of what it replaces. No tool sets the
    time of the inode.
    """
    found = path.stat()
    return [found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns]


@cache
def of_content(path: Path) -> str:
    """Return the SHA-256 of a file of data.

    Raises:
        UserError: it cannot be read.
    """
    try:
        now = state(path)
        if known.get(str(path), [None])[0] != now:
            with path.open("rb") as file:
                known[str(path)] = [now, hashlib.file_digest(file, "sha256").hexdigest()]
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}): see to its permissions."
        ) from error
    return known[str(path)][1]


def of_images(root: Path) -> str:
    """Return the digest of a folder of images: of their paths in it, and of what they hold.

    If one of them changed, came or went, all are read again. It is "" if something cannot be read,
    of which whoever reads the images says why.

    Args:
        root: the folder, from the root of the file system.
    """
    try:
        parts = listing(root).images.values()
        paths = [path for classes in parts for images in classes.values() for path in images]
        now = hashlib.sha256()
        for path in paths:
            now.update(json.dumps([path, *state(Path(path))]).encode())
        noted = known.get(str(root), [""])
        if noted[0] != now.hexdigest():
            noted = known[str(root)] = [now.hexdigest(), _of_files(root, paths)]
    except (OSError, UserError):
        return ""
    return noted[1]


def _of_files(root: Path, paths: list[str]) -> str:
    sha = hashlib.sha256()
    name = f"{root}, {len(paths):,} images, which are new or may have changed"
    progress = Progress(name, len(paths), logger.warning)
    for count, path in enumerate(paths, 1):
        with open(path, "rb") as file:  # noqa: PTH123
            content = hashlib.file_digest(file, "sha256").hexdigest()
        sha.update(json.dumps([os.path.relpath(path, root), content]).encode())
        progress.advance(1, f"{count:,} read")
    return sha.hexdigest()[:16]
