"""Options of Snakemake under which what is out of date would not be seen are refused."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.settings.enums import RerunTrigger
from snakemake.settings.types import DAGSettings, ExecutionSettings

from rote.machine import options
from rote.machine.errors import UserError

SUFFICIENT = frozenset({RerunTrigger.MTIME, RerunTrigger.PARAMS})


def workflow(triggers=SUFFICIENT, **execution):
    return SimpleNamespace(
        is_main_process=True,
        dag_settings=DAGSettings(rerun_triggers=triggers),
        execution_settings=ExecutionSettings(**execution),
    )


@pytest.mark.parametrize("triggers", [RerunTrigger.all(), SUFFICIENT])
def test_what_is_marked_is_made_again_under_any_options_that_suffice(triggers):
    sufficient = workflow(triggers)
    options.check(sufficient, Path("profile"))
    assert sufficient.dag_settings.force_incomplete


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (workflow({RerunTrigger.PARAMS}), "(rerun-triggers lacks mtime)"),
        (workflow({RerunTrigger.MTIME}), "(rerun-triggers lacks params)"),
        (workflow(ignore_incomplete=True), "(ignore-incomplete is set)"),
        (workflow(keep_metadata=False), "(drop-metadata is set)"),
    ],
)
def test_others_are_refused_and_the_way_out_is_named(wrong, said):
    with pytest.raises(UserError) as error:
        options.check(wrong, Path("my rote/profiles/default"))
    assert said in str(error.value)
    assert str(error.value).endswith("by --workflow-profile 'my rote/profiles/default'.")


def test_the_jobs_of_a_study_are_not_asked():
    job = workflow(ignore_incomplete=True)
    job.is_main_process = False
    options.check(job, Path("profile"))
