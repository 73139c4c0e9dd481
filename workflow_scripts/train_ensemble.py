"""Rule train_ensemble: a noised data set → results/{preset}/runs/{experiment}/{run}.nc."""

from job import compute_run
from rote.runs.training import compute_run as train_run


def main(smk):
    """Train the members of ``smk.params.run`` that the store lacks, and assemble the run."""
    compute_run(smk, train_run, checkpoint_seconds=smk.params.checkpoint_seconds)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
