"""What training shows of each example, against a plain loop over batches of ``torch.nn``."""

import warnings

import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch import nn

from rote.machine.randomness import generator
from rote.measures.forgetting import COUNTS, Forgetting
from rote.measures.training_dynamics import MEANS, ONCE, TrainingDynamics
from small_mlps import EXAMPLES, make_ensemble, sequential

EPOCHS, RATE, BATCH = 30, 0.8, 20
SHOWN = 4  # examples of the subset, from the first on, where there is one


def watched(seeds, scored=(1, EPOCHS), **options):
    ensemble = make_ensemble(seeds, rate=RATE, **options)
    group = *ensemble.rows.shape, list(scored), ensemble.rows.device
    ensemble.observers = [TrainingDynamics(*group), Forgetting(*group)]
    return ensemble


def trained(ensemble, epochs=EPOCHS):
    """Return the variables of each member, by name."""
    for epoch in range(1, epochs + 1):
        ensemble.train_epoch(epoch)
        if epoch in ensemble.observers[0].epochs:
            ensemble.evaluate(epoch)
    return [values_of(ensemble.observers[0], member) for member in range(len(ensemble))]


def values_of(observer, member):
    found = observer.variables(member)
    assert {of for of, _ in found.values()} == {("example",)}
    return {name: values for name, (_, values) in found.items()}


def plainly(ensemble, member):
    """Return the same by a plain loop: one model, one batch and one example at a time."""
    model = sequential(ensemble.seeds[member]).double()
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    inputs = ensemble.table[ensemble.rows[member], :12].cpu()
    labels = ensemble.labels[member].cpu()
    seen = [[] for _ in labels]  # logits of each example, epoch by epoch
    for epoch in range(1, EPOCHS + 1):
        order = generator("shuffle", ensemble.seeds[member], epoch).permutation(EXAMPLES)
        for start in range(0, EXAMPLES, BATCH):
            batch = order[start : start + BATCH]
            logits = model(inputs[batch])
            for example, own in zip(batch, logits.detach().numpy(), strict=True):
                seen[example].append(own)
            optimizer.zero_grad()
            nn.functional.cross_entropy(logits, labels[batch]).backward()
            optimizer.step()
        if epoch == 1:
            with torch.no_grad():
                after_one = (model(inputs).argmax(1) != labels).numpy()
    found = {name: [] for name in (*MEANS, "error_norm", "wrong_at_second")}
    for label, logits in zip(labels.tolist(), seen, strict=True):
        margins = [own[label] - max(np.delete(own, label)) for own in logits]
        found["area_under_margin"].append(sum(margins) / EPOCHS)
        losses = [-np.log(softmax(own)[label]) for own in logits]
        found["cumulative_loss"].append(sum(losses) / EPOCHS)
        error = softmax(logits[2]) - np.eye(5)[label]  # epoch 3 is a tenth of 30
        found["error_norm"].append(np.sqrt((error**2).sum()))
        found["wrong_at_second"].append(margins[1] < 0)
    return {**found, "misclassified_after_one": after_one}


def test_they_are_those_of_a_plain_loop(device):
    ensemble = watched([0, 3, 5], device=device)
    plain = [plainly(ensemble, member) for member in range(3)]
    for ours, expected in zip(trained(ensemble), plain, strict=True):
        for name, values in expected.items():
            np.testing.assert_allclose(ours[name], values, rtol=1e-5, atol=1e-6, err_msg=name)
    wrong = [np.array([one[name] for one in plain]) for name in ONCE[1:]]
    assert all(0 < each.mean() < 1 for each in wrong)
    assert (wrong[0] != wrong[1]).any()  # the two are not the same


def test_forgetting_events_are_those_of_forgetting():
    ensemble = watched([0, 1])
    for member, ours in enumerate(trained(ensemble)):
        theirs = values_of(ensemble.observers[1], member)
        assert theirs["forgetting_events"].any()
        for name in COUNTS:
            np.testing.assert_array_equal(ours[name], theirs[name])
        assert not {"forgetting_events_scored", "first_learned_scored"} & ours.keys()


@pytest.mark.parametrize(
    ("epochs", "early"),
    [(1, 1), (2, 2), (9, 2), (20, 2), (21, 3), (30, 3), (100, 10), (101, 11), (200, 20)],
)
def test_an_early_epoch_ends_when_a_tenth_of_the_training_is_done(epochs, early):
    assert TrainingDynamics.early_epoch(epochs) == early
    assert TrainingDynamics(1, 1, [epochs], torch.device("cpu")).early == early


def test_without_a_score_after_one_epoch_nothing_is_said_of_it():
    found = trained(watched([0], scored=[2, 4]), 4)[0]
    assert np.isnan(found["misclassified_after_one"]).all()
    assert np.isfinite(found["wrong_at_second"]).all()


def show(observer, epochs, logits, labels):
    """Present ``SHOWN`` examples of each member, one batch an epoch, and score all of them."""
    members = len(labels)
    examples = torch.arange(SHOWN).expand(members, -1)
    for epoch in range(1, epochs + 1):
        own = logits(epoch)
        observer.presented(epoch, examples, own[..., :SHOWN], labels[:, :SHOWN])
        if epoch in observer.epochs:
            observer.scored(epoch, slice(0, labels.shape[1]), own, labels)


def made_up(epoch, members=2, examples=7):
    rng = torch.Generator().manual_seed(epoch)
    return torch.randn(members, 5, examples, generator=rng)


def test_examples_that_are_not_presented_have_no_more_than_their_score():
    labels = torch.zeros(2, 7, dtype=torch.int64)
    observer = TrainingDynamics(2, 7, [1, 4], torch.device("cpu"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        show(observer, 4, made_up, labels)
        for member in range(2):
            found = values_of(observer, member)
            for name in COUNTS:
                assert not found[name][SHOWN:].any()
            for name in (*MEANS, "error_norm", "wrong_at_second"):
                assert np.isnan(found[name][SHOWN:]).all()
                assert np.isfinite(found[name][:SHOWN]).all()
            expected = made_up(1)[member].argmax(0) != 0
            assert found["misclassified_after_one"].tolist() == expected.tolist()


@pytest.mark.parametrize("what", [torch.nan, torch.inf, -torch.inf])
def test_what_is_not_finite_enters_no_mean_and_harms_nobody_else(what):
    labels = torch.zeros(2, 7, dtype=torch.int64)

    def diverging(epoch):
        logits = made_up(epoch)
        if epoch > 2:
            logits[0] = what
        return logits

    observers = [TrainingDynamics(2, 7, [1, 50], torch.device("cpu")) for _ in range(3)]
    for observer, epochs, logits in zip(
        observers, (6, 2, 6), (diverging, made_up, made_up), strict=True
    ):
        show(observer, epochs, logits, labels)
    diverged, before, _ = (values_of(observer, 0) for observer in observers)
    for name in MEANS:
        assert np.isfinite(diverged[name][:SHOWN]).all()
        np.testing.assert_array_equal(diverged[name], before[name])
    assert np.isnan(diverged["error_norm"]).all()
    other, _, alone = (values_of(observer, 1) for observer in observers)
    for name in (*COUNTS, *MEANS, *ONCE):
        np.testing.assert_array_equal(other[name], alone[name])


def test_a_margin_that_is_too_large_to_be_told_enters_no_mean():
    observer = TrainingDynamics(1, 1, [2], torch.device("cpu"))
    for logits in ([2.0, -1.0], [3e38, -3e38]):  # the loss is finite
        one = torch.zeros(1, 1, dtype=torch.int64)
        observer.presented(1, one, torch.tensor([[[own] for own in logits]]), one)
    assert values_of(observer, 0)["area_under_margin"] == [3.0]


def test_a_member_does_not_depend_on_its_company_and_takes_its_own_along():
    ensemble = watched([0, 1, 2])
    together = trained(ensemble)
    ensemble.select([2, 0])
    left = [values_of(ensemble.observers[0], position) for position in range(2)]
    for ours, theirs in zip(left, (together[2], together[0]), strict=True):
        for name, values in theirs.items():
            np.testing.assert_array_equal(ours[name], values)
