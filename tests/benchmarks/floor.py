"""How near the training of wide MLPs comes to what the device could do at best.

The floor of an update is the larger of two times: its operations over the rate of large matrix
products, and the bytes of its memory traffic over the rate of large copies, counted by
``rote.study.cost``, both rates measured here. Printed as a table and written as NetCDF: ``make bench``.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import torch
import xarray as xr

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from rote.files import netcdf  # noqa: E402
from rote.machine import device as devices  # noqa: E402
from rote.models.ensemble import Ensemble  # noqa: E402
from rote.models.kinds import Models  # noqa: E402
from rote.models.sgd import SGD  # noqa: E402
from rote.models.workspace import Workspace, aligned_rows  # noqa: E402
from rote.runs import rates  # noqa: E402
from rote.study import cost  # noqa: E402

CLASSES = 10
MLP = {"hidden_layers": 2, "hidden_units": 4096}
CNN = {"maps": 200, "dense": [384, 192], "crop": 2}
# (job, model, image, batch, momentum, members on the CPU, members on CUDA)
CASES = [
    ("MLP of 4096 units", MLP, (1, 28, 28), 128, 0.0, (1,), (1, 3, 9, 27)),
    ("MLP of 4096 units, momentum", MLP, (1, 28, 28), 100, 0.9, (1,), (1, 9, 33)),
    ("CNN of the published size", CNN, (3, 32, 32), 100, 0.9, (1,), (1, 6, 30)),
]
UPDATES = {"cpu": 2, "cuda": 20}


def seconds_of_update(
    case: tuple, members: int, device: torch.device, dtype: torch.dtype, repeats: int
) -> float:
    """Return the median time of an update of a group, on random inputs and labels."""
    _, settings, image, batch, momentum, *_ = case
    updates = UPDATES[device.type]
    models = Models(settings, image, CLASSES)
    parameters = models.initial(list(range(members)), device)
    random = torch.Generator().manual_seed(0)
    inputs = torch.rand(updates * batch, image[0] * image[1] * image[2], generator=random)
    labels = torch.randint(CLASSES, (updates * batch,), generator=random).to(device)
    ensemble = Ensemble(
        models.make(parameters, Workspace(device), dtype),
        SGD(parameters, 0.01, momentum, torch.zeros(members, device=device)),
        aligned_rows([inputs], dtype, device),
        torch.arange(updates * batch, device=device).expand(members, -1),
        labels.expand(members, -1),
        (aligned_rows([inputs[:0]], dtype, device), labels[:0]),
        list(range(members)),
        batch,
    )
    seconds = []
    for turn in range(repeats + 1):
        devices.wait(device)
        start = time.perf_counter()
        ensemble.train_epoch(turn + 1)
        devices.wait(device)
        seconds.append((time.perf_counter() - start) / updates)
    return statistics.median(seconds[1:])  # the first one takes its memory


def main() -> None:
    """Measure every case and precision, print as it goes, write ``bench/floor.nc``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="epochs of some updates (median)")
    parser.add_argument("--only", default="", help="jobs whose name contains this")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--output", default=str(ROOT / "bench" / "floor.nc"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    device, _ = devices.choose(arguments.device, "float32")
    cuda = device.type == "cuda"
    on = devices.describe(device) if cuda else "one CPU thread"
    print(f"{on}, median of {arguments.repeats}; floor: the larger of products and memory")
    print(
        f"{'job':29}{'precision':>10}{'members':>8}{'update/ms':>10}{'products':>9}{'memory':>7}"
        f"{'ratio':>7}{'of matrix rate':>15}"
    )
    rows = []
    for precision in ("float32", "tf32", "bf16") if cuda else ("float32",):
        measured = rates.measure(precision, device.type)
        print(
            f"measured, {precision}: {measured.operations[precision] / 1e12:.3g} TFLOP/s in "
            f"products, {measured.bytes / 1e9:.3g} GB/s of memory",
            flush=True,
        )
        for case in CASES:
            name, settings, image, batch, momentum, *members = case
            if arguments.only not in name or (precision == "bf16" and "maps" in settings):
                continue
            _, dtype = devices.choose(device.type, precision)
            for count in members[cuda]:
                took = seconds_of_update(case, count, device, dtype, arguments.repeats)
                work = count * cost.update(cost.layers(settings, image), batch, momentum)
                products = work.operations / measured.operations[precision]
                memory = work.bytes / measured.bytes
                row = {
                    "update_seconds": took,
                    "products_seconds": products,
                    "memory_seconds": memory,
                }
                rows.append({"job": name, "precision": precision, "members": count} | row)
                print(
                    f"{name:29}{precision:>10}{count:8}{took * 1e3:10.2f}{products * 1e3:9.2f}"
                    f"{memory * 1e3:7.2f}{took / max(products, memory):6.1f}×"
                    f"{products / took:15.0%}",
                    flush=True,
                )
    long_names = {
        "update_seconds": "median time of an update of all members",
        "products_seconds": "its operations over the measured rate of matrix products",
        "memory_seconds": "its memory traffic over the measured rate of copies",
    }
    result = xr.Dataset(
        {
            name: ("case", [row[name] for row in rows], {"long_name": long_name, "units": "s"})
            for name, long_name in long_names.items()
        },
        coords={
            name: ("case", [row[name] for row in rows], {"long_name": name, "units": "1"})
            for name in ("job", "precision", "members")
        },
    )
    settings = {"repeats": arguments.repeats, "threads": 1}
    described = devices.describe(device)
    netcdf.write(netcdf.with_provenance(result, settings, device=described), arguments.output)
    print(f"written to {arguments.output}")


if __name__ == "__main__":
    main()
