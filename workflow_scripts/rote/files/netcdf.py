"""NetCDF files that are whole or absent, and that are read only if nothing in them is damaged.

A file is written under a temporary name, flushed to the disk and renamed. Every array is chunked
and carries a Fletcher-32 checksum, which whatever opens the file verifies. It covers neither
strings nor attributes, so a line behind the end of the HDF5 data, where no reader of NetCDF looks,
holds the SHA-256 of all bytes before it. :func:`read` verifies it first: a damaged file never
reaches the C libraries. ``head -c -77 FILE | sha256sum`` and ``tail -c 77 FILE`` show the two.
"""

import hashlib
import os
from pathlib import Path

import xarray as xr

from rote.files.atomic import replacing
from rote.files.made_by import line
from rote.machine.errors import Damaged, UserError, brief, out_of_memory

CHUNK_BYTES = 2**20
SEAL = b"rote-sha256:"
SEAL_BYTES = len(SEAL) + 64 + 1
HDF5 = b"\x89HDF\r\n\x1a\n"


def _chunks(variable: xr.Variable) -> tuple[int, ...]:
    """Split along the leading axes until a chunk holds about ``CHUNK_BYTES``."""
    shape = list(variable.shape)
    for axis in range(len(shape)):
        rest = variable.dtype.itemsize
        for length in shape[axis + 1 :]:
            rest *= length
        shape[axis] = max(1, min(shape[axis], CHUNK_BYTES // max(rest, 1)))
        if shape[axis] > 1:
            break
    return tuple(shape)


def _encoding(name: str, variable: xr.Variable) -> dict:
    fill = {"_FillValue": None} if variable.dims == (name,) else {}  # a coordinate misses nothing
    # Strings have a variable length, which HDF5 can neither filter nor check.
    if not variable.ndim or not variable.size or variable.dtype.kind not in "biuf":
        return fill
    compress = variable.encoding.get("zlib", True)
    filters = {"zlib": True, "complevel": 1} if compress else {}
    return {"chunksizes": _chunks(variable), "fletcher32": True, **filters, **fill}


def write(dataset: xr.Dataset, path: str | Path, made_by: str = "", images: str = "") -> None:
    """Write ``dataset`` to ``path``: afterwards the file is whole, or what was there before.

    Args:
        dataset: whose variables have a ``long_name`` and, if they are numbers, ``units``.
        path: of the file.
        made_by: the digest of what it was made by, see :mod:`rote.files.made_by`.
        images: that of the images of a folder which it was read from.

    Raises:
        UserError: the disk is full, or the folder cannot be written to.
        ValueError: a variable lacks a ``long_name``, or a number ``units``.
    """
    for name, variable in dataset.variables.items():
        wanted = ("long_name", "units") if variable.dtype.kind in "biuf" else ("long_name",)
        if lacking := [attribute for attribute in wanted if attribute not in variable.attrs]:
            raise ValueError(f"variable {name} of {path} lacks {' and '.join(lacking)}")
    path = Path(path)
    encoding = {name: _encoding(name, variable) for name, variable in dataset.variables.items()}
    with replacing(path) as temporary:
        try:
            dataset.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        except RuntimeError as error:  # as HDF5 calls some failures of the disk
            raise OSError(brief(error)) from error
        with temporary.open("rb+") as file:
            if made_by:
                file.seek(0, os.SEEK_END)
                file.write(line(made_by, images))
                file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.write(SEAL + digest.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def check_seal(path: Path) -> bool:
    """Return whether the file has a SHA-256, which is right.

    A file without, of an older version of rote or of somebody else, must end where HDF5 says: else
    its end is not what was written.

    Raises:
        Damaged: the SHA-256 is that of other content, or the end of the file is damaged.
        OSError: the file is missing, or cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            raise Damaged(path, "it is empty")
        file.seek(max(0, size - SEAL_BYTES))
        seal = file.read()
        file.seek(0)
        if seal.startswith(SEAL):
            sha, left = hashlib.sha256(), size - SEAL_BYTES
            while left:
                block = file.read(min(left, CHUNK_BYTES))
                sha.update(block)
                left -= len(block)
            if seal[len(SEAL) :] != sha.hexdigest().encode() + b"\n":
                raise Damaged(path, "its SHA-256 is not that of its content")
            return True
        head = file.read(48)
    if head.startswith(HDF5):
        end = head[28:36] if head[8] >= 2 else head[40:48]  # versions of the superblock
        if int.from_bytes(end, "little") != size:
            raise Damaged(path, "its end is not what was written")
    return False


def read(path: str | Path) -> xr.Dataset:
    """Return the whole content of the file at ``path``, in memory.

    Args:
        path: of the file.

    Raises:
        Damaged: the content is not what was written.
        UserError: the file is missing, or cannot be read.
        MemoryError: the content does not fit the memory.
    """
    path = Path(path)
    try:
        sealed = check_seal(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing: run snakemake again to have it written.") from error
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}): see to its permissions and its disk, then "
            "run the same command again."
        ) from error
    try:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            return dataset.load().drop_encoding()
    except MemoryError:
        raise
    except Exception as error:  # whatever the libraries make of a damaged file
        if sealed or out_of_memory(error):  # the fault is elsewhere
            known = ", though its content is as it was written" if sealed else ""
            raise UserError(
                f"{path} cannot be read ({brief(error)}){known}: see to the memory of the machine, "
                "then run the same command again."
            ) from error
        raise Damaged(path, brief(error)) from error
