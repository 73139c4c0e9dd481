"""Snakemake and its jobs as forks of a process that has the libraries: for tests of tiny studies.

A job that trains a few models of four units takes a tenth of a second, and three more to import
PyTorch; Snakemake itself takes one to start. Here one process imports the libraries, and forks for
each. The code of rote is imported by the job itself, so that it may be edited between two jobs.
Where variables that libraries read are others than when that process started, a job starts as ever.
Tests of how jobs begin and end go without all this.
"""

import atexit
import functools
import os
import runpy
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path

LIBRARIES = (
    "torch",
    "torch.func",
    "xarray",
    "netCDF4",
    "scipy.stats",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf",
    "snakemake.cli",
)
# What the names of variables begin with that libraries read when they are imported.
READ = "CUDA", "HOME", "LD_", "MATPLOTLIB", "MKL_", "MPL", "OMP_", "OPENBLAS_", "PYTHON", "XDG_"
OF_ITS_OWN = ["PYTHONPATH"]  # which a fork reads itself
LONGEST = 100  # bytes of a path that a socket may have
OF_JOBS = {  # which jobs have from Snakemake
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
# Stands in for Python: hands over what it was called with, and ends as its fork ends.
CLIENT = """
import os, signal, socket, sys
place, python, started_with, begins, own = {about!r}
read = {{k: v for k, v in os.environ.items() if k.startswith(begins) and k not in own}}
is_snakemake = sys.argv[1:3] == ["-m", "snakemake"]
if not is_snakemake and (sys.argv[1].startswith("-") or read != started_with):
    os.execv(python, [python, *sys.argv[1:]])
server = socket.socket(socket.AF_UNIX)
server.connect(place)
words = [os.getcwd(), *(f"{{k}}={{v}}" for k, v in os.environ.items()), ""]
words += sys.argv[2 if is_snakemake else 1 :]
words = os.fsencode("\\0".join(words))
socket.send_fds(server, [len(words).to_bytes(8, "big")], [0, 1, 2])
server.sendall(words)
told = server.makefile()
fork = int(told.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: os.kill(fork, number))
sys.exit(int(told.readline() or 1))
"""


@functools.cache
def python() -> str:
    """Return a program that starts Snakemake (``-m snakemake``), or a script, as Python would.

    Scripts are started as ever unless ``environment()`` is theirs, as it is that of jobs.
    """
    folder = Path(tempfile.mkdtemp())
    place, script, client = (str(folder / name) for name in ("socket", "client.py", "python"))
    if len(place) > LONGEST:
        return sys.executable
    server = subprocess.Popen(
        [sys.executable, "-P", __file__, place],
        stdin=subprocess.PIPE,  # whose end is its end
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert server.stdout.readline() == b"ready\n"
    read = {k: v for k, v in environment().items() if k.startswith(READ) and k not in OF_ITS_OWN}
    about = place, sys.executable, read, READ, OF_ITS_OWN
    Path(script).write_text(CLIENT.format(about=about))
    own = shlex.join([sys.executable, "-IS", script])
    Path(client).write_text(f'#!/bin/sh\nexec {own} "$@"\n')
    Path(client).chmod(0o755)
    atexit.register(server.stdin.close)
    return client


def environment() -> dict[str, str]:
    """Return the variables with which the libraries are loaded."""
    return {**os.environ, **OF_JOBS}


def serve(place: str) -> None:
    """Fork for each that connects to a socket, until standard input ends."""
    for name in LIBRARIES:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those between
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(place)
    listening.listen()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        readable, _, _ = select.select([listening, sys.stdin], [], [])
        if sys.stdin in readable:
            shutil.rmtree(Path(place).parent, ignore_errors=True)
            return
        connection, _ = listening.accept()
        if not os.fork():
            listening.close()
            _attend(connection, str(Path(place).with_name("python")))
        connection.close()


def _attend(connection: socket.socket, client: str) -> None:
    """Start what is asked for, and tell its number and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, descriptors, _, _ = socket.recv_fds(connection, 8, 3)
    words = connection.makefile("rb").read(int.from_bytes(size, "big"))
    if not (fork := os.fork()):
        connection.close()
        folder, *words = os.fsdecode(words).split("\0")
        border = words.index("")
        sys.argv, sys.executable = words[border + 1 :], client
        _be_in(folder, dict(variable.split("=", 1) for variable in words[:border]), descriptors)
        _run()
    connection.send(f"{fork}\n".encode())
    status = 0, 0
    while not status[0]:
        if select.select([connection], [], [], 0.02)[0]:  # the client was killed
            os.kill(fork, signal.SIGKILL)
            os._exit(0)
        status = os.waitpid(fork, os.WNOHANG)
    ended = os.waitstatus_to_exitcode(status[1])
    connection.send(f"{ended if ended >= 0 else 128 - ended}\n".encode())
    os._exit(0)


def _be_in(folder: str, environment: dict[str, str], descriptors: list[int]) -> None:
    """Take over the folder, the variables and the files 0, 1 and 2 of the client."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(3, max(descriptors) + 1)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))


def _run() -> None:
    """Run Snakemake, or the script of a job, and end."""
    ended = 0
    try:
        if sys.argv[0] == "snakemake":
            import_module("snakemake.cli").main()
        else:
            sys.path.insert(0, str(Path(sys.argv[0]).resolve().parent))
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        ended = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:
        traceback.print_exc()
        ended = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ended)


if __name__ == "__main__":
    serve(sys.argv[1])
