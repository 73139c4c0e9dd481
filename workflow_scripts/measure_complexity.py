"""Rule measure_complexity: a noised data set → results/{preset}/runs/complexity/{case}.nc."""

from pathlib import Path

import torch

from job import job
from rote import netcdf
from rote.complexity_run import measure_run
from rote.store import Store


def main(smk):
    """Train and search the members of ``smk.params.run``, or find them in the store."""
    with job(smk):
        torch.set_num_threads(smk.threads)
        path = Path(smk.output[0])
        run = measure_run(
            netcdf.read(smk.input[0]),
            smk.params.run,
            Store(smk.params.store),
            name=f"complexity/{path.stem}",
            device=smk.params.device,
            checkpoint_seconds=smk.params.checkpoint_seconds,
        )
        devices = ", ".join(sorted(set(run["device"].values)))
        netcdf.write(netcdf.with_provenance(run, smk.params.run, device=devices), path)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
