"""Kill the tiny study at random moments of every stage, start it again, compare all that it wrote.

An undisturbed study runs on one core. Then another one, on two, is killed by SIGKILL, its whole
process group at once, and started again by the same command, until every stage (each rule that
writes a log, and the start of Snakemake itself) has had its kills. Each study that ends must hold
the same NetCDF files and figures as the undisturbed one, and have nothing left to do.

    python tests/faults/kill_anywhere.py --kills 50 --seed 0
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow_scripts")]

import xarray as xr  # noqa: E402

from rote.files import netcdf, pack  # noqa: E402
from rote.files.arrays import decode  # noqa: E402
from rote.files.store import UNFINISHED, Store  # noqa: E402
from tiny_study import Study  # noqa: E402

START = "start of Snakemake"
BETWEEN = "between two jobs"
WRITING = "while another file was written"
COMMIT = re.compile(rb"\b[0-9a-f]{40}(-dirty)?")  # of a checkout that somebody may work on


class Runs:
    """The study in ``folder``, run by ``snakemake *targets`` on ``cores``."""

    def __init__(self, folder: Path, config: dict, targets: list[str], cores: int):
        self.folder, self.config, self.targets = folder, config, targets
        folder.mkdir(parents=True)
        (folder / "tiny.yaml").write_text(yaml.safe_dump(config))
        self.command = [sys.executable, "-m", "snakemake", *targets, "--cores", str(cores)]
        self.command += ["--snakefile", ROOT / "Snakefile", "--directory", folder]
        self.command += ["--configfile", ROOT / "config.yaml", "tiny.yaml"]
        self.printed = folder.with_suffix(".txt")

    def anew(self, name: str, cores: int) -> "Runs":
        """Return the same study in an empty folder beside this one."""
        return Runs(self.folder.with_name(name), self.config, self.targets, cores)

    def start(self, *more: str) -> subprocess.Popen:
        """Start Snakemake as the leader of a process group of its own."""
        with self.printed.open("w") as printed:
            return subprocess.Popen(
                [*self.command, *more],
                cwd=self.folder,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ended(self, process: subprocess.Popen) -> None:
        """Check that Snakemake came to its end by itself, and has nothing left to do."""
        assert process.wait() == 0, self.printed.read_text()
        assert self.start("-n").wait() == 0
        assert "Nothing to be done" in self.printed.read_text()


def jobs(process: subprocess.Popen) -> dict[int, str]:
    """Return the rules of the scripts that run at this moment, by their process."""
    found = {}
    try:
        for child in psutil.Process(process.pid).children(recursive=True):
            script = next((a for a in child.cmdline() if "/.snakemake/scripts/" in a), None)
            if script:
                found[child.pid] = Path(script).name.split(".")[1]
    except psutil.Error:
        pass
    return found


def undisturbed(runs: Runs) -> dict[str, list[float]]:
    """Run a study to its end; return the seconds of each job by its stage."""
    process, begun, seconds = runs.start(), {}, {}
    started = time.monotonic()
    while process.poll() is None:
        running, now = jobs(process), time.monotonic()
        if running:
            seconds.setdefault(START, [now - started])
        for pid, stage in running.items():
            begun.setdefault(pid, (now, stage))
        for pid in [pid for pid in begun if pid not in running]:
            since, stage = begun.pop(pid)
            seconds.setdefault(stage, []).append(now - since)
        time.sleep(0.01)
    runs.ended(process)
    stages = {path.name for path in runs.folder.glob("results/*/logs/*") if path.is_dir()}
    assert stages == seconds.keys() - {START}, (stages, seconds.keys())
    return seconds


def disturbed(
    runs: Runs, seconds: dict[str, list[float]], quota: Counter, rng: random.Random
) -> Counter:
    """Run a study to its end, with kills as ``quota`` has them left; return the kills by stage."""
    kills, left_over = Counter(), set()
    while True:
        process, started, seen, moment = runs.start(), time.monotonic(), set(), None
        left = sum(max(0, count) for count in quota.values())
        chance = 0.6 if left > 4 else 1  # spread over the jobs of a stage, but not over studies
        if quota[START] > 0 and rng.random() < chance / 2:
            moment = started + rng.uniform(0, seconds[START][0])
        while process.poll() is None and (moment is None or time.monotonic() < moment):
            for pid, stage in jobs(process).items() if moment is None else ():
                if pid not in seen and quota[stage] > 0 and rng.random() < chance:
                    # Imports come first in a job: most kills are meant for the work behind them.
                    duration = rng.choice(seconds[stage])
                    moment = time.monotonic() + duration * rng.uniform(rng.choice([0, 0.5]), 0.95)
                seen.add(pid)
            time.sleep(0.005)
        if moment is None or process.poll() is not None:
            runs.ended(process)
            return kills
        hit = set(jobs(process).values()) or {BETWEEN if seen else START}
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills["all"] += 1
        kills.update(hit)
        quota.subtract(hit)
        left_now = set(runs.folder.rglob(".*.tmp"))
        for path in left_now - left_over:
            kills["while a checkpoint was written" if "checkpoint" in path.name else WRITING] += 1
        left_over |= left_now


def differences(one: Path, other: Path) -> tuple[int, list[str]]:
    """Return how many files two studies share, and what tells them apart."""

    def files(folder: Path) -> set[Path]:
        patterns = ("data/*.nc", "results/**/*.nc", "results/demo/figures/*", "results/demo/*.*")
        found = {path.relative_to(folder) for pattern in patterns for path in folder.glob(pattern)}
        # A killed writer's temporary file stays until the same file is written again, later.
        return {p for p in found if p.suffix != ".tmp"}

    names = files(one)
    found = [f"only one study has {path}" for path in names ^ files(other)]
    for path in names & files(other):
        if path.suffix != ".nc":
            texts = [COMMIT.sub(b"", (folder / path).read_bytes()) for folder in (one, other)]
            found += [] if texts[0] == texts[1] else [f"{path} differs"]
            continue
        found += different(path, *(netcdf.read(folder / path) for folder in (one, other)))
    models = [kept(folder / "results" / "store") for folder in (one, other)]
    found += [f"only one study has {model}" for model in models[0].keys() ^ models[1].keys()]
    for model in models[0].keys() & models[1].keys():
        found += different(model, models[0][model], models[1][model])
    return len(names) + len(models[0]), found


def different(name: object, *contents: xr.Dataset) -> list[str]:
    """Return what tells two datasets apart, but for the commit."""
    for content in contents:
        for key, value in content.attrs.items():
            if isinstance(value, str):
                content.attrs[key] = COMMIT.sub(b"", value.encode()).decode()
    try:
        xr.testing.assert_identical(*contents)
    except AssertionError as error:
        return [f"{name}: {error}"]
    return []


def kept(store: Path) -> dict[tuple[str, int], xr.Dataset]:
    """Return the models and parameters of a store, by key and epoch."""
    records = Store(store).records()
    kept = [record for record in records if record.epoch != UNFINISHED]
    return {(r.key, r.epoch): decode(pack.content(r)) for r in kept}


def kill_anywhere(
    reference: Runs, seconds: dict[str, list[float]], kills: int, seed: int, least: int = 3
) -> tuple[Counter, int]:
    """Return the kills by stage, and the number of studies that were killed, finished and equal.

    Args:
        reference: a study that :func:`undisturbed` has finished.
        seconds: what it took, by stage.
        kills: how many there shall be.
        seed: of the moments.
        least: kills of each stage.
    """
    of_jobs = sum(map(len, seconds.values()))
    quota = Counter(
        {stage: max(least, round(kills * len(each) / of_jobs)) for stage, each in seconds.items()}
    )
    # A kill may hit two stages at once: what is lacking is made up by the longest of them.
    done, studies, rng = Counter(), 0, random.Random(seed)
    while done["all"] < kills or any(left > 0 for left in quota.values()):
        if all(left <= 0 for left in quota.values()):
            quota["compute_run"] = kills - done["all"]
        runs = reference.anew(f"killed-{studies}", cores=2)
        done += disturbed(runs, seconds, quota, rng)
        count, different = differences(reference.folder, runs.folder)
        assert not different, "\n".join(different)
        studies += 1
        print(f"study {studies}: {done['all']} kills by now, finished, {count} files are equal")
        shutil.rmtree(runs.folder)
    return done, studies


def config_of(study: Study) -> dict:
    """Return the tiny study with trainings long enough to be hit between two checkpoints."""
    study.config["checkpoint_seconds"] = 1e-3  # after every epoch
    study.config["presets"]["demo"]["capacity"]["training"]["epochs"] = 20
    return study.config


def main() -> None:
    """Print the kills of each stage, and fail if a study was not finished or not equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    targets = ["study"]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        reference = Runs(Path(name) / "undisturbed", config_of(Study(Path(name))), targets, cores=1)
        seconds = undisturbed(reference)
        done, studies = kill_anywhere(reference, seconds, options.kills, options.seed)
    total = done.pop("all")
    print(f"\n{total} kills by SIGKILL (seed {options.seed}), by what was running at the moment:")
    for stage, count in sorted(done.items()):
        print(f"  {stage:28} {count}")
    print(
        f"{total} of {total} restarts went on without a manual step; {studies} of {studies} studies"
        f" finished, and all their files equal those of an undisturbed one on one core "
        f"({time.monotonic() - started:.0f} s)."
    )


if __name__ == "__main__":
    main()
