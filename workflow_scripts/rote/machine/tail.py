"""The end of a file, where rote says what the file is, and a log how far its job is."""

import os
from pathlib import Path


def tail(path: Path, count: int = 300) -> bytes:
    """Return the last ``count`` bytes of a file; none of what is not there or cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - count))
            return file.read()
    except OSError:
        return b""
