# The configuration, checked before anything runs, and the object that all rules ask.
# config.yaml needs no `configfile:`: presets are merged in another way than Snakemake's.
from pathlib import Path

from rote.files.made_by import stale
from rote.machine import working_folder
from rote.machine.errors import UserError
from rote.study import code, configuration
from rote.study.jobs import Study

try:
    if workflow.is_main_process:
        working_folder.enter(Path.cwd())
    code.read_notes(code.NOTES)
    own = workflow.modifier.skip_configfile  # another workflow imports this one, with a config:
    study = Study(
        configuration.load(
            Path(str(workflow.current_basedir)).parent / "config.yaml",
            [] if own else workflow.config_settings.configfiles,
            config if own else workflow.config_settings.config,
            imported=not workflow.modifier.is_main_snakefile(),
        )
    )
    if workflow.is_main_process:
        working_folder.mark_unfinished(Path.cwd(), stale(study.made_by.everything(), Path.cwd()))
        code.write_notes(code.NOTES)
except UserError as error:
    sys.exit(f"Error: {error}")

if workflow.modifier.is_main_snakefile():  # else it is the other workflow's
    config.clear()
    config.update(study.config)


onstart:
    working_folder.pass_signals_on()


wildcard_constraints:
    **study.wildcards(),
