# From the metrics of all figures to verdicts, and a page of everything.


rule test_claims:
    input:
        study.of_each_figure("metrics/{}.nc"),
    output:
        nc="results/{preset}/claims.nc",
        md="results/{preset}/claims.md",
        html=report(
            "results/{preset}/claims.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"shows": "verdicts on the claims"},
        ),
    log:
        "results/{preset}/logs/test_claims/claims.log",
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=2000,
    params:
        criteria=study.config["claims"],
        dependent_on=study.dependent_on,
        code=study.code_of("test_claims"),
        made_by=study.made_by.claims,
    script:
        "../workflow_scripts/test_claims.py"


rule write_gallery:
    input:
        captions=study.of_each_figure("figures/{}.txt"),
        claims="results/{preset}/claims.nc",
    output:
        "results/{preset}/gallery.md",
    log:
        "results/{preset}/logs/write_gallery/gallery.log",
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        code=study.code_of("write_gallery"),
        made_by=study.made_by.gallery,
    script:
        "../workflow_scripts/write_gallery.py"


rule write_paper:
    input:
        metrics=study.of_each_figure("metrics/{}.nc"),
        pictures=study.of_each_figure("figures/{}.png"),
        claims="results/{preset}/claims.nc",
        configuration="results/{preset}/config.yaml",
    output:
        "results/{preset}/paper.md",
    log:
        "results/{preset}/logs/write_paper/paper.log",
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        code=study.code_of("write_paper"),
        made_by=study.made_by.paper,
    script:
        "../workflow_scripts/write_paper.py"


rule write_pages:
    input:
        captions=study.of_each_figure("figures/{}.txt"),
        pictures=study.of_each_figure("figures/{}.png"),
        claims="results/{preset}/claims.nc",
        configuration="results/{preset}/config.yaml",
    output:
        index="results/{preset}/index.html",
        report="results/{preset}/report.html",
    log:
        "results/{preset}/logs/write_pages/pages.log",
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        code=study.code_of("write_pages"),
        made_by=study.made_by.pages,
    script:
        "../workflow_scripts/write_pages.py"


rule write_configuration:
    output:
        report(
            "results/{preset}/config.yaml",
            caption="../report/configuration.rst",
            category="Configuration",
            labels={"shows": "all settings"},
        ),
    log:
        "results/{preset}/logs/write_configuration/config.log",
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=1000,
    params:
        config=study.configuration_of,
        code=study.code_of("write_configuration"),
        made_by=study.made_by.configuration,
    script:
        "../workflow_scripts/write_configuration.py"
