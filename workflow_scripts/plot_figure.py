"""Rule plot_figure: results/{preset}/metrics/{figure}.nc → figures/{figure}.png, .pdf and .txt."""

from importlib import import_module

from job import job
from rote.figures import captions, style
from rote.files import netcdf, text
from rote.files.made_by import words
from rote.files.sweeps import first_of_each
from rote.study import code


def main(smk):
    """Draw the figure ``smk.wildcards.figure``, by ``rote.figures.<figure>``, from its metrics."""
    with job(smk):
        module = import_module(f"rote.figures.{smk.wildcards.figure}")
        metrics = first_of_each(netcdf.read(smk.input[0]))
        with style.paper(smk.params.style):
            figure = module.draw(metrics, **smk.params.criteria)
            style.save(figure, smk.output.png, smk.output.pdf)
        shows = code.first_words(module.__name__)  # also where Python drops docstrings
        caption = captions.caption(shows, figure.get_label(), metrics, smk.input[0])
        text.write(f"{caption}\n{words(smk.params.made_by)}\n", smk.output.caption)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
