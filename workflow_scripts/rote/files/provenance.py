"""Where the numbers of a file come from: settings, software, commit and device."""

import contextlib
import json
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
