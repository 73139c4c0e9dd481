# From runs to a figure: its measures in one file, and the drawing of that file alone.


rule extract_metrics:
    input:
        runs_of_figure,
    output:
        "results/{preset}/metrics/{figure}.nc",
    log:
        "results/{preset}/logs/extract_metrics/{figure}.log",
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=lambda wildcards: versions.METRICS[wildcards.figure],
    script:
        "../workflow_scripts/extract_metrics.py"


rule plot_figure:
    input:
        "results/{preset}/metrics/{figure}.nc",
    output:
        png=report(
            "results/{preset}/figures/{figure}.png",
            caption="../report/figure.rst",
            category=lambda wildcards: plan.title(wildcards.figure),
            labels=lambda wildcards: {"shows": plan.SHOWS[wildcards.figure]},
        ),
        pdf="results/{preset}/figures/{figure}.pdf",
        caption="results/{preset}/figures/{figure}.txt",
    log:
        "results/{preset}/logs/plot_figure/{figure}.log",
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        version=lambda wildcards: versions.FIGURES[wildcards.figure],
    script:
        "../workflow_scripts/plot_figure.py"
