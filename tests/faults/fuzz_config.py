"""Wrong and odd configurations: each is refused in one sentence, or every run of it resolves.

Values of the configuration that ships are replaced, at random places, by what the schema allows or
by what it does not: wrong types, numbers out of range, not finite or huge, empty and repeated
lists, unknown and missing keys. Half of the configurations are merged ones; the others are files,
with what presets share, which are merged first: in the place of config.yaml, and over it. The
search is that of hypothesis.

    python tests/faults/fuzz_config.py --cases 2000 --seed 0
"""

import argparse
import copy
import datetime
import json
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import yaml
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow_scripts")]

from rote.machine.errors import UserError  # noqa: E402
from rote.study import check, configuration, plan  # noqa: E402
from rote.study import schema as schemas  # noqa: E402
from rote.study.figures import impossible, runs_of_experiment  # noqa: E402
from rote.study.jobs import Study  # noqa: E402

SHIPPED = configuration.load(ROOT / "config.yaml")
RAW = configuration.read(ROOT / "config.yaml")
HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [0, -1, 0.0, -0.0, 1.0, 2.5, 1e308, 10**30, 10**400, float("nan"), float("inf")]
    ),
    st.sampled_from(["", " ", "..", "../../etc", "/etc/passwd", "a/b", "ü", "a\n", "\0", "1e-3"]),
    st.sampled_from([[], {}, [[]], [None], [0, 0], [0, False], {"a": 1}, {1: 2}, {None: None}]),
    st.sampled_from([b"\xff", datetime.date(2020, 1, 1), {1, 2}, (1, 2), [10**30], [0] * 2000]),
    st.just("x" * 300),
    st.lists(st.integers(-1, 3) | st.floats() | st.text(max_size=3), max_size=4),
)
KEYS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["store", "none", "..", "a/b", "/a", "A", "demo\n", "x" * 61, "epoch", "mlp"]),
    st.integers(),
    st.none(),
    st.booleans(),
)


def allowed(schema: dict) -> st.SearchStrategy:
    """Return values that this part of the schema allows, as far as it alone can tell."""
    schema = schemas.resolved(schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema.get("type", "object")
    if isinstance(kinds, list):
        own = {**schema, "type": next(kind for kind in kinds if kind != "null")}
        return st.none() | allowed(own)
    low, high = schema.get("minimum", 0), schema.get("maximum", 10**6)
    if kinds == "integer":
        return st.integers(low, low + 6) | st.integers(low, high) | st.just(high)
    if kinds == "number":
        low = schema.get("exclusiveMinimum", low)
        above = "exclusiveMinimum" in schema
        high, below = schema.get("exclusiveMaximum", high), "exclusiveMaximum" in schema
        numbers = st.floats(low, high, exclude_min=above, exclude_max=below)
        return numbers | st.sampled_from([(low + high) / 2, (3 * low + high) / 4])
    if kinds == "string":
        return st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
    if kinds == "array" and "prefixItems" in schema:
        return st.tuples(*map(allowed, schema["prefixItems"])).map(list)
    if kinds == "array":
        return st.lists(
            allowed(schema["items"]),
            min_size=schema.get("minItems", 0),
            max_size=4,
            unique_by=json.dumps,
        )
    properties = {name: allowed(part) for name, part in schema.get("properties", {}).items()}
    if "additionalProperties" in schema and isinstance(schema["additionalProperties"], dict):
        return st.dictionaries(
            allowed({"type": "string"}),
            allowed(schema["additionalProperties"]),
            min_size=1,
            max_size=2,
        )
    for choice in schema.get("oneOf", [])[1:]:
        properties.pop(choice["required"][0])
    return st.fixed_dictionaries(properties)


def places(value: object, schema: dict, way: tuple = ()) -> list[tuple[tuple, dict]]:
    """Return every place in a configuration, as keys and indices, with its part of the schema."""
    schema = schemas.resolved(schema)
    found = [(way, schema)] if way else []
    if isinstance(value, dict):
        rest = schema.get("additionalProperties")
        for key, part in value.items():
            found += places(part, schema.get("properties", {}).get(key, rest), (*way, key))
    elif isinstance(value, list) and "items" in schema:
        for i, part in enumerate(value):
            found += places(part, schema["items"], (*way, i))
    return found


PLACES = places(SHIPPED, schemas.SCHEMA)


@st.composite
def configurations(draw) -> tuple[dict, list[tuple]]:
    """Return a configuration and the places at which it differs from the one that ships."""
    config, changed = copy.deepcopy(SHIPPED), []
    for _ in range(draw(st.integers(1, 3))):
        way, schema = draw(st.sampled_from(PLACES))
        block = config
        try:
            for key in way[:-1]:
                block = block[key]
            block[way[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken the place away
        changed.append(way)
        match draw(st.sampled_from(["allowed"] * 3 + ["hostile"] * 2 + ["delete", "add", "twice"])):
            case "allowed":
                block[way[-1]] = draw(allowed(schema))
            case "hostile":
                block[way[-1]] = draw(HOSTILE)
            case "delete":
                del block[way[-1]]
            case "add" if isinstance(block, dict):
                key = draw(KEYS)
                block[key] = draw(HOSTILE)
                changed[-1] = (*way[:-1], key)
            case "twice" if isinstance(block, list):
                block.append(copy.deepcopy(block[way[-1]]))
    return config, changed


def ways(value: object, way: tuple = ()) -> list[tuple]:
    """Return every place in the content of a file, as keys and indices."""
    found = [way] if way else []
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            found += ways(part, (*way, key))
    return found


WAYS = ways(RAW)
SHARED = st.sampled_from(
    ["like", "data", "training", "seeds", "first_seed", "vary", "defaults", "capacity", "cases"]
)


@st.composite
def files(draw) -> tuple[dict, list[tuple]]:
    """Return the content of a file like config.yaml, and the places at which it differs."""
    content, changed = copy.deepcopy(RAW), []
    for _ in range(draw(st.integers(1, 3))):
        way = draw(st.sampled_from(WAYS))
        block = content
        try:
            for key in way[:-1]:
                block = block[key]
            block[way[-1]]
        except (KeyError, IndexError, TypeError):
            continue
        changed.append(way)
        match draw(st.sampled_from(["hostile", "delete", "null", "add", "like"])):
            case "hostile":
                block[way[-1]] = draw(HOSTILE)
            case "delete":
                del block[way[-1]]
            case "null":
                block[way[-1]] = None
            case "add" if isinstance(block, dict):
                key = draw(KEYS | SHARED)
                block[key] = draw(HOSTILE)
                changed[-1] = (*way[:-1], key)
            case "like":
                own = {"like": draw(st.sampled_from(["demo", "poster", "mine", "smoke", 3]))}
                own |= draw(st.dictionaries(SHARED, HOSTILE, max_size=2))
                if isinstance(content.get("presets"), dict):
                    content["presets"]["mine"] = own
                    changed[-1] = ("presets", "mine", *own)
    return content, changed


def outcome(config: dict, changed: list[tuple]) -> str:
    """Return "refused" or "valid"; anything else that the configuration leads to is an error.

    Args:
        config: a merged configuration.
        changed: the places that were changed.
    """
    try:
        check.validate(config)
    except UserError as error:
        _check_sentence(str(error), changed)
        return "refused"
    resolve(config)
    return "valid"


def outcome_of_file(content: dict, changed: list[tuple], over: bool) -> str:
    """Return the same of the content of a file.

    Args:
        content: that of config.yaml, changed.
        changed: the places that were changed.
        over: whether the file is merged over config.yaml, as by ``--configfile``; else it takes its
            place.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "changed.yaml"
        try:
            path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        except yaml.YAMLError:
            return "unwritable"
        try:
            files = [ROOT / "config.yaml", path] if over else [path]
            config = configuration.load(files[0], files[1:])
        except UserError as error:
            sentence = str(error)
            if not sentence.startswith(f"{path} "):  # which is no YAML of keys and values
                _check_sentence(sentence, changed)
            return "refused"
    resolve(config)
    return "valid"


def _check_sentence(sentence: str, changed: list[tuple]) -> None:
    for line in sentence.splitlines():  # several mistakes have a line each
        assert line.startswith("config: "), sentence
        assert line.endswith("."), sentence
        assert len(line) < 900, sentence
    named = {part for way in changed for key in way for part in spelled(key)}
    # What the defaults lack is missed where a preset needs it.
    shared = any(way[0] == "defaults" for way in changed)
    assert shared or any(part in sentence for part in named), (sentence, changed)


def spelled(key: object) -> tuple[str, ...]:
    """Return how a sentence may name a key, or a position in a list."""
    if isinstance(key, int):
        return f"[{key}]", f"key {schemas.named(key)}", f"name {schemas.named(key)}"
    return (schemas.named(key)[:50],)


def resolve(config: dict) -> None:
    """Ask for all that the rules ask of every job of every preset."""
    study = Study(config)
    allowed = study.wildcards()
    for preset, experiments in config["presets"].items():
        impossible(experiments)
        for name in plan.noised_datasets(experiments):
            job = SimpleNamespace(preset=preset, noised=name)
            json.dumps(study.noising(job), allow_nan=False)
            assert re.fullmatch(allowed["noised"], name)
            assert study.images_of_noised(job).startswith("data/")
            assert study.title_of_noised(job)
            assert study.memory_of_noising(job, attempt=1) > 0
        for experiment, settings in experiments.items():
            names = runs_of_experiment(experiment, settings)
            assert names, experiment
            for name in names:
                job = SimpleNamespace(preset=preset, experiment=experiment, run=name)
                run = study.run(job)
                assert run["members"], name
                json.dumps(run, allow_nan=False)
                assert re.fullmatch(allowed["run"], name)
                assert study.file_of_noised(job).startswith(f"results/{preset}/datasets/")
                assert study.memory_of_run(job, attempt=2) > 0
                assert study.rank_of_run(job) < study.FIRST
        for figure in study.figures(preset):
            assert study.runs_of_figure(SimpleNamespace(preset=preset, figure=figure))


def fuzz(cases: int, seed: int) -> Counter:
    """Return how many of ``cases`` configurations were valid and how many were refused."""
    counts = Counter()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=cases // 2,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(configurations(), files(), st.booleans())
    def each(merged, file, over):
        counts[outcome(*merged)] += 1
        counts[outcome_of_file(*file, over)] += 1

    each()
    return counts


def main() -> None:
    """Print the numbers, and fail at the first configuration that is neither."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.monotonic()
    counts = fuzz(options.cases, options.seed)
    print(
        f"{counts.total()} configurations (seed {options.seed}): {counts['refused']} refused, each "
        f"in one sentence that names its place; {counts['valid']} valid, all of whose runs "
        f"resolve; 0 tracebacks ({time.monotonic() - started:.0f} s)."
    )


if __name__ == "__main__":
    main()
