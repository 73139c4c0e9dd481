"""A SLURM cluster of one node on this machine, for tests: munged, slurmctld and slurmd.

It has its own folder, key, sockets and ports, so that neither another SLURM nor what an earlier one
has left is in its way. Its three daemons are children of this process and end with it.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
NODE = "rote-test"
CONFIG = """
ClusterName=rote
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=0
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1
KillWait=1
GresTypes=gpu
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={d_port} CPUs=4 RealMemory=100000 \
Gres=gpu:1
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Return why there can be no cluster on this machine, or an empty string."""
    lacking = [name for name in DAEMONS if shutil.which(name) is None]
    if lacking:
        return f"no {', '.join(lacking)} here: install Debian's slurm-wlm and munge"
    return "" if os.getuid() == 0 else "SLURM's daemons need root"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end_with_parent() -> None:
    """Be killed when the parent dies, in whatever way (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Run a cluster in ``folder``; yield the environment by which its commands find it.

    Raises:
        RuntimeError: it does not come up; with the ends of its logs.
    """
    # Within a job, Snakemake's plugin takes SLURM_CONF away from srun: a wrapper gives it back.
    (folder / "bin").mkdir()
    srun = folder / "bin" / "srun"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)
    environment = {
        **os.environ,
        "SLURM_CONF": str(folder / "slurm.conf"),
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
    }
    daemons: list[subprocess.Popen] = []
    try:
        for name in ("state", "spool"):
            (folder / name).mkdir()
        ports = {"ctld_port": _free_port(), "d_port": _free_port()}
        host = socket.gethostname().partition(".")[0]
        config = CONFIG.format(folder=folder, host=host, node=NODE, **ports)
        (folder / "slurm.conf").write_text(config)
        # A device of any kind stands for the GPU: nobody looks into it.
        (folder / "gres.conf").write_text(f"NodeName={NODE} Name=gpu File=/dev/zero\n")
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        files = [f"--{kind}-file={folder}/munge.{kind}" for kind in ("key", "pid", "log", "seed")]
        commands = (
            ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *files],
            ["slurmctld", "-D", "-f", folder / "slurm.conf"],
            ["slurmd", "-D", "-f", folder / "slurm.conf", "-N", NODE],
        )
        for command in commands:
            with (folder / f"{command[0]}.out").open("w") as log:
                daemons.append(
                    subprocess.Popen(
                        command,
                        env=environment,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                        preexec_fn=end_with_parent,
                    )
                )
            if command[0] == "munged":
                _until(lambda: (folder / "munge.socket").exists(), daemons, folder)
        _until(lambda: _state(environment) == "idle", daemons, folder)
        yield environment
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        _kill_what_knows(folder / "slurm.conf")


def _kill_what_knows(config: Path) -> None:
    """Kill all processes that have this file in their environment: what is left of jobs."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has just ended
            if str(config).encode() in environment.read_bytes():
                os.kill(int(environment.parent.name), signal.SIGKILL)


def _state(environment: dict[str, str]) -> str:
    command = ["sinfo", "--noheader", "--format=%T"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return ran.stdout.strip()


def _until(reached, daemons: list[subprocess.Popen], folder: Path) -> None:
    end = time.monotonic() + 60
    while not reached():
        if time.monotonic() > end or any(daemon.poll() is not None for daemon in daemons):
            logs = "\n".join(f"{p.name}: {p.read_text()[-1500:]}" for p in folder.glob("*.out"))
            raise RuntimeError(f"the cluster does not come up\n{logs}")
        time.sleep(0.1)
