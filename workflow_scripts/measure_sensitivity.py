"""Rule measure_sensitivity: a noised data set → results/…/runs/sensitivity/{labelling}.nc."""

from job import compute_run
from rote.runs.sensitivity import measure_run


def main(smk):
    """Measure the members of ``smk.params.run`` that the store lacks, and assemble the run."""
    compute_run(smk, measure_run)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
