"""Regularisers against plain models: the same draws replayed through nn.Sequential and autograd."""

import numpy as np
import pytest
import torch
from torch import nn

import small_cnns
import small_mlps
from rote.machine import products
from rote.machine.randomness import generator, seed_of
from rote.measures.critical_samples import adversarial_examples, adversarial_examples_together
from rote.models.cnn import CNN, initial_parameters
from rote.models.ensemble import Ensemble
from rote.models.mlp import MLP
from rote.models.mlp import initial_parameters as initial_mlp
from rote.models.regularization import KINDS, Regularization
from rote.models.sgd import SGD
from rote.models.workspace import Workspace, aligned
from rote.runs.epochs import train

EXAMPLES, BATCH = 50, 20
SEARCH = {"alpha": 0.1, "beta": 0.05, "radius": 0.2, "max_iterations": 3}
NETS = ["mlp", small_cnns.GREY, small_cnns.OTHER]
POOLING = nn.MaxPool2d, small_cnns.PooledAsInTensorFlow
# Each regulariser alone, then together; weight decay is one of them.
MEMBERS = [
    {},
    {"dropout": 0.4},
    {"input_dropout": 0.3},
    {"hidden_noise": 0.2},
    {"input_noise": 0.5},
    {"weight_decay": 0.05},
    {"dropout": 0.2, "input_dropout": 0.1, "hidden_noise": 0.1, "input_noise": 0.3},
]
ADVERSARIAL = [
    {"adversarial": 0.3},
    {"adversarial": 1.0},
    {"adversarial": 0.5, "dropout": 0.3},
    {"adversarial": 0.4, "hidden_noise": 0.1, "input_noise": 0.2, "weight_decay": 0.05},
]


def make_ensemble(net, members, seeds=None, *, dtype=torch.float64, device="cpu", data=None):
    seeds = list(range(len(members))) if seeds is None else seeds
    if net == "mlp":
        parameters = initial_mlp(small_mlps.SIZES, seeds, device)
        data = data or small_mlps.make_data(len(seeds), dtype, device)
    else:
        parameters = initial_parameters(net, seeds, device)
        data = data or small_cnns.make_data(net, len(seeds), dtype, device)
    parameters = [aligned(p.to(dtype)) for p in parameters]
    workspace = Workspace(device)
    model = MLP(parameters, workspace) if net == "mlp" else CNN(net, parameters, workspace)
    strengths = {kind: [m.get(kind, 0.0) for m in members] for kind in KINDS}
    decay = [m.get("weight_decay", 0.0) for m in members]
    decay = torch.tensor(decay, dtype=dtype, device=device)
    regularization = Regularization(strengths, workspace, SEARCH)
    return Ensemble(model, SGD(parameters, 0.1, 0.9, decay), *data, seeds, BATCH, regularization)


def streams(seed, epoch, device):
    return {k: torch.Generator(device).manual_seed(seed_of(k, seed, epoch)) for k in KINDS}


def disturbed(x, strengths, drawn, place="", batch_last=False):
    """Dropout, then noise, of x (batch, …), as written down; drawn in the ensemble's layout.

    Devices draw other numbers than the CPU: they are drawn on the ensemble's, and brought here.
    """

    shape = (*x.shape[1:], len(x)) if batch_last else x.shape

    def arranged(numbers):
        numbers = torch.as_tensor(numbers).view(shape)
        return numbers.movedim(-1, 0) if batch_last else numbers

    dropout, noise = f"{place}dropout", "hidden_noise" if not place else "input_noise"
    if p := strengths.get(dropout):
        stream = drawn[dropout]
        whole = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=stream.device)
        whole.random_(-(2**63), None, generator=stream)
        bits = whole.cpu().numpy().view(np.uint16)[: x.numel()] ^ np.uint16(2**15)  # −2¹⁵ becomes 0
        x = x * arranged(bits / 2**16 >= p) / (1 - p)
    if sigma := strengths.get(noise):
        numbers = torch.empty(shape, device=drawn[noise].device).normal_(generator=drawn[noise])
        x = x + sigma * arranged(numbers.cpu().double())
    return x


def forward(model, net, inputs, strengths, drawn):
    """Return the logits of a model in training, its hidden activations disturbed."""
    x = disturbed(inputs, strengths, drawn, "input_")
    layers = list(model)
    for i, layer in enumerate(layers):
        x = layer(x)
        pooled_next = i + 1 < len(layers) and isinstance(layers[i + 1], POOLING)
        if isinstance(layer, POOLING) or (isinstance(layer, nn.ReLU) and not pooled_next):
            x = disturbed(x, strengths, drawn, batch_last=net != "mlp")
    return x


def searched(logits, x, stream, together):
    """Return the adversarial examples of one model, with the noise that it draws."""
    if not together:
        return adversarial_examples(logits, x, **SEARCH, generator=stream)
    noise = x.new_empty(1, SEARCH["max_iterations"] * len(x), x.shape[1])
    noise = noise.normal_(generator=stream).unflatten(1, (-1, len(x)))
    return adversarial_examples_together(
        lambda x: logits(x[0])[None], x[None], **SEARCH, noise=noise
    )[0]


def plainly_trained(ensemble, net, strengths, member, seed, epochs):
    """Return nn.Sequential of a member after its training by autograd and torch.optim.SGD.

    It is trained on the CPU, wherever the ensemble is; only what is random is drawn there.
    """
    device = ensemble.table.device
    model = (
        small_mlps.sequential(seed) if net == "mlp" else small_cnns.sequential(net, seed)
    ).double()
    decay = strengths.get("weight_decay", 0.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=decay)
    inputs = ensemble.table[ensemble.rows[member], : ensemble.model.features].cpu()
    labels = ensemble.labels[member].cpu()
    for epoch in range(1, epochs + 1):
        drawn = streams(seed, epoch, device)
        order = torch.from_numpy(generator("shuffle", seed, epoch).permutation(EXAMPLES))
        for batch in order.split(BATCH):  # the last one holds 10
            x, y = inputs[batch], labels[batch]
            w = strengths.get("adversarial")
            if w:
                model.eval()
                moved = searched(
                    lambda x: model(x.cpu()).to(device),
                    x.to(device),
                    drawn["adversarial"],
                    ensemble.regularization.together,
                )
                model.train()
                x = torch.cat([x, moved.cpu()])
            logits = forward(model, net, x, strengths, drawn)
            loss = nn.functional.cross_entropy(logits[: len(y)], y)
            if w:
                double = nn.functional.cross_entropy(logits[len(y) :], y)
                loss = (1 - w) * loss + w * double
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(
    ("members", "together"),
    [(MEMBERS, False), (ADVERSARIAL, False), (ADVERSARIAL, True)],
    ids=["plain", "adversarial", "adversarial, together"],
)
def test_training_equals_separate_models_with_the_same_draws(net, members, together, device):
    epochs = 3
    ensemble = make_ensemble(net, members, device=device)
    # Each way on each device, where one is the default.
    ensemble.regularization.together = together
    for epoch in range(1, epochs + 1):
        ensemble.train_epoch(epoch)
    models = []
    for seed, strengths in enumerate(members):
        models.append(plainly_trained(ensemble, net, strengths, seed, seed, epochs))
        for stack, parameter in zip(
            ensemble.model.parameters, models[-1].parameters(), strict=True
        ):
            expected = small_cnns.as_stacked(parameter).reshape(stack[seed].shape)
            torch.testing.assert_close(stack[seed].cpu(), expected, rtol=1e-9, atol=1e-11)
    for rows, model in zip(ensemble.rows, models, strict=True):
        inputs = ensemble.table[rows, : ensemble.model.features].cpu()
        small_cnns.with_population_statistics(model, inputs, BATCH)
    small_mlps.check_score(ensemble, models, rel=1e-9)  # evaluated without any noise


def parts(ensemble, place):
    score = [torch.tensor(values[place]) for values in ensemble.evaluate()]
    stacks = [*ensemble.model.parameters, *ensemble.model.buffers, *ensemble.optimizer.velocity]
    return [stack[place] for stack in stacks] + score


def trained(net, members, seeds, chosen, dtype=torch.float32, epochs=(1, 2, 3)):
    """Return the numbers of the last of the members that are ``chosen``, trained together."""
    data = (
        small_mlps.make_data(len(members), dtype)
        if net == "mlp"
        else small_cnns.make_data(net, len(members), dtype)
    )
    ensemble = make_ensemble(
        net,
        [members[m] for m in chosen],
        [seeds[m] for m in chosen],
        dtype=dtype,
        data=small_mlps.of_members(data, chosen),
    )
    for epoch in epochs:
        ensemble.train_epoch(epoch)
    return parts(ensemble, len(chosen) - 1)


# The next four are about equality to the last bit, which holds for groups of all sizes on the CPU
# alone, see rote.models.workspace. Elsewhere a search may take the sign of a rounding error.


@pytest.mark.parametrize("kind", ["torch", "auto"])
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("members", [MEMBERS, ADVERSARIAL], ids=["plain", "adversarial"])
def test_a_member_does_not_depend_on_its_company(net, members, kind, monkeypatch):
    monkeypatch.setattr(products._Chosen, "kind", products._Chosen.kind)
    products.choose(kind)
    seeds = [7] * len(members)  # even where all are of the same seed
    everyone = list(range(len(members)))
    for member in everyone:
        alone = trained(net, members, seeds, [member])
        others = [m for m in everyone if m != member]
        for company in (others, others[:1]):
            together = trained(net, members, seeds, [*company, member])
            for ours, expected in zip(together, alone, strict=True):
                assert torch.equal(ours, expected)


@pytest.mark.parametrize("net", NETS)
def test_without_noise_members_are_searched_together_as_one_by_one(net, device):
    ensembles = [make_ensemble(net, ADVERSARIAL, device=device) for _ in range(2)]
    for ensemble, together in zip(ensembles, (False, True), strict=True):
        ensemble.regularization.together = together
        ensemble.regularization.search = SEARCH | {"beta": 0.0}
        ensemble.train_epoch(1)
    for ours, expected in zip(*(e.model.parameters for e in ensembles), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("net", NETS)
def test_strength_zero_is_no_regulariser(net):
    nothing = dict.fromkeys([*KINDS, "weight_decay"], 0.0)
    none = make_ensemble(net, [{}], [3], dtype=torch.float32)
    bare = make_ensemble(net, [{}], [3], dtype=torch.float32)
    examples = bare.table, bare.rows, bare.labels, bare.validation
    bare = Ensemble(bare.model, bare.optimizer, *examples, [3], BATCH)
    zero = make_ensemble(net, [nothing], [3], dtype=torch.float32)
    for ensemble in (none, bare, zero):
        for epoch in (1, 2):
            ensemble.train_epoch(epoch)
    for ours, same, expected in zip(parts(zero, 0), parts(none, 0), parts(bare, 0), strict=True):
        assert torch.equal(ours, expected)
        assert torch.equal(same, expected)
    assert not zero.regularization.strengths


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("members", [MEMBERS, ADVERSARIAL], ids=["plain", "adversarial"])
def test_members_that_leave_do_not_change_those_that_stay(net, members):
    whole, part = make_ensemble(net, members), make_ensemble(net, members)
    keep = [1, 3]
    for epoch in (1, 2, 3):
        whole.train_epoch(epoch)
        part.train_epoch(epoch)
        if epoch == 1:
            part.select(keep)
    for place, member in enumerate(keep):
        for ours, expected in zip(parts(part, place), parts(whole, member), strict=True):
            assert torch.equal(ours, expected)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("members", [MEMBERS, ADVERSARIAL], ids=["plain", "adversarial"])
def test_a_checkpoint_resumes_to_the_same_result(net, members):
    training = {
        "epochs": 3,
        "learning_rate": 0.1,
        "decay_every": None,
        "decay_factor": 0.5,
        "evaluate_every": 1,
    }
    whole = make_ensemble(net, members)
    for now in train(whole, training, [None] * len(members)):
        if now.epoch == 1:
            saved = dict(now.unfinished())
        expected = now.finished
    chosen = list(range(len(members)))[::-2]
    data = whole.table, whole.rows, whole.labels, whole.validation
    data = small_mlps.of_members(data, chosen)
    resumed = make_ensemble(net, [members[m] for m in chosen], chosen, data=data)
    for now in train(resumed, training, [saved[m] for m in chosen]):
        results = now.finished
    for place, member in enumerate(chosen):
        for name, values in expected[member].items():
            np.testing.assert_array_equal(results[place][name], values)


def regularization(device, **strengths):
    made = Regularization({kind: [value] for kind, value in strengths.items()}, Workspace(device))
    made.start_epoch([0], 1)
    return made


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean(p, device):
    ones = torch.ones(1, 400, 500, device=device)
    made = regularization(device, dropout=p, input_dropout=p)
    hidden, inputs = made.disturbed(0, ones.clone()), ones.clone()
    made.disturb_inputs(inputs)
    for dropped in (hidden, inputs):
        assert set(dropped.unique().tolist()) == {0.0, np.float32(1 / (1 - p))}
        error = (p * (1 - p) / dropped.numel()) ** 0.5
        assert (dropped > 0).double().mean().item() == pytest.approx(1 - p, abs=4 * error)
        assert dropped.double().mean().item() == pytest.approx(1, abs=4 * error / (1 - p))
    assert not torch.equal(hidden, inputs)
    again = made.disturbed(0, ones.clone())
    both = (hidden > 0) & (again > 0)  # updates, and layers, have masks of their own
    assert both.double().mean().item() == pytest.approx((1 - p) ** 2, abs=0.01)


def test_noise_has_the_deviation_that_is_asked_for(device):
    zeros = torch.zeros(1, 400, 500, device=device)
    made = regularization(device, hidden_noise=0.3, input_noise=5.0)
    inputs = zeros.clone()
    made.disturb_inputs(inputs)
    hidden = made.disturbed(0, zeros)
    for noise, sigma in ((hidden, 0.3), (inputs, 5.0)):
        error = sigma / noise.numel() ** 0.5
        assert noise.double().mean().item() == pytest.approx(0, abs=4 * error)
        assert noise.double().std().item() == pytest.approx(sigma, abs=4 * error)
    assert not zeros.any()  # what the ReLU is known by is left alone
    assert abs(np.corrcoef(hidden.flatten().cpu(), inputs.flatten().cpu())[0, 1]) < 0.01


def test_draws_differ_by_seed_and_epoch(device):
    draws = []
    for seed, epoch in ((0, 1), (1, 1), (0, 2)):
        made = Regularization({"hidden_noise": [1.0]}, Workspace(device))
        made.start_epoch([seed], epoch)
        draws.append(made.disturbed(0, torch.zeros(1, 4, 5, device=device)))
    assert not torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_adversarial_examples_stay_in_the_box_and_move(device):
    ensemble = make_ensemble("mlp", [{"adversarial": 0.5}, {"adversarial": 0.1}], device=device)
    ensemble.regularization.start_epoch([0, 1], 1)
    with torch.inference_mode():
        inputs = torch.randn(2, 2 * 30, 12, dtype=torch.float64).to(device)
        before = inputs.clone()
        rows = ensemble.rows[:, :60]
        ensemble.regularization.make_adversarial(ensemble.model, inputs, rows)
    real, found = inputs[:, :30], inputs[:, 30:]
    assert torch.equal(real, before[:, :30])
    distance = (found - real).abs()
    assert distance.max() <= SEARCH["radius"] + 1e-12
    assert (distance.amax(2) > 0.05).all()


def test_the_weights_of_the_mixed_loss(device):
    made = Regularization({"adversarial": [0.25, 1.0]}, Workspace(device), SEARCH)
    expected = [[0.375, 0.375, 0.125, 0.125], [0.0, 0.0, 0.5, 0.5]]
    weights = made.weights(2, torch.empty(0, device=device))
    torch.testing.assert_close(weights.cpu(), torch.tensor(expected))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("dropout", 1.0),
        ("input_dropout", -0.1),
        ("hidden_noise", -1.0),
        ("input_noise", float("nan")),
        ("adversarial", 1.1),
    ],
)
def test_strengths_out_of_range(kind, value):
    with pytest.raises(ValueError, match=f"{value} is out of the range of {kind}"):
        Regularization({kind: [value]})


def test_members_with_and_without_adversarial_examples_are_no_group():
    with pytest.raises(ValueError, match="cannot be one group"):
        Regularization({"adversarial": [0.5, 0.0]})
