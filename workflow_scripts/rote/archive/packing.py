"""ZIP files whose bytes depend on their content alone."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from rote.files.atomic import replacing

EARLIEST = 1980, 1, 1, 0, 0, 0  # a ZIP file knows no time before
UNIX = 3  # else the system that writes it is noted
MODE = 0o100644  # a file that all may read


def pack(contents: Mapping[str, bytes], path: Path) -> None:
    """Write a ZIP file: afterwards it is whole, or what was there before.

    Nothing is deflated: versions of zlib differ in what they make of the same content, and NetCDF
    files and pictures, which are most of it, are compressed in themselves.

    Args:
        contents: of each file, by its path in the archive, in the order in which they shall stand.
        path: of the ZIP file.

    Raises:
        UserError: the file cannot be written.
    """
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.create_system, entry.external_attr = UNIX, MODE << 16
            archive.writestr(entry, content, zipfile.ZIP_STORED)
