"""Values that YAML takes for something else than their author are refused."""

import pytest
import yaml

from made_up_configurations import CAPACITY, load, nested
from rote.machine.errors import UserError
from rote.study import configuration


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("0100", "64"),
        ("1_000", "1000"),
        ("0x40", "64"),
        ("0b11", "3"),
        ("12:30", "750"),
        ("-0100", "-64"),
        ("1_0.5", "10.5"),
        ("1:30.5", "90.5"),
    ],
)
def test_a_number_that_yaml_takes_for_another_is_refused(written, taken):
    text = f"presets:\n  demo:\n    data:\n      seed: {written}\n"
    with pytest.raises(UserError, match=rf"a.yaml has {written} in line 4, which YAML takes for"):
        load(text)
    try:
        load(text)
    except UserError as error:
        assert f"takes for {taken}:" in str(error)


@pytest.mark.parametrize(
    ("written", "taken"),
    [("on", "true"), ("yes", "true"), ("Off", "false"), ("no", "false"), ("2020-01-01", "a date")],
)
@pytest.mark.parametrize("text", ["datasets:\n  mine:\n    title: {}\n", "presets:\n  {}: {{}}\n"])
def test_a_word_that_yaml_takes_for_something_else_is_refused(text, written, taken):
    line = 3 if "title" in text else 2
    message = rf"a.yaml has {written} in line {line}, which YAML takes for {taken}: write .* quotes"
    with pytest.raises(UserError, match=message):
        load(text.format(written))


@pytest.mark.parametrize(("written", "value"), [("true", True), ("False", False)])
def test_true_and_false_are_what_they_are(written, value):
    assert load(f"reuse: {written}\n")["reuse"] is value


@pytest.mark.parametrize("written", ["2020", "1.5", "true"])
def test_a_title_of_digits_is_to_be_put_into_quotes(written):
    with pytest.raises(UserError, match="; put it into quotes"):
        load(f"datasets: {{digits: {{title: {written}}}}}\n")
    config = load(f"datasets: {{digits: {{title: '{written}'}}}}\n")
    assert config["datasets"]["digits"]["title"] == written


def test_a_number_in_quotes_is_said_to_be_one_without_them():
    with pytest.raises(UserError, match='seeds is "5": .* integer; without quotes it is one'):
        load("presets: {demo: {capacity: {seeds: '5'}}}\n")


def on_the_command_line(*arguments: str) -> dict:
    from snakemake.cli import parse_config

    return load(given=parse_config(arguments))


def test_the_command_line_is_read_as_a_file_is():
    config = on_the_command_line(
        "presets={demo: {capacity: {seeds: 5, noise_levels: [0, 0.5], "
        "training: {decay_every: null}}}}",
        "checkpoint_seconds=1e3",
        "reuse=false",
        "datasets={digits: {title: 2020}}",
    )
    capacity = config["presets"]["demo"]["capacity"]
    assert capacity["seeds"] == 5
    assert capacity["noise_levels"] == [0, 0.5]
    assert capacity["training"]["decay_every"] is None
    assert config["checkpoint_seconds"] == 1000
    assert config["reuse"] is False
    assert config["datasets"]["digits"]["title"] == "2020"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("presets={demo: {capacity: {seeds: 0100}}}", "the command line has 0100, which YAML take"),
        ("presets={demo: {capacity: {seeds: 1:30}}}", "the command line has 1:30, which YAML take"),
        ("presets={demo: {capacity: {seeds: 1e3}}}", "takes 1e3 for text, but 1000 for a number"),
        ("reuse=yes", "the command line has yes, which YAML takes for true: write true or false"),
    ],
)
def test_what_yaml_takes_for_something_else_is_refused_on_the_command_line(argument, message):
    with pytest.raises(UserError) as raised:
        on_the_command_line(argument)
    assert message in str(raised.value)


@pytest.mark.parametrize("written", ["0", "-0", "10", "+7", "0.5", "1.", ".5", "1.5e+3", "1.5E-3"])
def test_plain_numbers_are_taken_as_they_are(tmp_path, written):
    (tmp_path / "a.yaml").write_text(f"a: {written}\n")
    value = configuration.read(tmp_path / "a.yaml")["a"]
    assert value == (float(written) if isinstance(value, float) else int(written))


@pytest.mark.parametrize(
    ("place", "written", "message"),
    [
        (f"{CAPACITY}.training.epochs", "1e3", "; YAML takes 1e3 for text, but 1000 for a number"),
        (f"{CAPACITY}.training.epochs", "1.0e+3", "; 1000 is one"),
        (f"{CAPACITY}.training.epochs", "1e-3", "write a value of type integer (a.yaml"),
        (f"{CAPACITY}.training.learning_rate", "1e-3", "but 0.001 for a number"),
        (f"{CAPACITY}.training.decay_every", "2e1", "but 20 for a number"),
    ],
)
def test_a_power_of_ten_is_explained(place, written, message):
    text = yaml.safe_dump(nested(place, "HERE")).replace("HERE", written)
    with pytest.raises(UserError) as raised:
        load(text)
    assert message in str(raised.value)
