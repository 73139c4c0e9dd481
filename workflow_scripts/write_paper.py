"""Rule write_paper: metrics, claims and configuration → results/{preset}/paper.md."""

from pathlib import Path

import yaml

from job import job
from rote.claims.paper import paper
from rote.files import netcdf, text
from rote.files.made_by import words


def main(smk):
    """Write the report of a study, with links to the pictures ``smk.input.pictures``."""
    with job(smk):
        metrics = {Path(path).stem: netcdf.read(path) for path in smk.input.metrics}
        claims = netcdf.read(smk.input.claims)
        config = yaml.safe_load(Path(smk.input.configuration).read_text("utf-8"))
        drawn = [Path(path).stem for path in smk.input.pictures]
        page = paper(metrics, claims, config, drawn)
        text.write(f"{page}\n<sub>{words(smk.params.made_by)}</sub>\n", smk.output[0])


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
