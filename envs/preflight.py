"""Say in one sentence why rote cannot be set up here, before anything is downloaded.

``make setup`` runs this with the Python that is to be used, so it must parse under Python 3.6. What
is refused lacks wheels of the versions that are pinned in requirements.txt.
"""

import importlib.util
import platform
import shutil
import sys
from pathlib import Path

PYTHONS = ((3, 11), (3, 13))
PIP = (22, 3)  # the first that installs into another environment, by --python
MACHINES = {"Linux": ("x86_64", "aarch64"), "Darwin": ("arm64",)}
GLIBC, MACOS = (2, 28), 14
PLATFORMS = "Linux (x86-64 or ARM64, glibc 2.28 or newer) or macOS 14 or newer on Apple silicon"
# GB of download and of disk, measured: PyTorch for the CPU, and with the libraries of CUDA.
CPU, CUDA = (0.4, 1.7), (2.9, 5.4)


def numbers(version):
    """Return (major, minor) of a version."""
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in version.split(".")[:2])


def sizes(torch):
    """Return GB of download and of disk for a build of PyTorch; "" is that of the package index."""
    return CUDA if platform.system() == "Linux" and torch != "cpu" else CPU


def wrong_python():
    """Return what is wrong with this Python, or None."""
    major, minor = sys.version_info[:2]
    name = f"Python {major}.{minor} ({sys.executable})"
    other = "name another one, such as: make setup PYTHON=/usr/bin/python3.12"
    if not PYTHONS[0] <= (major, minor) <= PYTHONS[1]:
        return f"rote needs Python 3.11, 3.12 or 3.13, and this is {name}: {other}"
    if sys.maxsize < 2**32:
        return f"rote needs a Python of 64 bits, and {name} has 32: {other}"
    for module in ("venv", "pip"):
        if importlib.util.find_spec(module) is None:
            install = f"install it (on Debian: apt install python3-{module})"
            return f"{name} lacks {module}: {install}, or {other}"
    import pip

    if numbers(pip.__version__) < PIP:
        upgrade = f"{sys.executable} -m pip install --upgrade pip"
        return f"{name} has pip {pip.__version__}, and rote needs 22.3 or newer: {upgrade}"
    return None


def wrong_platform():
    """Return what is wrong with this system, or None."""
    system, machine = platform.system(), platform.machine()
    found = None
    if machine not in MACHINES.get(system, ()):
        found = f"{system} on {machine}"
    elif system == "Darwin" and numbers(platform.mac_ver()[0])[0] < MACOS:
        found = f"macOS {platform.mac_ver()[0]}"
    elif system == "Linux":
        library, version = platform.libc_ver()
        if library != "glibc":
            found = "a C library other than glibc, such as musl"
        elif numbers(version) < GLIBC:
            found = f"glibc {version}"
    return found and f"the packages of rote are not made for {found}: use {PLATFORMS}"


def wrong_disk(folder, torch):
    """Return that too little space is left, or None; a .venv that is there is replaced."""
    needed, free = sizes(torch)[1], shutil.disk_usage(folder).free / 1e9
    if free >= needed or (Path(folder) / ".venv").exists():
        return None
    smaller = "" if needed == CPU[1] else ", or take the build without CUDA: make setup TORCH=cpu"
    return (
        f"rote needs {needed} GB of disk, and {free:.1f} are left at {folder}: free some{smaller}"
    )


def announcement(torch):
    """Return what the set-up does, how large it is and how long it takes."""
    download, disk = sizes(torch)
    smaller = ""
    if sizes(torch) == CUDA:
        smaller = f"; without a GPU, TORCH=cpu saves {CUDA[1] - CPU[1]:.1f} GB"
    return (
        f"Setting up .venv, once: {download} GB to download, {disk} GB of disk, 1 to 5 minutes on "
        f"a fast network{smaller}."
    )


if __name__ == "__main__":
    torch = "".join(sys.argv[1:])
    wrong = wrong_python() or wrong_platform() or wrong_disk(Path.cwd(), torch)
    if wrong:
        sys.exit(f"Error: {wrong}.")
    print(announcement(torch), flush=True)
