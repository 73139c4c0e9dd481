"""No name that the user chooses leads out of the folder of results."""

import re

from rote.study import plan
from rote.study.figures import EXPERIMENTS, FIGURES
from rote.study.schema import SCHEMA


def names(schema, found):
    """Collect the schema of the keys of every object whose keys the user chooses."""
    for key, part in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key == "propertyNames":
            found.append(part)
        elif isinstance(part, dict | list):
            names(part, found)
    return found


def test_whatever_the_user_names_is_checked_to_be_a_plain_word():
    chosen = names(SCHEMA, [])
    # Data sets, presets and cases; noises have names as those of the poster, which are in no path.
    assert sorted(part["$ref"] for part in chosen) == [*["#/$defs/name"] * 3, "#/$defs/noise_name"]
    pattern = re.compile(SCHEMA["$defs"]["name"]["pattern"])
    for name in ("demo", "my_data2", "storehouse"):
        assert pattern.search(name), name
    for name in (
        "",
        "..",
        ".",
        "/etc",
        "a/b",
        "a..b",
        "../a",
        "a\n",
        "Ä",
        "~",
        "-x",
        "store",
        "1a",
    ):
        assert not pattern.search(name), name


def test_other_parts_of_paths_are_numbers_or_words_of_rote(settings, convergence_settings):
    word = re.compile(r"[a-z_]+(-[1-9]\d*)?")
    runs = FIGURES["fig1"].runs(settings) + FIGURES["fig2"].runs(convergence_settings)
    runs += [*plan.REGULARIZERS, *EXPERIMENTS]
    assert all(word.fullmatch(name) for name in runs), runs
