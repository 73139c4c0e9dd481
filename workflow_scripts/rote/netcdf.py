"""NetCDF files that are whole or absent, and that say where their numbers come from.

A file is written under a temporary name, flushed to the disk and renamed. Every array is chunked
and carries a Fletcher-32 checksum, so that a damaged file raises instead of yielding other numbers.
"""

import contextlib
import json
import os
import platform
import subprocess
import uuid
from functools import cache
from importlib.metadata import version
from pathlib import Path

import xarray as xr

from rote.errors import UserError

CHUNK_BYTES = 2**20
SOFTWARE = ("netCDF4", "numpy", "snakemake", "torch", "torchvision", "xarray")


@cache
def _software() -> str:
    versions = {name: version(name) for name in SOFTWARE}
    return json.dumps({"python": platform.python_version(), **versions})


@cache
def _git_commit() -> str:
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    here = Path(__file__).parent
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(
            describe, cwd=here, check=True, capture_output=True, text=True
        ).stdout.strip()
    return "unknown"


def with_provenance(dataset: xr.Dataset, settings: dict, *, device: str = "cpu") -> xr.Dataset:
    """Return ``dataset`` with the attributes that say how it came to be.

    ``settings`` are whatever determined it; they are kept as JSON, seeds among them.
    """
    return dataset.assign_attrs(
        settings=json.dumps(settings, sort_keys=True),
        software=_software(),
        git_commit=_git_commit(),
        device=device,
    )


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


def _encoding(variable: xr.Variable) -> dict:
    # Strings have a variable length, which HDF5 can neither filter nor check.
    if not variable.ndim or not variable.size or variable.dtype.kind not in "biuf":
        return {}
    compress = variable.encoding.get("zlib", True)
    filters = {"zlib": True, "complevel": 1} if compress else {}
    return {"chunksizes": _chunks(variable), "fletcher32": True, **filters}


def write(dataset: xr.Dataset, path: str | Path) -> None:
    """Write ``dataset`` to ``path``: afterwards the file is whole, or what was there before.

    Raises:
        UserError: the disk is full, or the folder cannot be written to.
        ValueError: a variable lacks ``long_name`` or ``units``.
    """
    for name, variable in dataset.variables.items():
        if not {"long_name", "units"} <= variable.attrs.keys():
            raise ValueError(f"variable {name} of {path} lacks long_name or units")
    path = Path(path)
    # No process of any machine that shares the folder has this name too.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    encoding = {name: _encoding(variable) for name, variable in dataset.variables.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"Cannot write {path} ({error}): free some space or choose a folder that can be "
            "written to, then run the same command again; finished members are kept."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def read(path: str | Path) -> xr.Dataset:
    """Return the whole content of the file at ``path``, in memory.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            return dataset.load().drop_encoding()
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing: run snakemake again to have it written.") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(
            f"{path} is damaged ({error}): delete it and run the same command again."
        ) from error
