"""Noises of the configuration: what may be written, and what files then depend on."""

import re
from types import SimpleNamespace

import pytest

from conftest import ROOT
from rote.machine.errors import UserError
from rote.runs import estimate
from rote.study import code, configuration, noises, notes, plan, run_settings, work
from rote.study.jobs import Study

SHIPPED = ROOT / "config.yaml"
MATRIX = [[0.9, 0.1], [0.25, 0.75]]
FLIPS = {"kind": "transitionY", "matrix": MATRIX}


def study(defined: dict, kinds: list, **others) -> Study:
    """Return a study of the demo whose experiment capacity has these kinds of noise."""
    capacity = {"noise_kinds": kinds, "seeds": 2, **others}
    given = {"noises": defined, "presets": {"demo": {"capacity": capacity}}}
    return Study(configuration.load(SHIPPED, given=given))


CAPACITY = SimpleNamespace(preset="demo", noised="capacity")


@pytest.fixture
def human(tmp_path, monkeypatch) -> dict:
    (tmp_path / "labels.npy").write_bytes(b"some")
    monkeypatch.setenv("HERE", str(tmp_path))
    return {"kind": "fileY", "path": "$HERE/labels.npy", "title": "labels of people"}


@pytest.mark.parametrize(
    ("defined", "kinds", "words"),
    [
        (
            {},
            ["pairy"],
            "noise_kinds[0] names the noise pairy, which is unknown: did you mean pair",
        ),
        ({}, [3], "noise_kinds[0] is 3: write the name of a noise; put it into quotes ("),
        (
            {},
            ["transitionY"],
            "is transitionY, which needs matrix: define a noise of this kind und",
        ),
        ({"a": {}}, ["a"], "noises.a lacks the key kind: add it ("),
        ({"a": {"kind": "pair"}}, ["a"], 'noises.a.kind is "pair", which is unknown: did you mean'),
        ({"a": {"kind": "transitionY"}}, ["a"], "noises.a lacks the key matrix, which transitionY"),
        ({"a": {"kind": "pairY", "matrix": MATRIX}}, ["a"], "the key matrix, which pairY does not"),
        ({"a": FLIPS | {"rate": 1}}, ["a"], "unknown key rate under noises.a: known are kind, ma"),
        ({"real": FLIPS}, ["real"], "noises.real bears the name of what there is already: choose"),
        ({"randY": FLIPS}, ["randY"], "noises.randY bears the name of what there is already"),
        ({"a/b": FLIPS}, ["a/b"], 'the name "a/b" under noises: use 1 to 20 letters, digits and _'),
        ({"a": FLIPS | {"title": "$x$"}}, ["a"], "noises.a.title is"),
        ({"a": FLIPS | {"matrix": [[1, 0]]}}, ["a"], "noises.a.matrix is [[1, 0]]: write a row"),
        ({"a": FLIPS | {"matrix": [[1, 0], [1]]}}, ["a"], "noises.a.matrix[1] is [1]"),
        (
            {"a": FLIPS | {"matrix": [[1, 0, 0], [1, 0, 0]]}},
            ["a"],
            "noises.a: row 0 of matrix has 3 numbers, but there are 2 rows: write a square (",
        ),
        (
            {"a": FLIPS | {"matrix": [[1, 0], [0.5, 0.4]]}},
            ["a"],
            "noises.a: row 1 of matrix sums to 0.9: write probabilities that sum to 1 (",
        ),
        ({"a": FLIPS | {"matrix": [[1, 0], [1.5, -0.5]]}}, ["a"], "matrix[1][0] is 1.5: it must b"),
        (
            {"a": {"kind": "fileY", "path": "x.csv"}},
            ["a"],
            "noises.a: x.csv is no .nc, .npz or .npy: convert it, text of a label a line by "
            'numpy.save("labels.npy", numpy.loadtxt("x.csv", dtype=int)) (',
        ),
        (
            {"a": {"kind": "fileY", "path": "none.npz"}},
            ["a"],
            "noises.a.path is none.npz, which cannot be read (No such file or directory): write",
        ),
        ({"a": {"kind": "fileY", "path": "$NOWHERE/a.npz"}}, ["a"], "names the variable NOWHERE"),
    ],
)
def test_each_mistake_gets_one_sentence(defined, kinds, words):
    with pytest.raises(UserError) as raised:
        study(defined, kinds)
    assert words in str(raised.value)
    assert str(raised.value).startswith("config: ")
    assert str(raised.value).endswith(").")  # where it is written
    assert "\n" not in str(raised.value)


def test_files_of_noises_that_are_not_needed_may_be_away():
    study({"a": {"kind": "fileY", "path": "none.npz"}}, ["pairY"])


def test_a_job_gets_what_its_noises_are_and_no_others(human, tmp_path):
    defined = {"flips": FLIPS, "human": human, "unused": FLIPS}
    data = study(defined, ["human", "randX", "flips", "pairY"]).noising(CAPACITY)
    assert data["noise_kinds"] == ["flips", "human", "pairY", "randX"]
    path = str(tmp_path / "labels.npy")
    assert data["noises"] == {"flips": FLIPS, "human": human | {"path": path}}
    assert data["draws"] == [[0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("vary", "pairs"),
    [
        (["data"], [[3, 3], [4, 3]]),
        (["noise"], [[3, 3], [3, 4]]),
        (["order"], [[3, 3]]),
    ],
)
def test_noise_that_depends_on_examples_is_drawn_for_the_pairs_of_replicates(vary, pairs):
    own = study({}, ["pairY"], vary=vary, first_seed=3)
    assert own.noising(CAPACITY)["draws"] == pairs


def test_what_has_none_of_it_is_made_by_what_it_was():
    data = study({"unused": FLIPS}, ["randX", "randY"]).noising(CAPACITY)
    assert not {"noises", "draws"} & data.keys()


def made_by(human: dict, kinds: list) -> str:
    return study({"human": human}, kinds).made_by.noised(CAPACITY)


def test_data_depends_on_the_files_of_its_noises_by_their_content(human, tmp_path):
    before, without = made_by(human, ["human"]), made_by(human, ["pairY"])
    (tmp_path / "labels.npy").write_bytes(b"others")
    notes.of_content.cache_clear()
    assert made_by(human, ["human"]) != before
    assert made_by(human, ["pairY"]) == without


def test_data_depends_on_the_code_of_its_kinds_and_of_no_others(monkeypatch):
    def each() -> dict:
        return {
            kind: study({}, [kind]).made_by.noised(CAPACITY)
            for kind in ("randX", "pairY", "shuffledX")
        }

    before, digest = each(), code.digest
    monkeypatch.setattr(
        code, "digest", lambda modules: digest(modules) + ("!" if "pairY" in str(modules) else "")
    )
    assert {kind for kind, made in each().items() if made != before[kind]} == {"pairY"}


def test_noise_in_the_inputs_takes_memory_and_noise_in_the_labels_none():
    megabytes = {
        tuple(kinds): study({"flips": FLIPS}, list(kinds))._megabytes("demo", "capacity")
        for kinds in (["randY"], ["flips"], ["randX"], ["shuffledX"], ["randX", "scrambledX"])
    }
    labels, flips, one, other, two = megabytes.values()
    assert labels == flips < one == other < two


def test_a_search_on_noise_is_counted_for_each_kind_in_the_inputs():
    model = {"hidden_layers": 1, "hidden_units": 4}
    search = {"examples": 50, "train_examples": 0, "radius": [1.0], "epochs": [1]}
    data = {"train_examples": 10, "validation_examples": 5, "noises": {"flips": FLIPS}}

    def counted(kind: str) -> int:
        run = {
            "model": model,
            "training": {"epochs": 1, "batch_size": 5},
            "members": [[*plan.Member(kind, 1.0, 0, 0, 0.1, 0.0)]],
            "critical_samples": search | {"max_iterations": 1},
        }
        return work.of_run(run, (1, 4, 4), data)

    assert counted("flips") == counted("pairY") == counted("randY") == counted("real")
    assert counted("shuffledX") == counted("randX") > counted("real")


def test_an_estimate_needs_no_files_of_noises(human, settings, monkeypatch):
    monkeypatch.setattr(estimate.devices, "fastest", lambda function, device, times=3: 1.0)
    own = settings | {"noise_kinds": ["human", "shuffledX"]}
    data = plan.data_settings(own) | {"noises": {"human": human | {"path": "none.npy"}}}
    run = run_settings.of_run("capacity", own, "units-6", "float32")
    assert estimate.seconds_of_run(run, (1, 4, 4), data, device="cpu") > 0


def test_every_kind_has_words_and_is_in_the_guide():
    guide = (ROOT / "docs" / "own-data-and-figures.md").read_text()
    for name, kind in noises.KINDS.items():
        assert kind.words and kind.replaces in ("image", "label")
        assert re.search(rf"`{name}`", guide), name
        assert noises.words(name, {}) == kind.words
    assert noises.words("a", {"a": FLIPS}) == noises.KINDS["transitionY"].words
    assert noises.words("a", {"a": FLIPS | {"title": "flips"}}) == "flips"
    assert noises.words("real", {}) == ""
