"""What scripts share: a log, and one sentence for whatever stops a job."""

import contextlib
import gc
import logging
import sys
from collections.abc import Iterator

from rote.machine.display import ERASE
from rote.machine.errors import Damaged, UserError, brief, out_of_memory
from rote.machine.interruption import Stopped, stoppable
from rote.study import notes
from rote.study.made_by import code_of

# What a job imports stays until it ends. To look for garbage among it, while it is loaded and once
# more at the end, takes a third of the start of a job that trains. Not so in a process of tests.
OWN_PROCESS = hasattr(sys.modules["__main__"], "snakemake")
if OWN_PROCESS:
    gc.disable()


@contextlib.contextmanager
def job(smk) -> Iterator[None]:
    """Log to the rule's log file and, so that one sees it, to the terminal.

    Code that was edited since Snakemake was started stops it: what it made would pass for what the
    code of the start has made. A :class:`UserError`, a signal and a lack of memory end the job with
    a sentence and without a traceback. A damaged input is set aside, so that Snakemake's next call
    computes it again.
    """
    if OWN_PROCESS:
        gc.freeze()
        gc.enable()
    logger = logging.getLogger("rote")
    logger.setLevel(logging.INFO)
    logging.raiseExceptions = False  # a log that cannot be written, on a full disk, is no mishap
    handlers = [_terminal()]
    logger.addHandler(handlers[0])
    try:
        with stoppable():
            handlers.append(_log_file(smk.log[0]))
            logger.addHandler(handlers[1])
            notes.read(notes.PATH)  # so that not all code is read again
            noising = getattr(smk.params, "data", None)
            if code_of(smk.params.code[0], smk.wildcards, noising) != list(smk.params.code):
                raise UserError(
                    "The code, or a file that it reads, was edited after Snakemake was started: "
                    "run the same command again."
                )
            yield
    except Damaged as error:
        logger.error("Error: %s", _set_aside(error, smk.input))
        sys.exit(1)
    except UserError as error:
        logger.error("Error: %s", error)
        sys.exit(1)
    except Stopped as signal:
        logger.error("Stopped by %s: the same command goes on from what is finished.", signal)
        sys.exit(128 + signal.number)
    except Exception as error:
        if out_of_memory(error):
            logger.error(
                "Error: the memory does not suffice (%s): give the job more, run fewer jobs at a "
                "time (snakemake --cores 1), or make the model or the data smaller.",
                brief(error),
            )
        elif isinstance(error, KeyError) and "No variable named" in str(error):
            logger.error(
                "Error: %s lacks a variable (%s): delete what was not made by this version of rote "
                "and run the same command again.",
                ", ".join(map(str, smk.input)),
                str(error.args[0]).partition(". ")[0],
            )
        else:
            logger.exception("This is a bug in rote, not a mistake of yours; please report it.")
        sys.exit(1)
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            with contextlib.suppress(OSError):  # what a full disk did not take is tried once more
                handler.close()
        if OWN_PROCESS:
            gc.freeze()  # the process ends, and takes along what is left


def _terminal() -> logging.Handler:
    """Return what tells the terminal of warnings and errors: how far a job is, Snakemake shows."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(
        lambda record: record.levelno > logging.INFO or record.name.startswith("rote.machine")
    )
    if sys.stderr.isatty():  # where Snakemake paints its bar into the last line
        handler.setFormatter(logging.Formatter(f"{ERASE}%(message)s"))
    return handler


def _log_file(path: str) -> logging.Handler:
    try:
        # A line that cannot be written is lost, and a name of a file may be no text in the locale.
        handler = logging.FileHandler(path, "w", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UserError(
            f"Cannot write the log {path} ({error.strerror}): free some space or see to the "
            "permissions of the folder, then run the same command again."
        ) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    return handler


def _set_aside(error: Damaged, inputs: list[str]) -> str:
    """Rename a damaged input, which is then missing, and return the sentence about it."""
    if str(error.path) not in map(str, inputs):
        return str(error)
    aside = error.path.with_name(f"{error.path.name}.damaged")
    try:
        error.path.replace(aside)
    except OSError:
        return str(error)
    return (
        f"{error.path} is damaged ({error.why}) and now called {aside.name}: run the same command "
        "again, which makes it anew."
    )
