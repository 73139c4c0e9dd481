"""What the commands of several scripts share: options, and a standard output of any kind."""

import argparse
import signal
import sys
from pathlib import Path

from rote.machine.errors import UserError


def print_anywhere(until_closed: bool = False) -> None:
    """Have signs that the standard output does not know, of a terminal in Latin-1, escaped.

    Args:
        until_closed: whether the command, which prints and does nothing else, ends without a word
            once nobody reads on, as where ``head`` does.
    """
    sys.stdout.reconfigure(errors="backslashreplace")
    if until_closed:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def at_least_one(text: str) -> int:
    """Return a number of the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


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
