"""Rule noise_dataset: data/{dataset}.nc → results/{preset}/datasets/{experiment}.nc."""

from job import job
from rote.data import noising
from rote.files import netcdf
from rote.files.provenance import with_provenance


def main(smk):
    """Draw the subsets and the noise that ``smk.params.data`` describes."""
    with job(smk):
        data = smk.params.data
        noised = noising.noise_dataset(netcdf.read(smk.input[0]), data)
        noised = noised.assign_attrs(dataset=smk.params.title)
        title = f"{smk.params.title} for training and validation, with noise to replace it"
        noised = with_provenance(noised, data, title=title)
        netcdf.write(noised, smk.output[0], smk.params.made_by)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
