# From the metrics of all figures to verdicts, and a page of everything.


rule test_claims:
    input:
        of_each_figure("metrics/{figure}.nc"),
    output:
        nc="results/{preset}/claims.nc",
        md="results/{preset}/claims.md",
        html=report(
            "results/{preset}/claims.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"shows": "verdicts on the five claims"},
        ),
    log:
        "results/{preset}/logs/test_claims/claims.log",
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        criteria=config["claims"],
        version=versions.CLAIMS,
    script:
        "../workflow_scripts/test_claims.py"


rule write_gallery:
    input:
        captions=of_each_figure("figures/{figure}.txt"),
        claims="results/{preset}/claims.nc",
    output:
        "results/{preset}/gallery.md",
    log:
        "results/{preset}/logs/write_gallery/gallery.log",
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        version=versions.GALLERY,
    script:
        "../workflow_scripts/write_gallery.py"


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
        runtime=10,
    params:
        config=lambda wildcards: {
            **{key: value for key, value in config.items() if key != "presets"},
            "preset": wildcards.preset,
            "presets": {wildcards.preset: config["presets"][wildcards.preset]},
        },
    script:
        "../workflow_scripts/write_configuration.py"
