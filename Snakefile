# rote: do deep nets learn by rote? A table of contents; README.md tells how to use it.
import sys

from snakemake.utils import min_version

min_version("9.0")


sys.path.insert(0, f"{workflow.basedir}/workflow_scripts")


include: "rules/config.smk"


configfile: f"{workflow.basedir}/config.yaml"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/figures.smk"


rule figures:
    default_target: True
    input:
        all_figures,


rule fig1:
    input:
        possible("fig1"),


rule fig2:
    input:
        possible("fig2"),


rule fig3_1:
    input:
        possible("fig3_1"),


rule fig3_2:
    input:
        possible("fig3_2"),


rule fig3_3:
    input:
        possible("fig3_3"),


rule fig4_1:
    input:
        possible("fig4_1"),


rule fig4_2:
    input:
        possible("fig4_2"),


rule fig5_1:
    input:
        possible("fig5_1"),


rule fig5_2:
    input:
        possible("fig5_2"),


rule filters:
    input:
        possible("filters"),
