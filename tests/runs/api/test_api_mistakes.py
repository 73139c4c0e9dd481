"""What is wrong in a call of the front door is said in a sentence."""

import sys
import warnings
from types import ModuleType

import numpy as np
import pytest
from torch import nn

import own_models
from made_up_images import CNN, COLOUR, IMAGES, LABELS, MLP
from rote import api
from rote.machine.errors import UserError
from rote.study.noises import KINDS


def test_data_of_a_study_that_does_not_say_its_scaling_takes_no_new_images():
    own = api.data(IMAGES, LABELS, train_examples=50, scaling="standardized")
    del own.attrs["black_input"]
    with pytest.raises(UserError, match="how its scaling, standardized, is done"):
        api.inputs(own, IMAGES)
    own = api.data(IMAGES, LABELS, train_examples=50)
    del own.attrs["black_input"]
    np.testing.assert_allclose(api.inputs(own, IMAGES)[:, 0], IMAGES / 255, rtol=1e-6)


def wrong(call, **changed):
    """Return a call with sound arguments, but for those that are changed."""
    sound = {
        api.data: {"images": IMAGES, "labels": LABELS, "train_examples": 20},
        api.train: {"model": MLP, "epochs": 2, "learning_rate": 0.1},
        api.sensitivity: {"model": MLP, "epochs": 1, "learning_rate": 0.1, "evaluations": 1},
        api.Trained.critical_samples: {"examples": 5},
        api.Trained.logits: {"images": np.zeros((5, 1, 4, 4))},
    }
    return call, {**sound[call], **changed}


MISTAKES = [
    (
        wrong(api.train, optimizer="AdamW"),
        "optimizer is .AdamW., .* choose one of sgd, adam, adamw",
    ),
    (wrong(api.train, optimizer="adamm"), "optimizer is .adamm., .* choose one of sgd, adam"),
    (wrong(api.train, schedule="cos"), "schedule is .cos., .* choose one of steps, cosine"),
    (wrong(api.train, optimizer="adam", momentum=0.9), "momentum, which is that of sgd"),
    (wrong(api.train, schedule="cosine", decay_every=1), "along a cosine, and steps too"),
    (wrong(api.train, device="gpu"), "device is .gpu., .* choose one of auto, cpu, cuda"),
    (wrong(api.train, epochs=0), "epochs is 0: it must be at least 1"),
    (wrong(api.train, epochs=3.0), "epochs is 3.0: write a value of type integer; 3 is one"),
    (wrong(api.train, learning_rate=[0.1]), "learning_rate is .0.1.: write a number above 0"),
    (wrong(api.train, learning_rate=0), "learning_rate is 0: write a number above 0"),
    (wrong(api.train, learning_rate=np.nan), "learning_rate is NaN: write a number above 0"),
    (wrong(api.train, batch_size=0), "batch_size is 0: it must be at least 1"),
    (wrong(api.train, evaluate_every=-1), "evaluate_every is -1: it must be at least 1"),
    (wrong(api.train, plateau=3), "plateau is 3: write a value of type object"),
    (wrong(api.train, plateau={"epochs": 2, "gain": 0.1}), "set plateau.epochs to 3 or more"),
    (wrong(api.train, threshold=2), "threshold is 2: a threshold is an accuracy"),
    (wrong(api.train, dropout=1.5), "dropout is 1.5: dropout sets .* below 1"),
    (wrong(api.train, dropout="much"), "dropout is .much.: dropout sets"),
    (wrong(api.train, weight_decay=-0.1), "weight_decay is -0.1: it must be at least 0"),
    (wrong(api.train, keep_epochs=[3]), "keep_epochs names the epoch 3, but models train for 2"),
    (wrong(api.train, keep_epochs=1), "keep_epochs is 1: write a value of type array"),
    (wrong(api.train, record=["rigth"]), "record.0. is .rigth., .* did you mean right"),
    (wrong(api.train, momntum=0.9), "unknown key momntum: did you mean momentum"),
    (wrong(api.train, adversarial=0.5), "adversarial needs adversarial_examples, the search"),
    (
        wrong(api.train, adversarial=0.5, adversarial_examples={"alpha": 8}),
        "adversarial_examples lacks the key beta: add it",
    ),
    (wrong(api.train, conditions=("randY", 1)), "conditions hold .randY.: give a list of pairs"),
    (wrong(api.train, conditions=[]), "conditions name nothing"),
    (wrong(api.train, conditions=[("randZ", 1)]), "randZ.* is none of this data"),
    (wrong(api.train, conditions=[("randY", "1")]), "a level from 0 to 1"),
    (wrong(api.train, conditions=[("real", 0.5)]), "real has no level 0.5"),
    (
        wrong(api.train, conditions=[("randY", 1), ("real", 0), ("randY", np.float64(1))]),
        r"conditions hold \(.randY., 1\) twice, .*: keep one of them",
    ),
    (wrong(api.sensitivity, conditions=[("real", 0)] * 2), r"conditions hold \(.real., 0\) twice"),
    (wrong(api.train, model={"hidden_unit": 3}), "unknown key hidden_unit under model: did you m"),
    (
        wrong(api.train, model={"hidden_layers": 3, "hidden_units": [4, 4]}),
        "has 3 hidden_layers, but hidden_units names the widths of 2",
    ),
    (wrong(api.train, model=nn.Linear(16, 3)), "model is a Linear: give .* a function that makes"),
    (
        wrong(api.train, model={"from": "act.py:f", "arguments": {"act": nn.ReLU}}),
        "arguments.act is a type, which is no value of an argument: give numbers, text",
    ),
    (
        wrong(api.train, model={"from": "act.py:f", "arguments": {"a": ({"b": {1, 2}}, None)}}),
        r"arguments.a\[0\].b is a set, which is no value of an argument",
    ),
    (wrong(api.train, store=3), "store is a int: give the path of a folder, or None"),
    (wrong(api.train, data=IMAGES), "data is a ndarray: give what api.data returns"),
    (wrong(api.data, vary="data"), "vary is .data.: write a value of type array"),
    (wrong(api.data, vary=["dta"]), "vary.0. is .dta., which is unknown: did you mean data"),
    (wrong(api.data, scaling="standardised"), "scaling is .* did you mean standardized"),
    (wrong(api.data, random_labels="balancd"), "random_labels is .* did you mean balanced"),
    (wrong(api.data, seeds=0), "seeds is 0: it must be at least 1"),
    (wrong(api.data, first_seed=-1), "first_seed is -1: it must be at least 0"),
    (wrong(api.data, train_examples=-1), "train_examples is -1: it must be at least 1"),
    (wrong(api.data, validation_examples=-1), "validation_examples is -1: it must be at least 0"),
    (wrong(api.data, image_size=0), "image_size is 0: write a number of rows"),
    (wrong(api.data, noises="randY"), "noises is .randY.: write a list of names"),
    (wrong(api.data, noises=["randZ"]), "noises names .randZ., which is unknown: did you mean"),
    (wrong(api.data, noises=["transitionY"]), "transitionY, which needs matrix: define one of y"),
    (wrong(api.data, noises={"a": {"kind": "nope"}}), "noises.a.kind is .nope., which is unknow"),
    (wrong(api.data, noises={"a": {}}), "noises.a lacks the key kind: add it"),
    (wrong(api.data, noises={"a": {"kind": "transitionY"}}), "noises.a lacks the key matrix"),
    (wrong(api.data, noises={"randY": {"kind": "pairY"}}), "bears the name of what there is"),
    (wrong(api.data, images=IMAGES / 255), "np.round.255"),
    (wrong(api.data, images=np.where(IMAGES > 9, np.nan, 0)), "np.round.255"),
    (wrong(api.data, images=IMAGES[0, 0]), r"shape \(4,\)"),
    (wrong(api.data, images=[*IMAGES[:-1], IMAGES[0, :2]]), "images are of several sizes"),
    (wrong(api.data, images=COLOUR[:, :3]), "both the second dimension and the last one could"),
    (wrong(api.data, images=IMAGES.reshape(200, 2, 2, 4)), "neither the second dimension and t"),
    (wrong(api.data, channels="3"), "channels is .3.: write 'first', 'last'"),
    (wrong(api.data, test=IMAGES), "test is no pair: give images and their labels"),
    (wrong(api.data, labels=[[1], [2, 3]]), "labels are of several sizes"),
    (wrong(api.data, test=(IMAGES[:, :2], LABELS)), "those of test of .1, 2, 4.: make all alike"),
    (wrong(api.data, labels=LABELS[:9]), "200 images, but 9 labels"),
    (wrong(api.data, labels=LABELS[:, None]), r"shape \(200, 1\): have one for each image"),
    (wrong(api.data, labels=np.where(LABELS == "cat", np.nan, 1)), "labels are missing .NaN."),
    (wrong(api.data, labels=np.array(["a", 1] * 100, object)), "labels are of several types"),
    (wrong(api.sensitivity, norms="l1"), "norms is .l1.: write a value of type array"),
    (wrong(api.sensitivity, norms=["l3"]), "norms.0. is .l3., which is unknown"),
    (wrong(api.sensitivity, evaluations=0), "evaluations is 0: it must be at least 1"),
    (wrong(api.sensitivity, epochs=0), "epochs is 0: it must be at least 1"),
    (wrong(api.sensitivity, model=CNN), "model is a CNN, .* give a function that makes the same"),
    (wrong(api.sensitivity, momentum=0.9), "momentum is none of the settings .* plain SGD: leave"),
    (wrong(api.sensitivity, dropout=0.9), "dropout is none of the settings .* plain SGD: leave"),
    (wrong(api.sensitivity, evaluatons=2), "unknown key evaluatons: did you mean evaluations"),
    (wrong(api.sensitivity, model=own_models.Tokens), "Tokens have no derivative by its images"),
    (wrong(api.sensitivity, device="gpu"), "device is .gpu., which is unknown"),
    (
        wrong(api.sensitivity, unique_labels=True, class_evaluations=1),
        "class_evaluations measures between the classes",
    ),
    (wrong(api.Trained.critical_samples, examples=41), "examples is 41, but the data has 40 valid"),
    (wrong(api.Trained.critical_samples, examples=0), "examples is 0: it must be at least 1"),
    (
        wrong(api.Trained.critical_samples, train_examples=61),
        "train_examples is 61, but the data has 60 train examples: lower it, or raise train_e",
    ),
    (wrong(api.Trained.critical_samples, radius=[0.0, 1.0]), "radius.0. is 0.0: it must be more"),
    (wrong(api.Trained.critical_samples, alpha=-1), "alpha is -1: a length is"),
    (wrong(api.Trained.logits, images=np.zeros((5, 15))), r"shape \(5, 15\), but models take"),
    (wrong(api.Trained.logits, images=["x"]), "images are no array of numbers"),
    (wrong(api.Trained.logits, epoch=1), "epoch 1 were not kept: name it in keep_epochs"),
]


@pytest.mark.parametrize(("call", "sentence"), MISTAKES, ids=[words for _, words in MISTAKES])
def test_mistakes_get_a_sentence(data, trained, call, sentence):
    function, arguments = call
    if function in (api.train, api.sensitivity):
        arguments = {"data": data, **arguments}
    elif function is not api.data:
        arguments = {"self": trained, **arguments}
    with pytest.raises(UserError, match=sentence) as raised:
        function(**arguments)
    assert "\n" not in str(raised.value)
    assert not str(raised.value).startswith("config")


SHOWN = "The attribute {} of the data is {}, which is no text of names and values: assign"


ONE = "{{seeds: {}, first_seed: {}, vary: {}}}"


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"settings": "[]"}, SHOWN.format("settings", r".\[\].")),
        ({"settings": "a: b: c"}, SHOWN.format("settings", ".a: b: c.")),
        ({"settings": 3}, SHOWN.format("settings", "3")),
        ({"settings": "{}"}, "settings of the data has no list of noise_kinds: assign the one"),
        ({"replicates": "x"}, SHOWN.format("replicates", ".x.") + " one such as .{seeds: 3"),
        ({"replicates": {"seeds": 3}}, SHOWN.format("replicates", ".*seeds.*")),
        ({"replicates": "{seeds: 3}"}, "replicates lacks the key first_seed: add it"),
        ({"replicates": ONE.format(0, 0, "[]")}, "replicates.seeds is 0: it must be at least 1"),
        ({"replicates": ONE.format(1, 0, "[nose]")}, "replicates.vary.0. is .nose.,.* noise"),
        (
            {"replicates": ONE.format(3, 0, "[data]")},
            "the seed 2, by which the data has no draw of data",
        ),
        (
            {"replicates": ONE.format(1, 5, "[data]")},
            "the seed 5, by which the data has no draw of data",
        ),
        (
            {"replicates": ONE.format(4, 0, "[noise]")},
            "the seed 2, by which the data has no draw of noise",
        ),
    ],
)
def test_wrong_attributes_of_data_get_a_sentence(data, attributes, sentence):
    with pytest.raises(UserError, match=sentence) as raised:
        api.train(data.assign_attrs(attributes), MLP, epochs=1, learning_rate=0.1)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["image", "label", "order", "class_name", "drawn_from"])
def test_data_that_lacks_something_gets_a_sentence(data, name):
    own = data.drop_vars(name, errors="ignore")
    own.attrs.pop(name, None)
    for call in (api.train, api.sensitivity):
        with pytest.raises(UserError, match=f"data lacks {name}: give what api.data returns"):
            call(own, MLP, epochs=1, learning_rate=0.1)
    assert "drawn_from" in data.attrs


@pytest.mark.parametrize("name", ["data_seed", "noise_seed", "channel", "row"])
def test_a_dimension_that_was_selected_away_gets_a_sentence(data, name):
    with pytest.raises(UserError, match=f"data lacks {name}: give .*a list, such as data_seed=.0."):
        api.train(data.isel({name: 0}), MLP, epochs=1, learning_rate=0.1)


@pytest.mark.parametrize(
    ("seeds", "lacking"),
    [
        ({"data_seed": [0, 2], "noise_seed": [0, 2]}, "draws of data by 0, 1, but .* by 0, 2"),
        ({"data_seed": [1, 2], "noise_seed": [0, 1]}, "draws of noise by 1, 2, but .* by 0, 1"),
        ({"noise_seed": [2]}, "draws of noise by 0, but it has those by 2: select seeds in a row"),
    ],
)
def test_draws_of_a_study_that_are_not_in_a_row_get_a_sentence(seeds, lacking):
    own = api.data(IMAGES, LABELS, train_examples=60, noises=["randY"], seeds=3)
    del own.attrs["replicates"]
    arguments = {"conditions": [("randY", 1)], "epochs": 1, "learning_rate": 0.1}
    with pytest.raises(UserError, match=lacking):
        api.train(own.sel(seeds), MLP, **arguments)
    in_a_row = own.sel(data_seed=[1, 2], noise_seed=[1, 2])
    assert api.train(in_a_row, MLP, **arguments).curves["seed"].values.tolist() == [1, 2]


def test_models_without_a_derivative_by_images_have_logits_alone(data):
    models = api.train(data, own_models.Tokens, epochs=1, learning_rate=0.1)
    assert models.logits(data["image"].values).notnull().all()
    with pytest.raises(UserError, match="Tokens have no derivative .* the search for critical sam"):
        models.critical_samples(examples=5)


@pytest.mark.parametrize("scaling", ["unit", "standardized", "per_image"])
def test_grey_levels_in_place_of_inputs_are_warned_of(scaling):
    own = api.data(IMAGES, LABELS, train_examples=60, scaling=scaling)
    models = api.train(own, MLP, epochs=1, learning_rate=0.1)
    with pytest.warns(UserWarning, match="from 0 to 255, .*: give grey levels to rote.api") as said:
        models.logits(IMAGES[:, None])
    assert [each.filename for each in said] == [__file__]
    inputs = api.inputs(own, IMAGES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        models.logits(inputs + np.random.default_rng(0).normal(0, 0.1, inputs.shape))
        assert models.logits(inputs[:0]).sizes["example"] == 0


def test_critical_samples_need_validation_examples():
    own = api.data(IMAGES, LABELS, train_examples=20)
    models = api.train(own, MLP, epochs=1, learning_rate=0.1)
    with pytest.raises(UserError, match="data has 0 validation examples: lower it, or raise valid"):
        models.critical_samples(examples=1)


def test_a_noise_of_ones_own_that_gives_no_labels_is_refused(monkeypatch):
    module = ModuleType("rote.data.noises.ownY")
    module.OF_EXAMPLES, module.labels = True, lambda examples, seed: examples.label + 0.5
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(KINDS, "ownY", KINDS["pairY"])
    with pytest.raises(UserError, match="labels of the noise ownY returns the label .*5 in place"):
        api.data(IMAGES, LABELS, train_examples=20, noises=["ownY"])
