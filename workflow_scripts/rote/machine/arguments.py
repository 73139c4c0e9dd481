"""What commands are told by several scripts alike: folders to work in, and processor cores."""

import argparse
from pathlib import Path

from rote.machine.errors import UserError


def cores(text: str) -> str:
    """Return a number of processor cores, as Snakemake takes it, which does not check it."""
    if text != "all" and not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is neither all nor a number from 1 on")
    return text


def made(folder: Path, option: str) -> Path:
    """Make a folder that an option names, and return its whole path.

    Raises:
        UserError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{error.filename} cannot be made a folder ({error.strerror}): name another {option}."
        ) from error
    return folder.absolute()
