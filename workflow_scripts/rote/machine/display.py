"""What people see of a study while it runs: a line a step, and on a terminal a bar for the whole.

It stands in for Snakemake's own lines where these are to be quiet about rules, as the profiles of
rote ask: ``snakemake fig1 --quiet host`` shows Snakemake's. In both cases what failed comes last,
in the words of the jobs, and a target that does not exist is named with those that do.

Read by the rules, so it imports nothing but the standard library.
"""

import contextlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from rote.machine.progress import readable, shares

ERASE = "\r\x1b[K"  # what stands in the last line of a terminal
WIDTH = 24  # of the bar
KNOWN_FROM = 0.03  # the share of the work from which on the time left is said
# Of Snakemake's own lines: what jobs say in their own words, and what people wait for.
NOT_SAID = (
    "CalledProcessError in",
    "Exiting because a job",
    "At least one job did not complete",
    "Cannot restore",
)
SAID = "Terminating processes", "Will exit after", "Trying to restart"


class Step(Protocol):
    """A job as it is shown, see ``rote.study.steps.Step``."""

    words: str
    work: float
    log: str
    result: str


class Display(logging.Handler):
    """Shows the events of a Snakemake.

    Args:
        snakemake: Snakemake's own handler, which gets what is not shown in another way.
        own: whether steps are shown by rote, else by Snakemake.
        steps: returns the steps that are to be done, by the numbers of their jobs.
        targets: returns the names that can be asked for.
        ending: returns what to say after a study that is finished.
        interval: seconds between two looks at the logs of jobs.
        runs: returns whether anything is to be run: ``--unlock`` and the like are Snakemake's own.
    """

    def __init__(
        self,
        snakemake: logging.StreamHandler,
        own: bool,
        steps: Callable[[], dict[int, Step]],
        targets: Callable[[], Iterable[str]],
        ending: Callable[[], str],
        interval: float | None = None,
        runs: Callable[[], bool] = lambda: True,
    ):
        super().__init__()
        self.runs = runs
        self.snakemake, self.own, self.ending = snakemake, own, ending
        self.all_steps, self.targets = steps, targets
        self.stream = snakemake.stream
        self.terminal = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.interval = interval or (1.0 if self.terminal else 600.0)
        self.steps: dict[int, Step] = {}
        self.begun: dict[int, float] = {}  # times of the epoch
        self.finished: dict[int, float] = {}  # the share of each that the store had
        self.failed: dict[int, list[str]] = {}  # the logs of each job
        self.stopped = self.closed = False
        self.start, self.over = 0.0, threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Show an event, see :class:`logging.Handler`: whatever goes wrong here stops no study."""
        try:
            self._show(record)
        except Exception:
            self.handleError(record)

    def _show(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if event == "run_info" and not self.start:
            self._begin()
        elif event == "job_finished":
            self._finish(record.job_id)
        elif event == "job_error":
            self.failed[record.jobid] = list(record.log)
        elif event == "group_error":
            for job in record.job_error_info:
                self.failed[job["jobid"]] = [*job["log"], *record.aux_logs]
        elif str(record.msg).startswith("Terminating processes"):
            self.stopped = True
        if self.own and self.runs():
            self._show_own(event, record)
        elif not self._unknown_target(record):
            self.snakemake.handle(record)

    def _show_own(self, event: str | None, record: logging.LogRecord) -> None:
        text, step = str(record.msg), self.steps.get(getattr(record, "jobid", -1))
        if event == "job_info":
            if step:
                self.begun[record.jobid] = time.time()
                if not step.result:
                    self._say(step.words)
        elif event == "job_error":
            how = "stopped" if self.stopped else "failed"
            self._say(f"{step.words if step else record.rule_name}: {how}")
        elif self._unknown_target(record) or any(words in text for words in NOT_SAID):
            pass
        elif text.startswith("Nothing to be done"):
            self.snakemake.handle(record)
            self.succeed()
        elif record.levelno >= logging.WARNING or text.startswith(SAID):
            self._erase()
            self.snakemake.handle(record)

    def _begin(self) -> None:
        self.steps, self.start = self.all_steps(), time.monotonic()
        if self.own:
            self._say(f"{len(self.steps)} step{'' if len(self.steps) == 1 else 's'} to do")
            threading.Thread(target=self._watch, daemon=True).start()

    def _finish(self, job: int) -> None:
        self.failed.pop(job, None)  # it was tried again
        begun, step = self.begun.pop(job, None), self.steps.get(job)
        if step and job not in self.finished:
            self.finished[job] = _shares_of_log(Path(step.log), begun)[0] if begun else 0.0
            if self.own and step.result:
                self._say(f"{step.words.partition(':')[0]}: drawn, {step.result}")

    def succeed(self) -> None:
        """Say what there is now, and where."""
        self.over.set()
        self._erase()
        took = f" in {readable(time.monotonic() - self.start)}" if self.start else ""
        if said := self.ending().replace("{took}", took):
            self._write(f"\n{said}\n")

    def close(self) -> None:
        """Say last what failed, and leave no bar behind."""
        if not self.closed:
            self.closed = True
            self.over.set()
            self._erase()
            if self.stopped:
                self._write("\nStopped: the same command goes on from what is finished.\n")
            elif self.failed:
                self._show_failures()
            self.snakemake.close()
        super().close()

    # Failures.

    def _show_failures(self) -> None:
        said: dict[str, list[str]] = {}
        for job, logs in self.failed.items():
            step = self.steps.get(job)
            said.setdefault(sentence(logs), []).append(step.words if step else f"job {job}")
        count = f"{len(self.failed)} of {len(self.steps)}"
        self._write(f"\n{count} steps failed; the same command goes on from what is finished.\n")
        for error, steps in said.items():
            more = f" (and {len(steps) - 1} more)" if len(steps) > 1 else ""
            self._write(f"\n{steps[0]}{more}\n{error}\n")

    def _unknown_target(self, record: logging.LogRecord) -> bool:
        """Name the targets that there are, if the message is that one is not."""
        name = re.search(r"No rule to produce (.+?) \(if you use input", str(record.msg))
        if getattr(record, "exception", None) != "MissingRuleException" or not name:
            return False
        self._erase()
        self._write(f"Error: {no_such_target(name[1], list(self.targets()))}\n")
        return True

    # Progress.

    def _watch(self) -> None:
        while not self.over.wait(self.interval):
            with contextlib.suppress(Exception):
                self.acquire()
                try:
                    if not self.over.is_set():
                        self._paint() if self.terminal else self._write(f"{self._state()}\n")
                finally:
                    self.release()

    def _shares(self) -> tuple[float, float]:
        """Return the shares of the work that the store had, and that is computed since the start.

        Of running jobs it is what their logs say.
        """
        whole = sum(step.work for step in self.steps.values()) or 1.0
        of_jobs = {job: (had, 1 - had) for job, had in self.finished.items()} | {
            job: _shares_of_log(Path(self.steps[job].log), since)
            for job, since in self.begun.items()
        }
        return tuple(
            sum(self.steps[job].work * both[kind] for job, both in of_jobs.items()) / whole
            for kind in (0, 1)
        )

    def _share(self) -> float:
        return min(1.0, sum(self._shares()))

    def _state(self) -> str:
        stored, computed = self._shares()
        left, lacking = "", max(0.0, 1 - stored)
        # What the store had says nothing of the time that the rest takes.
        if computed > KNOWN_FROM * lacking:
            left = readable((time.monotonic() - self.start) * max(0, lacking / computed - 1))
            left = f", about {left} left"
        return f"{int(100 * min(1.0, stored + computed)):3} %{left}"

    def _say(self, line: str) -> None:
        if self.terminal:
            self._write(f"{ERASE}{line}\n")
            self._paint()
        else:
            state = self._state() if self.finished or self.begun else "  0 %"
            self._write(f"[{state}] {line}\n")

    def _paint(self) -> None:
        full, empty = "█░" if "utf" in (self.stream.encoding or "").lower() else "#-"
        filled = int(self._share() * WIDTH)
        bar = full * filled + empty * (WIDTH - filled)
        line = f"{bar} {self._state()}, {len(self.finished)} of {len(self.steps)} steps done"
        self._write(f"{ERASE}{line[: self._columns() - 1]}")

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _erase(self) -> None:
        if self.terminal and self.start:
            self._write(ERASE)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody listens any more
            self.stream.write(text)
            self.stream.flush()


def attach(workflow, **said: Callable) -> Display | None:
    """Put a display into the place of Snakemake's own handler and return it, None if there is none.

    Args:
        workflow: Snakemake's.
        **said: ``steps``, ``targets`` and ``ending``, see :class:`Display`.
    """
    logger, settings = workflow.logger_manager.logger, workflow.output_settings
    quiet = {item.item_to_choice() for item in settings.quiet or ()}
    aloud = settings.verbose or settings.printshellcmds or settings.debug_dag or settings.dryrun
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler" and "all" not in quiet:
            own = "rules" in quiet and "progress" not in quiet and not aloud
            # Known once the rules are read.
            said["runs"] = lambda: workflow.execution_settings is not None
            display = Display(handler, own=own, **said)
            logger.removeHandler(handler)
            logger.addHandler(display)
            return display
    return None


def sentence(logs: Iterable[str]) -> str:
    """Return what the logs of a job say of its end, and where there is more to read."""
    for log in logs:
        with contextlib.suppress(OSError):
            text = Path(log).read_text("utf-8", errors="replace")
            found = re.findall(r"(?:Error: |Stopped by |This is a bug in rote).*", text)
            if found:
                bug = found[-1].startswith("This is a bug")
                return f"{found[-1]} Its log is {log}." if bug else found[-1]
    there = " and ".join(log for log in logs if Path(log).exists())
    return f"Error: the job ended without a word of its own: see {there or 'what stands above'}."


def no_such_target(name: str, targets: list[str]) -> str:
    """Return the sentence about a target that does not exist."""
    close = get_close_matches(name, targets, n=1, cutoff=0.5)
    meant = f"did you mean {close[0]}? The targets" if close else "the targets"
    return (
        f"nothing is called {name}: {meant} are {', '.join(targets)}, and every file of the study "
        "by its path."
    )


def _shares_of_log(log: Path, since: float) -> tuple[float, float]:
    """Return the shares of a job that its log says; what is older is of another run."""
    with contextlib.suppress(OSError):
        state = log.stat()
        if state.st_mtime >= since:
            return _read(log, state.st_mtime_ns, state.st_size)
    return 0.0, 0.0


@lru_cache(1024)
def _read(log: Path, _time: int, _size: int) -> tuple[float, float]:
    """Return the shares in a log, which is read once for each of its states."""
    return shares(log.read_text("utf-8", errors="replace"))
