"""Loss-sensitivity of modules, against the hand-written sweep and the unrolled training."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad
from torch.nn.attention import SDPBackend, sdpa_kernel

import own_models
from rote.measures import module_sensitivity
from rote.measures.module_sensitivity import ModuleTraining, Trajectory, sweep
from rote.measures.sensitivity import class_terms, loss_sensitivity

IMAGE, CLASSES, EXAMPLES, RATE = (1, 4, 4), 3, 10, 0.2
BATCHES = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 2], [1, 3, 5, 8], [9, 2, 7, 1]]
TIMES = [0, 3, 5]


NETS = {
    "mlp": lambda: own_models.mlp(IMAGE, CLASSES, (6, 5), "float64"),
    "resnet": lambda: own_models.resnet(1, CLASSES, 2, "float64"),
    "vit": lambda: own_models.ViT(IMAGE, CLASSES, patch=2).double(),
    "dropout": lambda: own_models.ViT(IMAGE, CLASSES, patch=2, dropout=0.3).double(),
}


def training_of(net):
    torch.manual_seed(1)
    module = NETS[net]()
    rng = torch.Generator().manual_seed(2)
    inputs = torch.randn(EXAMPLES, *IMAGE, generator=rng, dtype=torch.float64)
    labels = torch.randint(CLASSES, (EXAMPLES,), generator=rng)
    batches = [torch.tensor(batch) for batch in BATCHES]
    return ModuleTraining.of(module, inputs, labels, batches, RATE, range(len(BATCHES)))


def swept(training, terms=None, norms=("l1",)):
    terms = torch.ones(EXAMPLES, 1, dtype=training.inputs.dtype) if terms is None else terms
    found = {}
    for some, own in sweep(Trajectory(training, max(TIMES)), TIMES, terms, norms=norms):
        found |= dict(zip(some, own.transpose(0, 1), strict=True))
    return torch.stack([found[t] for t in TIMES])  # (times, norms, losses, examples)


@sdpa_kernel(SDPBackend.MATH)  # which alone has second derivatives
def unrolled(training, t, terms, draws):
    """Return ∂L_t/∂x by backpropagation through the training, as a graph of all of it."""
    module, inputs = training.module, training.inputs.clone().requires_grad_()
    theta = {name: own.requires_grad_() for name, own in training.parameters().items()}
    for batch, seed in zip(training.batches[:t], training.seeds, strict=False):
        module.train()
        torch.manual_seed(seed)

        def loss(theta, batch=batch):
            logits = functional_call(module, theta, (inputs[batch],))
            return nn.functional.cross_entropy(logits, training.labels[batch])

        if draws:  # within a transformation dropout draws other numbers than outside of it
            gradients = grad(loss)(theta).values()
        else:
            gradients = torch.autograd.grad(loss(theta), theta.values(), create_graph=True)
        pairs = zip(theta.items(), gradients, strict=True)
        theta = {name: own - RATE * gradient for (name, own), gradient in pairs}
    module.eval()
    logits = functional_call(module, theta, (inputs,))
    each = nn.functional.cross_entropy(logits, training.labels, reduction="none")
    return torch.autograd.grad((each * terms).sum() / EXAMPLES, inputs)[0].flatten(1)


def test_it_is_that_of_the_mlp():
    training = training_of("mlp")
    layers = [part for part in training.module if isinstance(part, nn.Linear)]
    parameters = [(layer.weight, layer.bias) for layer in layers]
    of_mlp = parameters, training.inputs.flatten(1), training.labels, training.batches, RATE, TIMES
    norms = ["l1", "l2", "linf"]
    for found, norm in zip(swept(training, norms=norms).unbind(1), norms, strict=True):
        torch.testing.assert_close(found[:, 0], loss_sensitivity(*of_mlp, norm=norm))


@pytest.mark.parametrize("net", ["resnet", "vit", "dropout"])
def test_it_is_that_of_the_unrolled_training(net):
    training = training_of(net)
    terms = class_terms(training.labels, CLASSES, torch.float64)
    for t, found in zip(TIMES, swept(training, terms), strict=True):
        for own, of_class in zip(found[0], terms.T, strict=True):
            expected = unrolled(training, t, of_class, net == "dropout").abs().sum(1)
            torch.testing.assert_close(own, expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("net", ["mlp", "vit"])
def test_less_memory_changes_nothing(net, monkeypatch):
    expected, whole = swept(training_of(net)), Trajectory(training_of(net), 5)
    monkeypatch.setattr(module_sensitivity, "KEPT_BYTES", 0)
    monkeypatch.setattr(module_sensitivity, "ACCUMULATED_BYTES", 0)  # one time after another
    monkeypatch.setattr(module_sensitivity, "EVALUATED", 4)
    torch.testing.assert_close(swept(training_of(net)), expected, rtol=1e-12, atol=1e-15)
    trajectory = Trajectory(training_of(net), 5)
    assert sorted(trajectory.kept) == [0, 3]
    for t in range(6):
        torch.testing.assert_close(trajectory.logits(t), whole.logits(t), rtol=1e-12, atol=1e-15)


def test_scores_are_those_of_the_usual_loop():
    training = training_of("vit")
    trajectory = Trajectory(training, len(BATCHES))
    module = NETS["vit"]()
    module.load_state_dict(training.module.state_dict())
    optimizer = torch.optim.SGD(module.parameters(), RATE)
    for t in range(len(BATCHES) + 1):
        logits, found = module(training.inputs), trajectory.score(t)
        loss = nn.functional.cross_entropy(logits, training.labels)
        right = (logits.argmax(1) == training.labels).double().mean()
        assert found[0].item() == pytest.approx(loss.item(), rel=1e-12)
        assert found[1].item() == pytest.approx(right.item())
        if t < len(BATCHES):
            batch = training.batches[t]
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(
                module(training.inputs[batch]), training.labels[batch]
            )
            loss.backward()
            optimizer.step()


def test_progress_adds_up_to_the_times_of_all_losses():
    training, passed = training_of("mlp"), []
    list(
        sweep(
            Trajectory(training, 5),
            TIMES,
            class_terms(training.labels, CLASSES, torch.float64),
            passed.append,
        )
    )
    assert sum(passed) == CLASSES * sum(TIMES)
