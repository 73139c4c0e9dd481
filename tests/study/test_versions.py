"""Edited code is kept apart from the code that a number was recorded for."""

import json
from types import SimpleNamespace

import pytest

from rote.study import code, versions
from rote.study.figures import EXPERIMENTS
from rote.study.made_by import code_of


def test_the_code_that_is_committed_is_recorded():
    """If this fails: call ``make golden``, which compares the numbers of the edited code."""
    recorded = json.loads(versions.RECORD.read_text())
    now = {name: code.digest(modules) for name, modules in versions.MODULES.items()}
    assert {name: digest for name, (_, digest) in recorded.items()} == now
    assert {name: versions.current(name) for name in now} == {
        name: getattr(versions, name) for name in now
    }


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(versions, "RECORD", tmp_path / "recorded.json")
    versions._recorded.cache_clear()
    yield
    versions._recorded.cache_clear()


def test_edited_code_goes_by_its_digest_until_it_is_recorded(elsewhere, monkeypatch):
    versions.record()
    number = versions.TRAINING
    assert versions.current("TRAINING") == number
    monkeypatch.setattr(code, "digest", lambda modules: "edited")
    assert versions.current("TRAINING") == f"{number}+edited"
    versions.record()
    assert versions.current("TRAINING") == number


def test_a_raised_number_is_one_of_its_own_until_it_is_recorded(elsewhere, monkeypatch):
    versions.record()
    number = versions.TRAINING
    monkeypatch.setattr(versions, "TRAINING", number + 1)
    assert str(versions.current("TRAINING")).startswith(f"{number + 1}+")
    versions.record()
    assert versions.current("TRAINING") == number + 1


def test_without_a_record_nothing_passes_for_recorded(elsewhere):
    assert "+" in str(versions.current("NOISING"))


def test_an_edit_of_the_script_makes_files_of_runs_stale_and_no_models(elsewhere):
    def made_by():
        wildcards = SimpleNamespace(preset="demo", experiment="capacity", run="units-2")
        return code_of("compute_run", wildcards)

    versions.record()
    before = made_by()
    assert before == ["compute_run", versions.TRAINING]
    recorded = json.loads(versions.RECORD.read_text())
    versions.RECORD.write_text(json.dumps(recorded | {"ASSEMBLY": [1, "before an edit"]}))
    versions._recorded.cache_clear()
    assert made_by()[:2] == before
    assert made_by()[2] == versions.current("ASSEMBLY") != 1


def test_every_kind_of_run_has_its_versions():
    special = {kind for one in EXPERIMENTS.values() for kind, _ in one.special.values()}
    assert set(versions.OF_RUN) == {one.kind for one in EXPERIMENTS.values()} | special
    for modules in versions.MODULES.values():
        assert all(code._path(module) for module in modules), modules
