# From a source of images to what an experiment trains on.


rule fetch_dataset:
    output:
        "data/{dataset}.nc",
    log:
        f"results/{config['preset']}/logs/fetch_dataset/{{dataset}}.log",
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        source=lambda wildcards: {
            key: value
            for key, value in config["datasets"][wildcards.dataset].items()
            if key != "title"
        },
        version=versions.DATASET,
    script:
        "../workflow_scripts/fetch_dataset.py"


rule noise_dataset:
    input:
        lambda wildcards: f"data/{noised_settings(wildcards)['data']['dataset']}.nc",
    output:
        "results/{preset}/datasets/{noised}.nc",
    log:
        "results/{preset}/logs/noise_dataset/{noised}.log",
    conda:
        "../envs/environment.yaml"
    resources:
        # Images of a folder may be larger than counted, so that it takes some doublings.
        mem_mb=lambda wildcards, attempt: (1000 + 2 * noised_megabytes(wildcards))
        * 2 ** (attempt - 1),
        runtime=60,
    params:
        data=lambda wildcards: plan.data_settings(noised_settings(wildcards)),
        title=lambda wildcards: config["datasets"][noised_settings(wildcards)["data"]["dataset"]][
            "title"
        ],
        version=versions.NOISING,
    script:
        "../workflow_scripts/noise_dataset.py"
