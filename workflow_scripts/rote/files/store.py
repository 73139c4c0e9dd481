"""Finished members, kept for good, and unfinished ones, kept until they are finished.

One NetCDF file a member, and one for each epoch of which its parameters are kept, named by a
fingerprint of all that determines the result. Whatever asks for the same member again finds it, and
a changed setting can never find old numbers. Deleting the store, or any file of it, costs computing
time and nothing else.

Jobs of several machines may share a store. A file there is whole from its first moment, and another
one may take its place, or it may go, at any time: jobs that want the same member at the same time
each compute it, and the last one's stays.
"""

import hashlib
import json
import logging
from pathlib import Path

import xarray as xr

from rote.files import netcdf
from rote.machine.errors import Damaged, UserError

logger = logging.getLogger(__name__)


def fingerprint(**determinants: object) -> str:
    """Return the hash (SHA-256, in hex) of everything that determines a result.

    Equal numbers are the same, however they are written: 0 and 0.0.
    """
    canonical = json.dumps(_plain(determinants), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: object) -> object:
    """Return a value with whole numbers as integers."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Store:
    """The members in the folder ``root``.

    Args:
        root: the folder.
        reuse: whether to find what is kept there already; else only what was kept by this object.
    """

    def __init__(self, root: str | Path, reuse: bool = True):
        self.root, self.reuse = Path(root), reuse
        self._own: set[Path] = set()  # files that this object has written

    def _path(self, key: str, kind: str = "") -> Path:
        return self.root / key[:2] / f"{key}{kind}.nc"

    def _write(self, dataset: xr.Dataset, path: Path) -> None:
        netcdf.write(dataset, path)
        self._own.add(path)

    def _found(self, path: Path) -> bool:
        return path.exists() and (self.reuse or path in self._own)

    def _read(self, path: Path) -> xr.Dataset | None:
        if not self._found(path):
            return None
        for last in (False, True):
            try:
                return netcdf.read(path, own=True)
            except UserError as error:
                if not path.exists():  # asked for now: another job may have just removed it
                    return None
                if not last:  # a network file system fails where the file was replaced
                    continue
                if not isinstance(error, Damaged):
                    raise
                logger.warning("%s is damaged (%s). It is computed again.", path, error.why)
                path.unlink(missing_ok=True)
        return None

    def load(self, key: str) -> xr.Dataset | None:
        """Return the finished member of this fingerprint, or None; a damaged file is removed."""
        return self._read(self._path(key))

    def save(self, key: str, member: xr.Dataset) -> None:
        """Keep a finished member; its checkpoint is of no more use and goes."""
        self._write(member, self._path(key))
        self._path(key, ".checkpoint").unlink(missing_ok=True)

    def save_parameters(self, key: str, epoch: int, parameters: xr.Dataset) -> None:
        """Keep the parameters of a member as they were after an epoch."""
        self._write(parameters, self._path(key, f".epoch-{epoch}"))

    def load_parameters(self, key: str, epoch: int) -> xr.Dataset | None:
        """Return the parameters of a member after an epoch, or None."""
        return self._read(self._path(key, f".epoch-{epoch}"))

    def has_parameters(self, key: str, epochs: list[int]) -> bool:
        """Return whether the parameters of a member are kept for all of ``epochs``."""
        return all(self._found(self._path(key, f".epoch-{epoch}")) for epoch in epochs)

    def load_checkpoint(self, key: str) -> xr.Dataset | None:
        """Return the last checkpoint of an unfinished member, or None."""
        return self._read(self._path(key, ".checkpoint"))

    def save_checkpoint(self, key: str, state: xr.Dataset) -> None:
        """Replace the checkpoint of an unfinished member."""
        self._write(state, self._path(key, ".checkpoint"))
