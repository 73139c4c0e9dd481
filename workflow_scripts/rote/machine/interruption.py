"""SIGTERM and Ctrl-C: a job stops at once, or in a training after the epoch, with a checkpoint.

Batch systems, Snakemake and people stop jobs by signals. Between the epochs a training can be taken
up again, so there it holds signals back; all else is either quickly done again or kept already.
"""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


class Stopped(BaseException):
    """A signal asked the job to stop. No Exception: nothing that mends errors may swallow it."""

    def __init__(self, number: int):
        self.number = number
        super().__init__(signal.Signals(number).name)


_arrived: list[int] = []
_holding = False


def _handle(number: int, _frame: object) -> None:
    insists = number == signal.SIGINT in _arrived
    _arrived.append(number)
    first = len(_arrived) == 1
    if insists or (first and not _holding):
        raise Stopped(number)
    if first:
        logger.info("%s: stopping after this epoch.", signal.Signals(number).name)
    # Another one, such as Snakemake's SIGTERM after a Ctrl-C, must not cut off what that has begun.


@contextmanager
def stoppable() -> Iterator[None]:
    """Have SIGTERM and SIGINT raise :class:`Stopped` for as long as the context lasts."""
    _arrived.clear()
    before = {number: signal.signal(number, _handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _arrived.clear()


@contextmanager
def held() -> Iterator[None]:
    """Hold a signal back to the end of the context, but for a second Ctrl-C."""
    global _holding
    _holding = True
    try:
        yield
    finally:
        _holding = False
    if _arrived:
        raise Stopped(_arrived[0])


def arrived() -> bool:
    """Return whether a signal is held back: the context should end as soon as it can."""
    return bool(_arrived)
