"""What is the user's own: images that rote reads, and never writes to or deletes.

Every source of images is read once, into a file of rote under ``data``. Snakemake makes that file
again whenever it is told to, so nothing of the user's may stand there.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from rote.machine.errors import UserError
from rote.machine.tail import tail

RESULTS = "results"  # what may be deleted at any time
KINDS = {"netcdf": "a NetCDF file", "numpy": "a NumPy file (.npz)"}  # of sources that are a file
OF_ROTE = b"rote-"  # begins each of the lines in which every NetCDF file of rote ends
IMAGES_LINE = OF_ROTE + b"images:"  # of the copy of a folder: the digest of the images in it


def copy_of(dataset: str) -> str:
    """Return the file into which rote reads the images of a data set, whatever their source."""
    return f"data/{dataset}.nc"


def images_in_copy(dataset: str) -> str:
    """Return the digest of the images of a folder that were read; "" if none were."""
    found = re.findall(rb"%s([0-9a-f]+)\n" % IMAGES_LINE, tail(Path(copy_of(dataset))))
    return found[-1].decode() if found else ""


def expanded(path: str) -> str:
    """Return a path with the home folder for ``~`` and the values of variables like ``$HOME``.

    Raises:
        UserError: a variable has no value, or a user no home folder.
    """
    try:
        whole = os.path.expandvars(Path(path).expanduser())
    except RuntimeError as error:
        raise UserError(
            f"The path {path} names a home folder that is not known: write the folder out."
        ) from error
    if missing := re.search(r"\$\{?(\w+)", whole):
        raise UserError(
            f"The path {path} names the variable {missing[1]}, which has no value: set it, or "
            "write the folder out."
        )
    return whole


def check(dataset: str, datasets: Mapping[str, dict]) -> None:
    """Check that nothing of the user's own stands where rote writes or deletes.

    Args:
        dataset: the name of a data set.
        datasets: the blocks of all data sets, by name.

    Raises:
        UserError: something does, or ``path`` leads to no file where it must be one.
    """
    source, copy = datasets[dataset], Path(copy_of(dataset))
    if copy.exists() and OF_ROTE not in tail(copy):
        raise UserError(
            f"{copy} does not end as the files of rote do, and would be overwritten: if it is "
            f"yours, move it elsewhere, and write source: netcdf and its new path under "
            f"datasets.{dataset}; if not, delete it."
        )
    kind = KINDS.get(source["source"])
    if not kind and source["source"] != "folder":
        return
    whole = expanded(source["path"])
    real = Path(os.path.realpath(whole))
    elsewhere = f"move it elsewhere, and write its new place under datasets.{dataset}.path."
    if real.is_relative_to(os.path.realpath(RESULTS)):
        raise UserError(f"{whole} lies in {RESULTS}, which rote writes to: {elsewhere}")
    for name in datasets:
        if real == Path(os.path.realpath(copy_of(name))):
            raise UserError(
                f"{whole} stands where rote writes its own {copy_of(name)}: {elsewhere}"
            )
    if kind and re.search("[{}]", whole):
        raise UserError(
            f"{whole} holds a brace, which Snakemake takes for a wildcard: rename it, also under "
            f"datasets.{dataset}.path."
        )
    if kind and (wrong := _unreadable(real)):
        raise UserError(f"{whole} {wrong}: write the path of {kind} under datasets.{dataset}.path.")


def _unreadable(path: Path) -> str:
    """Return what keeps a file from being read, in words; none if it can be."""
    try:
        with path.open("rb"):
            return ""
    except FileNotFoundError:
        return "is missing"
    except IsADirectoryError:
        return "is a folder"
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', error)})"
