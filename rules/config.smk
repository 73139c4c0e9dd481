# The files of the configuration, read once by ourselves: Snakemake names no line of a mistake.
from pathlib import Path

from rote import settings
from rote.errors import UserError

try:
    if workflow.is_main_process:
        for file in (f"{workflow.basedir}/config.yaml", *workflow.configfiles):
            settings.read(Path(file))
except UserError as error:
    sys.exit(f"Error: {error}")
