"""From arguments to settings as jobs have them: each is checked, and a mistake is one sentence."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
import yaml
from torch import nn

from rote.data.noising import data_attributes
from rote.machine.errors import UserError
from rote.models.known_function import known_by_name
from rote.study import mistakes, noises, own_module, plan
from rote.study.mlp import plain, widths
from rote.study.plan import FACTORS, Member
from rote.study.schema import SCHEMA, check_part, closest, dotted, resolved, shown

Model = dict | Callable[..., nn.Module]
Conditions = Sequence[tuple[str, float]]
Noises = Sequence[str] | Mapping[str, dict]

DEFINED = SCHEMA["$defs"]
LEARNING_RATE = {**DEFINED["positive"], "description": "write a number above 0"}
WATCHED = {"device": SCHEMA["properties"]["device"], "record": {"$ref": "#/$defs/record"}}
REGULARIZATION = DEFINED["regularization"]["properties"]
STRENGTHS = {name: REGULARIZATION["selected"]["properties"][name] for name in plan.REGULARIZERS}
REPLICATES = {"properties": {name: DEFINED[name] for name in ("seeds", "first_seed", "vary")}}
SAID_REPLICATES = {
    "properties": {
        "replicates": {
            **REPLICATES,
            "required": [*REPLICATES["properties"]],
            "additionalProperties": False,
        }
    }
}
# What all data has.
HELD = {"image", "label", "index", "class_name", "train", "validation", "order", "drawn_from"}
SPANNED = {"data_seed", "noise_seed", "channel", "row", "column", "example", "validation_example"}
TRAINING = {
    "properties": {
        **resolved(DEFINED["scheduled_steps"])["properties"],
        **DEFINED["capacity"]["properties"]["training"]["properties"],
        **{name: strength for name, strength in STRENGTHS.items() if name != "weight_decay"},
        "adversarial_examples": REGULARIZATION["adversarial_examples"],
        "learning_rate": LEARNING_RATE,
        "keep_epochs": {"type": "array", "items": {"$ref": "#/$defs/epochs"}},
        **WATCHED,
    },
    "additionalProperties": False,
}
SENSITIVITY = {
    "properties": {
        **DEFINED["steps"]["properties"],
        **{name: DEFINED["sensitivity"]["properties"][name] for name in ("norms", "evaluations")},
        "class_evaluations": {**DEFINED["repetitions"], "minimum": 0},
        "learning_rate": LEARNING_RATE,
        **WATCHED,
    },
    "additionalProperties": False,
}
SEARCH = {
    "properties": {"critical_samples": DEFINED["complexity"]["properties"]["critical_samples"]}
}
NOISES = {"properties": {"noises": SCHEMA["properties"]["noises"]}}
NAMED = {
    "type": "array",
    "description": "write a list of names, or each name with its kind and the parameters of that",
    "uniqueItems": True,
    "items": DEFINED["noise_kinds"]["items"],
}
KINDS = {"properties": {"noises": NAMED}}


def of_file(value: object) -> object:
    """Return a value as a file would hold it: lists, and numbers of Python."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: of_file(own) for key, own in value.items()}
    return [of_file(own) for own in value] if isinstance(value, list | tuple) else value


def of_data(data: xr.Dataset) -> dict:
    """Return the settings that a data set was made by.

    Raises:
        UserError: it does not say them, or lacks what all data has.
    """
    if not isinstance(data, xr.Dataset):
        raise UserError(f"data is a {type(data).__name__}: give what api.data returns.")
    if lacking := HELD - {*data.variables, *data.attrs} or SPANNED - {*data.dims}:
        raise UserError(
            f"The data lacks {' and '.join(sorted(lacking))}: give what api.data returns, or a "
            "file of results/{preset}/datasets as it is read; isel with a list, such as "
            "data_seed=[0], keeps a dimension."
        )
    data_attributes(data)  # which may lack one
    remedy = "assign the one that api.data, or the file, gave it"
    settings = _said(data, "settings", remedy)
    if not isinstance(settings.get("noise_kinds"), list):
        raise UserError(f"The attribute settings of the data has no list of noise_kinds: {remedy}.")
    return settings


def _said(data: xr.Dataset, name: str, remedy: str) -> dict:
    """Return what an attribute says, which is YAML.

    Raises:
        UserError: it is something else.
    """
    try:
        found = yaml.safe_load(data.attrs[name])
    except (yaml.YAMLError, AttributeError):  # the latter for what is no text
        found = None
    if not isinstance(found, dict):
        raise UserError(
            f"The attribute {name} of the data is {shown(data.attrs[name])}, which is no text of "
            f"names and values: {remedy}."
        )
    return found


def of_noises(given: Noises) -> tuple[list[str], dict[str, dict]]:
    """Return the names of noises, and the definitions of those that have one.

    Raises:
        UserError: there is no such kind, or its parameters are missing or wrong.
    """
    own = of_file(given)
    if isinstance(own, dict):
        check_part({"noises": own}, NOISES)
        for name, definition in own.items():
            if sentence := noises.wrong(name, definition):
                raise UserError(sentence)
        return [*own], noises.used([*own], own)
    check_part({"noises": own}, KINDS)
    for name in own:
        if name not in noises.KINDS:
            raise UserError(
                f"noises names {shown(name)}, which is unknown: {closest(name, [*noises.KINDS])}"
                f"choose among {', '.join(noises.KINDS)}."
            )
        if parameters := noises.KINDS[name].parameters:
            raise UserError(
                f"noises names {name}, which needs {' and '.join(parameters)}: define one of your "
                f"own, such as {{'mine': {{'kind': '{name}', '{next(iter(parameters))}': …}}}}."
            )
    return own, {}


def of_model(model: Model) -> dict:
    """Return the settings of a model.

    Raises:
        UserError: they do not describe one.
    """
    if not isinstance(model, Mapping):
        if isinstance(model, nn.Module) or not callable(model):
            raise UserError(
                f"model is a {type(model).__name__}: give settings, or a function that makes a "
                "torch.nn.Module, so that each model can begin anew."
            )
        return known_by_name(model)
    model = of_file(model)
    kind = "module" if "from" in model else "cnn" if "maps" in model else "mlp"
    check_part({"model": model}, {"properties": {"model": {"$ref": f"#/$defs/{kind}"}}})
    if kind == "module":
        _check_arguments(model.get("arguments", {}), ["arguments"])
        return own_module.with_source({**model, "from": _absolute(model["from"])})
    if kind == "mlp" and model.get("hidden_layers") not in (None, len(widths(model))):
        raise UserError(
            f"model has {model['hidden_layers']} hidden_layers, but hidden_units names the widths "
            f"of {len(widths(model))}: leave hidden_layers out."
        )
    return plain(model)


def _check_arguments(value: object, path: list) -> None:
    """Check that a file could hold a value, as deep as it goes: else it has no fingerprint."""
    if isinstance(value, dict | list):
        for key, own in value.items() if isinstance(value, dict) else enumerate(value):
            _check_arguments(own, [*path, key])
    elif value is not None and not isinstance(value, bool | int | float | str):
        raise UserError(
            f"{dotted(path)} is a {type(value).__name__}, which is no value of an argument: give "
            "numbers, text, True, False, None, or lists and dictionaries of these, or as model a "
            "function that makes the torch.nn.Module."
        )


def _absolute(module: str) -> str:
    """Return what names a module with the whole path of its file: the working folder may change.

    No fingerprint has that path.
    """
    where, function = own_module.parted(module)
    return f"{Path(where).absolute()}:{function}" if own_module.of_file(where) else module


def of_training(given: dict) -> tuple[dict, dict[str, float]]:
    """Return arguments of a training without the strengths of regularisers, and these.

    Raises:
        UserError: one is unknown or wrong, or two do not fit together.
    """
    own = {"decay_factor": 0.5, "decay_every": None, "momentum": 0.0, "weight_decay": 0.0}
    own |= of_file(given)
    for name in STRENGTHS:  # of which the schema has those that do something
        if name != "weight_decay" and own.get(name) == 0:
            del own[name]
    check_part(own, TRAINING)
    for mistake in mistakes.of_training(own, ["training"]):
        raise UserError(mistake.sentence)
    for epoch in own["keep_epochs"]:
        if epoch > own["epochs"]:
            raise UserError(
                f"keep_epochs names the epoch {epoch}, but models train for {own['epochs']}: name "
                "earlier ones alone, or raise epochs."
            )
    search = "adversarial_examples"
    if ("adversarial" in own) != (search in own):
        there, lacking = (
            ("adversarial", search) if "adversarial" in own else (search, "adversarial")
        )
        example = "{'alpha': 8, 'beta': 0, 'radius': 16, 'max_iterations': 2}"
        remedy = f"the search for them, such as {example}" if lacking == search else "their weight"
        raise UserError(f"{there} needs {lacking}, {remedy}: add it.")
    strengths = {name: float(own.pop(name, 0.0)) for name in STRENGTHS}
    return own, strengths


def of_members(
    data: xr.Dataset, conditions: Conditions, learning_rate: float, strengths: dict
) -> list[list]:
    """Return a member for each condition and replicate, as settings have them.

    Raises:
        UserError: the data lacks a noise, or what is given are no conditions, or replicates cannot
            be told.
    """
    known, given = ["real", *of_data(data)["noise_kinds"]], of_file(conditions)
    if not isinstance(given, list) or not given:
        raise UserError("conditions name nothing: give a list of pairs, such as [('randY', 1)].")
    for own in given:
        if not isinstance(own, list) or len(own) != 2:
            raise UserError(
                f"conditions hold {shown(own)}: give a list of pairs of a noise and its level, "
                "such as [('randY', 1)]."
            )
        kind, level = own
        if kind not in known or type(level) not in (int, float) or not 0 <= level <= 1:
            raise UserError(
                f"The condition ({shown(kind)}, {shown(level)}) is none of this data: name one of "
                f"{', '.join(known)}, and a level from 0 to 1."
            )
        if kind == "real" and level:
            raise UserError(f"real has no level {level:g}: write ('real', 0), or name a noise.")
        if given.count(own) > 1:
            raise UserError(
                f"conditions hold ({shown(kind)}, {shown(level)}) twice, which would be the same "
                "models: keep one of them."
            )
    replicates = _replicates(data)
    return [
        list(
            Member(kind, float(level), 0, 0, float(learning_rate), 0.0)._replace(
                **strengths, **plan.replicate(replicates, seed)
            )
        )
        for kind, level in given
        for seed in plan.replicates(replicates)
    ]


def _replicates(data: xr.Dataset) -> dict:
    """Return ``seeds``, ``first_seed`` and ``vary`` of a data set.

    A file of a study does not say them: it has a draw of the examples, of the noise or of both for
    each replicate, which then differs in initialisation and order, too.

    Raises:
        UserError: it has one draw of both, which all replicates of a study may share; its draws
            are not those of seeds in a row; or it says its replicates wrongly.
    """
    draws = {"data": data["data_seed"].values, "noise": data["noise_seed"].values}
    if "replicates" in data.attrs:
        example = "{seeds: 3, first_seed: 0, vary: [initialization, order]}"
        said = _said(data, "replicates", f"assign one such as '{example}'")
        check_part({"replicates": said}, SAID_REPLICATES)
        for factor, seeds in draws.items():
            if lacking := {*plan.drawn_by(factor, said)} - {*seeds.tolist()}:
                raise UserError(
                    f"The attribute replicates of the data names the seed {min(lacking)}, by which "
                    f"the data has no draw of {factor}: leave {factor} out of its vary, or name "
                    f"seeds that stand in {factor}_seed."
                )
        return said
    seeds = max(draws.values(), key=len)
    if len(seeds) == 1:
        example = f"{{seeds: 1, first_seed: {seeds[0]}, vary: [initialization, order]}}"
        raise UserError(
            "The data has one draw of examples and of noise, and does not say how many replicates "
            f"share it: add that by assign_attrs(replicates='{example}')."
        )
    vary = [factor for factor in FACTORS if len(draws.get(factor, seeds)) > 1]
    found = {"seeds": len(seeds), "first_seed": int(seeds[0]), "vary": vary}
    for factor, own in draws.items():
        needed = plan.drawn_by(factor, found)
        if {*needed} - {*own.tolist()}:
            raise UserError(
                f"The data has {len(seeds)} replicates, from seed {seeds[0]} on, which need draws "
                f"of {factor} by {_listed(needed)}, but it has those by {_listed(own)}: select "
                "seeds in a row, the same of data_seed and of noise_seed."
            )
    return found


def _listed(seeds: Iterable[int]) -> str:
    return ", ".join(map(str, seeds))
