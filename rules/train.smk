# From a noised data set to a run: all members of one shape.


rule train_ensemble:
    input:
        noised_of_run,
    output:
        "results/{preset}/runs/{experiment}/{run}.nc",
    log:
        "results/{preset}/logs/train_ensemble/{experiment}/{run}.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        gpu=int(config["device"] != "cpu"),
        mem_mb=run_megabytes,
        runtime=run_minutes,
    params:
        run=ensemble_settings,
        device=config["device"],
        checkpoint_seconds=config["checkpoint_seconds"],
        store="results/store",
        version=versions.TRAINING,
    script:
        "../workflow_scripts/train_ensemble.py"


rule measure_sensitivity:
    input:
        "results/{preset}/datasets/sensitivity.nc",
    output:
        "results/{preset}/runs/sensitivity/{labelling}.nc",
    log:
        "results/{preset}/logs/measure_sensitivity/{labelling}.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        gpu=int(config["device"] != "cpu"),
        mem_mb=run_megabytes,
        runtime=run_minutes,
    params:
        run=lambda wildcards: plan.sensitivity_settings(
            config["presets"][wildcards.preset]["sensitivity"], wildcards.labelling
        ),
        device=config["device"],
        store="results/store",
        version=[versions.TRAINING, versions.SENSITIVITY],
    script:
        "../workflow_scripts/measure_sensitivity.py"


rule measure_complexity:
    input:
        "results/{preset}/datasets/complexity/{case}.nc",
    output:
        "results/{preset}/runs/complexity/{case}.nc",
    log:
        "results/{preset}/logs/measure_complexity/{case}.log",
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        gpu=int(config["device"] != "cpu"),
        mem_mb=run_megabytes,
        runtime=run_minutes,
    params:
        run=lambda wildcards: plan.complexity_settings(
            config["presets"][wildcards.preset]["complexity"],
            wildcards.case,
            config["precision"],
        ),
        device=config["device"],
        checkpoint_seconds=config["checkpoint_seconds"],
        store="results/store",
        version=[versions.TRAINING, versions.CRITICAL_SAMPLES],
    script:
        "../workflow_scripts/measure_complexity.py"
