"""Exceptions whose message is meant for the user, and what tells a lack of memory from a bug."""

import re
from pathlib import Path


class UserError(Exception):
    """A mistake that the user can mend: one sentence that names the thing and the remedy.

    Scripts print the message and stop; they never show a traceback for it.
    """


class Damaged(UserError):
    """A file whose content is not what was written; whoever can compute it again may remove it."""

    def __init__(self, path: Path, why: str):
        self.path, self.why = path, why
        super().__init__(f"{path} is damaged ({why}): delete it and run the same command again.")


def out_of_memory(error: BaseException) -> bool:
    """Return whether an exception means that the memory of the machine or device is used up.

    On the CPU torch raises a bare RuntimeError, and so do the libraries of CUDA.
    """
    words = r"out of memory|can't allocate memory|cannot allocate memory|ALLOC_FAILED"
    return isinstance(error, MemoryError) or (
        isinstance(error, (RuntimeError, OSError)) and bool(re.search(words, str(error), re.I))
    )


def brief(error: BaseException) -> str:
    """Return what an exception says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def of_own_code(what: str, error: BaseException, remedy: str = "see to its code") -> UserError:
    """Return the sentence for code of the user's own that has raised something.

    Args:
        what: the code, and what it did: "own.py cannot be imported".
        error: what it raised.
        remedy: without the stop.
    """
    return UserError(f"{what} ({type(error).__name__}: {brief(error)}): {remedy}.")
