"""The options of Snakemake that being right rests on, whichever profile stands in for rote's own.

Read by the rules, so it imports nothing but the standard library.
"""

import shlex
from pathlib import Path

from rote.machine.errors import UserError

# Nothing else tells that the file of a data set was replaced, or what it is made from.
TRIGGERS = "mtime", "params"


def check(workflow, profile: Path) -> None:
    """Refuse options by which results that are out of date would pass for new ones.

    That unfinished files are made again is not asked for but set: files that are out of date are
    marked as such (``rote.machine.working_folder.mark_unfinished``).

    Args:
        workflow: Snakemake's, once it has read its options.
        profile: one with the right options.

    Raises:
        UserError: with what is wrong.
    """
    dag, execution = workflow.dag_settings, workflow.execution_settings
    if not workflow.is_main_process or dag is None:
        return
    dag.force_incomplete = True
    if execution is None:  # nothing is to run, but for a report or to delete
        return
    triggers = {trigger.item_to_choice() for trigger in dag.rerun_triggers}
    wrong = [f"rerun-triggers lacks {name}" for name in TRIGGERS if name not in triggers]
    wrong += ["ignore-incomplete is set"] if execution.ignore_incomplete else []
    wrong += [] if execution.keep_metadata else ["drop-metadata is set"]
    if wrong:
        raise UserError(
            f"Snakemake would not see what is out of date ({', '.join(wrong)}): change that on "
            "the command line or in the profile that Snakemake's first line names, or use rote's "
            f"own by --workflow-profile {shlex.quote(str(profile))}."
        )
