"""Members on subsets, against members whose training examples are those of the subset alone."""

import numpy as np
import pytest
import torch

import small_cnns
import small_mlps
from rote.machine.errors import UserError
from rote.models.cnn import CNN, initial_parameters
from rote.models.ensemble import Ensemble
from rote.models.mlp import MLP
from rote.models.mlp import initial_parameters as initial_mlp
from rote.models.regularization import KINDS, Regularization
from rote.models.sgd import SGD
from rote.models.workspace import Workspace, aligned
from small_mlps import assert_same, of_members

PART, BATCH = 33, 20  # of 50 examples
NETS = ["mlp", small_cnns.GREY]
SEARCH = {"alpha": 0.1, "beta": 0.05, "radius": 0.2, "max_iterations": 3}
PLAIN = [{}, {"dropout": 0.4}, {"input_noise": 0.5, "hidden_noise": 0.1}]
ADVERSARIAL = [{"adversarial": 0.3}, {"adversarial": 1.0}, {"adversarial": 0.5, "dropout": 0.3}]


def make_ensemble(net, strengths, data, seeds, subset=None) -> Ensemble:
    """Return an ensemble with a momentum, of regularisers of these strengths."""
    table, device = data[0], data[0].device
    drawn = initial_mlp(small_mlps.SIZES, seeds, device) if net == "mlp" else None
    drawn = drawn or initial_parameters(net, seeds, device)
    parameters, workspace = [aligned(p.to(table.dtype)) for p in drawn], Workspace(device)
    model = MLP(parameters, workspace) if net == "mlp" else CNN(net, parameters, workspace)
    of_kinds = {kind: [each.get(kind, 0.0) for each in strengths] for kind in KINDS}
    decay = torch.zeros(len(seeds), dtype=table.dtype, device=device)
    optimizer = SGD(parameters, 0.1, 0.9, decay)
    regularization = Regularization(of_kinds, workspace, SEARCH)
    return Ensemble(model, optimizer, *data, list(seeds), BATCH, regularization, subset=subset)


def data_of(net, members: int, device, dtype=torch.float32):
    if net == "mlp":
        return small_mlps.make_data(members, dtype, device)
    return small_cnns.make_data(net, members, dtype, device)


def subsets(members: int, device) -> torch.Tensor:
    each = [np.sort(np.random.default_rng(m).permutation(50)[:PART]) for m in range(members)]
    return torch.from_numpy(np.stack(each)).to(device)


def alone(data, subset):
    """Return data in which the training examples are those of the subset, and no others."""
    table, rows, labels, validation = data
    return table, rows.gather(1, subset), labels.gather(1, subset), validation


def assert_alike(ours: Ensemble, expected: Ensemble, members=slice(None)) -> None:
    for name in ("parameters", "buffers", "population"):
        pairs = zip(getattr(ours.model, name), getattr(expected.model, name), strict=True)
        for stack, other in pairs:
            assert_same(stack, other[members])


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("strengths", [PLAIN, ADVERSARIAL])
def test_a_subset_is_trained_on_as_if_there_were_no_other_examples(net, strengths, device):
    data, subset, seeds = data_of(net, 3, device), subsets(3, device), [0, 1, 2]
    ours = make_ensemble(net, strengths, data, seeds, subset)
    expected = make_ensemble(net, strengths, alone(data, subset), seeds)
    for epoch in (1, 2, 3):
        for ensemble in (ours, expected):
            ensemble.train_epoch(epoch)
    score, of_subset = ours.evaluate(), expected.evaluate()
    assert_alike(ours, expected)
    np.testing.assert_allclose(score.train_loss, of_subset.train_loss, rtol=1e-6)
    np.testing.assert_array_equal(score.train_accuracy, of_subset.train_accuracy)
    np.testing.assert_array_equal(score.validation_accuracy, of_subset.validation_accuracy)
    assert score.misclassified.shape == (3, 50)
    within = np.take_along_axis(score.misclassified, subset.cpu().numpy(), 1)
    np.testing.assert_array_equal(within, of_subset.misclassified)


def test_what_is_misclassified_is_of_all_examples_and_accuracy_of_the_subset(device):
    data, subset = data_of("mlp", 2, device, torch.float64), subsets(2, device)
    ours = make_ensemble("mlp", [{}] * 2, data, [0, 1], subset)
    for epoch in range(1, 40):
        ours.train_epoch(epoch)
    score = ours.evaluate()
    inputs = data[0][data[1]][..., :12]
    with torch.inference_mode():
        wrong = (ours.model.logits(inputs).argmax(1) != data[2]).cpu().numpy()
    np.testing.assert_array_equal(score.misclassified, wrong)
    inside = np.take_along_axis(wrong, subset.cpu().numpy(), 1)
    np.testing.assert_allclose(score.train_accuracy, 1 - inside.mean(1))
    assert (inside.mean(1) < wrong.mean(1)).all()  # what is not trained on is known less


# On the CPU, where groups of all sizes are rounded alike: see rote.models.workspace.
@pytest.mark.parametrize("net", NETS)
def test_a_member_on_a_subset_does_not_depend_on_its_company(net):
    data, subset = data_of(net, 5, "cpu"), subsets(5, "cpu")

    def trained(members):
        ensemble = make_ensemble(
            net, [{}] * len(members), of_members(data, members), members, subset[members]
        )
        for epoch in (1, 2):
            ensemble.train_epoch(epoch)
        place = members.index(3)
        score = [torch.tensor(values[place]) for values in ensemble.evaluate()]
        return [stack[place] for stack in ensemble.model.parameters] + score

    for company in ([3, 4], [0, 1, 2, 3, 4]):
        for ours, expected in zip(trained(company), trained([3]), strict=True):
            assert torch.equal(ours, expected)


@pytest.mark.parametrize("net", NETS)
def test_members_that_leave_or_go_on_later_keep_their_subsets(net, device):
    data, subset, seeds = data_of(net, 4, device), subsets(4, device), [0, 1, 2, 3]
    whole, part = (make_ensemble(net, [{}] * 4, data, seeds, subset) for _ in range(2))
    for epoch in (1, 2, 3):
        whole.train_epoch(epoch)
        part.train_epoch(epoch)
        if epoch == 1:
            part.select([1, 3])
            state = part.state(1)  # of member 3
    resumed = make_ensemble(net, [{}], of_members(data, [3]), [3], subset[[3]])
    resumed.restore(0, state)
    for epoch in (2, 3):
        resumed.train_epoch(epoch)
    scores = [ensemble.evaluate() for ensemble in (whole, part, resumed)]
    assert_alike(part, whole, [1, 3])
    assert_alike(resumed, whole, [3])
    for of_whole, of_part, of_one in zip(*scores, strict=True):
        np.testing.assert_allclose(of_part, of_whole[[1, 3]], rtol=1e-6)
        np.testing.assert_allclose(of_one, of_whole[[3]], rtol=1e-6)


def test_the_last_batch_is_that_of_the_subset(device):
    data, subset = data_of(small_cnns.GREY, 2, device), subsets(2, device)
    one_left = subset[:, : BATCH + 1]
    with pytest.raises(UserError, match="the last batch of 21 training examples holds 1"):
        make_ensemble(small_cnns.GREY, [{}] * 2, data, [0, 1], one_left)


def test_a_loss_outside_of_the_subset_is_of_no_account_even_if_infinite(device):
    table, rows, labels, validation = data_of("mlp", 2, device)
    table, subset = table.clone(), subsets(2, device)
    outside = np.setdiff1d(np.arange(50), subset[0].cpu())
    data = table, rows, labels, validation
    table[rows[0, int(outside[0])]] = torch.inf  # logits that are not finite
    ours = make_ensemble("mlp", [{}, {}], data, [0, 1], subset)
    expected = make_ensemble("mlp", [{}, {}], alone(data, subset), [0, 1])
    there = (rows == rows[0, int(outside[0])]).gather(1, subset).any(1).cpu().numpy()
    assert not there[0]
    loss = ours.evaluate().train_loss
    assert np.isfinite(loss[0])
    np.testing.assert_allclose(loss[~there], expected.evaluate().train_loss[~there], rtol=1e-6)
