"""Modules of a user's own, against the usual loop of PyTorch, and a member against itself alone."""

import copy
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

import own_models
from rote.machine.errors import UserError
from rote.machine.randomness import seed_of
from rote.models.ensemble import Ensemble
from rote.models.kinds import Models
from rote.models.regularization import Regularization
from rote.models.sgd import SGD
from rote.models.workspace import Workspace
from rote.study.own_module import with_source
from small_mlps import check_score, make_data, of_members, train_plainly
from small_mlps import make_ensemble as make_mlps

FILE = Path(own_models.__file__)
IMAGE, CLASSES = (1, 8, 8), 5
DOUBLE = {"mlp": {"dtype": "float64"}, "resnet": {"dtype": "float64", "width": 8}}


def settings(function, **own):
    return {"from": f"{FILE}:{function}", **own}


def make_ensemble(
    model,
    seeds,
    data=None,
    dtype=torch.float32,
    strengths=None,
    decay=None,
    image=IMAGE,
    search=None,
):
    table, rows, labels, validation = data or make_data(len(seeds), dtype, features=64)
    workspace = Workspace(table.device)
    models = Models(model, image, CLASSES)
    made = models.initial(list(seeds), workspace)
    weight_decay = torch.tensor(decay or [0.0] * len(seeds), dtype=table.dtype)
    return Ensemble(
        made,
        SGD(made.parameters, 0.1, 0.9, weight_decay, fixed=models.fixed),
        table,
        rows,
        labels,
        validation,
        list(seeds),
        20,
        Regularization(strengths or {}, workspace, search),
    )


class Images(nn.Module):
    """A model of images that takes them flat, as the ensemble has them."""

    def __init__(self, model, image=IMAGE):
        super().__init__()
        self.model, self.image = model, image

    def forward(self, inputs):
        return self.model(inputs.reshape(-1, *self.image))


def plain(function, seed, *arguments, **own):
    torch.manual_seed(seed_of("initial", seed))
    return Images(function(*arguments, **own))


def with_population_statistics(model, ensemble, member):
    inputs = ensemble.table[ensemble.rows[member], : ensemble.model.features]
    averaged = copy.deepcopy(model)
    update_bn(inputs.split(ensemble.batch_size), averaged)
    return averaged.eval()


@pytest.mark.parametrize("net", ["mlp", "resnet"])
def test_training_equals_the_usual_loop(net):
    seeds, decay = [0, 1, 5], [0.0, 0.01, 0.1]
    ensemble = make_ensemble(
        settings(net, arguments=DOUBLE[net]), seeds, dtype=torch.float64, decay=decay
    )
    models = []
    for epoch in (1, 2, 3):
        ensemble.train_epoch(epoch)
    for member, seed in enumerate(seeds):
        shapes = (IMAGE, CLASSES) if net == "mlp" else (1, CLASSES)
        model = plain(getattr(own_models, net), seed, *shapes, **DOUBLE[net])
        optimizer = torch.optim.SGD(
            model.parameters(), 0.1, momentum=0.9, weight_decay=decay[member]
        )
        for epoch in (1, 2, 3):
            train_plainly(ensemble, member, epoch, model, optimizer)
        for stack, parameter in zip(ensemble.model.parameters, model.parameters(), strict=True):
            torch.testing.assert_close(
                stack[member].flatten(), parameter.detach().flatten(), rtol=1e-9, atol=1e-11
            )
        models.append(with_population_statistics(model, ensemble, member))
    check_score(ensemble, models, rel=1e-9)


def test_it_is_the_mlp_with_the_same_regularisers(monkeypatch):
    data = make_data(2, torch.float32, features=64)
    strengths = {"dropout": [0.3, 0.0], "hidden_noise": [0.1, 0.2], "input_noise": [0.0, 0.1]}
    monkeypatch.setattr("small_mlps.SIZES", [64, 9, 7, 5])
    ours = make_mlps([3, 4], dtype=torch.float32, data=data, momentum=0.9)
    ours.regularization = Regularization(strengths, ours.model.workspace)
    modules = make_ensemble(settings("mlp"), [3, 4], data, strengths=strengths)
    for epoch in (1, 2):
        ours.train_epoch(epoch)
        modules.train_epoch(epoch)
    for expected, found in zip(ours.model.parameters, modules.model.parameters, strict=True):
        for member in (0, 1):
            as_torch_has_it = expected[member].mT.flatten()
            torch.testing.assert_close(
                found[member].flatten(), as_torch_has_it, rtol=1e-4, atol=1e-5
            )


NETS = [
    (settings("mlp"), {"dropout": 0.3, "hidden_noise": 0.1, "input_dropout": 0.2}),
    (settings("resnet"), {"dropout": 0.3, "adversarial": 0.5}),
    (settings("ViT", arguments={"dropout": 0.2}), {"adversarial": 0.5, "input_noise": 0.1}),
    (settings("Unusual"), {}),
    (settings("lazy"), {"hidden_noise": 0.1}),
]


@pytest.mark.parametrize(("model", "strengths"), NETS)
def test_a_member_does_not_depend_on_its_company(model, strengths):
    data = make_data(4, torch.float32, features=64)
    search = {"alpha": 0.1, "beta": 0.1, "radius": 0.3, "max_iterations": 3}

    def made(members):
        own = {name: [strength] * len(members) for name, strength in strengths.items()}
        seeds = [10 + member for member in members]
        some = of_members(data, members)
        return make_ensemble(
            model, seeds, some, strengths=own, decay=[0.01] * len(members), search=search
        )

    together, alone = made([0, 1, 2, 3]), made([2])
    for epoch in (1, 2):
        together.train_epoch(epoch)
        alone.train_epoch(epoch)
        together.evaluate()
    state, expected = together.state(2), alone.state(0)
    assert state.keys() == expected.keys()
    for name, value in expected.items():
        assert (state[name] == value).all(), name
    together.select([2, 3])
    resumed = made([1, 2])
    resumed.restore(1, state)
    for ensemble in (together, alone, resumed):
        ensemble.train_epoch(3)
    last = alone.evaluate()
    for ensemble, member in ((together, 0), (resumed, 1)):
        score = ensemble.evaluate()
        assert score.train_loss[member] == last.train_loss[0]
        assert (score.misclassified[member] == last.misclassified[0]).all()


def test_what_is_unusual_is_trained_as_by_the_usual_loop():
    ensemble, models = make_ensemble(settings("Unusual"), [3, 4]), []
    for epoch in (1, 2):
        ensemble.train_epoch(epoch)
    seen, _ = ensemble.model.buffers
    for member, seed in enumerate([3, 4]):
        model = plain(own_models.Unusual, seed, IMAGE, CLASSES)
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.SGD(trained, 0.1, momentum=0.9)
        for epoch in (1, 2):
            train_plainly(ensemble, member, epoch, model, optimizer)
        for stack, parameter in zip(ensemble.model.parameters, model.parameters(), strict=True):
            torch.testing.assert_close(stack[member].flatten(), parameter.detach().flatten())
        torch.testing.assert_close(seen[member].flatten(), model.model.seen)
        models.append(model.eval())
    check_score(ensemble, models, rel=1e-5)


def test_a_model_that_was_kept_has_the_same_logits():
    ensemble = make_ensemble(settings("resnet"), [3, 4])
    ensemble.train_epoch(1)
    ensemble.take_statistics()
    kept = ensemble.model_state(1)
    models = Models(settings("resnet"), IMAGE, CLASSES)
    stacks = {name: torch.from_numpy(value)[None] for name, value in kept.items()}
    again = models.make(
        [stacks[name] for name in stacks if name.startswith("parameter")], Workspace()
    )
    again.population = [stacks[f"buffer_{k}"] for k in range(len(again.population))]
    inputs = ensemble.table[:30, :64]
    expected = ensemble.model.member_logits(1, inputs)
    assert torch.equal(again.member_logits(0, inputs), expected)
    assert torch.equal(again.logits(inputs[None])[0].mT, expected)
    running = ensemble.model.member_logits(1, inputs, running=True)
    assert not torch.allclose(running, expected)
    both = ensemble.model.members_logits(inputs.expand(2, -1, -1), running=True)
    assert torch.equal(both[1], running)


def test_what_is_no_parameter_and_no_buffer_stays_with_its_member():
    ensemble = make_ensemble(settings("Unusual"), [3, 4, 5])
    ensemble.train_epoch(1)
    before = ensemble.evaluate()
    kept = ensemble.model_state(2)
    ensemble.select([2])
    assert ensemble.evaluate().train_loss[0] == before.train_loss[2]
    stacks = {name: torch.from_numpy(value)[None] for name, value in kept.items()}
    models = Models(settings("Unusual"), IMAGE, CLASSES)
    parameters = [own for name, own in stacks.items() if name.startswith("parameter")]
    again = models.make(parameters, Workspace(), [5])
    again.population = [stacks[f"buffer_{k}"] for k in range(len(again.population))]
    inputs = ensemble.table[:30, :64]
    assert torch.equal(again.member_logits(0, inputs), ensemble.model.member_logits(0, inputs))


def test_a_normalisation_that_its_module_keeps_in_evaluation_is_left_alone():
    ensemble = make_ensemble(settings("FrozenNorm"), [3])
    ensemble.train_epoch(1)
    ensemble.take_statistics()
    running, population = ensemble.model.buffers, ensemble.model.population
    assert len(running) == 6
    for own, expected in zip(population, running, strict=True):
        assert torch.equal(own, expected)
    assert running[0].item() == 0  # not trained by batches
    assert running[3].item() != 0  # of instances, as torch averages them


def test_weights_that_numpy_and_python_draw_are_those_of_the_seed():
    rng = np.random.get_state()[1].copy(), random.getstate()
    models = Models(settings("of_numpy"), IMAGE, CLASSES)
    first, again, other = (models.maker(seed)[2] for seed in (3, 3, 4))
    for name in ("weight", "bias"):
        assert torch.equal(getattr(first, name), getattr(again, name))
        assert not torch.equal(getattr(first, name), getattr(other, name))
    assert (np.random.get_state()[1] == rng[0]).all()
    assert random.getstate() == rng[1]


def test_own_dropout_draws_anew_in_each_update_and_leaves_the_callers_generator_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    drawn = []

    class Watched(own_models.ViT):
        def forward(self, images):
            drawn.append(torch.default_generator.initial_seed())
            return super().forward(images)

    ensemble = make_ensemble(settings("ViT", arguments={"dropout": 0.5}), [3, 4])
    ensemble.model.modules = [Watched(IMAGE, CLASSES, dropout=0.5) for _ in range(2)]
    torch.set_rng_state(before)
    for epoch in (1, 2):
        ensemble.train_epoch(epoch)
    assert torch.equal(torch.get_rng_state(), before)
    assert len(drawn) == len(set(drawn)) == 2 * 2 * 3  # members × epochs × updates


def test_a_buffer_follows_a_member_that_stays():
    ensemble = make_ensemble(settings("resnet"), [3, 4, 5])
    ensemble.train_epoch(1)
    expected = [buffer[2].clone() for buffer in ensemble.model.buffers]
    ensemble.select([2])
    for buffer, before in zip(ensemble.model.buffers, expected, strict=True):
        assert torch.equal(buffer[0], before)
    ensemble.train_epoch(2)
    updates = [buffer for buffer in ensemble.model.buffers if buffer.dtype == torch.int64]
    assert {buffer.item() for buffer in updates} == {6}


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            settings("of_three_classes"),
            r"of_three_classes returns a tensor \(2, 3\) for 2 images of 5",
        ),
        (settings("frozen"), "has no parameters to train"),
        (
            settings("failing", arguments={"width": 3}),
            "'width': 3}.*ValueError: width must be even",
        ),
        (settings("TwoOutputs"), "TwoOutputs fails in training on images of 1×8×8"),
        (settings("Growing"), "has a buffer whose shape or type changes in training"),
        (settings("no_module"), "returns list: have it return a torch.nn.Module"),
        (settings("missing"), "has no function or class missing"),
        (settings("mlp", arguments={"depth": 2}), "unexpected keyword argument 'depth'"),
        ({"from": "torch.nn:NoSuch"}, "torch.nn has no function or class NoSuch"),
        ({"from": "no.such.package:f"}, "no.such.package cannot be imported"),
        ({"from": "torchvision.models:resnet18"}, "fails on images of 1×8×8"),
    ],
)
def test_a_module_that_does_not_fit_is_refused_in_a_sentence(model, sentence):
    with pytest.raises(UserError, match=sentence):
        Models(model, IMAGE, CLASSES)


def test_a_model_of_torchvision_is_called_with_the_number_of_classes():
    models = Models({"from": "torchvision.models:resnet18"}, (3, 32, 32), 7)
    model = models.initial([2], Workspace())
    torch.manual_seed(seed_of("initial", 2))
    from torchvision.models import resnet18

    for stack, expected in zip(model.parameters, resnet18(num_classes=7).parameters(), strict=True):
        assert torch.equal(stack[0].flatten(), expected.flatten())


def test_dropout_is_refused_where_no_activation_is_a_module():
    ensemble = make_ensemble(settings("Unusual"), [3], strengths={"dropout": [0.3]})
    with pytest.raises(UserError, match="Unusual has none that is a module"):
        ensemble.train_epoch(1)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (settings("resnet", arguments={"width": 8}), torch.channels_last),
        (settings("resnet", arguments={"width": 4}), torch.contiguous_format),
        (settings("Viewing"), torch.contiguous_format),
        (settings("mlp"), torch.contiguous_format),
    ],
)
def test_channels_stand_together_where_that_is_faster_and_goes(model, expected):
    ensemble = make_ensemble(model, [3])
    assert ensemble.model.maker.memory_format == expected
    images = ensemble.model._images(ensemble.table[:20, :64])
    assert images.is_contiguous(memory_format=expected)
    ensemble.train_epoch(1)
    assert np.isfinite(ensemble.evaluate().train_loss[0])


def test_a_file_that_was_edited_is_loaded_anew(tmp_path):
    file, beside = tmp_path / "mine.py", tmp_path / "units_of_mine.py"
    file.write_text(
        "from units_of_mine import UNITS\nfrom torch import nn\n"
        "def net(classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, UNITS), nn.Linear(UNITS, classes))\n"
    )
    beside.write_text("UNITS = 3\n")
    model = {"from": f"{file}:net"}
    assert Models(model, IMAGE, CLASSES).maker.first[1].out_features == 3
    file.write_text(file.read_text().replace("(64, UNITS)", "(64, UNITS, bias=False)"))
    assert Models(model, IMAGE, CLASSES).maker.first[1].bias is None
    beside.write_text("UNITS = 17\n")
    assert Models(model, IMAGE, CLASSES).maker.first[1].out_features == 17


def test_files_of_one_name_in_two_folders_are_two(tmp_path):
    text = "def net(classes):\n    from layers_here import make\n    return make(classes)\n"
    layers = (
        "from torch import nn\ndef make(classes):\n    return nn.Sequential(nn.Flatten(), {})\n"
    )
    for name, layer in (
        ("a", "nn.Linear(64, classes)"),
        ("b", "nn.LazyLinear(classes), nn.ReLU()"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.py").write_text(text)
        (tmp_path / name / "layers_here.py").write_text(layers.format(layer))
    made = [Models({"from": f"{tmp_path / name}/net.py:net"}, IMAGE, CLASSES) for name in "ab"]
    assert [len(own.maker(1)) for own in made] == [2, 3]


def test_a_file_that_was_edited_since_the_study_was_planned_is_refused(tmp_path):
    file = tmp_path / "mine.py"
    text = (
        "from torch import nn\ndef net(classes):\n    return nn.Sequential(nn.Flatten(), nn.{}())\n"
    )
    file.write_text(text.format("Identity").replace("nn.Identity()", "nn.Linear(64, classes)"))
    planned = with_source({"from": f"{file}:net"})
    Models(planned, IMAGE, CLASSES)
    file.write_text(file.read_text() + "\nEDITED = 1\n")
    with pytest.raises(UserError, match="was edited since the study began"):
        Models(planned, IMAGE, CLASSES)
