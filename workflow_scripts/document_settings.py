"""Write the tables of all settings into docs/settings.md, from the schema and config.yaml.

``--check`` writes nothing, and fails if the tables are not what would be written.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from rote.machine.errors import UserError
from rote.study import configuration
from rote.study.figures import EXPERIMENT_OF_FIGURE, EXPERIMENTS
from rote.study.schema import SCHEMA, resolved

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "settings.md"
BEGIN, END = "<!-- written by make docs -->\n", "<!-- until here -->\n"
FREE = "NAME"  # stands for the name of a data set or of a case
BOUNDS = {
    "minimum": "from {:,}",
    "exclusiveMinimum": "above {:,}",
    "maximum": "to {:,}",
    "exclusiveMaximum": "below {:,}",
}
OTHERWISE = {"null": ", or null", "array": ", or a list of such"}
TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true, false",
    "object": "names and values",
}

Way = tuple[str, ...]


def leaves(schema: dict, way: Way = ()) -> Iterator[tuple[Way, dict]]:
    """Yield the keys that lead to each value that can be set, and its part of the schema."""
    schema = resolved(schema)
    inside = dict(schema.get("properties", {}))
    if isinstance(schema.get("additionalProperties"), dict):
        inside[FREE] = schema["additionalProperties"]
    for key, part in inside.items():
        yield from leaves(part, (*way, key))
    if not inside:
        yield way, schema


def allowed(schema: dict) -> str:
    """Return in words what a value may be."""
    schema = resolved(schema)
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if "prefixItems" in schema:
        return "; ".join(allowed(item) for item in schema["prefixItems"])
    if schema["type"] == "array":
        return f"list: {allowed(schema['items'])}"
    kind, *others = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    bounds = [text.format(schema[key]) for key, text in BOUNDS.items() if key in schema]
    return " ".join([TYPES[kind], *bounds]) + "".join(OTHERWISE[other] for other in others)


def values(way: Way, content: object) -> list[str]:
    """Return what stands there, once for all data sets or cases, as it is written in YAML."""
    if not way:
        return [yaml.safe_dump(content, default_flow_style=True, width=1000).split("\n")[0]]
    if not isinstance(content, dict):
        return []
    inside = content.values() if way[0] == FREE else [content[way[0]]] if way[0] in content else []
    return list(dict.fromkeys(text for each in inside for text in values(way[1:], each)))


def default(schema: dict) -> list[str]:
    """Return what counts where nothing is said, as it is written in YAML."""
    return values((), schema["default"]) if "default" in schema else []


def table(schema: dict, content: dict, of: str) -> str:
    """Return a table, a row for each setting."""
    text = f"| setting | meaning | values | {of} |\n|---|---|---|---|\n"
    for way, part in leaves(schema):
        there = ", ".join(f"`{value}`" for value in values(way, content) or default(part)) or "–"
        text += f"| `{'.'.join(way)}` | {part['title']} | {allowed(part)} | {there} |\n"
    return text


def tables() -> str:
    """Return all tables, a section each."""
    config, top = configuration.load(ROOT / "config.yaml"), SCHEMA["properties"]

    def presets(name: str) -> dict:
        """Return the experiments of a preset, which may have a file of its own."""
        return configuration.load(ROOT / "config.yaml", given={"preset": name})["presets"][name]

    alone = {key: part for key, part in top.items() if "title" in part}
    text = f"\n### At the top\n\n{table({'properties': alone}, config, 'as shipped')}"
    for name in ("datasets", "noises", "claims"):
        text += f"\n### `{name}`\n\n{table(top[name], config[name], 'as shipped')}"
    for name, part in top["presets"]["additionalProperties"]["properties"].items():
        figures = [figure for figure, from_ in EXPERIMENT_OF_FIGURE.items() if from_ == name]
        text += f"\n### `{name}`: {', '.join(figures)}\n\n"
        if like := EXPERIMENTS[name].like:
            text += f"Its settings are those of `{like}`.\n"
        else:
            preset = "demo" if name in config["presets"]["demo"] else name
            text += table(part, presets(preset)[name], preset)
    return f"{text}\n"


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    try:
        page = PAGE.read_text("utf-8")
        before, _, rest = page.partition(BEGIN)
        whole = before + BEGIN + tables() + END + rest.partition(END)[2]
        if not check:
            PAGE.write_text(whole, "utf-8")
        elif whole != page:
            sys.exit("Error: docs/settings.md is not up to date: write it by make docs.")
    except UserError as error:
        sys.exit(f"Error: {error}")
    except OSError as error:
        sys.exit(
            f"Error: {PAGE} cannot be read or written ({error.strerror}): get it by git restore "
            "docs/settings.md, or see to its permissions."
        )


if __name__ == "__main__":
    main()
