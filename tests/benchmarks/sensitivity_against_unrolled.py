"""The sweep of loss-sensitivity against backpropagation through the unrolled training.

Both sides run in this process, on one thread, in turns, on the same training: 1,000 examples of
14×14 pixels, two layers of 16 units, batches of 100. The unrolled side keeps the graph of all
updates and backpropagates once for each time. Printed as a table and written as NetCDF.
"""

import ctypes
import re
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path

import torch
import xarray as xr
from torch import nn
from torch.nn.functional import cross_entropy

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "tests" / "benchmarks")]

from sides import options  # noqa: E402

from rote.files import netcdf  # noqa: E402
from rote.files.provenance import with_provenance  # noqa: E402
from rote.machine import device as devices  # noqa: E402
from rote.measures.sensitivity import loss_sensitivity  # noqa: E402
from rote.study import plan  # noqa: E402

EXAMPLES, FEATURES, UNITS, BATCH = 1000, 196, 16, 100
RATE = 0.1
# (classes, updates, times)
CASES = [
    (10, 100, 10),
    (10, 300, 10),
    (10, 300, 30),
    (10, 1000, 10),
    (10, 1000, 100),
    (1000, 300, 10),
]


def unrolled(layers, inputs, labels, batches, rate, times) -> torch.Tensor:
    """Return what ``loss_sensitivity`` does, by autograd through all updates."""
    inputs = inputs.clone().requires_grad_()
    flat = [p.clone().requires_grad_() for layer in layers for p in layer]

    def loss(parameters, chosen, targets):
        for k in range(0, len(parameters) - 2, 2):
            chosen = (chosen @ parameters[k].T + parameters[k + 1]).relu()
        return cross_entropy(chosen @ parameters[-2].T + parameters[-1], targets)

    found = []
    for t in range(max(times) + 1):
        if t in times:
            after = loss(flat, inputs, labels)
            (gradient,) = torch.autograd.grad(after, inputs, retain_graph=True)
            found.append(gradient.abs().sum(1))
        if t < max(times):
            before = loss(flat, inputs[batches[t]], labels[batches[t]])
            gradients = torch.autograd.grad(before, flat, create_graph=True)
            flat = [p - rate * g for p, g in zip(flat, gradients, strict=True)]
    return torch.stack(found)


class PeakMemory:
    """The most memory, in bytes, that was taken beyond what was taken at the beginning."""

    def __init__(self, device: torch.device):
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self.before = torch.cuda.memory_allocated(device)
        else:
            # Freed memory that the process still holds would hide what is taken anew.
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
            self.before = self._resident("VmRSS")

    @staticmethod
    def _resident(name: str) -> int:
        status = Path("/proc/self/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024

    def taken(self) -> int:
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) - self.before
        return self._resident("VmHWM") - self.before


def prepared(case: tuple, device: torch.device) -> tuple:
    """Return the arguments of ``loss_sensitivity``."""
    classes, updates, count = case
    torch.manual_seed(0)
    inputs = torch.randn(EXAMPLES, FEATURES, device=device)
    labels = torch.arange(EXAMPLES, device=device) % classes
    sizes = [FEATURES, UNITS, UNITS, classes]
    linear = [nn.Linear(a, b).to(device) for a, b in pairwise(sizes)]
    layers = [(layer.weight.detach(), layer.bias.detach()) for layer in linear]
    epochs = -(-updates * BATCH // EXAMPLES)
    batches = [b for _ in range(epochs) for b in torch.randperm(EXAMPLES).split(BATCH)][:updates]
    batches = [batch.to(device) for batch in batches]
    times = plan.evaluation_times(updates, count)[1:]
    return layers, inputs, labels, batches, RATE, times


def measure(case: tuple, repeats: int, device: torch.device) -> dict:
    """Return seconds (median) and peak bytes of either side, and how far their results differ."""
    arguments = prepared(case, device)
    sides = {"unrolled": unrolled, "sweep": loss_sensitivity}
    seconds, memory, result = {name: [] for name in sides}, {}, {}
    for _ in range(repeats):
        for name, side in sides.items():
            peak = PeakMemory(device)
            devices.wait(device)
            start = time.perf_counter()
            result[name] = side(*arguments)
            devices.wait(device)
            seconds[name].append(time.perf_counter() - start)
            memory.setdefault(name, peak.taken())  # of the first turn, before memory is reused
    # The median: rounding alone can switch a ReLU, and then a few examples differ by per cents.
    difference = ((result["sweep"] - result["unrolled"]) / result["unrolled"]).abs().median()
    return {
        **{f"{name}_seconds": statistics.median(values) for name, values in seconds.items()},
        **{f"{name}_peak_bytes": values for name, values in memory.items()},
        "median_relative_difference": difference.item(),
    }


def main() -> None:
    """Measure every case, print as it goes, write ``bench/sensitivity_against_unrolled.nc``."""
    arguments = options.parser(__doc__, __file__, repeats=3).parse_args()
    columns = {name: [] for name in ("device", "classes", "updates", "times")}
    rows = []
    print(f"loss-sensitivity, one CPU thread or CUDA, median of {arguments.repeats}")
    print(
        f"{'device':7}{'classes':>8}{'updates':>8}{'times':>6}{'unrolled/s':>11}{'sweep/s':>8}"
        f"{'ratio':>7}{'unrolled/MiB':>13}{'sweep/MiB':>10}{'difference':>11}"
    )
    kinds = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for kind in kinds:
        for case in CASES:
            row = measure(case, arguments.repeats, torch.device(kind))
            rows.append(row)
            for name, value in zip(columns, (kind, *case), strict=True):
                columns[name].append(value)
            print(
                f"{kind:7}{case[0]:8}{case[1]:8}{case[2]:6}{row['unrolled_seconds']:11.2f}"
                f"{row['sweep_seconds']:8.2f}{row['unrolled_seconds'] / row['sweep_seconds']:6.1f}×"
                f"{row['unrolled_peak_bytes'] / 2**20:13.0f}{row['sweep_peak_bytes'] / 2**20:10.0f}"
                f"{row['median_relative_difference']:11.0e}",
                flush=True,
            )
    units = {"seconds": "s", "bytes": "byte", "difference": "1"}
    result = xr.Dataset(
        {
            name: (
                "case",
                [row[name] for row in rows],
                {"long_name": name.replace("_", " "), "units": units[name.rpartition("_")[2]]},
            )
            for name in rows[0]
        },
        coords={
            name: ("case", values, {"long_name": name, "units": "1"})
            for name, values in columns.items()
        },
    )
    provenance = {"repeats": arguments.repeats, "threads": 1}
    netcdf.write(
        with_provenance(result, provenance, title=__doc__.splitlines()[0]), arguments.output
    )
    print(f"written to {arguments.output}")


if __name__ == "__main__":
    main()
