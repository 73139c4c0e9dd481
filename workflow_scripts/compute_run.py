"""Rule compute_run: a noised data set → results/{preset}/runs/{experiment}/{run}.nc."""

from importlib import import_module
from pathlib import Path

import torch

from job import job
from rote.files import netcdf
from rote.files.provenance import with_provenance
from rote.files.store import Store


def main(smk):
    """Compute the members of ``smk.params.run`` that the store lacks, and assemble the run."""
    with job(smk):
        torch.set_num_threads(smk.threads)
        kind = import_module(f"rote.runs.{smk.params.kind}")
        run = kind.compute_run(
            netcdf.read(smk.input[0]),
            smk.params.run,
            Store(smk.params.store),
            name="/".join(Path(smk.output[0]).with_suffix("").parts[-2:]),
            device=smk.params.device,
            checkpoint_seconds=smk.params.checkpoint_seconds,
        )
        devices = ", ".join(sorted(set(run["device"].values)))
        netcdf.write(with_provenance(run, smk.params.run, device=devices), smk.output[0])


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
