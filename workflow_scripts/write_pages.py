"""Rule write_pages: captions, pictures, claims and configuration → index.html and report.html."""

from pathlib import Path

import yaml

from job import job
from rote.claims.page import page
from rote.files import netcdf, text
from rote.files.made_by import words


def main(smk):
    """Write the page of a study, with links to its pictures and with the pictures themselves."""
    with job(smk):
        captions = {Path(path).stem: Path(path).read_text("utf-8") for path in smk.input.captions}
        claims = netcdf.read(smk.input.claims)
        config = yaml.safe_load(Path(smk.input.configuration).read_text("utf-8"))
        pictures = {Path(path).stem: Path(path) for path in smk.input.pictures}
        for path, embedded in ((smk.output.index, False), (smk.output.report, True)):
            made_by = words(smk.params.made_by)
            text.write(page(captions, pictures, claims, config, made_by, embedded), path)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
