"""What captions say about models and their training."""

import pytest

from rote.metrics import words

TRAINING = {"epochs": 30, "batch_size": 50, "learning_rate": 0.1}
STEP = {"decay_factor": 0.5, "decay_every": 10}


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({}, "SGD, 30 epochs, batch 50, learning rate 0.1"),
        ({"decay_factor": 0.5, "decay_every": None}, "batch 50, learning rate 0.1"),
        (STEP, "learning rate 0.1 halved every 10 epochs"),
        ({**STEP, "decay_every": 1}, "learning rate 0.1 halved every 1 epoch"),
        ({**STEP, "decay_factor": 0.1}, "learning rate 0.1 multiplied by 0.1 every 10 epochs"),
        (
            {"decay_every": None, "decay_at": [25, 15, 20], "decay_factor": 0.1},
            "rate 0.1 multiplied by 0.1 after 15, 20 and 25 epochs",
        ),
        ({"decay_every": None, "decay_at": [5], "decay_factor": 0.5}, "halved after 5 epochs"),
        ({"momentum": 0.9}, "learning rate 0.1, momentum 0.9"),
        ({"momentum": 0.9, "nesterov": True}, "learning rate 0.1, Nesterov momentum 0.9"),
        ({"learning_rate": [0.1]}, "learning rate 0.1"),
        (
            {"learning_rate": [0.1, 0.2], **STEP},
            "learning rate 0.1 (first of 0.1, 0.2) halved every 10 epochs",
        ),
        ({"threshold": 1.0}, "SGD, up to 30 epochs, batch 50, learning rate 0.1"),
    ],
)
def test_a_training_is_told(own, said):
    assert words.of_trainings([{**TRAINING, **own}]).endswith(said)


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ([{"hidden_layers": 2, "hidden_units": 8}], "MLP, 2 hidden layers of 8 units"),
        (
            [{"hidden_layers": 2, "hidden_units": units} for units in (8, 64, 16)],
            "MLP, 2 hidden layers of 8 to 64 units",
        ),
        ([{"hidden_layers": 1, "hidden_units": 8}], "MLP, 1 hidden layer of 8 units"),
        ([{"hidden_units": [512, 256]}], "MLP, 2 hidden layers of 512 and 256 units"),
        ([{"hidden_units": [9, 9, 4]}], "MLP, 3 hidden layers of 9, 9 and 4 units"),
        (
            [{"hidden_units": [9, 4], "initialization": "glorot_normal", "biases": False}],
            "of 9 and 4 units, initialised by Glorot (normal), without biases",
        ),
        (
            [
                {
                    "maps": 3,
                    "dense": [4],
                    "padding": "same",
                    "pooling_stride": 2,
                    "initialization": "glorot_uniform",
                }
            ],
            "3 maps, dense layers of 4 units, initialised by Glorot (uniform)",
        ),
    ],
)
def test_a_model_is_told(models, said):
    assert words.of_models(models).endswith(said)


@pytest.mark.parametrize(
    ("padding", "stride", "said"),
    [
        ("same", 2, "CNN, 2 convolutions of 4 maps"),
        ("valid", 3, "CNN, 2 convolutions of 4 maps, no padding, pooling stride 3"),
        ("same", 1, "CNN, 2 convolutions of 4 maps, padding, pooling stride 1"),
    ],
)
def test_another_reading_of_the_cnn_is_said(padding, stride, said):
    cnn = {"maps": 4, "dense": [], "padding": padding, "pooling_stride": stride}
    assert words.of_models([cnn]) == said


def test_a_decay_that_never_comes_is_not_said():
    training = {"epochs": 1, "batch_size": 5, "learning_rate": 0.1}
    said = words.of_trainings([training | {"decay_every": 15, "decay_factor": 0.5}])
    assert said == words.of_trainings([training])
