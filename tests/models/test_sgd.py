"""Learning rates, momentum and fixed parameters of members, against torch.optim.SGD and alone."""

import pytest
import torch

import small_cnns
import small_mlps
from rote.models.sgd import SGD
from small_cnns import COLOUR
from small_mlps import sequential, train_plainly

RULES = [(0.0, False), (0.9, False), (0.9, True)]  # momentum, and whether it is Nesterov's
RATES = [0.1, 0.03, 0.1]
DECAY = [0.0, 0.01, 0.1]


@pytest.mark.parametrize(("momentum", "nesterov"), RULES)
@pytest.mark.parametrize("decay", [[0.0] * 3, DECAY])
@pytest.mark.parametrize("rates", [[0.1] * 3, RATES])
def test_training_equals_separate_models_with_torch_sgd(momentum, nesterov, decay, rates, device):
    seeds = [0, 1, 2]
    ensemble = small_mlps.make_ensemble(
        seeds, rate=rates, momentum=momentum, nesterov=nesterov, decay=decay, device=device
    )
    for epoch in (1, 2, 3):
        ensemble.optimizer.decay(0.5 ** (epoch // 2))
        ensemble.train_epoch(epoch)
    for member, seed in enumerate(seeds):
        model = sequential(seed).double()
        optimizer = torch.optim.SGD(
            model.parameters(),
            rates[member],
            momentum=momentum,
            weight_decay=decay[member],
            nesterov=nesterov,
        )
        scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1], 0.5)
        for epoch in (1, 2, 3):
            train_plainly(ensemble, member, epoch, model, optimizer)
            scheduler.step()
        for stack, parameter in zip(ensemble.model.parameters, model.parameters(), strict=True):
            expected = parameter.mT if parameter.ndim == 2 else parameter[None]
            ours = stack[member].cpu()
            torch.testing.assert_close(ours, expected.detach(), rtol=1e-11, atol=1e-13)


# On the CPU, where groups of all sizes are rounded alike: see rote.models.workspace.
@pytest.mark.parametrize("net", ["mlp", "cnn"])
@pytest.mark.parametrize(("momentum", "nesterov"), RULES)
@pytest.mark.parametrize("decay", [[0.0] * 5, [0.0, 0.01, 0.0, 0.1, 0.0]])
def test_a_member_does_not_depend_on_the_learning_rates_beside_it(net, momentum, nesterov, decay):
    rates = [0.1, 0.03, 0.03, 0.3, 0.07]
    if net == "mlp":
        make, data = small_mlps.make_ensemble, small_mlps.make_data(5, torch.float32)
    else:
        make, data = small_cnns.make_ensemble, small_cnns.make_data(COLOUR, 5, torch.float32)

    def trained(members):
        ensemble = make(
            *([] if net == "mlp" else [COLOUR]),
            members,
            dtype=torch.float32,
            rate=[rates[m] for m in members],
            momentum=momentum,
            nesterov=nesterov,
            decay=[decay[m] for m in members],
            data=small_mlps.of_members(data, members),
        )
        for epoch in (1, 2):
            ensemble.optimizer.decay(1 / epoch)
            ensemble.train_epoch(epoch)
        return ensemble.model.parameters

    for company in ([3, 4], [0, 1, 2, 3, 4], [2, 3, 0]):
        together = trained(company)
        for place, member in enumerate(company):
            for stack, alone in zip(together, trained([member]), strict=True):
                assert torch.equal(stack[place], alone[0])


def test_members_that_leave_take_their_learning_rate_with_them():
    whole, part = (small_mlps.make_ensemble([0, 1, 2], rate=RATES) for _ in range(2))
    for epoch in (1, 2, 3):
        for ensemble in (whole, part):
            ensemble.optimizer.decay(0.5 ** (epoch - 1))
            ensemble.train_epoch(epoch)
        if epoch == 2:
            part.select([1, 2])
    for stack, smaller in zip(whole.model.parameters, part.model.parameters, strict=True):
        assert torch.equal(stack[1:], smaller)


def test_what_is_fixed_stays_whatever_else_there_is():
    parameters = [torch.ones(2, 3, 4), torch.ones(2, 1, 4)]
    sgd = SGD(parameters, [0.1, 0.2], 0.9, torch.tensor([0.1, 0.0]), nesterov=True, fixed=[1])
    for k in (0, 1):
        sgd.descend(k, torch.ones_like(parameters[k]))
    assert (parameters[0] < 1).all()
    assert (parameters[1] == 1).all()
    assert (sgd.velocity[1] == 0).all()
