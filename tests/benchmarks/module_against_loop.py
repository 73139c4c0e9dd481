"""Modules of one's own as an ensemble against the usual loop: one at a time, ``DataLoader``.

Both sides run in this process, in turns, and do the same work, as in ``cnn_against_loop.py``: the
same modules, updates and evaluations. Of time it is the processor's, in this thread.
Printed as a table and written as NetCDF: ``python tests/benchmarks/module_against_loop.py``.
"""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("workflow_scripts", "tests", "tests/benchmarks")]

from cnn_against_loop import SCHEDULE, in_turns, make_data, table  # noqa: E402
from sides import options, report  # noqa: E402

import own_models  # noqa: E402
from rote.models.ensemble import Ensemble  # noqa: E402
from rote.models.kinds import Models  # noqa: E402
from rote.models.sgd import SGD  # noqa: E402
from rote.models.workspace import Workspace, aligned_rows  # noqa: E402
from rote.runs import epochs as training  # noqa: E402
from rote.study.architecture import Architecture  # noqa: E402

CPU, EXAMPLES = torch.device("cpu"), 1000
SMALL, DIGITS = (1, 14, 14), (1, 28, 28)


def cnn(image, classes):
    """Return the demo's CNN as most code builds it."""
    from cnn_against_loop import sequential

    return sequential(Architecture(tuple(image), classes, (8, 8), (256, 128)))


# (job, function, arguments, image, epochs, models): sizes of the demo, and larger ones.
CASES = [
    ("MLP, 2 × 64 units", "mlp", {"units": (64, 64)}, SMALL, 5, 16),
    ("MLP, 2 × 128 units", "mlp", {"units": (128, 128)}, DIGITS, 5, 8),
    ("CNN, 8 maps", "cnn", {}, SMALL, 3, 6),
    ("ResNet, 4 maps", "resnet", {"width": 4}, SMALL, 3, 6),
    ("ViT, 8 wide", "ViT", {"patch": 7, "width": 8}, SMALL, 3, 6),
    ("ViT, 64 wide", "ViT", {"patch": 7, "width": 64}, DIGITS, 2, 3),
    ("ResNet, 32 maps", "resnet", {"width": 32}, DIGITS, 1, 2),
]


def usual_loop(make, image: tuple, data: list, epochs: int, models: int) -> list[float]:
    """Train one model after the other as most code does; return their training accuracies."""
    train, validation = (
        TensorDataset(inputs.view(-1, *image), labels) for inputs, labels in (data[:2], data[2:])
    )
    accuracies = []
    for seed in range(models):
        torch.manual_seed(seed)
        model = make()
        optimizer = torch.optim.SGD(model.parameters(), lr=SCHEDULE["learning_rate"], momentum=0.9)
        loss_function = nn.CrossEntropyLoss()
        for _ in range(epochs):
            model.train()
            for batch, labels in DataLoader(train, SCHEDULE["batch_size"], shuffle=True):
                optimizer.zero_grad()
                loss_function(model(batch), labels).backward()
                optimizer.step()
            if any(isinstance(layer, nn.BatchNorm2d) for layer in model.modules()):
                with torch.inference_mode():
                    loader = DataLoader(train, SCHEDULE["batch_size"])
                    torch.optim.swa_utils.update_bn(loader, model)
            model.eval()
            with torch.inference_mode():
                for part in (train, validation):
                    right = loss = 0.0
                    for batch, labels in DataLoader(part, 250):
                        logits = model(batch)
                        right += (logits.argmax(1) == labels).sum().item()
                        loss += loss_function(logits, labels).item()
                    if part is train:
                        accuracy = right / len(part)
        accuracies.append(accuracy)
    return accuracies


def ensemble(settings: dict, image: tuple, data: list, epochs: int, models: int) -> list[float]:
    """Train the same models as ``rote`` does; return their training accuracies."""
    inputs, labels, *validation = data
    table, workspace = aligned_rows([inputs, validation[0]]), Workspace()
    kinds, seeds = Models(settings, image, 10), list(range(models))
    made = kinds.initial(seeds, workspace)
    rows = torch.arange(len(table)).expand(models, -1)
    group = Ensemble(
        made,
        SGD(made.parameters, SCHEDULE["learning_rate"], 0.9, torch.zeros(models)),
        table,
        rows[:, : len(labels)],
        labels.expand(models, -1),
        (rows[:, len(labels) :], validation[1].expand(models, -1)),
        seeds,
        SCHEDULE["batch_size"],
    )
    accuracies = []
    for now in training.train(group, {**SCHEDULE, "epochs": epochs}, [None] * models):
        accuracies += [record["train_accuracy"][-1] for record in now.finished.values()]
    return accuracies


def measure(case: tuple, repeats: int) -> dict:
    """Return the seconds of either side, medians over ``repeats`` turns, and the accuracies."""
    _, function, arguments, image, epochs, models = case
    place = __file__ if function == "cnn" else own_models.__file__
    settings = {"from": f"{place}:{function}", "arguments": arguments}
    makes = Models(settings, image, 10).maker
    data = make_data(image, EXAMPLES)
    shared = image, data, epochs, models
    sides = {
        "loop": lambda: usual_loop(lambda: makes(torch.initial_seed()), *shared),
        "ensemble": lambda: ensemble(settings, *shared),
    }
    return in_turns(sides, repeats, CPU)


def main() -> None:
    """Measure every case, print as it goes, write ``bench/module_against_loop.nc``."""
    arguments = options.parser(__doc__, __file__, repeats=3, only="job").parse_args()
    print(f"one CPU thread, its own time, median of {arguments.repeats}; acc.: as a check")
    print(f"{'job':20}{'models':>8}{'loop/s':>9}{'rote/s':>9}{'ratio':>7}{'acc.':>13}")
    rows, cases = [], options.chosen(arguments, CASES)
    for case in cases:
        row = measure(case, arguments.repeats)
        rows.append(row)
        print(
            f"{case[0]:20}{case[-1]:8}{row['loop']:9.2f}{row['ensemble']:9.2f}"
            f"{row['loop'] / row['ensemble']:6.2f}×"
            f"{row['loop_accuracy']:7.3f}{row['ensemble_accuracy']:6.3f}",
            flush=True,
        )
    result = table(rows, cases, {"job": 0, "epochs": 4, "models": 5})
    settings = {"repeats": arguments.repeats, "threads": 1, **SCHEDULE}
    report.write(result, settings, __doc__, CPU, arguments.output)


if __name__ == "__main__":
    main()
