"""Rule measure_sensitivity: a noised data set → results/…/runs/sensitivity/{labelling}.nc."""

from pathlib import Path

import torch

from job import job, write_run
from rote import netcdf
from rote.sensitivity_run import measure_run
from rote.store import Store


def main(smk):
    """Measure the members of ``smk.params.run`` that the store lacks, and assemble the run."""
    with job(smk):
        torch.set_num_threads(smk.threads)
        run = measure_run(
            netcdf.read(smk.input[0]),
            smk.params.run,
            Store(smk.params.store),
            name=f"sensitivity/{Path(smk.output[0]).stem}",
            device=smk.params.device,
        )
        write_run(smk, run)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
