"""How the learning rate falls, against the schedulers of torch; and what is refused."""

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR, StepLR

from conftest import ROOT
from rote.machine.errors import UserError
from rote.study import configuration
from rote.study.schedule import ADAM, decayed, decays, determining

EPOCHS = 12


@pytest.mark.parametrize("factor", [0.5, 0.1, 0.94])
@pytest.mark.parametrize(
    ("settings", "scheduler"),
    [
        ({"decay_every": None}, lambda optimizer, factor: MultiStepLR(optimizer, [], factor)),
        ({"decay_every": 1}, lambda optimizer, factor: StepLR(optimizer, 1, factor)),
        ({"decay_every": 5}, lambda optimizer, factor: StepLR(optimizer, 5, factor)),
        ({"decay_every": 99}, lambda optimizer, factor: StepLR(optimizer, 99, factor)),
        (
            {"decay_every": None, "decay_at": [9, 4, 5]},
            lambda optimizer, factor: MultiStepLR(optimizer, [9, 4, 5], factor),
        ),
        (
            {"decay_every": None, "schedule": "cosine"},
            lambda optimizer, factor: CosineAnnealingLR(optimizer, EPOCHS),
        ),
    ],
)
def test_learning_rates_are_those_of_torch(factor, settings, scheduler):
    optimizer = torch.optim.SGD([torch.zeros(1)], 0.3)
    theirs = scheduler(optimizer, factor)
    training = {"epochs": EPOCHS, "decay_factor": factor, **settings}
    for epoch in range(1, EPOCHS + 1):
        (expected,) = theirs.get_last_lr()
        assert 0.3 * decayed(training, epoch) == pytest.approx(expected, rel=1e-13)
        optimizer.step()
        theirs.step()


def test_what_does_not_apply_determines_nothing():
    plain = {"epochs": EPOCHS, "batch_size": 5}
    one = {**plain, "decay_factor": 0.5, "decay_every": None}
    same = [{**one, "decay_factor": 0.1}, {**one, "decay_every": 12}, {**one, "decay_at": []}]
    same += [{**one, "nesterov": False}]
    assert [determining(training) for training in (one, *same)] == [plain] * 5
    every, at = {**one, "decay_every": 5}, {**one, "decay_at": [10, 5]}
    assert determining(every) == determining(at) == {**plain, "decay": [0.5, [5, 10]]}
    assert decays({**at, "decay_at": [5]}) == [5]
    others = [every, {**every, "decay_factor": 0.1}, {**every, "decay_every": 4}]
    others += [{**one, "nesterov": True}]
    assert len({str(determining(training)) for training in others}) == 4


TRAINING = "presets.demo.capacity.training"


def load(changes: dict) -> dict:
    """Return the settings of the training of ``capacity`` in the demo, with these changes."""
    given = {"presets": {"demo": {"capacity": {"training": changes}}}}
    config = configuration.load(ROOT / "config.yaml", given=given)
    return config["presets"]["demo"]["capacity"]["training"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"halve_every": 10},
            f"halve_every under {TRAINING} is now decay_every, with decay_factor",
        ),
        (
            {"decay_every": 10, "decay_at": [20]},
            f"{TRAINING} has both decay_every and decay_at: set decay_every to null, or decay_at",
        ),
        (
            {"decay_at": [50, 1000]},
            f"{TRAINING}.decay_at names the epoch 1000, after which no other of the 1000 epochs",
        ),
        ({"decay_at": [0]}, f"{TRAINING}.decay_at[0] is 0: it must be at least 1"),
        ({"decay_at": [5, 5]}, f"{TRAINING}.decay_at names a value twice"),
        ({"decay_at": 5}, f"{TRAINING}.decay_at is 5: write a list of epochs, each once"),
        (
            {"decay_factor": 0},
            f"{TRAINING}.decay_factor is 0: a factor of decay is above 0 and below",
        ),
        (
            {"nesterov": True},
            f"{TRAINING} sets nesterov without a momentum: raise momentum above 0",
        ),
        ({"nesterov": 1}, f"{TRAINING}.nesterov is 1: write a value of type boolean"),
        ({"plateau": 25}, f"{TRAINING}.plateau is 25: write "),
        ({"plateau": {"gain": None}}, f"{TRAINING}.plateau lacks the key gain: add it"),
        ({"plateau": {"gain": 0}}, f"{TRAINING}.plateau.gain is 0: a gain is a difference of"),
        ({"plateau": {"epochs": 0}}, f"{TRAINING}.plateau.epochs is 0: it must be at least 1"),
        ({"plateau": {"window": 5}}, f"unknown key window under {TRAINING}.plateau"),
        ({"threshold": 0}, f"{TRAINING}.threshold is 0: a threshold is an accuracy, more than 0"),
    ],
)
def test_what_does_not_fit_gets_one_sentence(changes, message):
    with pytest.raises(UserError) as raised:
        load(changes)
    assert message in str(raised.value)
    assert "(the command line)" in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_training_may_do_without_its_ends():
    assert {"threshold", "plateau"} <= load({}).keys()
    without = load({"threshold": None, "plateau": None})
    assert not {"threshold", "plateau"} & without.keys()


def test_what_fits_is_taken():
    changes = {"decay_at": [50, 99], "decay_factor": 0.1, "momentum": 0.9, "nesterov": True}
    training = load(changes)
    assert changes.items() <= training.items()


def test_what_is_of_another_optimizer_or_as_ever_determines_nothing():
    plain = {"epochs": EPOCHS, "decay_factor": 0.5, "decay_every": None, "momentum": 0}
    said = {"optimizer": "sgd", "schedule": "steps"}
    assert determining({**plain, **said}) == determining(plain)
    adam = determining({**plain, "optimizer": "adam"})
    assert adam == determining({**plain, "optimizer": "adam", **ADAM})
    cosine = determining({**plain, "schedule": "cosine"})
    assert determining(plain) not in (adam, cosine)
