"""Rule test_claims: the metrics of all figures → results/{preset}/claims.nc, .md and .html."""

from pathlib import Path

from job import job
from rote.claims import tables, test_claims
from rote.files import netcdf, text


def main(smk):
    """Test the claims on ``smk.input`` by the criteria in ``smk.params.criteria``."""
    with job(smk):
        metrics = {Path(path).stem: netcdf.read(path) for path in smk.input}
        claims = test_claims(metrics, smk.params.criteria, smk.params.dependent_on)
        netcdf.write(claims, smk.output.nc, smk.params.made_by)
        text.write(tables.claims_markdown(claims, smk.wildcards.preset), smk.output.md)
        text.write(tables.claims_html(claims, smk.wildcards.preset), smk.output.html)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
