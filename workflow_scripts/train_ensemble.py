"""Rule train_ensemble: a noised data set → results/{preset}/runs/{experiment}/{run}.nc."""

from pathlib import Path

import torch

from job import job
from rote import netcdf
from rote.runs import train_run
from rote.store import Store


def main(smk):
    """Train the members of ``smk.params.run`` that the store lacks, and assemble the run."""
    with job(smk):
        torch.set_num_threads(smk.threads)
        path = Path(smk.output[0])
        run = train_run(
            netcdf.read(smk.input[0]),
            smk.params.run,
            Store(smk.params.store),
            name=f"{path.parent.name}/{path.stem}",
            device=smk.params.device,
            checkpoint_seconds=smk.params.checkpoint_seconds,
        )
        devices = ", ".join(sorted(set(run["device"].values)))
        netcdf.write(netcdf.with_provenance(run, smk.params.run, device=devices), path)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
