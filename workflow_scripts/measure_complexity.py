"""Rule measure_complexity: a noised data set → results/{preset}/runs/complexity/{case}.nc."""

from job import compute_run
from rote.runs.complexity import measure_run


def main(smk):
    """Train and search the members of ``smk.params.run``, or find them in the store."""
    compute_run(smk, measure_run, checkpoint_seconds=smk.params.checkpoint_seconds)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
