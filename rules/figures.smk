# From runs to a figure: its measures in one file, and the drawing of that file alone.


rule extract_metrics:
    input:
        study.runs_of_figure,
    output:
        "results/{preset}/metrics/{figure}.nc",
    log:
        "results/{preset}/logs/extract_metrics/{figure}.log",
    priority: study.FIRST
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=2000,
    params:
        code=study.code_of("extract_metrics"),
        made_by=study.made_by.metrics,
    script:
        "../workflow_scripts/extract_metrics.py"


rule plot_figure:
    input:
        "results/{preset}/metrics/{figure}.nc",
    output:
        png=report(
            "results/{preset}/figures/{figure}.png",
            caption="../report/figure.rst",
            category=study.title_of_figure,
            labels=study.shown_by_figure,
        ),
        pdf="results/{preset}/figures/{figure}.pdf",
        caption="results/{preset}/figures/{figure}.txt",
    log:
        "results/{preset}/logs/plot_figure/{figure}.log",
    priority: study.FIRST
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=2000,
    params:
        criteria=study.drawing.criteria,
        style=study.drawing.style,
        code=study.code_of("plot_figure"),
        made_by=study.made_by.figure,
    script:
        "../workflow_scripts/plot_figure.py"
