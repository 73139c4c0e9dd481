"""What Snakemake and its jobs find around them: a Python, this package, places for caches.

They inherit it as variables of the environment, also through SLURM. Read by the rules, so it
imports nothing but the standard library.
"""

import os
import shlex
import sys
from pathlib import Path

from rote.machine.errors import UserError

# The kernels of OpenBLAS that use AVX-512, by the names of OPENBLAS_CORETYPE.
WITH_AVX512 = "skylakex", "cooperlake", "sapphirerapids"


def prepare(checkout: Path, folder: Path, alone: bool) -> None:
    """Have jobs run, by this Python and with this package, wherever they lie.

    Args:
        checkout: the folder of the Snakefile.
        folder: that Snakemake works in.
        alone: whether no other workflow has jobs beside these.

    Raises:
        UserError: the path of a folder cannot be passed on to jobs.
    """
    # pip and SLURM put it between double quotes, PATH ends at a colon, Snakemake fills braces in.
    _check_path(checkout, '"$`\\\n:{}')
    # SLURM as above; NetCDF takes a backslash for a slash.
    _check_path(folder, '"$`\\\n')
    if shlex.quote(sys.executable) != sys.executable:
        # Snakemake puts it unquoted into the command of a job, where a blank would end it. Quotes
        # would not do: Snakemake looks for the folder in it, and SLURM puts more quotes around.
        python = Path(sys.executable)
        _put_first("PATH", python.parent)
        sys.executable = python.name
    if alone:  # the modules of another workflow may have the names of ours
        _put_first("PYTHONPATH", checkout / "workflow_scripts")
    _keep_caches(folder / ".snakemake" / "caches")


def _check_path(path: Path, refused: str) -> None:
    found = [character for character in refused if character in str(path)]
    if found:
        raise UserError(
            f"The path {str(path)!r} holds {' and '.join(map(repr, found))}, which cannot be "
            "passed on to jobs: rename the folder or choose another, then run the same command "
            "again."
        )


def _put_first(variable: str, folder: Path) -> None:
    """Have a folder looked into before those that the variable names."""
    others = os.environ.get(variable)
    os.environ[variable] = f"{folder}{os.pathsep}{others}" if others else str(folder)


def _keep_caches(instead: Path) -> None:
    """Have caches that would lie in a home that cannot be written to lie elsewhere, without a word.

    They are those of Snakemake and of the fonts, and what Matplotlib keeps.
    """
    configuration = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    for variable, usual in (
        ("XDG_CACHE_HOME", "~/.cache"),
        ("MPLCONFIGDIR", f"{configuration}/matplotlib"),
    ):
        try:
            folder = Path(os.environ.get(variable) or usual).expanduser()
            folder.mkdir(parents=True, exist_ok=True)
            writable = os.access(folder, os.W_OK)
        except (OSError, RuntimeError):  # the latter where nobody knows the home
            writable = False
        if not writable:
            os.environ[variable] = str(instead)


def older_kernels(
    products: str, device: str, processor: Path = Path("/proc/cpuinfo")
) -> str | None:
    """Return a sentence if the environment keeps products from what the processor can do.

    Args:
        products: the setting, see :mod:`rote.machine.products`.
        device: the setting.
        processor: where Linux describes it.
    """
    pinned = os.environ.get("OPENBLAS_CORETYPE", "")
    if products == "torch" or device == "cuda" or not pinned or pinned.lower() in WITH_AVX512:
        return None
    try:
        described = processor.read_text()
    except OSError:  # another system
        return None
    if "AuthenticAMD" not in described or "avx512f" not in described.split():
        return None
    return (
        f"The environment variable OPENBLAS_CORETYPE is {pinned}, which keeps matrix products from "
        "the faster kernels of this processor: without it, MLPs train up to twice as fast."
    )
