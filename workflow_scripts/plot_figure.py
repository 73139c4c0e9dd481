"""Rule plot_figure: results/{preset}/metrics/{figure}.nc → figures/{figure}.png and .pdf."""

from importlib import import_module

from job import job
from rote import netcdf
from rote.figures import style


def main(smk):
    """Draw the figure ``smk.wildcards.figure``, by ``rote.figures.<figure>``, from its metrics."""
    with job(smk):
        module = import_module(f"rote.figures.{smk.wildcards.figure}")
        with style.paper():
            style.save(module.draw(netcdf.read(smk.input[0])), smk.output.png, smk.output.pdf)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
