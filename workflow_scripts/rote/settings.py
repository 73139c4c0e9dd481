"""The check of ``config.yaml``: a closed JSON schema, and a sentence for whatever breaks it."""

import difflib
import json
from pathlib import Path

from rote import plan
from rote.errors import UserError

SCHEMA = json.loads(Path(__file__).with_name("config.schema.json").read_text())


def _place(path: list) -> str:
    """Return ['presets', 'demo', 'noise_levels', 2] as presets.demo.noise_levels[2]."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def _closest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(str(word), known, n=1)
    return f"did you mean {close[0]}? " if close else ""


def _sentence(error) -> str:
    """Say what a ``jsonschema.ValidationError`` found, and what to write instead."""
    place = _place(list(error.absolute_path))
    value = json.dumps(error.instance)
    remedy = error.schema.get("description") if isinstance(error.schema, dict) else None
    match error.validator:
        case "additionalProperties":
            known = sorted(error.schema["properties"])
            key = next(key for key in error.instance if key not in known)
            where = f" under {place}" if place else ""
            return f"unknown key {key}{where}: {_closest(key, known)}known are {', '.join(known)}."
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
            return f"{place} is {value}: {remedy or f'write a value of type {wanted}'}."
        case "uniqueItems":
            return f"{place} names a value twice: {value}; keep one of them."
        case "oneOf":
            known = [choice["required"][0] for choice in error.validator_value]
            return f"{place} must hold exactly one of the keys {' and '.join(known)}."
        case "minItems" if error.validator_value > 1:
            return f"{place} is {value}: {remedy}."
        case "maxItems":
            return f"{place} is {value}: {remedy or 'it holds too many values'}."
        case "minItems" | "minLength" | "minProperties":
            return f"{place} is empty: name at least one value."
        case "pattern":
            return (
                f"the name {value}{f' under {place}' if place else ''} cannot stand in a path: "
                "use lower-case letters, digits and _, a letter first."
            )
    return f"{place}: {error.message}."


def _unknown(kind: str, name: str, place: str, known: list[str]) -> UserError:
    return UserError(
        f"config: {place} names the {kind} {name}, which is unknown: "
        f"{_closest(name, known)}choose one of {', '.join(known)}."
    )


def validate(config: dict) -> None:
    """Check the whole configuration, every preset of it.

    Raises:
        UserError: one sentence about the first thing that is wrong, and its remedy.
    """
    from jsonschema import Draft202012Validator

    # The mistake nearest to the top first; on a level, in the order of the file's keys.
    errors = sorted(
        Draft202012Validator(SCHEMA).iter_errors(config),
        key=lambda error: (len(error.absolute_path), _place(list(error.absolute_path))),
    )
    if errors:
        raise UserError(f"config: {_sentence(errors[0])}")
    if config["preset"] not in config["presets"]:
        raise _unknown("preset", config["preset"], "preset", sorted(config["presets"]))
    for preset, experiments in config["presets"].items():
        for name, settings in plan.noised_datasets(experiments).items():
            dataset = settings["data"]["dataset"]
            place = f"presets.{preset}.{plan.place(name)}"
            if dataset not in config["datasets"]:
                known = sorted(config["datasets"])
                raise _unknown("data set", dataset, f"{place}.data.dataset", known)
            if "critical_epochs" in settings:
                _check_critical(settings, place)
            for regularizer, strength in settings.get("selected", {}).items():
                there = settings["strengths"].get(regularizer, [])
                if strength not in there:
                    raise UserError(
                        f"config: {place}.selected names the strength {strength} of {regularizer}, "
                        f"which is not trained: choose one of {place}.strengths.{regularizer}."
                    )
        for name, wrong in plan.impossible(experiments).items():
            if name != "filters":  # which is left out where it cannot be
                raise UserError(f"config: presets.{preset}: {wrong}")


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
