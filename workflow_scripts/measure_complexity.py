"""Rule measure_complexity: a noised data set → results/{preset}/runs/complexity/{case}.nc."""

from pathlib import Path

import torch

from job import job, write_run
from rote import netcdf
from rote.complexity_run import measure_run
from rote.store import Store


def main(smk):
    """Train and search the members of ``smk.params.run``, or find them in the store."""
    with job(smk):
        torch.set_num_threads(smk.threads)
        run = measure_run(
            netcdf.read(smk.input[0]),
            smk.params.run,
            Store(smk.params.store),
            name=f"complexity/{Path(smk.output[0]).stem}",
            device=smk.params.device,
            checkpoint_seconds=smk.params.checkpoint_seconds,
        )
        write_run(smk, run)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
