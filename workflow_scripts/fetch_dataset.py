"""Rule fetch_dataset: a source of images → data/{dataset}.nc."""

from job import job
from rote.data import sources
from rote.files import netcdf
from rote.files.provenance import with_provenance


def main(smk):
    """Fetch the images that ``smk.params.source`` describes."""
    with job(smk):
        source = smk.params.source
        netcdf.write(with_provenance(sources.fetch(**source), source), smk.output[0])


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
