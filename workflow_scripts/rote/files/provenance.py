"""Where the numbers of a file come from: settings, software, commit and device.

What has parts is YAML: a header shows it in lines that people read, and code gets it back by
``yaml.safe_load``.
"""

import contextlib
import json
import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import xarray as xr
import yaml

import rote

CONVENTIONS = "CF-1.11"  # from 1.9 on, integers of all sizes are allowed
REFERENCES = (
    "Krueger et al. (2017): Deep Nets Don't Learn via Memorization, ICLR workshop; "
    "Arpit et al. (2017): A Closer Look at Memorization in Deep Networks, ICML, "
    "https://arxiv.org/abs/1706.05394"
)
SOFTWARE = ("netCDF4", "numpy", "snakemake", "torch", "torchvision", "xarray")


@cache
def _software() -> str:
    found = {"rote": rote.__version__, "python": platform.python_version()}
    for name in SOFTWARE:
        with contextlib.suppress(PackageNotFoundError):  # the package alone needs no Snakemake
            found[name] = version(name)
    return as_text(found)


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


def as_text(content: dict | list) -> str:
    """Return content in YAML, the innermost mappings and lists in a line each.

    Equal content is equal text; of tuples it makes lists.
    """
    plain = json.loads(json.dumps(content))
    return yaml.safe_dump(plain, width=100, default_flow_style=None, allow_unicode=True).strip()


def origin(device: str) -> dict[str, str]:
    """Return the attributes that say by what numbers were computed, ``device`` in words."""
    return {"software": _software(), "git_commit": _git_commit(), "device": device}


def with_provenance(
    dataset: xr.Dataset, settings: dict, *, title: str, device: str = "cpu"
) -> xr.Dataset:
    """Return ``dataset`` with the attributes that say what it is, and how it came to be.

    Args:
        dataset: the content of a file.
        settings: whatever determined it, seeds among them.
        title: what the file holds, in a line.
        device: what its numbers were computed on, in words.
    """
    named = {"title": title, "Conventions": CONVENTIONS, "references": REFERENCES}
    made = {"settings": as_text(settings), **origin(device)}
    return dataset.drop_attrs(deep=False).assign_attrs(named | dataset.attrs | named | made)
