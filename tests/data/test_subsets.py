"""Subsets are balanced, and no class is validated that no model is trained on."""

import logging

import numpy as np
import pytest
import xarray as xr

from rote.data.subsets import select
from rote.machine.errors import UserError


def subsets(counts, train, validation, part="train", test=()):
    """Return how many of each class are trained on and validated, of classes of these sizes."""
    labels = np.r_[np.repeat(np.arange(len(counts)), counts), np.repeat(np.arange(len(test)), test)]
    split = np.repeat([0, 1], [sum(counts), sum(test)])
    source = xr.Dataset(
        {"label": ("example", labels), "split": ("example", split)},
        coords={"class_name": ("class", [f"class {i}" for i in range(len(counts))])},
    )
    sizes = {"train_examples": train, "validation_examples": validation}
    data = {"dataset": "mine", "validation_from": part, **sizes}
    chosen = select(source, data, 0)
    assert not np.intersect1d(*chosen).size
    assert [len(some) for some in chosen] == [train, validation]
    return [np.bincount(labels[some], minlength=len(counts)).tolist() for some in chosen]


@pytest.mark.parametrize(
    ("counts", "train", "validation", "expected"),
    [
        ((200, 10), 150, 20, [[145, 5], [15, 5]]),
        ((200, 10), 150, 60, [[145, 5], [55, 5]]),
        ((200, 10), 5, 205, [[4, 1], [196, 9]]),  # all but the last of each class, if it must be
        ((200, 1), 100, 50, [[99, 1], [50, 0]]),
        ((100, 100, 1), 100, 50, None),
        ((3, 3, 3), 4, 5, None),
        ([500] * 10, 1000, 4000, [[100] * 10, [400] * 10]),
        ([5] * 10, 10, 40, [[1] * 10, [4] * 10]),
        ([20] * 300, 300, 1500, None),
    ],
)
def test_every_class_that_is_validated_is_trained_on(counts, train, validation, expected):
    found = subsets(counts, train, validation)
    if expected:
        assert found == expected
    trained, validated = np.array(found)
    assert (trained[validated > 0] > 0).all()


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_imbalance(seed):
    rng = np.random.default_rng(seed)
    counts = np.ceil(rng.pareto(0.7, rng.integers(2, 40)) + 1).clip(1, 400).astype(int)
    total = counts.sum()
    validation = int(rng.integers(1, max(2, total - 2 * len(counts))))
    trained, validated = np.array(subsets(counts, total - validation, validation))
    assert (trained[validated > 0] > 0).all()


def test_validation_stays_the_same_when_training_grows():
    labels = np.repeat([0, 1, 2], [90, 30, 5])
    source = xr.Dataset(
        {"label": ("example", labels), "split": ("example", np.zeros(125, int))},
        coords={"class_name": ("class", ["a", "b", "c"])},
    )
    data = {"dataset": "x", "validation_from": "train", "validation_examples": 30}
    small, large = (select(source, {**data, "train_examples": size}, 3) for size in (20, 80))
    np.testing.assert_array_equal(small[1], large[1])
    np.testing.assert_array_equal(small[0], large[0][:20])


def test_too_few_training_examples_for_the_classes_are_refused():
    with pytest.raises(UserError, match=r"with 10 training examples of 20 classes, none is of cla"):
        subsets([50] * 20, 10, 40)


def test_a_class_that_only_the_test_part_has_is_refused():
    with pytest.raises(UserError, match=r"none is of class 2, which would be validated: raise"):
        subsets((50, 50, 0), 80, 30, "test", (10, 10, 10))


def test_how_many_of_each_class_are_used_is_said(caplog):
    with caplog.at_level(logging.INFO):
        subsets((200, 10), 150, 20)
        subsets((50, 50), 80, 0)
    assert [record.getMessage() for record in caplog.records] == [
        "mine: 150 training examples, 5 to 145 of a class.",
        "mine: 20 validation examples, 5 to 15 of a class.",
        "mine: 80 training examples, 40 of a class.",
    ]
