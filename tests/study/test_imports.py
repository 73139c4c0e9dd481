"""Snakemake reads the rules again in every SLURM job: what they import loads nothing heavy."""

import json
import subprocess
import sys

from conftest import ROOT

CODE = """
import json, sys
before = {*sys.modules}
import rote
import rote.machine.display, rote.machine.environment, rote.machine.errors, rote.machine.options
import rote.machine.working_folder, rote.files.made_by, rote.files.times
import rote.data.survey
import rote.study.configuration, rote.study.ending, rote.study.jobs, rote.study.steps
roots = {name.partition('.')[0] for name in {*sys.modules} - before}
print(json.dumps(sorted(roots - {'rote'} - sys.stdlib_module_names)))
"""


def test_the_package_and_the_rules_load_the_standard_library_alone():
    ran = subprocess.run(
        [sys.executable, "-c", CODE],
        env={"PYTHONPATH": str(ROOT / "workflow_scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == []


def test_rules_import_nothing_else_of_the_package():
    allowed = (
        "rote.data.survey",
        "rote.files",
        "rote.files.made_by",
        "rote.machine",
        "rote.machine.errors",
        "rote.study",
        "rote.study.jobs",
    )
    for path in [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]:
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] == ["from"] and words[1].startswith("rote"):
                assert words[1] in allowed, line
