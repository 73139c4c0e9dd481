# From a source of images to what an experiment trains on.
from rote.data.survey import check_images

if workflow.is_main_process:
    check_images(study)


rule fetch_dataset:
    input:
        study.own_file,
    output:
        "data/{dataset}.nc",
    log:
        f"results/{study.preset}/logs/fetch_dataset/{{dataset}}.log",
    priority: study.FIRST
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=4000,
    params:
        source=study.source,
        code=study.code_of("fetch_dataset"),
        images=study.made_by.images_to_read,
        made_by=study.made_by.dataset_to_read,
    script:
        "../workflow_scripts/fetch_dataset.py"


rule noise_dataset:
    input:
        study.images_of_noised,
    output:
        "results/{preset}/datasets/{noised}.nc",
    log:
        "results/{preset}/logs/noise_dataset/{noised}.log",
    priority: study.rank_of_noised
    conda:
        "../envs/environment.yaml"
    resources:
        mem_mb=study.memory_of_noising,
    params:
        data=study.noising,
        title=study.title_of_noised,
        code=study.code_of("noise_dataset"),
        made_by=study.made_by.noised,
    script:
        "../workflow_scripts/noise_dataset.py"
