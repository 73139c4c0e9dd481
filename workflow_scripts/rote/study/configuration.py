"""From files to one configuration: presets are merged with what they share, then all is checked.

Files are merged key by key, later ones over earlier ones; null takes out what an earlier file
names, and what a preset has from the one that it is like. A preset holds only what differs from
what it is ``like``, another preset or ``defaults``:

- ``defaults`` and every preset may hold ``data`` and ``training``, which go into each block of that
  name in each of its experiments and cases;
- the settings of an experiment under ``defaults`` are for the presets that have the experiment.

Later layers win, whatever they say it by: ``defaults``, then the preset that this one is like, then
its own; within each, an experiment's settings over ``data`` and ``training``.
"""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path

from rote.machine.errors import UserError, brief
from rote.study import check
from rote.study.figures import EXPERIMENTS
from rote.study.layers import SHARED, merged_files, whole_preset
from rote.study.places import Source, where
from rote.study.schema import SCHEMA, Misconfigured, SeveralMistakes, closest, dotted, named, shown

TAG = "tag:yaml.org,2002:"
NUMBER = r"[-+]?(0|[1-9]\d*|(\d*\.\d*([eE][-+]?\d+)?)|\.(inf|nan))"
REMEDY = "write a number without a 0 before it, and without : or _; text, in quotes"
# What YAML takes as its readers do, and what to write instead of the rest: no date is wanted.
PLAIN = {
    "int": (NUMBER, REMEDY),
    "float": (NUMBER, REMEDY),
    "bool": ("true|false", "write true or false; text, in quotes"),
    "timestamp": (None, "write text in quotes"),
}
PRESETS = Path(__file__).with_name("presets")  # a file a preset, named like it


def load(
    shipped: Path,
    files: Sequence[Path] = (),
    given: Mapping | None = None,
    *,
    imported: bool = False,
) -> dict:
    """Return the merged and checked configuration.

    Args:
        shipped: ``config.yaml``.
        files: those of the option ``--configfile``, over it in their order.
        given: keys of the option ``--config``, or those that another workflow passes, over them.
        imported: whether another workflow imports this one: then keys that are not of this one are
            left aside.

    Returns:
        The keys of the schema; each preset with all of its values, and nothing else.

    Raises:
        UserError: a file is no YAML, or, in sentences that name the place in the file, a line each,
            something in it is wrong.
    """
    sources = [Source(path.name, read(path), path) for path in (shipped, *files)]
    given = deepcopy(dict(given or {}))
    if not imported:  # the keys of a data set are all text
        given = {k: v if k == "datasets" else _typed(v) for k, v in given.items()}
    sources.append(Source("the command line" if not imported else "config", given))
    if imported:
        known = SCHEMA["properties"]
        sources[1:] = [
            source._replace(content={k: v for k, v in source.content.items() if k in known})
            for source in sources[1:]
        ]
    try:
        return _checked(sources)
    except (Misconfigured, SeveralMistakes) as error:
        presets, located = _merged_all(sources).get("presets"), {}
        for mistake in getattr(error, "mistakes", [error]):
            place = where(mistake.way, sources, presets)
            # What several experiments share is said once.
            said = mistake.sentence.removeprefix(dotted(mistake.way))
            mistake = Misconfigured(mistake.sentence, mistake.way, place)
            located.setdefault((place, said), mistake)
        raise SeveralMistakes.of([*located.values()]) from error


def read(path: Path, remedy: str = "see to it") -> dict:
    """Return the content of a configuration file, more strictly than Snakemake reads it.

    Snakemake names neither the file nor the line of a mistake, takes the last of two equal keys,
    and 0100 for 64. Nothing in the file is executed.

    Args:
        path: of the file.
        remedy: what to do where it cannot be read.

    Raises:
        UserError: the file is no YAML (or JSON) of keys and values, or names a key twice.
    """
    import yaml

    loader = _loader(str(path))
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), loader)  # a kind of SafeLoader
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or brief(error)
        raise UserError(f"{path} is no YAML ({why}{where}): mend it.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): {remedy}.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds {shown(content)}, but no keys and values: write some.")
    return content


def _loader(place: str) -> type:
    """Return a loader of YAML that refuses what its readers would take for something else."""
    import yaml

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and keys.count(key.value) > 1:
                line = key.start_mark.line + 1
                raise UserError(
                    f"{place} names the key {named(key.value)} twice, for the first time in "
                    f"line {line}: keep one of them."
                )
        loader.flatten_mapping(node)
        return loader.construct_mapping(node, deep=True)

    def scalar(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
        plain, remedy = PLAIN[node.tag.removeprefix(TAG)]
        if plain and re.fullmatch(plain, node.value, re.I):
            return yaml.constructor.SafeConstructor.yaml_constructors[node.tag](loader, node)
        value = "a date"
        if plain:
            value = yaml.constructor.SafeConstructor.yaml_constructors[node.tag](loader, node)
        line = f" in line {node.start_mark.line + 1}" if node.start_mark else ""
        raise UserError(
            f"{place} has {node.value}{line}, which YAML takes for {str(value).lower()}: {remedy}."
        )

    loader = type("Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
    loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    for kind in PLAIN:
        loader.add_constructor(f"{TAG}{kind}", scalar)
    return loader


def _typed(value: object) -> object:
    """Return a value of the command line with numbers for text that stands for a number.

    Snakemake takes all for text that stands within braces or brackets there.

    Raises:
        UserError: YAML takes a text for something else than its readers do.
    """
    import yaml

    if isinstance(value, dict):
        return {key: _typed(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_typed(part) for part in value]
    if not isinstance(value, str):
        return value
    loader = _loader("the command line")("")
    tag = loader.resolve(yaml.ScalarNode, value, (True, False))
    if tag.removeprefix(TAG) not in (*PLAIN, "null"):
        return value
    return loader.construct_object(yaml.ScalarNode(tag, value))


def _checked(sources: list[Source]) -> dict:
    """Return the configuration that is merged from ``sources``, which get those of presets' files.

    Raises:
        Misconfigured: something is wrong.
    """
    config = _merged_all(sources)
    # A preset's file stands below everything else that is said about the preset.
    for name in _files_of_presets(config):
        path = PRESETS / f"{name}.yaml"
        source = Source(path.name, {"presets": {name: read(path)}}, path, ("presets", name))
        sources.insert(1, source)
        config = _merged_all(sources)
    presets, defaults = config.get("presets"), config.pop("defaults", {})
    if isinstance(presets, dict):
        _check_defaults(defaults)
        config["presets"] = {name: whole_preset(name, presets, defaults) for name in presets}
    check.validate(config, _named_by_files())
    return config


def _merged_all(sources: list[Source]) -> dict:
    config: dict = {}
    for source in sources:
        config = merged_files(config, source.content)
    return config


def _files_of_presets(config: dict) -> list[str]:
    """Return those presets that are asked for, or built upon, and have a file of their own."""
    presets = config.get("presets")
    presets = presets if isinstance(presets, dict) else {}
    asked = [config.get("preset"), *presets]
    asked += [own.get("like") for own in presets.values() if isinstance(own, dict)]
    there, found = _named_by_files(), []
    for name in asked:  # which grows: a file may be like another one
        if isinstance(name, str) and name in there and name not in found:
            found.append(name)
            asked.append(read(PRESETS / f"{name}.yaml").get("like"))
    return found


def _named_by_files() -> list[str]:
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def _check_defaults(defaults: object) -> None:
    known = [*SHARED, *EXPERIMENTS]
    if not isinstance(defaults, dict):
        raise Misconfigured(f"defaults is {shown(defaults)}: write keys and values.", ["defaults"])
    for key in defaults:
        if key not in known:
            raise Misconfigured(
                f"unknown key {named(key)} under defaults: {closest(key, known)}known "
                f"are {', '.join(known)}.",
                ["defaults", key],
            )
