"""`make published`, on a plan of its own: what is computed, entered, kept and refused."""

import subprocess
from copy import deepcopy
from types import SimpleNamespace

import pytest
import yaml

import compare_published
import preloaded
from conftest import ROOT
from rote.claims import printed
from rote.files import netcdf

pytestmark = pytest.mark.slow

SETTINGS = {
    "preset": "tiny",
    "presets": {
        "tiny": {
            "seeds": 2,
            "capacity": {
                "noise_kinds": ["randY"],
                "noise_levels": [0, 1.0],
                "data": {
                    "dataset": "digits",
                    "image_size": 7,
                    "train_examples": 50,
                    "validation_examples": 50,
                },
                "model": {"hidden_layers": 1, "hidden_units": [4]},
                "training": {"epochs": 2, "batch_size": 25, "learning_rate": 0.1},
            },
        }
    },
}
SETTINGS["presets"]["tiny"]["capacity"]["training"] |= {"evaluate_every": 1, "threshold": None}
ABOUT = {"tolerance": 100, "because": "of nothing"}
COUNTED = {
    "name": "counted",
    "of": "an MLP",
    "unit": "parameters",
    "printed": 8,
    "take": {"model": {"hidden_units": [1]}, "image": [1, 1, 2], "classes": 2},
}
TRAINED = {
    "name": "trained",
    "of": "training accuracy",
    "unit": "%",
    "printed": 50.0,
    "take": {"variable": "train_accuracy", "noise_kind": "randY", "epoch": 2},
}
PLAN = {
    "about": "Lines.",
    "groups": {
        "counts": {"title": "Counts", "about": "", "lines": [COUNTED | ABOUT]},
        "tiny": {
            "title": "Tiny",
            "about": "",
            "config": "tiny.yaml",
            "preset": "tiny",
            "run": "capacity/units-4",
            "lines": [TRAINED | ABOUT],
        },
    },
}


def compare(folder, *options: str, plan: dict = PLAN, fails: bool = False) -> str:
    (folder / "lines.yaml").write_text(yaml.safe_dump(plan))
    script = ROOT / "workflow_scripts" / "compare_published.py"
    command = [preloaded.python(), str(script), "--folder", str(folder), "--directory", "work"]
    ran = subprocess.run(
        [*command, "--cores", "1", *options],
        cwd=folder,
        env=preloaded.environment(),
        capture_output=True,
        text=True,
    )
    assert (ran.returncode != 0) == fails, ran.stderr + ran.stdout
    assert "Traceback" not in ran.stderr
    return ran.stdout + ran.stderr


def configure(folder, learning_rate: float) -> None:
    SETTINGS["presets"]["tiny"]["capacity"]["training"]["learning_rate"] = learning_rate
    (folder / "tiny.yaml").write_text(yaml.safe_dump(SETTINGS))


def of_file(folder) -> float:
    run = netcdf.read(folder / "work" / "results" / "tiny" / "runs" / "capacity" / "units-4.nc")
    own = run["train_accuracy"].values[run["noise_kind"].values == "randY", -1]
    assert len(own) == 2
    return 100 * own.mean()


def known(folder):
    return printed.rows_of(netcdf.read(folder / "published.nc"))


def test_lines_are_entered_kept_and_computed_again(tmp_path):
    configure(tmp_path, 0.1)
    compare(tmp_path, "counts")
    assert known(tmp_path)["counted"]["ours"].item() == 2 + 1 + 2 + 2
    assert (
        "| training accuracy, % | 50.00 | not computed yet |"
        in (tmp_path / "README.md").read_text()
    )

    assert "training 4 models" in compare(tmp_path)
    first = known(tmp_path)["trained"]
    assert first["ours"].item() == pytest.approx(of_file(tmp_path))
    assert first["dataset"].item() == "MNIST digits"

    # A line that is out of date stands until its new number is there.
    configure(tmp_path, 0.2)
    said = compare(tmp_path, "--cores", "zero", fails=True)
    assert "--cores: 'zero' is neither all nor a number from 1 on" in said
    mine = [tmp_path / "tiny.yaml"]
    begun = compare_published.Comparison(
        SimpleNamespace(folder=tmp_path, configfile=mine, groups=[])
    )
    assert begun.lacking("run", ["tiny"]) == ["tiny"]
    begun.write()
    assert known(tmp_path)["trained"].equals(first)
    configure(tmp_path, 0.1)

    # What is there is not computed again, even without the file that it was taken from.
    (tmp_path / "work" / "results" / "tiny" / "runs" / "capacity" / "units-4.nc").unlink()
    assert compare(tmp_path) == ""

    configure(tmp_path, 0.3)
    compare(tmp_path, "counts")  # others stay as they were
    assert known(tmp_path)["trained"]["made_by"].item() == first["made_by"].item()
    assert "training 4 models" in compare(tmp_path, "tiny")
    again = known(tmp_path)["trained"]
    assert again["made_by"].item() != first["made_by"].item()
    assert again["ours"].item() == pytest.approx(of_file(tmp_path))


def test_a_line_that_lies_outside_has_its_experiment_computed(tmp_path):
    configure(tmp_path, 0.1)
    plan = deepcopy(PLAN)
    again = plan["groups"]["again"] = deepcopy(plan["groups"]["tiny"])
    again["lines"][0]["name"] = "trained_again"
    plan["groups"]["tiny"]["lines"][0] |= {"experiments": ["trained_again"]}
    assert "training 4 models" in compare(tmp_path, plan=plan)
    assert "trained_again" not in known(tmp_path)  # as that line is within
    plan["groups"]["tiny"]["lines"][0]["tolerance"] = 0
    compare(tmp_path, plan=plan)
    there = known(tmp_path)
    assert there["trained_again"]["ours"].item() == there["trained"]["ours"].item()
    page = (tmp_path / "README.md").read_text()
    assert "**outside**; its experiment, *training accuracy*, is within" in page


def test_what_cannot_be_computed_is_a_sentence(tmp_path):
    configure(tmp_path, 0.1)
    said = compare(tmp_path, "tinny", fails=True)
    assert said == "Error: unknown group tinny: did you mean tiny? known are counts, tiny.\n"
    (tmp_path / "work" / "empty.npz").write_bytes(b"")
    other = {"datasets": {"digits": {"title": "Mine", "source": "numpy", "path": "empty.npz"}}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(other))
    said = compare(tmp_path, "--configfile", "mine.yaml", fails=True)
    assert "empty.npz" in said
    assert list(known(tmp_path)) == ["counted"]
    said = compare(tmp_path, "--directory", "mine.yaml", fails=True)
    assert said.endswith(
        "mine.yaml cannot be made a folder (File exists): name another --directory.\n"
    )
