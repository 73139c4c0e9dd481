"""What a file was made by, in the file itself: a digest of settings, code and inputs.

Snakemake remembers what it made a file by, until its notes are deleted or the file is copied
elsewhere. So each file of results carries a digest, in a place where nobody looks who reads its
content: a NetCDF file in a line behind the data, a page in its last words. It is read without any
library, at every start of the workflow.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from rote.machine.tail import tail
from rote.study.own_data import IMAGES_LINE

LINE = b"rote-made-by:"
DIGITS = 16
WORDS = "Made by"
PATTERN = re.compile(rb"(?:%s|%s )([0-9a-f]{%d})\b" % (LINE, WORDS.encode(), DIGITS))


def line(digest: str, images: str = "") -> bytes:
    """Return the line of a NetCDF file, below that of images of a folder, if it was read from one.

    Args:
        digest: of what it was made by.
        images: the digest of the images.
    """
    above = IMAGES_LINE + images.encode() + b"\n" if images else b""
    return above + LINE + digest.encode() + b"\n"


def words(digest: str) -> str:
    """Return the words of a page."""
    return f"{WORDS} {digest}"


def read(path: Path) -> str | None:
    """Return the digest in a file, None if there is none, or no such file."""
    found = PATTERN.findall(tail(path))
    return found[-1].decode() if found else None


def stale(expected: Mapping[str, str], folder: Path) -> list[str]:
    """Return the files in ``folder`` that are there, but were made by something else.

    Args:
        expected: the digest of every file, by its path.
        folder: what the paths are relative to.
    """
    return [
        path
        for path, digest in expected.items()
        if (folder / path).exists() and read(folder / path) != digest
    ]
