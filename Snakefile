# rote: do deep nets learn by rote? A table of contents; README.md tells how to use it.
import sys

from snakemake.utils import min_version

min_version("9.0")


sys.path.insert(0, f"{workflow.current_basedir}/workflow_scripts")


report: "report/study.rst"


include: "rules/config.smk"
include: "rules/data.smk"
include: "rules/runs.smk"
include: "rules/figures.smk"
include: "rules/claims.smk"


rule figures:
    default_target: True
    input:
        study.all_files,


rule study:
    input:
        study.all_files,
        study.pages(),


rule claims:
    input:
        study.page("claims.nc"),
        study.page("index.html"),
        study.page("paper.md"),


rule gallery:
    input:
        study.page("gallery.md"),
        study.page("paper.md"),


for figure in study.all_figures:

    rule:
        name:
            figure
        input:
            study.files_of(figure),
