"""What a kind of noise of one's own returns is used as it is, or refused in a sentence."""

import sys
import warnings
from types import ModuleType

import numpy as np
import pytest

from rote.data import noises
from rote.data.scaling import PER_GREY_LEVEL
from rote.machine.errors import UserError

N, CLASSES, SHAPE = 6, 3, (6, 2, 4, 5)
EACH, ALL = {}, {PER_GREY_LEVEL: 0.1}  # attributes: each image is scaled by itself, or none is


@pytest.fixture
def own(monkeypatch):
    """Return a function that makes a module the kind of noise ``own``."""

    def made(**content) -> None:
        module = ModuleType("rote.data.noises.own")
        vars(module).update({"OF_EXAMPLES": True, **content})
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return made


def drawn(attributes: dict = ALL) -> dict:
    examples = noises.Examples(
        SHAPE,
        attributes,
        images=np.random.default_rng(0).random(SHAPE, np.float32),
        levels=np.full(N, 0.1) if attributes is EACH else None,
        label=np.arange(N, dtype=np.int16) % CLASSES,
        classes=CLASSES,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return noises.drawn("own", examples, 0, {})


def refused(attributes: dict = ALL) -> str:
    with pytest.raises(UserError) as raised:
        drawn(attributes)
    sentence = str(raised.value)
    assert "\n" not in sentence and sentence.endswith(".")
    return sentence


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_whole_numbers_of_any_type_are_labels(own, dtype):
    own(labels=lambda examples, seed: (examples.label[::-1]).astype(dtype))
    found = drawn()["label"]
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, [2, 1, 0, 2, 1, 0])


LABELS = {
    "parts": (lambda true: np.full(N, 0.7), "the label 0.7 in place 0"),
    "none of a number": (lambda true: np.where(true == 1, np.nan, true), "the label nan in place"),
    "infinite": (lambda true: np.where(true == 1, np.inf, true), "the label inf in place 1"),
    "large": (lambda true: true + 1, "the label 3 in place 2"),
    "wraps": (lambda true: true.astype(np.int64) + 2**16, "the label 65536 in place 0"),
    "negative": (lambda true: true - 1, "the label -1 in place 0"),
    "table": (lambda true: true[:, None], r"an array (6, 1) of type int16"),
    "short": (lambda true: true[:-1], "an array (5,) of type int16"),
    "one": (lambda true: true[0], "int16"),
    "masks": (lambda true: true == 1, "an array (6,) of type bool"),
    "text": (lambda true: true.astype("U"), "an array (6,) of type <U"),
    "list": (lambda true: true.tolist(), "list"),
    "nothing": (lambda true: None, "None"),
}


@pytest.mark.parametrize("wrong", LABELS)
def test_what_are_no_labels_is_refused(own, wrong):
    change, words = LABELS[wrong]
    own(labels=lambda examples, seed: change(examples.label))
    sentence = refused()
    assert sentence.startswith(f"The function labels of the noise own returns {words}")
    assert sentence.endswith(
        "have it return a whole number from 0 to 2 for each example, an array (6,)."
    )


@pytest.mark.parametrize("attributes", [EACH, ALL])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_numbers_of_any_precision_are_inputs(own, attributes, dtype):
    own(inputs=lambda examples, seed, part: ((-examples.images).astype(dtype), examples.levels))
    found = drawn(attributes)
    assert found["image"].dtype == np.float32
    assert (found["image"] <= 0).all()
    assert (PER_GREY_LEVEL in found) == (attributes is EACH)


def changed(array: np.ndarray, value: float) -> np.ndarray:
    return np.where(np.arange(len(array)).reshape(-1, *[1] * (array.ndim - 1)) == 2, value, array)


INPUTS = {
    "images alone": (lambda x: x.images, "an array (6, 2, 4, 5) of type float32: have it return a"),
    "nothing": (lambda x: None, "None: have it return a pair, images and what a grey level is in"),
    "three": (lambda x: (x.images, None, None), "tuple: have it return a pair, images and what"),
    "bytes": (
        lambda x: ((255 * x.images).astype(np.uint8), None),
        "an array (6, 2, 4, 5) of type uint8 for images: have it return images of shape (6, 2, 4, "
        "5) and type float32.",
    ),
    "means": (lambda x: (x.images.mean((2, 3)), None), "an array (6, 2) of type float32 for image"),
    "columns": (lambda x: (x.images[..., ::2], None), "an array (6, 2, 4, 3) of type float32 for "),
    "few": (lambda x: (x.images[:5], None), "an array (5, 2, 4, 5) of type float32 for images"),
    "list": (lambda x: ([*x.images], None), "list for images: have it return images of shape"),
    "nan": (
        lambda x: (changed(x.images, np.nan), None),
        "images from nan to nan: have it return ",
    ),
    "infinite": (lambda x: (changed(x.images, -np.inf), None), "images from -inf to 0.9"),
    "too large": (lambda x: (changed(x.images.astype(float), 1e39), None), "images from 0.0"),
    "levels": (
        lambda x: (x.images, np.ones(N)),
        "an array (6,) of type float64 for grey levels: have it return None for them, since no im",
    ),
}


@pytest.mark.parametrize("wrong", INPUTS)
def test_what_are_no_inputs_is_refused(own, wrong):
    change, words = INPUTS[wrong]
    own(inputs=lambda examples, seed, part: change(examples))
    assert refused().startswith(f"The function inputs of the noise own returns {words}")


LEVELS = {
    "none": (None, "None for grey levels"),
    "one": (0.1, "float for grey levels"),
    "table": (np.ones((N, 1)), "an array (6, 1) of type float64 for grey levels"),
    "nan": (np.full(N, np.nan), "grey levels from nan to nan"),
    "zero": (np.arange(6.0), "grey levels from 0 to 5"),
}


@pytest.mark.parametrize("wrong", LEVELS)
def test_what_are_no_grey_levels_is_refused(own, wrong):
    levels, words = LEVELS[wrong]
    own(inputs=lambda examples, seed, part: (examples.images, levels))
    assert refused(EACH) == (
        f"The function inputs of the noise own returns {words}: have it return a positive number "
        "for each image as its grey level, an array (6,)."
    )


def test_a_function_that_fails_is_named(own):
    own(labels=lambda examples, seed: 1 / 0)
    assert refused() == (
        "The function labels of the noise own fails (ZeroDivisionError: division by zero): see to "
        "its code."
    )
    own(inputs=lambda examples, seed: None)
    assert "The function inputs of the noise own fails (TypeError: " in refused()


def test_what_a_user_is_told_and_a_lack_of_memory_stay_what_they_are(own):
    def labels(examples, seed):
        raise error

    own(labels=labels)
    for error in (UserError("Mend it."), MemoryError()):
        with pytest.raises(type(error)) as raised:
            drawn()
        assert raised.value is error


def test_a_module_that_lacks_something_is_named(own):
    own(labels=lambda examples, seed: examples.label, OF_EXAMPLES=None)
    assert "rote.data.noises.own does not say whether it depends on the real examples" in refused()
    own(label=lambda examples, seed: examples.label)
    assert refused().startswith("rote.data.noises.own has to have a function, labels or inputs: wr")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def labels(", "SyntaxError: "),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(tmp_path, monkeypatch, code, words):
    (tmp_path / "broken.py").write_text(code)
    monkeypatch.setattr(noises, "__path__", [*noises.__path__, str(tmp_path)])
    with pytest.raises(UserError) as raised:
        noises.module("broken")
    assert f"rote.data.noises.broken cannot be imported ({words}" in str(raised.value)
    assert str(raised.value).endswith("see to its code.")
