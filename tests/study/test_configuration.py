"""Files are merged to one configuration, and what they do not say they have from others."""

import copy

import pytest

from made_up_configurations import FOLDER, changed, load, nested
from rote.machine.errors import UserError
from rote.study import check, configuration


def test_the_config_that_ships_is_valid_with_either_preset(config):
    check.validate(config)
    check.validate(changed(config, "preset", "poster"))


def test_the_poster_preset_holds_the_published_sizes(config):
    capacity, difficulty = (config["presets"]["poster"][e] for e in ("capacity", "difficulty"))
    assert config["datasets"][capacity["data"]["dataset"]]["name"] == "MNIST"
    assert capacity["data"]["train_examples"] == 50_000
    assert capacity["data"]["validation_examples"] == 10_000
    assert min(capacity["model"]["hidden_units"]) < 4096 < max(capacity["model"]["hidden_units"])
    assert capacity["training"]["epochs"] == 1000
    convergence = config["presets"]["poster"]["convergence"]
    assert config["datasets"][convergence["data"]["dataset"]]["name"] == "MNIST"
    assert max(convergence["data"]["train_examples"]) == 50_000
    assert convergence["model"]["hidden_units"] == 4096
    assert convergence["training"]["threshold"] == 1
    assert config["datasets"][difficulty["data"]["dataset"]]["name"] == "CIFAR10"
    assert (difficulty["experiments"], difficulty["data"]["train_examples"]) == (100, 1000)


@pytest.mark.parametrize(
    "place",
    [
        "presets.poster",
        "presets.demo.capacity",
        "presets.demo.complexity.cases.digits_cnn",
        "presets.demo.regularization.strengths.dropout",
        "presets.demo.regularization.selected.dropout",
        "presets.demo.sensitivity.labellings.unique",  # which stands under defaults
    ],
)
def test_what_is_null_is_left_out(config, place):
    without = load(nested(place, None))
    *way, last = place.split(".")
    block = config
    for key in way:
        block = block[key]
    del block[last]
    assert without == config


def test_null_stays_where_it_is_a_value(config):
    assert config["presets"]["demo"]["capacity"]["training"]["decay_every"] is None
    changed = load(nested("presets.poster.complexity.cases.cifar10_cnn.training.decay_every", None))
    case = changed["presets"]["poster"]["complexity"]["cases"]["cifar10_cnn"]
    assert case["training"]["decay_every"] is None
    assert config["presets"]["poster"]["complexity"]["cases"]["cifar10_cnn"] != case


def test_a_model_takes_the_place_of_another():
    mlp = {"hidden_layers": 1, "hidden_units": 8}
    own = load(nested("presets.poster.regularization", {"cnn": None, "mlp": mlp}))
    assert own["presets"]["poster"]["regularization"]["mlp"] == mlp
    assert "cnn" not in own["presets"]["poster"]["regularization"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("presets.demo.capacty", "unknown key capacty under presets.demo: did you mean capacity"),
        ("presets.demo.capacity.training.epoch", "unknown key epoch under .* did you mean epochs"),
        ("presets.demo.capacity.training.epochs", "training lacks the key epochs: add it"),
        ("presets.demo.complexity.cases.digits_cn", "digits_cn is null: .* what another file"),
        ("presets.demo.data.crop", "presets.demo.capacity.data lacks the key crop: add it"),
        ("datasets.mnst", "datasets.mnst is null: .* null only takes out what another file names"),
        ("presets", "the file lacks the key presets: add it"),
        ("device", "the file lacks the key device: add it"),
    ],
)
def test_null_hides_no_mistake(place, message):
    with pytest.raises(UserError, match=message):
        load(nested(place, None))


def test_a_later_file_takes_out_what_an_earlier_one_added(config):
    added = nested("datasets.mine", FOLDER)
    assert load(added)["datasets"]["mine"] == FOLDER
    assert load(added, nested("datasets.mine", None)) == config


MINE = """
preset: mine
datasets:
  mine: {title: Mine, source: folder, path: images}
presets:
  mine:
    like: demo
    data: {dataset: mine, random_labels: balanced}
    training: {momentum: 0.5}
    capacity:
      training: {epochs: 7, momentum: 0.25}
    complexity: null
    regularization: {strengths: {adversarial: null}}
"""


def test_a_preset_of_ones_own_holds_only_what_differs(config):
    assert len(MINE.strip().splitlines()) < 15
    own = load(MINE)
    assert own["preset"] == "mine"
    assert {name: own["presets"][name] for name in ("demo", "poster")} == config["presets"]
    expected = copy.deepcopy(config["presets"]["demo"])
    del expected["complexity"], expected["regularization"]["strengths"]["adversarial"]
    for experiment in expected.values():
        experiment["data"] |= {"dataset": "mine", "random_labels": "balanced"}
        if "training" in experiment:
            experiment["training"]["momentum"] = 0.5
    expected["capacity"]["training"] |= {"epochs": 7, "momentum": 0.25}
    assert own["presets"]["mine"] == expected


def test_shared_blocks_reach_every_case():
    mine = {"like": "demo", "data": {"crop": 1}, "training": {"weight_decay": 0.5}}
    cases = load(nested("presets.mine", mine))["presets"]["mine"]["complexity"]["cases"]
    assert [case["data"]["crop"] for case in cases.values()] == [1, 1]
    assert [case["training"]["weight_decay"] for case in cases.values()] == [0.5, 0.5]


def test_seeds_and_what_they_vary_reach_every_experiment_that_says_nothing_else(config):
    shared = {"seeds": 7, "first_seed": 20, "vary": ["order"]}
    mine = {
        "like": "demo",
        **shared,
        "convergence": {"seeds": 2},
        "sensitivity": {"vary": ["data"]},
    }
    own = load(nested("presets.mine", mine), nested("defaults.first_seed", 3))["presets"]
    expected = dict.fromkeys(config["presets"]["demo"], shared)
    expected["convergence"] = shared | {"seeds": 2}
    expected["sensitivity"] = shared | {"vary": ["data"]}
    found = {name: {key: one[key] for key in shared} for name, one in own["mine"].items()}
    assert found == expected
    assert list(found) == [*config["presets"]["demo"]]
    assert "complexity" in found
    assert not any(set(shared) & set(case) for case in own["mine"]["complexity"]["cases"].values())
    assert {one["first_seed"] for one in own["demo"].values()} == {3}


def test_shared_values_bring_in_no_experiment_that_a_preset_lacks():
    mine = {"vary": ["noise"], "capacity": {"seeds": 2}}
    others = load({})["presets"]["demo"]
    presets = {"presets": {"mine": {"like": "demo", **dict.fromkeys(others), **mine}}}
    assert list(load(presets)["presets"]["mine"]) == ["capacity"]


def test_a_new_case_has_the_defaults_and_comes_last():
    case = {
        "data": {"train_examples": 200, "validation_examples": 400},
        "mlp": {"hidden_layers": 1, "hidden_units": 2},
        "training": {"epochs": 2, "batch_size": 5, "learning_rate": 0.1, "evaluate_every": 1},
        "critical_epochs": [2],
    }
    cases = load(nested("presets.demo.complexity.cases.another", case))
    cases = cases["presets"]["demo"]["complexity"]["cases"]
    assert list(cases) == ["digits_mlp", "digits_cnn", "another"]
    assert cases["another"]["data"]["scaling"] == "unit"
    assert cases["another"]["data"]["dataset"] == "digits"
    assert cases["another"]["training"]["momentum"] == 0


def test_changed_defaults_change_whoever_says_nothing_else(config):
    own = load(nested("defaults.capacity.seeds", 5), nested("defaults.data.crop", 2))
    for preset, seeds in (("demo", 6), ("poster", 4)):  # of all its experiments
        assert own["presets"][preset]["capacity"]["seeds"] == (5 if preset == "demo" else seeds)
        assert own["presets"][preset]["convergence"]["seeds"] == seeds
        assert own["presets"][preset]["convergence"]["data"]["crop"] == 2


def test_a_preset_may_be_like_one_that_is_like_another(config):
    presets = {"second": {"like": "first", "difficulty": None}, "first": {"like": "demo"}}
    presets["first"]["capacity"] = {"seeds": 4}
    own = load({"presets": presets})["presets"]
    assert own["second"]["capacity"] == config["presets"]["demo"]["capacity"] | {"seeds": 4}
    assert "difficulty" in own["first"]
    assert "difficulty" not in own["second"]


def test_a_preset_without_an_experiment_does_not_get_it_from_the_defaults():
    own = load({"presets": {"mine": {"sensitivity": {"seeds": 2}}}, "preset": "mine"}, SENSITIVITY)
    assert list(own["presets"]["mine"]) == ["sensitivity"]


SENSITIVITY = nested(
    "presets.mine.sensitivity",
    {"data": {"dataset": "digits"}, "evaluations": 2, "class_evaluations": 1},
)


def test_presets_have_files_of_their_own_that_are_found_by_name(tmp_path, monkeypatch, config):
    monkeypatch.setattr(configuration, "PRESETS", tmp_path)
    (tmp_path / "small.yaml").write_text("like: smaller\ncapacity:\n  seeds: 7\n")
    (tmp_path / "smaller.yaml").write_text("like: demo\ncomplexity: null\n")
    assert set(load()["presets"]) == {"demo", "poster"}
    own = load(given={"preset": "small"})
    assert own["presets"]["small"]["capacity"]["seeds"] == 7
    assert "complexity" not in own["presets"]["small"]
    changed = load(nested("presets.small.capacity.seeds", 8))
    assert changed["presets"]["small"]["capacity"]["seeds"] == 8
    (tmp_path / "small.yaml").write_text("like: demo\ncapacity:\n  seeds: 0\n")
    with pytest.raises(UserError, match=r"seeds is 0: .* \(small.yaml, line 3\)\.$"):
        load(given={"preset": "small"})
    with pytest.raises(UserError, match="choose one of demo, poster, small, smaller"):
        load(given={"preset": "tiny"})


def test_what_a_file_takes_out_of_a_preset_does_not_come_back_from_what_it_is_like(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(configuration, "PRESETS", tmp_path)
    (tmp_path / "small.yaml").write_text(
        "like: demo\ncapacity:\n  seeds: 7\nregularization:\n  strengths:\n    dropout: [0.3]\n"
        "  selected:\n    dropout: 0.3\n"
    )
    without = [
        nested("presets.small.capacity", None),
        nested("presets.small.convergence", None),  # of which small.yaml says nothing
        nested("presets.small.regularization.strengths.dropout", None),
        nested("presets.small.regularization.selected.dropout", None),
    ]
    own = load(*without, given={"preset": "small"})["presets"]["small"]
    demo = load()["presets"]["demo"]
    assert {*demo} - {*own} == {"capacity", "convergence"}
    dropped = demo["regularization"]["strengths"].keys() - own["regularization"]["strengths"]
    assert dropped == {"dropout"}
    back = load(*without, nested("presets.small.capacity.seeds", 5), given={"preset": "small"})[
        "presets"
    ]["small"]
    assert back["capacity"] == demo["capacity"] | {"seeds": 5}


def test_keys_of_another_workflow_are_left_aside_if_it_imports_this_one(config):
    given = {"samples": ["a"], "preset": "poster"}
    assert load(given=given, imported=True) == config | {"preset": "poster"}
    with pytest.raises(UserError, match="unknown key samples"):
        load(given=given)
    with pytest.raises(UserError, match="unknown key capacty under presets.demo"):
        load(given=given | nested("presets.demo.capacty", {}), imported=True)


def test_a_module_of_another_preset_may_be_away(config):
    away = {"from": "/nowhere/my_models.py:small"}
    for preset in ("demo", "poster"):
        own = copy.deepcopy(config)
        regularization = own["presets"][preset]["regularization"]
        regularization.pop("mlp", None)
        regularization.pop("cnn", None)
        regularization["module"] = away
        if preset == "poster":
            check.validate(own)
            continue
        with pytest.raises(UserError, match="/nowhere/my_models.py cannot be read"):
            check.validate(own)


@pytest.mark.parametrize("arguments", [{1: 2, "a": 3}, {"a": [{"b": {1: 2, "c": 3}}]}])
def test_arguments_of_a_module_have_names(config, arguments):
    regularization = config["presets"]["demo"]["regularization"]
    del regularization["mlp"]
    regularization["module"] = {"from": "torchvision.models:resnet18", "arguments": arguments}
    with pytest.raises(UserError, match=r"module: arguments hold the key 1, .* no text: quote it"):
        check.validate(config)
