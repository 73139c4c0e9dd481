"""Rule write_gallery: all captions and the claims → results/{preset}/gallery.md."""

from pathlib import Path

from job import job
from rote.claims.gallery import gallery
from rote.files import netcdf, text
from rote.files.made_by import words


def main(smk):
    """Write one page of the figures whose captions are ``smk.input.captions``."""
    with job(smk):
        captions = {Path(path).stem: Path(path).read_text("utf-8") for path in smk.input.captions}
        claims = netcdf.read(smk.input.claims)
        page = gallery(captions, claims, smk.wildcards.preset)
        text.write(f"{page}\n<sub>{words(smk.params.made_by)}</sub>\n", smk.output[0])


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
