# rote: do deep nets learn by rote? A table of contents; README.md tells how to use it.
import sys

from snakemake.utils import min_version

min_version("9.0")


sys.path.insert(0, f"{workflow.basedir}/workflow_scripts")


include: "rules/config.smk"


configfile: f"{workflow.basedir}/config.yaml"


report: "report/study.rst"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/figures.smk"
include: "rules/claims.smk"


rule figures:
    default_target: True
    input:
        all_figures,


rule study:
    input:
        all_figures,
        expand("results/{preset}/{page}", preset=config["preset"], page=PAGES),


rule claims:
    input:
        f"results/{config['preset']}/claims.nc",


rule gallery:
    input:
        f"results/{config['preset']}/gallery.md",


for figure in plan.EXPERIMENT_OF_FIGURE:

    rule:
        name:
            figure
        input:
            figure_files(figure),
