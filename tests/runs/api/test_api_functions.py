"""Models of a notebook that are functions: what is made for the training is the model."""

import gc
import threading
from functools import partial

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from rote import api
from rote.data.noising import of_draw
from rote.machine.errors import UserError
from rote.models import known_function


def small(image, classes):
    pixels = image[0] * image[1] * image[2]
    return nn.Sequential(nn.Flatten(), nn.Linear(pixels, 8), nn.ReLU(), nn.Linear(8, classes))


def test_a_function_is_a_model_and_its_logits_give_its_accuracy(data):
    models = api.train(data, small, epochs=2, learning_rate=0.1, optimizer="adam", dropout=0.1)
    for member, seed in enumerate(models.curves["seed"].values):
        own = of_draw(data, seed)
        logits = models.logits(own["validation_image"].values).isel(member=member)
        assert logits["class"].values.tolist() == ["cat", "dog", "eel"]
        right = logits.argmax("class").values == own["validation_label"].values
        last = models.curves["validation_accuracy"][member, -1].item()
        assert right.mean() == pytest.approx(last)


def test_two_functions_of_one_name_are_two_models(data):
    first = api.train(data, small, epochs=1, learning_rate=0.1).curves["train_loss"].values

    def other(image, classes):
        return small(image, classes).append(nn.Dropout(0.0)).append(nn.Linear(classes, classes))

    other.__name__ = "small"
    assert (api.train(data, other, epochs=1, learning_rate=0.1).curves["train_loss"] != first).all()


class Attaching(nn.Module):
    """Has a function that goes by the network that it was made in, also in a copy of it."""

    def __init__(self, classes, act):
        super().__init__()
        self.first, self.last, self.act = nn.Linear(16, 8), nn.Linear(8, classes), act()
        self.hidden = lambda images: self.act(self.first(images.flatten(1)))

    def forward(self, images):
        return self.last(self.hidden(images))


class Locked(nn.Sequential):
    """Holds what cannot be copied."""

    def __init__(self, *parts):
        super().__init__(*parts)
        self.lock = threading.Lock()


def layers(classes, act, width=8, kind=nn.Sequential):
    return kind(nn.Flatten(), nn.Linear(16, width), act(), nn.Linear(width, classes))


def test_variables_that_change_after_training_change_no_model(data, tmp_path):
    arguments, found = {"epochs": 1, "learning_rate": 0.3}, []
    images = of_draw(data, 0)["validation_image"].values
    for act, width in ((nn.ReLU, 8), (nn.Tanhshrink, 8), (nn.ReLU, 5)):
        alone = api.train(data, partial(layers, act=act, width=width), **arguments)
        models = api.train(
            data,
            lambda classes: layers(classes, act, width),  # noqa: B023
            store=tmp_path,
            **arguments,
        )
        found.append((models, alone))
    for models, alone in found:
        xr.testing.assert_identical(models.curves, alone.curves)
        np.testing.assert_array_equal(models.logits(images), alone.logits(images))
    ratios = [own.critical_samples(examples=5, radius=9.0) for own in found[0]]
    xr.testing.assert_identical(*ratios)
    first, second = (models.curves["train_loss"].values for models, _ in found[:2])
    assert (first != second).all()


@pytest.mark.parametrize("make", [Attaching, partial(layers, kind=Locked)])
def test_what_cannot_be_copied_is_made_anew_and_refused_if_it_is_another(data, make):
    act = nn.ReLU
    models = api.train(data, lambda classes: make(classes, act), epochs=1, learning_rate=0.3)
    for member, seed in enumerate(models.curves["seed"].values):
        own = of_draw(data, seed)
        logits = models.logits(own["validation_image"].values).isel(member=member)
        right = logits.argmax("class").values == own["validation_label"].values
        assert right.mean() == pytest.approx(
            models.curves["validation_accuracy"][member, -1].item()
        )
    act = nn.Tanhshrink
    for measured in (
        lambda: models.logits(data["image"].values),
        lambda: models.critical_samples(examples=5),
    ):
        with pytest.raises(UserError, match="lambda> computes something else than when its models"):
            measured()
    act = nn.ReLU
    assert models.critical_samples(examples=5)["critical_sample_ratio"].notnull().any()


def test_code_of_a_model_that_reads_a_variable_is_refused_once_that_has_changed(data):
    act = torch.relu

    class Reading(nn.Sequential):
        def forward(self, images):
            return self[1](act(self[0](images.flatten(1))))

    def make(classes):
        return Reading(nn.Linear(16, 8), nn.Linear(8, classes))

    models = api.train(data, make, epochs=1, learning_rate=0.1)
    assert models.logits(data["image"].values).notnull().all()
    act = torch.tanh
    with pytest.raises(UserError, match="make computes .*: give that its value again, or train an"):
        models.logits(data["image"].values)


def test_what_a_function_made_is_kept_as_long_as_its_models(data):
    made = []

    def watched(classes):
        made.append(layers(classes, nn.ReLU))
        return made[-1]

    models = api.train(data, watched, epochs=1, learning_rate=0.1)
    settings, calls = models._settings["model"], len(made)
    models.logits(data["image"].values)
    assert len(made) == calls
    assert known_function.known(settings)
    del models
    gc.collect()
    assert known_function.known(settings) is None
