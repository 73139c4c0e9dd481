"""Rule write_configuration: what the study was configured by → results/{preset}/config.yaml."""

import yaml

from job import job
from rote.files import text
from rote.files.made_by import words


def main(smk):
    """Write the whole configuration, whichever files and options it came from."""
    with job(smk):
        content = yaml.safe_dump(smk.params.config, sort_keys=False, allow_unicode=True, width=100)
        text.write(f"{content}# {words(smk.params.made_by)}\n", smk.output[0])


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
