"""Records of examples and forgetting events, of logits that are made up, against NumPy."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from rote.measures.forgetting import Forgetting
from rote.measures.observer import Observer, right
from rote.measures.records import NAMES, Records, margin, packed, unpacked

MEMBERS, CLASSES, EXAMPLES, EPOCHS = 3, 4, 21, [2, 4, 5]


@pytest.fixture
def shown() -> tuple[np.ndarray, np.ndarray]:
    """Logits (epochs, members, classes, examples) and labels (members, examples)."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(len(EPOCHS), MEMBERS, CLASSES, EXAMPLES)) * 3
    return logits.astype("f4"), rng.integers(CLASSES, size=(MEMBERS, EXAMPLES))


def show(observer: Observer, logits: np.ndarray, labels: np.ndarray, part: int = 8) -> None:
    """Show the scores of all epochs, ``part`` examples at a time."""
    for epoch, each in zip(EPOCHS, logits, strict=False):
        for first in range(0, EXAMPLES, part):
            examples = slice(first, min(first + part, EXAMPLES))
            own = (torch.from_numpy(one[..., examples]) for one in (each, labels))
            observer.scored(epoch, examples, *own)


def test_bits_are_those_of_numpy(device):
    bits = np.random.default_rng(1).random((2, 3, 21)) < 0.5
    ours = packed(torch.from_numpy(bits).to(device)).cpu().numpy()
    np.testing.assert_array_equal(ours, np.packbits(bits, axis=-1))
    np.testing.assert_array_equal(unpacked(ours, 21), bits)


@pytest.mark.parametrize("part", [5, 8, 21])
def test_records_are_those_of_numpy(shown, part):
    logits, labels = shown
    records = Records(NAMES, MEMBERS, EXAMPLES, EPOCHS, torch.device("cpu"))
    show(records, logits, labels, part)
    log = log_softmax(logits.astype(float), axis=2)
    for member in range(MEMBERS):
        found = {name: values for name, (_, values) in records.variables(member).items()}
        own = log[:, member, labels[member], np.arange(EXAMPLES)]
        each = logits[:, member]
        expected = each.argmax(1) == labels[member]
        np.testing.assert_array_equal(unpacked(found["right"], EXAMPLES), expected)
        np.testing.assert_allclose(found["loss"], -own, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(found["margin"] > 0, expected)
        for name, values in (("loss", -own), ("probability", np.exp(own))):
            np.testing.assert_allclose(found[f"{name}_mean"], values.mean(0), rtol=1e-5)
            np.testing.assert_allclose(
                found[f"{name}_variance"], values.var(0), rtol=1e-4, atol=1e-7
            )


def test_a_margin_is_the_distance_to_the_best_other_class():
    logits = torch.tensor([[[1.0, 5.0], [3.0, 2.0], [-1.0, 4.0]]])
    assert margin(logits, torch.tensor([[1, 2]])).tolist() == [[2.0, -1.0]]


def test_what_is_not_finite_is_not_right():
    logits = torch.full((1, 3, 2), torch.nan)
    logits[0, :, 1] = torch.tensor([0.0, torch.inf, 0.0])
    assert not right(logits, torch.tensor([[0, 1]])).any()
    assert right(torch.zeros(1, 3, 2), torch.tensor([[0, 1]])).tolist() == [[True, False]]


def test_who_leaves_early_has_no_record_afterwards_but_its_last_bits(shown):
    logits, labels = shown
    records = Records(NAMES, MEMBERS, EXAMPLES, EPOCHS, torch.device("cpu"))
    show(records, logits[:2], labels)
    found = {name: values for name, (_, values) in records.variables(1).items()}
    bits = unpacked(found["right"], EXAMPLES)
    np.testing.assert_array_equal(bits[2], bits[1])
    assert (bits[0] != bits[1]).any()
    for name in ("loss", "margin"):
        assert np.isfinite(found[name][:2]).all()
        assert np.isnan(found[name][2]).all()
    own = log_softmax(logits[:2, 1].astype(float), axis=1)[:, labels[1], np.arange(EXAMPLES)]
    np.testing.assert_allclose(found["loss_mean"], -own.mean(0), rtol=1e-5)


def test_moments_of_a_member_that_diverges_are_those_of_the_epochs_before(shown):
    logits, labels = shown
    logits[2, 0], logits[2, 1, :, ::2], logits[:, 2] = np.nan, np.inf, np.nan
    records = Records(["moments"], MEMBERS, EXAMPLES, EPOCHS, torch.device("cpu"))
    show(records, logits, labels)
    known = np.where(np.isfinite(logits[:, :2]), logits[:, :2].astype(float), np.nan)
    log = log_softmax(known, axis=2)
    for member in range(2):
        own = -log[:, member, labels[member], np.arange(EXAMPLES)]
        found = {name: values for name, (_, values) in records.variables(member).items()}
        for name, values in (("loss", own), ("probability", np.exp(-own))):
            mean, variance = np.nanmean(values, axis=0), np.nanvar(values, axis=0)
            np.testing.assert_allclose(found[f"{name}_mean"], mean, rtol=1e-5)
            np.testing.assert_allclose(found[f"{name}_variance"], variance, rtol=1e-4, atol=1e-7)
    assert np.isnan([values for _, values in records.variables(2).values()]).all()


@pytest.mark.parametrize("names", [["right"], ["loss", "margin"], ["moments"]])
def test_nothing_is_kept_but_what_was_asked_for(shown, names):
    records = Records(names, MEMBERS, EXAMPLES, EPOCHS, torch.device("cpu"))
    show(records, *shown)
    kept = {name.partition("_")[0] for name in records.variables(0)}
    assert kept == ({"loss", "probability"} if names == ["moments"] else {*names})


# Whether an example is right at each presentation; its events, and when it was first right.
WORKED = [
    ("0000", 0, 0),
    ("1111", 0, 1),
    ("0011", 0, 3),
    ("1010", 2, 1),
    ("0101", 1, 2),
    ("1001", 1, 1),
]


@pytest.mark.parametrize("how", ["presented", "scored"])
def test_an_example_is_forgotten_when_it_is_right_and_then_wrong(how):
    members, examples = 2, len(WORKED)
    forgetting = Forgetting(members, examples, [1, 2, 3, 4], torch.device("cpu"))
    rng = np.random.default_rng(2)
    for epoch in range(1, 5):
        now = torch.tensor([[int(bits[epoch - 1]) for bits, _, _ in WORKED]]).repeat(members, 1)
        now[1] = now[1].flip(0)
        order = torch.from_numpy(np.stack([rng.permutation(examples) for _ in range(members)]))
        if how == "scored":
            order[:] = torch.arange(examples)
        for batch in order.split(4, 1):
            own = now.gather(1, batch)
            logits = torch.stack([1 - own, own], 1).float()  # class 1 is the label of all
            labels = torch.ones_like(batch)
            if how == "presented":
                forgetting.presented(epoch, batch, logits, labels)
            else:
                part = slice(int(batch[0, 0]), int(batch[0, -1]) + 1)
                forgetting.scored(epoch, part, logits, labels)
    for member, worked in enumerate((WORKED, WORKED[::-1])):
        found = {
            name: values.tolist() for name, (_, values) in forgetting.variables(member).items()
        }
        counted, other = ("", "_scored") if how == "presented" else ("_scored", "")
        assert found[f"forgetting_events{counted}"] == [events for _, events, _ in worked]
        assert found[f"first_learned{counted}"] == [first for _, _, first in worked]
        assert not any(found[f"forgetting_events{other}"])
