"""What commands print, whoever reads it: as programs of their own."""

import os
import signal
import subprocess
import sys

import pytest

from conftest import ROOT

pytestmark = pytest.mark.slow

COMMANDS = [
    ["compare_verdicts.py", "docs/demo/claims.nc"],
    ["estimate.py", "--preset", "demo", "--rate", "33"],
]


def start(command: list[str], **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-u", ROOT / "workflow_scripts" / command[0], *command[1:]],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("command", COMMANDS)
def test_signs_that_a_terminal_does_not_know_are_escaped(command, encoding):
    written, errors = start(command, PYTHONIOENCODING=encoding).communicate()
    assert not errors
    assert written.decode(encoding)
    if command[0] == "compare_verdicts.py":
        assert rb"\u2713 supported" in written


@pytest.mark.parametrize("command", COMMANDS)
def test_where_nobody_reads_there_is_no_traceback(command):
    process = start(command)
    process.stdout.close()  # before it writes
    assert process.stderr.read() == b""
    assert process.wait() == -signal.SIGPIPE
