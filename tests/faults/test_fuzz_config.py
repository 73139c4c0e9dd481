"""A few cases of the fuzzer, and files that are no configuration at all."""

import copy
import re

import pytest
import yaml
from fuzz_config import SHIPPED, fuzz, resolve

from rote.machine.errors import UserError
from rote.study import check, configuration


@pytest.mark.slow
def test_a_configuration_is_refused_in_a_sentence_or_resolves():
    counts = fuzz(cases=120, seed=3)
    assert counts.total() >= 120
    assert counts["refused"] > 20
    assert counts["valid"] > 10


def test_what_ships_resolves():
    check.validate(SHIPPED)
    resolve(SHIPPED)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "holds null, but no keys and values"),
        (b"- 1\n- 2\n", r"holds \[1, 2\], but no keys and values"),
        (b"just text", 'holds "just text", but no keys and values'),
        (b"a: [1\nb: : :", r"is no YAML \(.* in line 2\)"),
        (b"a:\n\tb: 1\n", r"is no YAML \(.* in line 2\)"),
        (b"\x91\x00\xff", r"is no YAML \('utf-8' codec can't decode"),
        (b"a: &x {b: *x}\n", r"is no YAML \(.*recursive"),
        (b"a: 1\nb: 2\na: 3\n", "names the key a twice, for the first time in line 1"),
        (b"a: {b: 1, c: {d: 1, d: 1}}", "names the key d twice"),
        (b'{"a": 1, "a": 2}', "names the key a twice"),
        (b"? [1, 2]\n: 3\n", "is no YAML"),
        (b'a: !!python/object/apply:os.system ["true"]', "is no YAML .*constructor"),
        (b"a: " + b"9" * 5000, "is no YAML .*digits"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(tmp_path, text, message):
    path = tmp_path / "config.yaml"
    path.write_bytes(text)
    with pytest.raises(UserError, match=f"^{re.escape(str(path))} {message}") as error:
        configuration.read(path)
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot be read .No such file"):
        configuration.read(tmp_path / "gone.yaml")


def test_a_sound_file_is_read_as_yaml_reads_it(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("x: &x {a: 1}\ny: {<<: *x, b: [1.5, null]}\n# ein Ä\n", encoding="utf-8")
    assert configuration.read(path) == yaml.safe_load(path.read_text(encoding="utf-8"))


CAPACITY = ("presets", "demo", "capacity")


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        ((*CAPACITY, "seeds"), 3.0, "seeds is 3.0: write a value of type integer; 3 is one."),
        ((*CAPACITY, "seeds"), True, "seeds is true: write a value of type integer."),
        (
            (*CAPACITY, "training", "learning_rate"),
            "1e-3",
            'is "1e-3": write a list of numbers, or a number above 0; YAML takes 1e-3 for text',
        ),
        (
            (*CAPACITY, "training", "learning_rate"),
            float("inf"),
            "is Infinity: write a list of numbers, or a number above 0 that is finite.",
        ),
        ((*CAPACITY, "training", "epochs"), 10**9, "epochs is 1000000000: it must be at most"),
        (("presets", "store"), {}, 'the name "store" under presets cannot stand in a path: use'),
        (("presets", "../x"), {}, 'the name "../x" under presets cannot stand in a path'),
        (("presets", "/x"), {}, 'the name "/x" under presets cannot stand in a path'),
        (("presets", "x\n"), {}, r'the name "x\n" under presets cannot stand in a path'),
        (("presets", 1), {}, "the name 1 under presets cannot stand in a path"),
        (("datasets", "a/b"), {}, 'the name "a/b" under datasets cannot stand in a path'),
        (("presets", "demo", "complexity", "cases", ".."), {}, 'the name ".." under presets.demo'),
        ((*CAPACITY, "data", "dataset"), "../digits", "names the data set ../digits, which is unk"),
        (("datasets", "digits", "title"), "a $ b", 'title is "a $ b": write text in one line'),
        (("datasets", "mnist", "path"), "a\0b", r'path is "a\u0000b": write the path of a folder'),
        (
            (*CAPACITY, "noise_levels"),
            [0],
            "capacity.noise_levels needs a level above 0, which fig",
        ),
        (("presets",), {}, "presets is empty: name at least one value."),
        ((*CAPACITY, "noise_levels"), [0, 0.5, 0.50], "names a value twice: [0, 0.5, 0.5]"),
    ],
)
def test_values_that_used_to_pass_or_to_break_are_refused(place, value, sentence):
    config = copy.deepcopy(SHIPPED)
    block = config
    for key in place[:-1]:
        block = block[key]
    block[place[-1]] = value
    with pytest.raises(UserError) as error:
        check.validate(config)
    assert sentence in str(error.value)
