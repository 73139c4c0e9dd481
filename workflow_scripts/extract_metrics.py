"""Rule extract_metrics: the runs of an experiment → results/{preset}/metrics/{figure}.nc."""

from importlib import import_module

from job import job
from rote.files import netcdf


def main(smk):
    """Compute what the figure ``smk.wildcards.figure`` shows, by ``rote.metrics.<figure>``."""
    with job(smk):
        figure = import_module(f"rote.metrics.{smk.wildcards.figure}")
        runs = [netcdf.read(path) for path in smk.input]
        netcdf.write(figure.metrics(runs), smk.output[0], smk.params.made_by)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
