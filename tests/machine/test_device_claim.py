"""Claims by real processes; the devices are only names."""

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from conftest import ROOT

HOLD = """
import sys, time
from rote.machine.device_claim import claim
device = claim(sys.argv[2:], 0.01)
assert claim(sys.argv[2:]) == device
print(device, time.monotonic(), flush=True)
time.sleep(float(sys.argv[1]))
print(device, time.monotonic(), flush=True)
"""


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a process which claims one of some devices for some seconds."""
    started = []

    def start(seconds: float, *devices: str, **environment: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(seconds), *devices],
            env={
                **{key: value for key, value in os.environ.items() if key != "SLURM_JOB_ID"},
                "PYTHONPATH": str(ROOT / "workflow_scripts"),
                "TMPDIR": str(tmp_path),
                **environment,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_no_device_is_held_twice_and_none_is_idle(start):
    processes = [start(0.3, "0", "1") for _ in range(5)]
    held = {"0": [], "1": []}
    for process in processes:
        (device, begin), (_, end) = (line.split() for line in process.communicate()[0].splitlines())
        held[device].append((float(begin), float(end)))
    for times in held.values():
        assert len(times) >= 2
        times.sort()
        for (_, end), (begin, _) in pairwise(times):
            assert begin >= end


def test_a_killed_job_gives_its_device_back(start):
    first = start(100, "0")
    first.stdout.readline()
    second = start(0, "0")
    time.sleep(0.3)
    assert second.poll() is None  # waits
    first.send_signal(signal.SIGKILL)
    assert second.communicate(timeout=10)[0].split()[0] == "0"


def test_slurm_jobs_number_their_devices_themselves(start):
    first = start(100, "0", SLURM_JOB_ID="1")
    first.stdout.readline()
    assert start(0, "0", SLURM_JOB_ID="2").communicate(timeout=10)[0].split()[0] == "0"
