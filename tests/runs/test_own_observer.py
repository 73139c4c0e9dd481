"""What is wrong with an observer of one's own ends in one sentence that names it."""

import re
import sys
from types import ModuleType

import pytest

from rote.files.store import Store
from rote.machine.errors import UserError
from rote.models.ensemble import Ensemble
from rote.runs import sensitivity, training, variables
from rote.study.figures import EXPERIMENTS, Experiment
from rote.study.run_settings import of_run

CODE = """
import torch
from rote.measures.observer import Observer

class Surprise(Observer):
    def __init__(self, *group):
        super().__init__(*group)
        members, examples, epochs, device = group
        self.state["surprise"] = torch.zeros((members, examples), device=device)

    def presented(self, epoch, examples, logits, labels):
        loss = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        self.state["surprise"].scatter_add_(1, examples, loss)

    def variables(self, member):
        return self.of_examples(member, "surprise")
"""
RETURNS = 'self.of_examples(member, "surprise")'
VALUES = 'self.state["surprise"][member].cpu().numpy()'
RESULT = "surprise.Surprise.variables "
FAILS = r" fails in line {} \({}\): see to its code"


@pytest.fixture
def measured(monkeypatch, noised, settings, tmp_path):
    """Train with an observer of the given code, and return the run."""
    declared = {"surprise": "surprise of the example"}
    entry = Experiment("surprise", observer="surprise.Surprise", variables=declared)
    monkeypatch.setitem(EXPERIMENTS, "surprise", entry)
    attributes = {"long_name": declared["surprise"], "units": "1"}
    monkeypatch.setitem(variables.ATTRIBUTES, "surprise", attributes)

    def run(code: str, kind=training, own=None):
        module = ModuleType("rote.measures.surprise")
        exec(code, module.__dict__)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        own = own or of_run("capacity", settings, "units-6", "float32")
        asked = {**own, "observer": "surprise.Surprise"}
        return kind.compute_run(noised, asked, Store(tmp_path), name="test")

    return run


def test_one_without_a_fault_is_watched(measured):
    run = measured(CODE)
    assert run["surprise"].dims == ("member", "example")
    assert (run["surprise"] > 0).all()


@pytest.mark.parametrize(
    ("part", "faulty", "said"),
    [
        (
            RETURNS,
            f'{{"surprize": (("example",), {VALUES})}}',
            RESULT + "returns 'surprize', but the variables of .* are 'surprise': have it return",
        ),
        (RETURNS, "{}", RESULT + "returns none, but the variables of .* are 'surprise'"),
        (RETURNS, "None", RESULT + r"returns nothing: have it return a dict of \(dimensions, v"),
        (RETURNS, VALUES, RESULT + "returns ndarray: have it return a dict"),
        (RETURNS, f'{{"surprise": {VALUES}}}', RESULT + "gives 'surprise' as ndarray: have it giv"),
        (
            RETURNS,
            f'{{"surprise": (("example",), {VALUES}[:-1])}}',
            RESULT + r"gives 'surprise' an array of shape \(99,\) .*: have it .* {'example': 100}",
        ),
        (
            RETURNS,
            f'{{"surprise": (("epoch", "example"), {VALUES})}}',
            RESULT + r"gives .* \(100,\) for the dimensions \('epoch', 'example'\): have it give",
        ),
        (
            RETURNS,
            f'{{"surprise": ("bin", {VALUES}[: 3 + member])}}',
            RESULT + r"gives .* of shape \(4,\) .*: have it .* {'bin': 3}",
        ),
        (
            RETURNS,
            '{"surprise": (("member", "example"), self.state["surprise"].cpu().numpy())}',
            RESULT + "gives 'surprise' along 'member': have it give the values of one member",
        ),
        (
            RETURNS,
            '{"surprise": ("example", self.state["surprise"][member])}',
            RESULT
            + "gives 'surprise' values of type torch.float32: have it give numbers in an array",
        ),
        (
            RETURNS,
            f'{{"surprise": ("example", {VALUES}.astype("f2"))}}',
            RESULT + "gives 'surprise' values of type float16: have it give numbers",
        ),
        (
            "        super().__init__(*group)\n",
            "",
            r"surprise.Surprise.__init__ fails in line 8 \(AttributeError: .* no attribute "
            r"'state'\): see to its code, and begin its __init__ with super\(\).__init__\(\*group",
        ),
        (
            "super().__init__(*group)\n        members, examples, epochs, device = group\n"
            '        self.state["surprise"] = torch.zeros((members, examples), device=device)',
            "pass",
            r"surprise.Surprise has no state: begin its __init__ with super\(\)",
        ),
        (
            "(members, examples)",
            "(1 + members, examples)",
            "surprise.Surprise.state has 'surprise' without an axis of the . members in front",
        ),
        (
            "loss = ",
            'raise RuntimeError("oops"); loss = ',
            "surprise.Surprise.presented" + FAILS.format(12, "RuntimeError: oops"),
        ),
        (
            "    def presented(self, epoch,",
            "    def presented(self,",
            r"surprise.Surprise.presented fails \(TypeError: .* takes 4 positional arguments but",
        ),
        (
            RETURNS,
            'self.of_examples(member, "surprize")',
            "surprise.Surprise.variables" + FAILS.format(16, "KeyError: 'surprize'"),
        ),
        ("(Observer):", ":", "rote.measures.surprise has no subclass Surprise of Observer"),
        ("class Surprise", "class Suprise", "rote.measures.surprise has no subclass Surprise of"),
    ],
)
def test_a_fault_is_one_sentence_that_names_the_observer(measured, part, faulty, said):
    assert part in CODE
    with pytest.raises(UserError) as error:
        measured(CODE.replace(part, faulty))
    assert re.match(said, str(error.value)), error.value
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


def test_an_undeclared_name_is_said(measured, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "surprise", Experiment("surprise", observer="surprise.Other"))
    monkeypatch.delitem(variables.ATTRIBUTES, "surprise")
    with pytest.raises(UserError, match="returns 'surprise', but the variables of .* are none"):
        measured(CODE)


def test_what_does_not_fit_is_said_at_the_first_score(measured, monkeypatch):
    evaluated, evaluate = [], Ensemble.evaluate

    def noting(ensemble, epoch):
        evaluated.append(epoch)
        return evaluate(ensemble, epoch)

    monkeypatch.setattr(Ensemble, "evaluate", noting)
    with pytest.raises(UserError, match="returns nothing"):
        measured(CODE.replace(RETURNS, "None"))
    assert len(evaluated) == 1


def test_a_lack_of_memory_is_no_fault_of_an_observer(measured):
    scarce = "if len(labels) > 1: raise MemoryError\n        loss = "
    assert (measured(CODE.replace("loss = ", scarce))["surprise"] > 0).all()


def test_sensitivity_says_it_too(measured, sensitivity_settings):
    own = of_run("sensitivity", sensitivity_settings, "class", "float32")
    with pytest.raises(UserError, match=r"surprise.Surprise.scored fails in line 12 \(NameError"):
        code = CODE.replace("presented(self", "scored(self").replace("loss = ", "loss = epochs; ")
        measured(code, sensitivity, own)
