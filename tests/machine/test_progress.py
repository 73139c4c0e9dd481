from rote.machine.progress import Progress, readable, shares


def test_durations_are_readable():
    assert readable(8.4) == "8 s"
    assert readable(89) == "89 s"
    assert readable(90) == "2 min"
    assert readable(12 * 60 + 20) == "12 min"
    assert readable(2 * 3600 + 5 * 60) == "2 h 05 min"


def test_lines_come_at_intervals_and_estimate_the_rest(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    lines = []
    progress = Progress("capacity/units-64", 100, lines.append, interval=10)
    for step in range(1, 26):
        now[0] = step * 2.0
        progress.advance(1, f"epoch {step}")
    assert lines[0] == "capacity/units-64: epoch 5, 5 %, about 3 min left"  # 95 more at 2 s each
    assert len(lines) == 5


def test_a_log_gets_fewer_lines_than_a_terminal(monkeypatch):
    intervals = []
    for terminal in (True, False):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal)
        intervals.append(Progress("run", 1, print).interval)
    assert intervals[0] < intervals[1]


def test_the_shares_in_a_log_are_what_the_store_had_and_of_its_last_line_what_it_lacked():
    lines = []
    progress = Progress("a", 4, lines.append, interval=1e-9)
    progress.advance(1, "epoch 1")
    progress.advance(1, "epoch 2")
    assert shares("\n".join([*lines, "another line"])) == (0, 0.5)
    assert shares("a: 100 % of nothing") == (0, 0)
    found = ["a: 6 of 8 members are in the store.", "a, radii: 3 of 4 members are in the store."]
    assert shares("\n".join([*found, *lines])) == (0.75, 0.125)
    assert shares("a: 0 of 0 members are in the store.") == (0, 0)
