# The checked configuration, and how rules look things up in it.
from rote.machine import working_folder
from rote.study import architecture, configuration as settings, cost, plan, versions
from rote.machine.errors import UserError

PAGES = "claims.nc", "gallery.md", "config.yaml"  # of a whole study, beside its figures

try:
    settings.leave_out(config, files)
    settings.validate(config)
except UserError as error:
    sys.exit(f"Error: {error}")


onstart:
    working_folder.pass_signals_on()


wildcard_constraints:
    preset="|".join(config["presets"]),
    dataset="|".join(config["datasets"]),
    experiment="|".join(sorted(set(plan.EXPERIMENT_OF_FIGURE.values()))),
    figure="|".join(plan.EXPERIMENT_OF_FIGURE),
    labelling="class|unique",
    noised="|".join(
        {name for preset in config["presets"].values() for name in plan.noised_datasets(preset)}
    ),
    case="|".join(
        case
        for preset in config["presets"].values()
        for case in preset.get("complexity", {}).get("cases", {})
    )
    or "none",
    run=r"(examples|units)-[1-9]\d*|none|" + "|".join(plan.REGULARIZERS) + "|adversarial_dropout",


def experiment_settings(wildcards):
    """Settings of the experiment that the wildcards name, or that their figure is drawn from."""
    experiment = (
        getattr(wildcards, "experiment", None) or plan.EXPERIMENT_OF_FIGURE[wildcards.figure]
    )
    return of_preset(wildcards, experiment, config["presets"][wildcards.preset])


def noised_settings(wildcards):
    """Settings of whoever trains on the noised data set that the wildcards name."""
    experiments = config["presets"][wildcards.preset]
    return of_preset(wildcards, wildcards.noised, plan.noised_datasets(experiments))


def of_preset(wildcards, name, experiments):
    """Settings of an experiment, or a sentence that the preset has none."""
    if name not in experiments:
        sys.exit(
            f"Error: config: preset {wildcards.preset} has no experiment {name}: "
            f"add presets.{wildcards.preset}.{plan.settings_key(name)}."
        )
    return experiments[name]


def noised_of_run(wildcards):
    """The noised data set that a run of an ensemble trains on."""
    name = wildcards.experiment
    if name == "convergence":
        name = plan.convergence_data(experiment_settings(wildcards), wildcards.run)
    return f"results/{wildcards.preset}/datasets/{name}.nc"


def ensemble_settings(wildcards):
    """What a run of an ensemble depends on beside its data."""
    experiment, precision = experiment_settings(wildcards), config["precision"]
    known = [
        run
        for figure, name in plan.EXPERIMENT_OF_FIGURE.items()
        if name == wildcards.experiment
        for run in plan.runs(figure, experiment)
    ]
    if wildcards.run not in known:
        sys.exit(
            f"Error: {wildcards.experiment} has no run {wildcards.run}: "
            f"choose one of {', '.join(dict.fromkeys(known))}."
        )
    if wildcards.experiment == "convergence":
        return plan.convergence_settings(experiment, wildcards.run, precision)
    if wildcards.experiment == "regularization":
        return plan.regularization_settings(experiment, wildcards.run, precision)
    return plan.run_settings(experiment, int(wildcards.run.removeprefix("units-")), precision)


def noised_megabytes(wildcards, noised=None):
    """The size of a noised data set in memory, of the wildcards or by its name."""
    experiments = config["presets"][wildcards.preset]
    own = of_preset(wildcards, noised or wildcards.noised, plan.noised_datasets(experiments))
    data = plan.data_settings(own)
    return cost.data_bytes(data, cost.image(config["datasets"][data["dataset"]], data)) // 10**6


def run_megabytes(wildcards, attempt):
    """The memory of a run's job: libraries, the data as it is read and as it is used."""
    experiment, run = experiment_and_run(wildcards)
    if experiment == "convergence":
        noised = plan.convergence_data(experiment_settings(wildcards), run)
    else:
        noised = f"complexity/{run}" if experiment == "complexity" else experiment
    return 2 ** (attempt - 1) * (4000 + 2 * noised_megabytes(wildcards, noised))


def run_minutes(wildcards, attempt):
    """The time limit of a run's job, from its counted work."""
    experiment, run = experiment_and_run(wildcards)
    settings = of_preset(wildcards, experiment, config["presets"][wildcards.preset])
    source = cost.sources(experiment, settings, config["datasets"])
    work = cost.run_work(experiment, run, settings, source, config["precision"])
    return cost.minutes(work, config["device"], config["precision"], attempt)


def experiment_and_run(wildcards):
    """The names of the experiment and of the run that a job computes."""
    if hasattr(wildcards, "labelling"):
        return "sensitivity", wildcards.labelling
    if hasattr(wildcards, "case"):
        return "complexity", wildcards.case
    return wildcards.experiment, wildcards.run


def runs_of_figure(wildcards):
    """The files of the runs that a figure is drawn from, or a sentence why it cannot be."""
    preset, figure = wildcards.preset, wildcards.figure
    experiment, own = plan.EXPERIMENT_OF_FIGURE[figure], experiment_settings(wildcards)
    why = plan.impossible(config["presets"][preset]).get(figure)
    # Not for the whole configuration: MLPs of the same preset can be trained.
    if config["precision"] == "bf16" and plan.cnns(figure, own):
        why = f"presets.{preset}.{experiment}: {architecture.NO_BF16}"
    if why:
        sys.exit(f"Error: config: {why}")
    return [f"results/{preset}/runs/{experiment}/{run}.nc" for run in plan.runs(figure, own)]


def figure_files(figure):
    """The files of a figure, at the size that the configuration names."""
    return [f"results/{config['preset']}/figures/{figure}.{kind}" for kind in ("png", "pdf", "txt")]


def drawable(experiments):
    """The figures that can be drawn from the experiments of a preset."""
    return [
        figure
        for figure, experiment in plan.EXPERIMENT_OF_FIGURE.items()
        if experiment in experiments and figure not in plan.impossible(experiments)
    ]


def of_each_figure(path):
    """A function for a rule's input: a file, such as metrics/{figure}.nc, of each figure drawn."""
    return lambda wildcards: expand(
        f"results/{wildcards.preset}/{path}",
        figure=drawable(config["presets"][wildcards.preset]),
    )


def all_figures(wildcards):
    """The files of every figure that can be drawn from the experiments of the preset."""
    return [
        file
        for figure in drawable(config["presets"][config["preset"]])
        for file in figure_files(figure)
    ]
