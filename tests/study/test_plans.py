"""Plans of docs: those that are there are read, and what is wrong in one is a sentence."""

from copy import deepcopy

import pytest
import yaml

from conftest import ROOT
from rote.machine.errors import UserError
from rote.study import plans

GRID = {"first_seed": [0, 8], "learning_rate": [1, 0.7]}
VARIANTS = {"preset": "demo", "grid": GRID, "alone": {"width": [1, 0.5]}}
LINE = {"name": "a", "of": "accuracy", "unit": "%", "printed": 3, "tolerance": 1, "because": "so"}
TRAINED = LINE | {"take": {"variable": "train_accuracy", "epoch": 3}}
GROUP = {"title": "T", "about": "", "preset": "demo", "run": "capacity/units-8", "lines": [TRAINED]}
COUNTED = {
    "title": "C",
    "about": "",
    "lines": [
        LINE
        | {"name": "b", "take": {"model": {"hidden_layers": 1}, "image": [1, 2, 2], "classes": 2}}
    ],
}
LINES = {"about": "", "groups": {"tiny": GROUP}}
PLANS = {"variants.yaml": VARIANTS, "lines.yaml": LINES}


@pytest.mark.parametrize(
    ("folder", "name"),
    [("stability", "variants.yaml"), ("variance", "variants.yaml"), ("published", "lines.yaml")],
)
def test_the_plans_of_the_docs_are_read(folder, name):
    path = ROOT / "docs" / folder
    assert plans.read(path, name) == yaml.safe_load((path / name).read_text("utf-8"))


def changed(name: str, way: str, value: object) -> dict:
    """Return a plan with another value; without it, where the value is None."""
    plan = deepcopy(PLANS[name])
    part, (*above, key) = plan, [int(k) if k.isdigit() else k for k in way.split("/")]
    for each in above:
        part = part[each]
    part[key] = value
    if value is None:
        del part[key]
    return plan


@pytest.mark.parametrize(
    ("name", "way", "value", "said"),
    [
        ("variants.yaml", "grid", None, "the file lacks the key grid: add it."),
        ("variants.yaml", "grid/first_sed", [1], "unknown key first_sed under grid: did you mean "),
        ("variants.yaml", "grid/first_seed", 8, "grid.first_seed is 8: write a value of type arr"),
        ("variants.yaml", "alone/width/1", 0, "alone.width[1] is 0: it must be more than 0."),
        ("variants.yaml", "grid/vary", [["data"]], "the file lacks the key seeds: add it."),
        ("lines.yaml", "groups/tiny/preset", None, "groups.tiny lacks the key preset: add it."),
        ("lines.yaml", "groups/tiny/run", "units-8", "write an experiment and its run, a/b."),
        ("lines.yaml", "groups/tiny/run", None, "unknown key epoch under groups.tiny.lines[0].tak"),
        ("lines.yaml", "groups/tiny/lines/0/printed", "3", 'printed is "3": write a value of type'),
        (
            "lines.yaml",
            "groups/tiny/lines/0/take/epoch",
            [3],
            "epoch is [3]: write a value of type",
        ),
        ("lines.yaml", "groups/counts", COUNTED, "take.model lacks the key hidden_units: add it."),
        ("lines.yaml", "groups/tiny/lines/0/take/epoch", None, "take lacks the key epoch: add it."),
        ("lines.yaml", "groups/tiny/lines/0/unit", "m", 'unit is "m", which is unknown: choose'),
        ("lines.yaml", "groups/other", GROUP, "two lines have the name a: give one of them anot"),
        (
            "lines.yaml",
            "groups/tiny/lines/0/experiments",
            ["b"],
            "the line a names the experiment b, which is unknown: name another line.",
        ),
    ],
)
def test_what_is_wrong_in_a_plan_is_a_sentence(tmp_path, name, way, value, said):
    (tmp_path / name).write_text(yaml.safe_dump(changed(name, way, value)))
    with pytest.raises(UserError) as refused:
        plans.read(tmp_path, name)
    assert str(refused.value).startswith(f"{tmp_path / name}: ")
    assert said in str(refused.value)


def test_a_preset_that_is_unknown_is_said(tmp_path):
    plans.check_name(tmp_path / "lines.yaml", "preset", "demo", {"demo": {}})
    with pytest.raises(UserError) as refused:
        plans.check_name(tmp_path / "lines.yaml", "preset", "dmo", ["demo", "poster"])
    assert str(refused.value) == (
        f"{tmp_path / 'lines.yaml'} names the preset dmo, which is unknown: did you mean demo? "
        "known are demo, poster."
    )
