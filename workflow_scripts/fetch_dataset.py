"""Rule fetch_dataset: a source of images → data/{dataset}.nc."""

from job import job
from rote.data import sources
from rote.files import netcdf
from rote.files.provenance import with_provenance


def main(smk):
    """Fetch the images that ``smk.params.source`` describes."""
    with job(smk):
        source = smk.params.source
        images = source.get("name") or source.get("path") or "MNIST digits"
        title = f"Images: {images}, by {source['source']}"
        dataset = with_provenance(sources.fetch(**source), source, title=title)
        netcdf.write(dataset, smk.output[0], smk.params.made_by, smk.params.images)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
