"""Rule compute_run: a noised data set → results/{preset}/runs/{experiment}/{run}.nc."""

import json
import logging
from importlib import import_module
from pathlib import Path

from job import job
from rote.files import netcdf
from rote.files.provenance import with_provenance
from rote.files.store import Store
from rote.machine import products
from rote.machine.device import check_available

logger = logging.getLogger("rote")


def main(smk):
    """Compute the members of ``smk.params.run`` that the store lacks, and assemble the run."""

    with job(smk):
        how = json.loads(smk.resources.computed)
        products.use_threads(smk.threads)
        products.choose(how["products"])
        check_available(how["device"])  # also where the store has everything
        if any(isinstance(version, str) for version in smk.params.code[1:]):
            logger.warning(
                "The code that computes numbers was edited: models are kept apart from those of "
                "the code before (make golden compares them)."
            )
        name = "/".join(Path(smk.output[0]).with_suffix("").parts[-2:])
        kind = import_module(f"rote.runs.{smk.params.kind}")
        run = kind.compute_run(
            netcdf.read(smk.input[0]),
            smk.params.run,
            Store(how["store"], reuse=how["reuse"]),
            name=name,
            device=how["device"],
            checkpoint_seconds=how["checkpoint_seconds"],
        )
        devices = ", ".join(sorted(set(run["device"].values)))
        # What tells members apart is along them.
        settings = {key: value for key, value in smk.params.run.items() if key != "members"}
        title = f"Trained models of the run {name}, on {run.attrs['dataset']}"
        run = with_provenance(run, settings, title=title, device=devices)
        netcdf.write(run, smk.output[0], smk.params.made_by)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
