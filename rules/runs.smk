# From a noised data set to a run: all members of one shape.


rule compute_run:
    input:
        study.file_of_noised,
    output:
        "results/{preset}/runs/{experiment}/{run}.nc",
    log:
        "results/{preset}/logs/compute_run/{experiment}/{run}.log",
    priority: study.rank_of_run
    conda:
        "../envs/environment.yaml"
    threads: 1
    # How it is computed is no parameter: another device is no reason to compute it again.
    resources:
        gpu=study.gpus(),
        mem_mb=study.memory_of_run,
        computed=study.computed,
    params:
        run=study.run,
        kind=study.kind_of_run,
        code=study.code_of("compute_run"),
        made_by=study.made_by.run,
    script:
        "../workflow_scripts/compute_run.py"
