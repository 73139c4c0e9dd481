"""Which examples of a data set an experiment trains on, and which it validates."""

import logging

import numpy as np
import xarray as xr

from rote.machine.errors import UserError
from rote.machine.randomness import generator
from rote.study.plan import subset_size

logger = logging.getLogger(__name__)


def balanced_order(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a random order of the examples of which every prefix is balanced over the classes.

    Each class is shuffled and the classes take turns, in a new order each turn; a class that is
    used up is left out. ``labels`` is (examples,); so is the result, positions in ``labels``.
    """
    turn = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        (members,) = np.nonzero(labels == label)
        turn[rng.permutation(members)] = np.arange(len(members))
    return np.lexsort((rng.random(len(labels)), turn))


def select(source: xr.Dataset, data: dict, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the training and the validation examples, both class-balanced.

    Validation is drawn first, so that it stays the same when the number of training examples grows.
    There must be enough images, see ``rote.study.sizes.unmet``.

    Args:
        source: a dataset of ``rote.data.sources``.
        data: the settings of the experiment's data.
        seed: which draw.

    Raises:
        UserError: a class would be validated but not trained on.
    """
    split, label = source["split"].values, source["label"].values
    pools = {part: np.flatnonzero(split == number) for number, part in enumerate(("train", "test"))}
    ordered = {
        part: pool[balanced_order(label[pool], generator("subset", part, seed))]
        for part, pool in pools.items()
    }
    part = data["validation_from"]
    first = np.arange(len(ordered[part]))
    if part == "train":
        first = np.argsort(_needed_for_training(label[ordered[part]]), kind="stable")
    first = np.sort(first[: data["validation_examples"]])
    validation, ordered[part] = ordered[part][first], np.delete(ordered[part], first)
    train = ordered["train"][: data["train_examples"]]
    _check_classes(label[train], label[validation], source["class_name"].values, data["dataset"])
    return train, validation


def of_member(examples: int, percent: int, left_out: int, seed: int) -> np.ndarray:
    """Return the positions, in ascending order, of the training examples that a member trains on.

    Args:
        examples: how many there are.
        percent: of them, are drawn at random, each subset of this size being equally likely.
        left_out: where above 0, nothing is drawn: of the first so many ``percent``, which are
            random and class-balanced by themselves, this one, counted from 1, is left out.
        seed: of the member.
    """
    count = subset_size(examples, percent)
    if left_out:
        return np.delete(np.arange(count), left_out - 1)
    drawn = generator("trained on", percent, seed).permutation(examples)[:count]
    return np.sort(drawn)


def _needed_for_training(labels: np.ndarray) -> np.ndarray:
    """Return how much training needs an example of a part that validation is drawn from, too.

    What no model is trained on, none can learn. So a class of few images gives half of them to
    validation (0), more only if the other classes do not suffice (1), and its last one at the very
    end (2). ``labels`` is (examples,), in the order in which they would be drawn.
    """
    needed = np.empty(len(labels), np.int8)
    for label in np.unique(labels):
        (members,) = np.nonzero(labels == label)
        rank, count = np.arange(len(members)), len(members)
        needed[members] = (rank >= count // 2).astype(np.int8) + (rank >= count - 1)
    return needed


def _check_classes(train: np.ndarray, validation: np.ndarray, names: list, dataset: str) -> None:
    """Say how many examples of each class are used, and check that none is only validated.

    Raises:
        UserError: a class is validated that no model is trained on.
    """
    counts = [np.bincount(labels, minlength=len(names)) for labels in (train, validation)]
    if missing := [str(names[i]) for i in np.flatnonzero((counts[0] == 0) & (counts[1] > 0))]:
        raise UserError(
            f"{dataset}: with {len(train)} training examples of {len(names)} classes, none is of "
            f"{', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}, which would be "
            "validated: raise train_examples, lower validation_examples, or add images."
        )
    for use, count in zip(("training", "validation"), counts, strict=True):
        if count.sum():
            least, most = count.min(), count.max()
            each = f"{least}" if least == most else f"{least} to {most}"
            logger.info("%s: %d %s examples, %s of a class.", dataset, count.sum(), use, each)
