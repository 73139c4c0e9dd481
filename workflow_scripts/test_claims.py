"""Rule test_claims: the metrics of all figures → results/{preset}/claims.nc and claims.md."""

from pathlib import Path

from job import job
from rote import claims, netcdf
from rote.claims import page


def main(smk):
    """Test the claims on ``smk.input`` by the criteria in ``smk.params.criteria``."""
    with job(smk):
        metrics = {Path(path).stem: netcdf.read(path) for path in smk.input}
        result = claims.test_claims(metrics, smk.params.criteria)
        netcdf.write(result, smk.output.nc)
        page.write(page.markdown(result, smk.wildcards.preset), smk.output.md)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
