"""Adam and AdamW of an ensemble, against torch.optim, and a member against itself alone."""

import pytest
import torch

import small_cnns
import small_mlps
from rote.models.adam import Adam
from small_cnns import COLOUR
from small_mlps import EXAMPLES, sequential, train_plainly

RATES = [0.01, 0.003, 0.01]
DECAY = [0.0, 0.01, 0.1]
OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def adam_of(ensemble, rates, decay, **settings):
    weight_decay = torch.tensor(decay, dtype=ensemble.table.dtype, device=ensemble.table.device)
    return Adam(ensemble.model.parameters, rates, weight_decay, **settings)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("decay", [[0.0] * 3, DECAY])
@pytest.mark.parametrize(("betas", "epsilon"), [((0.9, 0.999), 1e-8), ((0.5, 0.9), 1e-3)])
def test_training_equals_separate_models_with_torch(name, decay, betas, epsilon, device):
    seeds = [0, 1, 2]
    ensemble = small_mlps.make_ensemble(seeds, device=device)
    decoupled = name == "adamw"
    settings = {"betas": betas, "epsilon": epsilon, "decoupled": decoupled}
    ensemble.optimizer = adam_of(ensemble, RATES, decay, **settings)
    for epoch in (1, 2, 3):
        ensemble.optimizer.decay(0.5 ** (epoch // 2))
        ensemble.train_epoch(epoch)
    for member, seed in enumerate(seeds):
        model = sequential(seed).double()
        optimizer = OPTIMIZERS[name](
            model.parameters(), RATES[member], betas, epsilon, decay[member]
        )
        scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1], 0.5)
        for epoch in (1, 2, 3):
            train_plainly(ensemble, member, epoch, model, optimizer)
            scheduler.step()
        for stack, parameter in zip(ensemble.model.parameters, model.parameters(), strict=True):
            expected = parameter.mT if parameter.ndim == 2 else parameter[None]
            ours = stack[member].cpu()
            torch.testing.assert_close(ours, expected.detach(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("net", ["mlp", "cnn"])
def test_a_member_does_not_depend_on_its_company_and_goes_on_from_its_state(net):
    rates, decay = [0.01, 0.003, 0.003, 0.03, 0.007], [0.0, 0.01, 0.0, 0.1, 0.0]
    small = small_mlps if net == "mlp" else small_cnns
    shape = [] if net == "mlp" else [COLOUR]
    data = small.make_data(*shape, 5, torch.float32)

    def made(members):
        seeds = [10 + member for member in members]
        own = small_mlps.of_members(data, members)
        ensemble = small.make_ensemble(*shape, seeds, dtype=torch.float32, data=own)
        some = [rates[member] for member in members], [decay[member] for member in members]
        ensemble.optimizer = adam_of(ensemble, *some, decoupled=True)
        return ensemble

    together, alone = made([0, 1, 2, 3, 4]), made([1])
    for epoch in (1, 2):
        together.train_epoch(epoch)
        alone.train_epoch(epoch)
    states = together.state(1), alone.state(0)
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        assert (value == states[1][name]).all(), name
    assert states[0]["updates_0"].item() == 2 * -(-EXAMPLES // together.batch_size)
    together.select([1, 4])
    resumed = made([1, 2])
    resumed.restore(0, states[1])
    for ensemble in (together, alone, resumed):
        ensemble.train_epoch(3)
    expected = alone.evaluate().train_loss[0]
    assert together.evaluate().train_loss[0] == resumed.evaluate().train_loss[0] == expected


def test_fixed_parameters_stay_as_they_are():
    ensemble = small_mlps.make_ensemble([0, 1])
    ensemble.optimizer = adam_of(ensemble, [0.1, 0.1], [0.0, 0.1], fixed=[1])
    before = [parameter.clone() for parameter in ensemble.model.parameters]
    ensemble.train_epoch(1)
    moved = [not torch.equal(*pair) for pair in zip(before, ensemble.model.parameters, strict=True)]
    assert moved == [True, False, True, True, True, True]
