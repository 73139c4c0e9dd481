# The configuration, checked before anything runs, and the object that all rules ask.
# config.yaml needs no `configfile:`: presets are merged in another way than Snakemake's.
from functools import partial
from pathlib import Path

from rote.files import times
from rote.files.made_by import stale
from rote.machine import display, environment, options, working_folder
from rote.machine.errors import UserError
from rote.study import configuration, ending, notes, steps
from rote.study.jobs import Study

checkout = Path(str(workflow.current_basedir)).parent

try:
    environment.prepare(checkout, Path.cwd(), alone=workflow.modifier.is_main_snakefile())
    if workflow.is_main_process:
        working_folder.enter(Path.cwd())
    notes.read(notes.PATH)
    own = workflow.modifier.skip_configfile  # another workflow imports this one, with a config:
    study = Study(
        configuration.load(
            checkout / "config.yaml",
            [] if own else workflow.config_settings.configfiles,
            config if own else workflow.config_settings.config,
            imported=not workflow.modifier.is_main_snakefile(),
        ),
        asked=partial(options.check, workflow, checkout / "profiles" / "default"),
        in_job=not workflow.is_main_process,
    )
    if workflow.is_main_process:
        made_by = study.made_by.everything()
        pictures = [file for figure in study.figures() for file in study.pictures(figure)]
        times.set_right(Path.cwd(), [*made_by, *pictures], study.own_files())
        working_folder.mark_unfinished(Path.cwd(), stale(made_by, Path.cwd()))
        notes.write(notes.PATH)
except UserError as error:
    sys.exit(f"Error: {error}")

if workflow.modifier.is_main_snakefile():  # else it is the other workflow's
    config.clear()
    config.update(study.config)


shown = None
if workflow.is_main_process and workflow.modifier.is_main_snakefile():
    shown = display.attach(
        workflow,
        steps=lambda: steps.of_jobs(study, workflow.dag.needrun_jobs()),
        targets=lambda: [rule.name for rule in workflow.rules if not rule.output],
        ending=lambda: ending.words(study, {job.rule.name for job in workflow.dag.targetjobs}),
    )


onstart:
    working_folder.pass_signals_on()
    if slower := environment.older_kernels(study.config["products"], study.config["device"]):
        logger.warning(slower)


onsuccess:
    if shown:
        shown.succeed()


wildcard_constraints:
    **study.wildcards(),
