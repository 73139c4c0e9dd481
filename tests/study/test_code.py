"""What changes the digest of code, and what does not."""

import pytest

from rote.machine.errors import UserError
from rote.study import code

SOURCE = b'''"""What it does."""

import math


def area(r, scale=1.0):
    """Return the area."""
    if r < 0:
        raise ValueError(f"{r} is {'less'} than 0")
    # Of a circle.
    return scale * math.pi * r**2


NAMES = ["a", "b"]
'''


def same(*changes: tuple[bytes, bytes]) -> bool:
    changed = SOURCE
    for before, after in changes:
        assert before in changed
        changed = changed.replace(before, after)
    return code.of_source(changed) == code.of_source(SOURCE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"    # Of a circle.\n", b""),
        (b"# Of a circle.", b"# That of a disc."),
        (b'"""What it does."""\n', b""),
        (b'"""Return the area."""', b"'''Return\n\n    it.\n    '''"),
        (b"def area(r, scale=1.0):", b"def area(\n    r,\n    scale=1.0,\n):"),
        (b'["a", "b"]', b'[\n    "a",  # first\n    "b",\n]'),
        (b"\n\n\nNAMES", b"\nNAMES"),
        (b"math.pi * r**2", b"math.pi*r ** 2"),
        (b"\n", b"\r\n"),
    ],
)
def test_words_and_layout_make_no_difference(before, after):
    assert same((before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"r**2", b"r**3"),
        (b"scale=1.0", b"scale=1.5"),
        (b"r < 0", b"r <= 0"),
        (b"'less'", b"'more'"),
        (b'"b"', b'"c"'),
        (b"import math", b"import cmath as math"),
        # What belongs to a block.
        (b"    return scale", b"        return scale"),
        (b'NAMES = ["a", "b"]', b'NAMES = ["a" "b"]'),
        (b'NAMES = ["a", "b"]', b"NAMES = []"),
    ],
)
def test_whatever_is_done_otherwise_makes_one(before, after):
    assert not same((before, after))


@pytest.mark.parametrize(
    ("with_comma", "without"),
    [
        ("x = (a,)", "x = (a)"),
        ("x = ((a),)", "x = ((a))"),
        ("x = (a, (b,))", "x = (a, (b))"),
        ("x = ('ä', (b,))", "x = ('ä', (b))"),
        ("x = (lambda a, b: a,)", "x = (lambda a, b: a)"),
        ("x = y[a,]", "x = y[a]"),
        ("for x in (a,):\n    f(x)", "for x in (a):\n    f(x)"),
        ("f((a,))", "f((a))"),
        ("return_(\n    (\n        a,\n    )\n)", "return_(\n    (\n        a\n    )\n)"),
        ("match x:\n    case (a,):\n        f(a)", "match x:\n    case (a):\n        f(a)"),
    ],
)
def test_a_comma_that_makes_a_tuple_makes_a_difference(with_comma, without):
    assert code.of_source(with_comma.encode()) != code.of_source(without.encode())


@pytest.mark.parametrize(
    ("with_comma", "without"),
    [
        ("f(a,)", "f(a)"),
        ("f((a,),)", "f((a,))"),
        ("(f)(a,)", "(f)(a)"),
        ("x = (a, b,)", "x = (a, b)"),
        ("x = [a,]", "x = [a]"),
        ("x = {a,}", "x = {a}"),
        ("x = {a: (b,),}", "x = {a: (b,)}"),
        ("x = y[a, b,]", "x = y[a, b]"),
        ("x = y[f(a,), b]", "x = y[f(a), b]"),
        ("x = (a, )", "x = (a,)"),
        ("x = (\n    a,  # one\n)", "x = (a,)"),
        ("from m import (a,)", "from m import (a)"),
        ("def f(a,):\n    g(a)", "def f(a):\n    g(a)"),
        ("class A(B,):\n    x = 1", "class A(B):\n    x = 1"),
    ],
)
def test_a_comma_that_the_layout_asks_for_makes_none(with_comma, without):
    assert code.of_source(with_comma.encode()) == code.of_source(without.encode())


def test_text_that_is_returned_is_no_docstring():
    assert code.of_source(b"x = 'a'\n") != code.of_source(b"x = 'b'\n")
    assert code.of_source(b"'a'\nx = 1\n") == code.of_source(b"'b'\nx = 1\n")


def test_f_strings_are_one_token_on_every_python():
    assert "f\"{r} is {'less'} than 0\"" in code._significant(SOURCE)
    many = b"x = f\"{a:{b}} {{c}} {d!r}\" + f'''\n{e}\n'''\n"
    assert code._significant(many) == [
        "x", "=", 'f"{a:{b}} {{c}} {d!r}"', "+", "f'''\n{e}\n'''", ";",
    ]  # fmt: skip


def test_a_module_counts_with_what_it_imports(tmp_path, monkeypatch):
    package = tmp_path / "rote"
    (package / "a").mkdir(parents=True)
    for name, text in {
        "__init__": "",
        "a/__init__": "",
        "a/one": "from rote.a import two\nimport json\n",
        "a/two": "from rote.a.three import number\n",
        "a/three": "number = 3\n",
        "a/four": "number = 4\n",
    }.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.setattr(code, "PACKAGE", package)

    def digest(module):
        for cached in (code._path, code._known, code._digest):
            cached.cache_clear()
        return code.digest([module])

    before = {name: digest(f"rote.a.{name}") for name in ("one", "two", "three", "four")}
    assert len(set(before.values())) == 4
    (package / "a" / "three.py").write_text("number = 5  # instead of 3\n")
    after = {name: digest(f"rote.a.{name}") for name in before}
    assert {name for name in before if before[name] != after[name]} == {"one", "two", "three"}
    for cached in (code._path, code._known, code._digest):
        cached.cache_clear()


def test_a_module_that_is_no_python_is_named(tmp_path, monkeypatch):
    """Such as a noise or a measure of the user's: it is read before it is imported."""
    path = tmp_path / "broken.py"
    path.write_text("def labels(examples, seed)\n")
    monkeypatch.setattr(code, "_path", lambda module: path)
    with pytest.raises(UserError, match=r"broken.py is no Python \(.*line 1\)\): mend it"):
        code.digest(["rote.data.noises.broken"])


def test_what_trains_counts_and_what_only_speaks_does_not():
    modules = code._with_imports(["rote.runs.training"])
    assert {"rote.models.mlp", "rote.models.cnn", "rote.runs.epochs", "rote.data.noising"} < modules
    assert not {"rote.machine.errors", "rote.machine.progress", "rote.figures.fig1"} & modules
