"""The plans that folders of docs hold, ``variants.yaml`` and ``lines.yaml``: read and checked."""

from collections.abc import Iterable
from pathlib import Path

from rote.machine.errors import UserError
from rote.study import configuration
from rote.study.schema import SCHEMA, check_part, closest


def _block(required: str, **properties: dict) -> dict:
    """Return the schema of keys and values, of which some must be there and no others may be."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": properties,
    }


def _list(items: dict) -> dict:
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": items}


def _defined(name: str) -> dict:
    return {"$ref": f"#/$defs/{name}"}


TEXT = {"type": "string"}
WORD = {"type": "string", "minLength": 1}
RUN = TEXT | {"pattern": "^[^/]+/[^/]+$", "description": "write an experiment and its run, a/b"}
SETTINGS = _block(
    "",
    first_seed=_list(_defined("first_seed")),
    learning_rate=_list(_defined("positive")),
    width=_list(_defined("positive")),
    products=_list(SCHEMA["properties"]["products"]),
    vary=_list(_defined("vary")),
)
LINE = _block(
    "name of unit printed tolerance because take",
    name=WORD,
    of=WORD,
    unit={"enum": ["%", "nat", "1", "parameters"]},
    printed={},
    tolerance={"type": "number", "minimum": 0},
    because=WORD,
    take={"type": "object"},
    experiments={"type": "array", "items": WORD},
)
COUNT = {"type": "integer", "minimum": 1}
TAKEN = {  # from what the key of a group names; of a group without one numbers are counted
    "run": {
        "if": {"required": ["unforgettable"]},
        "then": _block("unforgettable", unforgettable=WORD),
        "else": _block("variable epoch", variable=WORD, epoch=COUNT, noise_kind=WORD),
    },
    "benchmark": _block("variable model trained_on", variable=WORD, model=WORD, trained_on=WORD),
    "": _block(
        "model image classes",
        model={"if": {"required": ["maps"]}, "then": _defined("cnn"), "else": _defined("mlp")},
        image={"type": "array", "minItems": 3, "maxItems": 3, "items": COUNT},
        classes=COUNT,
    ),
}
PRINTED = {"benchmark": WORD}  # its variable; else the number


def _taking(key: str) -> dict:
    """Return what the lines of a group must say of what they take their numbers from."""
    line = {"take": TAKEN[key], "printed": PRINTED.get(key, {"type": "number"})}
    return {"properties": {"lines": {"items": {"properties": line}}}}


GROUP = _block(
    "title about lines",
    title=WORD,
    about=TEXT,
    config=WORD,
    preset=WORD,
    run=RUN,
    benchmark=WORD,
    of_runs=_list(RUN),
    lines=_list(LINE),
) | {
    "if": {"required": ["run"]},
    "then": {"required": ["preset"], **_taking("run")},
    "else": {
        "if": {"required": ["benchmark"]},
        "then": {"required": ["preset", "of_runs"], **_taking("benchmark")},
        "else": _taking(""),
    },
}
FORMS = {
    "variants.yaml": _block(
        "preset grid alone",
        preset=WORD,
        experiments=_list(WORD),
        seeds=_defined("seeds"),
        grid=SETTINGS,
        alone=SETTINGS,
    )
    | {  # a table of what varies with each factor is of that many replicates
        "if": {"properties": {"grid": {"required": ["vary"]}}, "required": ["grid"]},
        "then": {"required": ["seeds"]},
    },
    "lines.yaml": _block(
        "about groups",
        about=TEXT,
        groups={"type": "object", "minProperties": 1, "additionalProperties": GROUP},
    ),
}


def read(folder: Path, name: str) -> dict:
    """Return the plan in a folder, ``variants.yaml`` or ``lines.yaml``.

    Raises:
        UserError: there is none, or it has another form.
    """
    path = folder / name
    plan = configuration.read(path, "name a folder that holds such a plan")
    try:
        check_part(plan, FORMS[name])
        _check_names([line for group in plan.get("groups", {}).values() for line in group["lines"]])
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    return plan


def _check_names(lines: list[dict]) -> None:
    """Check that lines have names of their own, and name others as their experiments."""
    names = [line["name"] for line in lines]
    if len(names) > len({*names}):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"two lines have the name {twice}: give one of them another.")
    for line in lines:
        for name in line.get("experiments", ()):
            if name not in names:
                raise UserError(
                    f"the line {line['name']} names the experiment {name}, which is unknown: "
                    f"{closest(name, names)}name another line."
                )


def check_name(plan: Path, kind: str, name: str, known: Iterable[str]) -> None:
    """Check that a preset, or what else of a ``kind`` the file ``plan`` names, is known.

    Raises:
        UserError: it is not.
    """
    if name not in (known := [*known]):
        raise UserError(
            f"{plan} names the {kind} {name}, which is unknown: {closest(name, known)}known are "
            f"{', '.join(known)}."
        )
