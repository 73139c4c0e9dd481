"""Lines that say how far a long computation is, and how long it will still take."""

import re
import sys
import time
from collections.abc import Callable

SHARE = re.compile(r", (\d+) %, about ")
FOUND = re.compile(r": (\d+) of (\d+) members are in the store\.")


def readable(seconds: float) -> str:
    """Return a duration as people say it: 8 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def shares(log: str) -> tuple[float, float]:
    """Return what a job's log says of its work: the share that the store had, and that is computed.

    Lines of :class:`Progress` are about what the store lacks. Both are from 0 to 1.
    """
    found = [[int(count) for count in counts] for counts in FOUND.findall(log)]
    had, all_members = (sum(counts) for counts in zip(*found, strict=True)) if found else (0, 0)
    stored = had / all_members if all_members else 0.0
    computed = SHARE.findall(log)
    return stored, (1 - stored) * (int(computed[-1]) / 100 if computed else 0.0)


class Progress:
    """Reports of one job: often where a terminal shows a bar, seldom elsewhere.

    Args:
        name: what is computed, at the beginning of every line.
        total: units of work, of any size.
        report: takes a line.
        interval: seconds between two lines.
    """

    def __init__(
        self, name: str, total: float, report: Callable[[str], None], interval: float | None = None
    ):
        self.name, self.total, self.report = name, total, report
        self.interval = interval or (3.0 if sys.stderr.isatty() else 30.0)
        self.done = 0.0
        self.start = self.reported = time.monotonic()

    def advance(self, work: float, state: str) -> None:
        """Count ``work`` units as done, and report ``state`` if it is time for a line."""
        self.done += work
        now = time.monotonic()
        if now - self.reported < self.interval:
            return
        self.reported = now
        left = (now - self.start) * (self.total - self.done) / self.done
        share = int(100 * self.done / self.total)
        self.report(f"{self.name}: {state}, {share} %, about {readable(left)} left")
