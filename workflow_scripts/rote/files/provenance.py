"""Where the numbers of a file come from: settings, software, commit and device."""

import contextlib
import json
import os
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

import xarray as xr

SOFTWARE = ("netCDF4", "numpy", "snakemake", "torch", "torchvision", "xarray")


@cache
def _software() -> str:
    versions = {name: version(name) for name in SOFTWARE}
    return json.dumps({"python": platform.python_version(), **versions})


@cache
def _git_commit() -> str:
    """Return the commit of this checkout of rote, or ``unknown`` if it is none.

    The checkout may lie inside another repository, belong to somebody else, or be called while
    Git's variables name another one: neither must change whose commit it is.
    """
    here = Path(__file__).resolve().parents[3]
    git = ["git", "-c", "safe.directory=*", "-C", str(here)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def ask(*command: str) -> str:
        ran = subprocess.run([*git, *command], env=clean, check=True, capture_output=True)
        return os.fsdecode(ran.stdout).strip()

    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        if Path(ask("rev-parse", "--show-toplevel")).resolve() == here:
            return ask("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
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
