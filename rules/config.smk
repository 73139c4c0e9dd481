# Before Snakemake reads the configuration: can it work in this folder, and are the files sound? It
# would answer either question by a traceback, or by a message that names no file and no line.
from pathlib import Path

from rote.machine import working_folder
from rote.study import configuration as settings
from rote.machine.errors import UserError

try:
    if workflow.is_main_process:
        working_folder.enter(Path.cwd())
    files = [
        settings.read(Path(file))
        for file in (f"{workflow.basedir}/config.yaml", *workflow.configfiles)
    ]
except UserError as error:
    sys.exit(f"Error: {error}")

# So far it holds what --configfile changes, whose keys would come first, and the last case counts.
# They are added again to those of config.yaml.
config.clear()
