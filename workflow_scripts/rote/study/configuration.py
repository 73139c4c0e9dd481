"""The check of ``config.yaml``: a closed JSON schema, and a sentence for whatever breaks it."""

import contextlib
import difflib
import json
import math
from functools import cache
from pathlib import Path

from rote.machine.errors import UserError, brief
from rote.study import plan, sizes
from rote.study.architecture import Architecture, check_last_batch

SCHEMA = json.loads(Path(__file__).with_name("config.schema.json").read_text())
SHOWN = 80  # characters of a wrong value


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


def _dotted(path: list) -> str:
    """Return ['presets', 'demo', 'noise_levels', 2] as presets.demo.noise_levels[2]."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def _closest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(str(word)[:SHOWN], known, n=1)
    return f"did you mean {close[0]}? " if close else ""


def _shown(value: object) -> str:
    """Return a value as it stands in the file, but for what is too long to read."""
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):  # of values that no file of JSON could hold
        return f"a {type(value).__name__}"
    text = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _sentence(error) -> str:
    """Say what a ``jsonschema.ValidationError`` found, and what to write instead."""
    place = _dotted(list(error.absolute_path))
    value = _shown(error.instance)
    remedy = error.schema.get("description") if isinstance(error.schema, dict) else None
    if "propertyNames" in error.absolute_schema_path:
        under = f" under {place}" if place else ""
        return f"the name {value}{under} cannot stand in a path: {remedy}."
    match error.validator:
        case "additionalProperties" | "unevaluatedProperties":
            known = sorted(resolved(error.schema)["properties"])
            key = next(key for key in error.instance if key not in known)
            where = f" under {place}" if place else ""
            close = _closest(key, known)
            return f"unknown key {_name(key)}{where}: {close}known are {', '.join(known)}."
        case "required":
            key = next(key for key in error.validator_value if key not in error.instance)
            return f"{place or 'the file'} lacks the key {key}: add it."
        case "enum":
            known = [str(choice) for choice in error.validator_value]
            close = _closest(error.instance, known)
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
            return f"{place} must hold exactly one of the keys {' and '.join(known)}."
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


def _name(key: object) -> str:
    return key if isinstance(key, str) and key.isprintable() and key else _shown(key)


def _hint(value: object, wanted: str) -> str:
    """Explain why YAML did not read a number as one, or what null is good for."""
    if value is None and wanted == "object":
        return "; null only takes out what another file names"
    if isinstance(value, float) and not math.isfinite(value):
        return " that is finite"
    if isinstance(value, str) and wanted == "number":
        with contextlib.suppress(ValueError):
            if math.isfinite(float(value)):
                return f"; YAML takes {value} for text, but {float(value)} for a number"
    if isinstance(value, float) and wanted.startswith("integer") and value.is_integer():
        return f"; {int(value)} is one"
    return ""


@cache
def _validator():
    """Return the validator of the schema, for which only what Python can count with is a number.

    JSON has neither NaN nor infinity, and takes 3.0 for an integer, which ``range`` does not.
    """
    from jsonschema import Draft202012Validator, validators

    def integer(_, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def number(_, value: object) -> bool:
        return integer(_, value) or (isinstance(value, float) and math.isfinite(value))

    types = Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": integer, "number": number})
    return validators.extend(Draft202012Validator, type_checker=types)(SCHEMA)


def read(path: Path) -> dict:
    """Return the content of a configuration file, more strictly than Snakemake reads it.

    Snakemake names neither the file nor the line of a mistake, and takes the last of two equal
    keys. Nothing in the file is executed.

    Raises:
        UserError: the file is no YAML (or JSON) of keys and values, or names a key twice.
    """
    import yaml

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and keys.count(key.value) > 1:
                line = key.start_mark.line + 1
                raise UserError(
                    f"{path} names the key {_name(key.value)} twice, for the first time in line "
                    f"{line}: keep one of them."
                )
        loader.flatten_mapping(node)
        return loader.construct_mapping(node, deep=True)

    loader = type("Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
    loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), loader)  # a kind of SafeLoader
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or brief(error)
        raise UserError(f"{path} is no YAML ({why}{where}): mend it.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): see to it.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds {_shown(content)}, but no keys and values: write some.")
    return content


def _unknown(kind: str, name: str, place: str, known: list[str]) -> UserError:
    return UserError(
        f"config: {place} names the {kind} {name}, which is unknown: {_closest(name, known)}choose "
        f"one of {', '.join(known)}, or add it under {kind.replace(' ', '')}s."
    )


def leave_out(block: object, files: list[dict], schema: dict = SCHEMA) -> None:
    """Remove keys that are null, in place: so another file takes them out of a configuration.

    Snakemake merges files of configuration key by key: none can delete what an earlier one names.
    Null stays where it is a value, and where it takes nothing out, which is a slip of the pen:
    :func:`validate` says so.

    Args:
        block: the merged configuration.
        files: what it is merged from.
        schema: that of ``block``.
    """
    schema = resolved(schema)
    for key, value in list(block.items()) if isinstance(block, dict) else ():
        below = [file[key] for file in files if isinstance(file, dict) and key in file]
        part = schema.get("properties", {}).get(key)
        named = schema.get("additionalProperties")
        if part is None and isinstance(named, dict) and any(each is not None for each in below):
            part = named
        if part is None:
            continue
        if value is not None:
            leave_out(value, below, part)
        elif "null" not in resolved(part).get("type", ""):
            del block[key]


def validate(config: dict) -> None:
    """Check the whole configuration, every preset of it.

    Raises:
        UserError: one sentence about the first thing that is wrong, and its remedy.
    """
    # The mistake nearest to the top first; on a level, in the order of the file's keys.
    errors = sorted(
        _validator().iter_errors(config),
        key=lambda error: (
            len(error.absolute_path),
            _dotted(list(error.absolute_path)),
            error.validator == "required",  # what is lacking may be there under another name
        ),
    )
    if errors:
        raise UserError(f"config: {_sentence(errors[0])}")
    if config["device"] == "cpu" and config["precision"] != "float32":
        raise UserError(
            f"config: precision is {config['precision']}, which needs a CUDA device, but device is "
            "cpu: set precision to float32, or device to auto or cuda."
        )
    if config["preset"] not in config["presets"]:
        raise _unknown("preset", _name(config["preset"]), "preset", sorted(config["presets"]))
    for preset, experiments in config["presets"].items():
        for name, settings in plan.noised_datasets(experiments).items():
            dataset = settings["data"]["dataset"]
            place = f"presets.{preset}.{plan.settings_key(name)}"
            if dataset not in config["datasets"]:
                known = sorted(config["datasets"])
                raise _unknown("data set", _name(dataset), f"{place}.data.dataset", known)
            try:
                _check_fit(settings, config["datasets"][dataset])
            except UserError as error:
                raise UserError(f"config: {place} on {dataset}: {error}") from error
            if "critical_epochs" in settings:
                _check_critical(settings, place)
            for regularizer, strength in settings.get("selected", {}).items():
                there = settings["strengths"].get(regularizer)
                if there and strength not in there:
                    raise UserError(
                        f"config: {place}.selected names the strength {strength} of {regularizer}, "
                        f"which is not trained: choose one of {place}.strengths.{regularizer}, "
                        f"{_shown(there)}."
                    )
        for name, wrong in plan.impossible(experiments).items():
            if name != "filters":  # which is left out where it cannot be
                raise UserError(f"config: presets.{preset}: {wrong}")


def _check_fit(settings: dict, source: dict) -> None:
    """Check what is known before the images are read, as jobs do for images of any source."""
    data, known = settings["data"], sizes.published(source)
    rows = data["image_size"] or (known and known.rows)
    if known:
        sizes.block(rows, known.rows, known.rows)
        sizes.check_examples(data, {"train": known.train, "test": known.test})
    if "cnn" in settings:
        batch_size = settings["training"]["batch_size"]
        check_last_batch(batch_size, data["train_examples"], Architecture.smallest_batch)
        if rows:
            Architecture.of(settings["cnn"], (1, rows, rows), 2).planes()


def _check_critical(settings: dict, place: str) -> None:
    """Check what a case of ``complexity`` says about critical samples against the rest of it."""
    scored = plan.evaluated_epochs(settings["training"])
    for epoch in settings["critical_epochs"]:
        if epoch not in scored:
            raise UserError(
                f"config: {place}.critical_epochs names the epoch {epoch}, after which the models "
                f"are not evaluated: choose among multiples of evaluate_every up to {scored[-1]}."
            )
    wanted, there = (
        settings["critical_samples"]["examples"],
        settings["data"]["validation_examples"],
    )
    if wanted > there:
        raise UserError(
            f"config: {place} searches {wanted} validation inputs for critical samples, but its "
            f"data has only {there}: lower critical_samples.examples or raise validation_examples."
        )
