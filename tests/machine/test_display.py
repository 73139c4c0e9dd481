"""What a study prints while it runs, by events as Snakemake makes them."""

import io
import logging
import os
import re

import pytest

from rote.machine.display import ERASE, Display, no_such_target, sentence
from rote.study.steps import Step


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Events:
    """A display of two steps, and the events of a Snakemake."""

    def __init__(self, folder, stream, own=True):
        self.log = folder / "train.log"
        self.steps = {
            3: Step("Figure 1: training 9 models", 9.0, str(self.log)),
            4: Step("Figure 1: drawing", 1.0, str(folder / "draw.log"), "figures/fig1.png"),
        }
        self.stream = stream
        self.display = Display(
            logging.StreamHandler(stream),
            own=own,
            steps=lambda: self.steps,
            targets=lambda: ["figures", "fig1", "fig2"],
            ending=lambda: "Finished{took}.",
            interval=1000,
        )

    def __call__(self, event, level=logging.INFO, message="chatter", **extra):
        record = logging.LogRecord("snakemake", level, "", 0, message, None, None)
        record.__dict__.update(event=event, **extra)
        self.display.handle(record)

    def lines(self):
        return self.stream.getvalue().splitlines()


def test_a_step_is_a_line_and_snakemakes_are_not_shown(tmp_path):
    event = Events(tmp_path, io.StringIO())
    event("run_info")
    event("job_info", jobid=3)
    event(None, message="Select jobs to execute...")
    event("job_finished", job_id=3)
    event("job_info", jobid=4)
    event("job_finished", job_id=4)
    event.display.succeed()
    first, training, drawn, _, last = event.lines()
    assert first == "[  0 %] 2 steps to do"
    assert training == "[  0 %] Figure 1: training 9 models"
    assert re.fullmatch(r"\[100 %, about 0 s left\] Figure 1: drawn, figures/fig1.png", drawn)
    assert re.fullmatch(r"Finished in \d+ s\.", last)
    assert "\r" not in event.stream.getvalue()  # of a bar, which a log would keep


def test_a_terminal_has_a_bar_in_its_last_line(tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    event = Events(tmp_path, Terminal())
    event("run_info")
    event("job_info", jobid=3)
    event.log.write_text("capacity/units-8: epoch 50 of 100, 50 %, about 3 s left\n")
    event.display._paint()
    bar = event.stream.getvalue().split(ERASE)[-1]
    assert "45 %" in bar  # half of nine of ten
    assert bar.endswith("left, 0 of 2 steps done")
    assert len(bar) < 80
    event.display.close()
    assert event.stream.getvalue().endswith(ERASE)


def test_what_a_log_says_of_an_earlier_run_is_not_counted(tmp_path):
    event = Events(tmp_path, io.StringIO())
    event.log.write_text("capacity/units-8: epoch 50 of 100, 50 %, about 3 s left\n")
    os.utime(event.log, (1, 1))
    event("run_info")
    event("job_info", jobid=3)
    assert event.display._share() == 0


def test_what_the_store_had_is_done_and_says_nothing_of_the_time_left(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    event = Events(tmp_path, io.StringIO())
    event.steps[5] = Step("Figure 2: training 9 models", 10.0, str(tmp_path / "other.log"))
    event("run_info")
    event("job_info", jobid=3)
    event.log.write_text("capacity/units-8: 9 of 9 members are in the store.\n")
    now[0] += 3
    event("job_finished", job_id=3)
    event("job_info", jobid=5)
    assert event.lines()[-1] == "[ 45 %] Figure 2: training 9 models"  # nine of twenty, in 3 s
    now[0] += 30
    (tmp_path / "other.log").write_text(
        "convergence/units-8: 5 of 10 members are in the store.\n"
        "convergence/units-8: epoch 4 of 10, 40 %, about 45 s left\n"
    )
    # Stored are 9 + 5 of 20; of 6 that are left 2 are computed, in 33 s.
    assert event.display._state() == " 80 %, about 66 s left"
    event.display.begun.clear()
    event.display.finished = dict.fromkeys(event.steps, 1 + 1e-15)  # as sums of shares are
    assert event.display._state() == "100 %"


@pytest.mark.parametrize("own", [True, False], ids=["rote's lines", "Snakemake's"])
def test_what_failed_comes_last_in_the_words_of_the_job(tmp_path, own):
    event = Events(tmp_path, io.StringIO(), own)
    event("run_info")
    event("job_info", jobid=3)
    event.log.write_text("12:00 starting\n12:01 Error: the disk is full: free some space.\n")
    event("job_error", logging.ERROR, jobid=3, rule_name="compute_run", log=[str(event.log)])
    event("error", logging.ERROR, "CalledProcessError in file x", exception="RuleException")
    event("error", logging.ERROR, "At least one job did not complete", exception="WorkflowError")
    event.display.close()
    event.display.close()  # as logging does once more
    assert event.stream.getvalue().count("steps failed") == 1
    *before, count, _, step, last = event.lines()
    assert last == "Error: the disk is full: free some space."
    assert step == "Figure 1: training 9 models"
    assert count.startswith("1 of 2 steps failed")
    assert any("CalledProcess" in line for line in before) != own


def test_what_failed_in_a_group_of_jobs_comes_last_too(tmp_path):
    event = Events(tmp_path, io.StringIO())
    event("run_info")
    event.log.write_text("Error: too large.\n")
    failed = [{"jobid": 3, "log": [str(event.log)]}]
    event("group_error", logging.ERROR, job_error_info=failed, aux_logs=[])
    event.display.close()
    assert event.lines()[-1] == "Error: too large."


def test_a_step_that_is_tried_again_has_not_failed(tmp_path):
    event = Events(tmp_path, io.StringIO())
    event("run_info")
    event("job_error", logging.ERROR, jobid=3, rule_name="compute_run", log=[str(event.log)])
    event("job_finished", job_id=3)
    event.display.close()
    assert "steps failed" not in event.stream.getvalue()


def test_a_study_that_is_stopped_has_not_failed(tmp_path):
    event = Events(tmp_path, io.StringIO())
    event("run_info")
    event(None, message="Terminating processes on user request, this might take some time.")
    event("job_error", logging.ERROR, jobid=3, rule_name="compute_run", log=[str(event.log)])
    event.display.close()
    assert "failed" not in event.stream.getvalue()
    assert event.lines()[-1] == "Stopped: the same command goes on from what is finished."


def test_a_study_with_nothing_to_do_is_finished(tmp_path):
    event = Events(tmp_path, io.StringIO())
    event(None, message="Nothing to be done (all requested files are present and up to date).")
    assert event.lines()[0].startswith("Nothing to be done")
    assert event.lines()[-1] == "Finished."


def test_snakemakes_warnings_are_shown(tmp_path):
    event = Events(tmp_path, io.StringIO())
    event("run_info")
    event(None, logging.WARNING, "The disk is slow")
    assert event.lines()[-1] == "The disk is slow"


def test_an_unknown_target_is_named_with_the_closest(tmp_path):
    event = Events(tmp_path, io.StringIO(), own=False)
    message = (
        "MissingRuleException:\nNo rule to produce fgi1 (if you use input functions make sure that "
        "they don't raise unexpected exceptions)."
    )
    event("error", logging.ERROR, message, exception="MissingRuleException")
    assert event.stream.getvalue().startswith("Error: nothing is called fgi1: did you mean fig1? ")
    assert event.stream.getvalue().count("\n") == 1
    assert "did you mean" not in no_such_target("zzz", ["fig1"])


def test_nobody_who_listens_and_nothing_that_goes_wrong_stops_a_study(tmp_path, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    event = Events(tmp_path, io.StringIO())
    event("run_info")
    event("job_finished")  # without its number
    event.stream.close()
    event("job_info", jobid=3)
    event.display.close()


def test_a_job_without_a_word_is_named_by_its_log(tmp_path):
    assert sentence([str(tmp_path / "none.log")]).endswith("see what stands above.")
    log = tmp_path / "bug.log"
    log.write_text("starting")
    assert sentence([str(log), str(tmp_path / "none.log")]).endswith(f"see {log}.")
    log.write_text("This is a bug in rote, not a mistake of yours; please report it.\nTraceback\n")
    assert sentence([str(log)]).endswith(f"please report it. Its log is {log}.")


def test_where_nothing_is_run_snakemakes_lines_are_shown(tmp_path):
    event = Events(tmp_path, io.StringIO())
    event.display.runs = lambda: False
    event(None, message="Unlocked working directory.")
    assert event.lines() == ["Unlocked working directory."]
