"""A closed JSON schema of the configuration, and a sentence for whatever breaks it."""

import contextlib
import difflib
import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from rote.machine.errors import UserError
from rote.study import noises
from rote.study.figures import EXPERIMENTS

SCHEMA = json.loads(Path(__file__).with_name("config.schema.json").read_text("utf-8"))
SCHEMA["$defs"]["noise"] = noises.complete(SCHEMA["$defs"]["noise"])
SCHEMA["properties"]["presets"]["additionalProperties"]["properties"] |= {
    experiment.name: {"$ref": f"#/$defs/{experiment.like}"}
    for experiment in EXPERIMENTS.values()
    if experiment.like
}
SHOWN = 80  # characters of a wrong value
RENAMED = {  # keys of earlier versions, and what to write instead
    "crop": "data.crop, beside the model: write it there",
    "halve_every": "decay_every, with decay_factor 0.5: write these",
    "seed": "first_seed, beside data, by which all is drawn: write that",
}


def resolved(schema: dict) -> dict:
    """Return a part of the schema with the properties of what it refers to beside its own."""
    if "$ref" not in schema:
        return schema
    part = SCHEMA
    for key in schema["$ref"].removeprefix("#/").split("/"):
        part = part[key]
    part = resolved(part)
    properties = part.get("properties", {}) | schema.get("properties", {})
    return {key: value for key, value in (part | schema).items() if key != "$ref"} | {
        "properties": properties
    }


def dotted(path: list) -> str:
    """Return ['presets', 'demo', 'noise_levels', 2] as presets.demo.noise_levels[2]."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{named(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def closest(word: object, known: Sequence[str]) -> str:
    """Return a question for the known word that looks most like another one, if any does."""
    close = difflib.get_close_matches(str(word)[:SHOWN], known, n=1)
    return f"did you mean {close[0]}? " if close else ""


def shown(value: object) -> str:
    """Return a value as it stands in the file, but for what is too long to read."""
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):  # of values that no file of JSON could hold
        return f"a {type(value).__name__}"
    text = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _way(error) -> list[str | int]:
    """Return the keys that lead to what a ``jsonschema.ValidationError`` found."""
    way = list(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        return [*way, error.instance]
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        known = resolved(error.schema)["properties"]
        return [*way, next(key for key in error.instance if key not in known)]
    return way


def _sentence(error) -> str:
    """Say what a ``jsonschema.ValidationError`` found, and what to write instead."""
    place = dotted(list(error.absolute_path))
    value = shown(error.instance)
    remedy = error.schema.get("description") if isinstance(error.schema, dict) else None
    if "propertyNames" in error.absolute_schema_path:
        under = f" under {place}" if place else ""
        cannot = "" if place == "noises" else " cannot stand in a path"
        return f"the name {value}{under}{cannot}: {remedy}."
    match error.validator:
        case "additionalProperties" | "unevaluatedProperties":
            known = sorted(resolved(error.schema)["properties"])
            key = next(key for key in error.instance if key not in known)
            where = f" under {place}" if place else ""
            if key in RENAMED:
                return f"{named(key)}{where} is now {RENAMED[key]}."
            close = closest(key, known)
            return f"unknown key {named(key)}{where}: {close}known are {', '.join(known)}."
        case "required":
            key = next(key for key in error.validator_value if key not in error.instance)
            return f"{place or 'the file'} lacks the key {key}: add it."
        case "enum":
            known = [str(choice) for choice in error.validator_value]
            close = closest(error.instance, known)
            return f"{place} is {value}, which is unknown: {close}choose one of {', '.join(known)}."
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            words = {
                "minimum": "at least",
                "exclusiveMinimum": "more than",
                "maximum": "at most",
                "exclusiveMaximum": "less than",
            }
            bound = f"it must be {words[error.validator]} {error.validator_value}"
            return f"{place} is {value}: {remedy or bound}."
        case "type":
            wanted = error.validator_value
            wanted = wanted if isinstance(wanted, str) else " or ".join(wanted)
            allowed = remedy or f"write a value of type {wanted}"
            return f"{place or 'the file'} is {value}: {allowed}{_hint(error.instance, wanted)}."
        case "uniqueItems":
            return f"{place} names a value twice: {value}; keep one of them."
        case "oneOf":
            known = [choice["required"][0] for choice in error.validator_value]
            known = f"{', '.join(known[:-1])} and {known[-1]}"
            return (
                f"{place} must hold exactly one of the keys {known}: add one, or set the others to "
                "null."
            )
        case "minItems" if error.validator_value > 1:
            return f"{place} is {value}: {remedy}."
        case "maxItems":
            bound = f"it may hold at most {error.validator_value} values"
            return f"{place} is {value}: {remedy or bound}."
        case "maxLength" | "pattern":
            return f"{place} is {value}: {remedy}."
        case "minItems" | "minLength" | "minProperties":
            return f"{place} is empty: name at least one value."
    return f"{place}: {error.message}."


def named(key: object) -> str:
    """Return a key as it stands in the file."""
    return key if isinstance(key, str) and key.isprintable() and key else shown(key)


def _hint(value: object, wanted: str) -> str:
    """Explain why YAML did not read a number as one, or what null is good for."""
    if wanted == "string" and isinstance(value, (int, float)):
        return "; put it into quotes"
    if value is None and wanted == "object":
        return "; null only takes out what another file names"
    if isinstance(value, float) and not math.isfinite(value):
        return " that is finite"
    if isinstance(value, str) and wanted.startswith(("number", "integer")):
        with contextlib.suppress(ValueError, OverflowError):
            plain = float(value) if wanted.startswith("number") else int(float(value))
            if plain == float(value):
                if str(plain) == value:
                    return "; without quotes it is one"
                return f"; YAML takes {value} for text, but {plain} for a number"
    if isinstance(value, float) and wanted.startswith("integer") and value.is_integer():
        return f"; {int(value)} is one"
    return ""


@cache
def _validator():
    """Return the class of validators for which only what Python can count with is a number.

    JSON has neither NaN nor infinity, and takes 3.0 for an integer, which ``range`` does not.
    """
    from jsonschema import Draft202012Validator, validators

    def integer(_, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def number(_, value: object) -> bool:
        return integer(_, value) or (isinstance(value, float) and math.isfinite(value))

    types = Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": integer, "number": number})
    return validators.extend(Draft202012Validator, type_checker=types)


class Misconfigured(UserError):
    """A mistake in the configuration: a sentence, and the keys that lead to its place."""

    def __init__(self, sentence: str, way: Sequence[str | int] = (), where: str = ""):
        self.sentence, self.way = sentence, list(way)
        super().__init__(f"config: {sentence[:-1]}{f' ({where})' if where else ''}.")


class SeveralMistakes(UserError):
    """Mistakes in the configuration that do not lead to each other: a line each."""

    def __init__(self, mistakes: Sequence[Misconfigured]):
        self.mistakes = mistakes
        super().__init__("\n".join(map(str, mistakes)))

    @classmethod
    def of(cls, mistakes: Sequence[Misconfigured]) -> UserError:
        """Return what to raise: a single mistake is itself."""
        return cls(mistakes) if len(mistakes) > 1 else mistakes[0]


def unknown(kind: str, name: object, way: list[str], known: Sequence[str]) -> Misconfigured:
    """Return the mistake that ``way`` names a preset or a data set that is not there."""
    name = named(name)
    return Misconfigured(
        f"{dotted(way)} names the {kind} {name}, which is unknown: {closest(name, known)}choose "
        f"one of {', '.join(known)}, or add it under {kind.replace(' ', '')}s.",
        way,
    )


def check(config: dict) -> None:
    """Check a whole merged configuration against the schema.

    Raises:
        Misconfigured: one sentence about the first thing that is wrong, and its remedy.
    """
    for error in _errors(config, SCHEMA):
        raise Misconfigured(_sentence(error), _way(error))


def check_part(settings: dict, part: dict) -> None:
    """Check settings that come from no file against a part of the schema, which may refer to it.

    Raises:
        UserError: one sentence about the first thing that is wrong, and its remedy.
    """
    for error in _errors(settings, {**part, "$defs": SCHEMA["$defs"]}):
        raise UserError(_sentence(error))


def _errors(settings: dict, schema: dict) -> list:
    """Return all that a schema finds, each a ``jsonschema.ValidationError``."""
    # The mistake nearest to the top first; on a level, in the order of the file's keys.
    return sorted(
        _validator()(schema).iter_errors(settings),
        key=lambda error: (
            len(error.absolute_path),
            dotted(list(error.absolute_path)),
            error.validator == "required",  # what is lacking may be there under another name
        ),
    )
