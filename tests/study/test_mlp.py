"""Layers of an MLP of one width or of several, and models that are alike."""

import pytest

from conftest import ROOT
from rote.machine.errors import UserError
from rote.study import configuration, work
from rote.study.figures import FIGURES
from rote.study.mlp import plain, widths
from rote.study.run_settings import of_run


def test_a_number_is_the_width_of_every_layer_and_a_list_has_one_for_each():
    assert widths({"hidden_layers": 3, "hidden_units": 8}) == [8, 8, 8]
    assert widths({"hidden_units": [8, 4]}) == [8, 4]
    assert widths({"hidden_layers": 2, "hidden_units": [8, 4]}) == [8, 4]


def test_models_that_are_alike_have_the_same_settings():
    usual = {"hidden_layers": 2, "hidden_units": 8}
    alike = [{"hidden_units": [8, 8]}, {**usual, "initialization": "pytorch", "biases": True}]
    assert [plain(model) for model in (usual, *alike)] == [usual] * 3
    assert plain({"hidden_layers": 2, "hidden_units": [8, 4]}) == {"hidden_units": [8, 4]}
    others = {**usual, "initialization": "glorot_normal", "biases": False}
    assert plain(others) == others
    assert plain({"maps": 3, "dense": [4], "crop": 0}) == {"maps": 3, "dense": [4], "crop": 0}


def test_the_multiply_adds_of_layers_of_different_widths():
    own = work.layers({"hidden_units": [16, 8, 4]}, (1, 14, 14))
    assert own == [(196, 16, 1), (16, 8, 1), (8, 4, 1), (4, 10, 1)]


def test_a_run_of_several_widths_is_named_by_them(settings):
    difficulty = settings | {"noise_level": 1.0, "experiments": 3}
    difficulty["model"] = {"hidden_layers": 2, "hidden_units": [512, 256]}
    (name,) = FIGURES["fig3_1"].runs(difficulty)
    assert name == "units-512-256"
    assert of_run("difficulty", difficulty, name, "float32")["model"] == {
        "hidden_units": [512, 256]
    }


def load(experiment: str, settings: dict) -> dict:
    given = {"presets": {"demo": {experiment: settings}}}
    return configuration.load(ROOT / "config.yaml", given=given)["presets"]["demo"][experiment]


CASES = "complexity.cases.digits_mlp.mlp"


@pytest.mark.parametrize(
    ("experiment", "settings", "message"),
    [
        (
            "difficulty",
            {"model": {"hidden_units": [8, 4, 2]}},
            "presets.demo.difficulty.model has 2 hidden_layers, but hidden_units names the widths "
            "of 3: set hidden_layers to null, which leaves it out",
        ),
        (
            "complexity",
            {"cases": {"digits_mlp": {"mlp": {"hidden_units": [8]}}}},
            "presets.demo.complexity.cases.digits_mlp.mlp has 2 hidden_layers, but hidden_units",
        ),
        (
            "sensitivity",
            {"model": {"hidden_layers": None}},
            "presets.demo.sensitivity.model lacks the key hidden_layers: add it",
        ),
        ("difficulty", {"model": {"hidden_units": []}}, "model.hidden_units is empty"),
        (
            "difficulty",
            {"model": {"hidden_units": [1] * 21}},
            "1]: write a number of units, or a list of up to 20, one a layer",
        ),
        ("difficulty", {"model": {"hidden_units": [8, 0]}}, "hidden_units[1] is 0: it must be at"),
        (
            "convergence",
            {"model": {"hidden_units": [8, 4]}},
            "presets.demo.convergence.model.hidden_units is [8, 4]: write a value of type integer",
        ),
        (
            "capacity",
            {"model": {"initialization": "glorot"}},
            'capacity.model.initialization is "glorot", which is unknown: did you mean glorot_',
        ),
        ("regularization", {"mlp": {"biases": 0}}, "mlp.biases is 0: write a value of type bool"),
    ],
)
def test_what_does_not_fit_gets_one_sentence(experiment, settings, message):
    with pytest.raises(UserError) as raised:
        load(experiment, settings)
    assert message in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("layers", [None, 3])
def test_a_list_of_widths_needs_no_number_of_layers(layers):
    model = {"hidden_layers": layers, "hidden_units": [8, 4, 2]}
    own = load("difficulty", {"model": model})["model"]
    assert widths(own) == [8, 4, 2]
    assert load("regularization", {"mlp": model})["mlp"]["hidden_units"] == [8, 4, 2]
    assert load("sensitivity", {"model": model})["model"]["hidden_units"] == [8, 4, 2]
