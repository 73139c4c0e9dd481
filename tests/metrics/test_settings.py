"""The settings in metrics: what the runs share once, and what each has beside."""

import json

import pytest
import yaml

from made_up_runs import made_up_complexity
from rote.metrics import factored, fig4_1, fig4_2, settings_of


def joined(shared: dict, own: dict) -> dict:
    both = {**shared, **own}
    for key in shared.keys() & own.keys():
        both[key] = joined(shared[key], own[key])
    return both


EACH = [
    {"a": 1, "b": {"x": 0, "y": {"z": 1}}, "c": [1], "only": None},
    {"a": 1, "b": {"x": 0, "y": {"z": 2}}, "c": [2], "d": {"e": 1}},
    {"a": 1, "b": {"x": 0, "y": {"z": 2}, "w": 3}, "c": [2], "d": {"e": 1}},
]


@pytest.mark.parametrize("each", [EACH, EACH[:1], EACH[1:]])
def test_what_is_shared_and_what_is_beside_is_all_there_was(each):
    shared, own = factored(each)
    assert [joined(shared, one) for one in own] == each
    assert shared["a"] == 1
    assert not any("a" in one or "x" in one.get("b", {}) for one in own)


def test_a_file_says_once_what_its_runs_share():
    runs = [made_up_complexity("mlp", cnn=False), made_up_complexity("cnn", cnn=True)]
    text = fig4_2.metrics(runs).attrs["settings"]
    settings = yaml.safe_load(text)
    assert settings["critical_samples"]["radius"] == [0.3, 0.1]
    assert [one["case"] for one in settings.pop("runs")] == ["mlp", "cnn"]
    assert text.count("radius") == text.count("batch_size") == 1
    assert max(map(len, text.splitlines())) < 120
    (run,) = runs[:1]
    assert yaml.safe_load(fig4_1.metrics([run]).attrs["settings"]) == settings_of(run)


def test_settings_in_json_are_read_too():
    run = made_up_complexity("mlp", cnn=False)
    assert settings_of(run)["training"] == json.loads(run.attrs["settings"])["training"]
