"""Rule train_ensemble: a noised data set → results/{preset}/runs/{experiment}/{run}.nc."""

from pathlib import Path

import torch

from job import job, write_run
from rote import netcdf
from rote.runs import train_run
from rote.store import Store


def main(smk):
    """Train the members of ``smk.params.run`` that the store lacks, and assemble the run."""
    with job(smk):
        torch.set_num_threads(smk.threads)
        run = train_run(
            netcdf.read(smk.input[0]),
            smk.params.run,
            Store(smk.params.store),
            name="/".join(Path(smk.output[0]).with_suffix("").parts[-2:]),
            device=smk.params.device,
            checkpoint_seconds=smk.params.checkpoint_seconds,
        )
        write_run(smk, run)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
