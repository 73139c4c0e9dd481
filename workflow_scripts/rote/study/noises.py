"""Kinds of noise: what each replaces, its words and its look, and the parameters that it takes.

An entry of ``KINDS`` is all that configuration, estimates and figures know of a kind. What it draws
is in the module of its name in ``rote.data.noises``. The configuration may define noises of its own
under ``noises``: each is a kind with its parameters, by a name of its own.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from rote.machine.errors import UserError
from rote.study.own_data import expanded

_DASHED, _DASHDOTTED, _DOTTED = (0, (5, 1.5)), (0, (5, 1.2, 1.2, 1.2)), (0, (1.2, 1.2))


def _wrong_matrix(parameters: Mapping) -> str:
    """Return what is wrong with a matrix of transition probabilities; nothing if it is one."""
    matrix = parameters["matrix"]
    for i, row in enumerate(matrix):
        if len(row) != len(matrix):
            return (
                f"row {i} of matrix has {len(row)} numbers, but there are {len(matrix)} rows: "
                "write a square"
            )
        if abs(sum(row) - 1) > 1e-6:
            return f"row {i} of matrix sums to {sum(row):g}: write probabilities that sum to 1"
    return ""


def _wrong_file(parameters: Mapping) -> str:
    """Return why a file of labels cannot be read; nothing if it can be."""
    path = parameters["path"]
    if not path.endswith((".nc", ".npz", ".npy")):
        return (
            f"{path} is no .nc, .npz or .npy: convert it, text of a label a line by "
            f'numpy.save("labels.npy", numpy.loadtxt({json.dumps(path)}, dtype=int))'
        )
    return ""


class Noise(NamedTuple):
    """A kind of noise."""

    replaces: str  # image, the inputs, or label
    words: str  # what figures say it is
    colour: str
    marker: str
    line: str | tuple
    parameters: Mapping[str, dict] = {}  # a part of the JSON schema each, by name; all are needed
    wrong: Callable[[Mapping], str] = lambda parameters: ""  # about the values of the parameters


# In the order in which figures show them.
KINDS = {
    "randX": Noise("image", "noise in the inputs", "#cf3a28", "D", _DASHED),
    "randY": Noise("label", "noise in the labels", "#62b35c", "s", _DOTTED),
    "gaussX": Noise("image", "Gaussian noise of each channel", "#7191db", "v", _DASHED),
    "shuffledX": Noise("image", "pixels in one random order", "#2f644a", "P", _DASHED),
    "scrambledX": Noise("image", "pixels in an order for each image", "#1d8c9e", "X", _DASHED),
    "pairY": Noise("label", "label of the next class", "#a7b912", "*", _DOTTED),
    "transitionY": Noise(
        "label",
        "labels by a transition matrix",
        "#19313c",
        "v",
        _DOTTED,
        {
            "matrix": {
                "title": "of transitionY: a row for each true class, the probability of each label",
                "description": "write a row for each class, each a list of probabilities",
                "type": "array",
                "minItems": 2,
                "maxItems": 1000,
                "items": {
                    "type": "array",
                    "minItems": 2,
                    "maxItems": 1000,
                    "items": {"type": "number", "minimum": 0, "maximum": 1},
                },
            }
        },
        _wrong_matrix,
    ),
    "fileY": Noise(
        "label",
        "labels from a file",
        "#e4c594",
        "D",
        _DOTTED,
        {
            "path": {
                "title": "of fileY: the file (.nc, .npz or .npy) with labels of the training part",
                "description": "write the path of a file, in one line",
                "type": "string",
                "format": "path",
                "minLength": 1,
                "maxLength": 4000,
                "pattern": "^[^\\x00-\\x1f]*$(?!\\n)",
            }
        },
        _wrong_file,
    ),
}


def kind_of(name: str, data: Mapping) -> str:
    """Return the kind of a noise by its name: its own, if the settings of its data say no other."""
    return data.get("noises", {}).get(name, {"kind": name})["kind"]


def replaces(name: str, data: Mapping) -> str | None:
    """Return what a noise replaces, ``image`` or ``label``; None for ``real``.

    Args:
        name: of the noise.
        data: the settings of ``rote.study.plan.data_settings``, or others with ``noises``.
    """
    return None if name == "real" else KINDS[kind_of(name, data)].replaces


def words(name: str, defined: Mapping[str, Mapping]) -> str:
    """Return what a noise is, for people; nothing for what is no noise, or is not known.

    Args:
        name: of the noise.
        defined: the block ``noises`` of the configuration.
    """
    own = defined.get(name, {})
    kind = KINDS.get(own.get("kind", name))
    return own.get("title") or (kind.words if kind else "")


def paths(definition: Mapping) -> dict[str, str]:
    """Return those parameters of a noise that are files of the user's own, by name."""
    known = KINDS[definition["kind"]].parameters
    return {name: definition[name] for name, part in known.items() if part.get("format") == "path"}


def used(names: list[str], noises: Mapping[str, Mapping]) -> dict[str, dict]:
    """Return the definitions of those noises that have one, as jobs take them.

    Args:
        names: of noises.
        noises: the block of the configuration.

    Raises:
        UserError: a path names a folder, or a variable, that is not known.
    """
    return {
        name: {
            **noises[name],
            **{key: expanded(path) for key, path in paths(noises[name]).items()},
        }
        for name in names
        if name in noises
    }


def wrong(name: str, definition: Mapping) -> str:
    """Return what is wrong with the definition of a noise, a sentence; nothing if it is right."""
    if name in (*KINDS, "real", "halfX"):
        return f"noises.{name} bears the name of what there is already: choose another one."
    place, kind = f"noises.{name}", KINDS[definition["kind"]]
    own = definition.keys() - {"kind", "title"}
    if missing := sorted(kind.parameters.keys() - own):
        return f"{place} lacks the key {missing[0]}, which {definition['kind']} needs: add it."
    if others := sorted(own - kind.parameters.keys()):
        return (
            f"{place} has the key {others[0]}, which {definition['kind']} does not take: remove it."
        )
    sentence = kind.wrong(definition)
    return f"{place}: {sentence}." if sentence else ""


def check_files(name: str, definition: Mapping) -> None:
    """Check that the files of a noise can be read.

    Raises:
        UserError: one cannot be.
    """
    for key, path in paths(definition).items():
        try:
            with Path(expanded(path)).open("rb"):
                pass
        except OSError as error:
            raise UserError(
                f"noises.{name}.{key} is {path}, which cannot be read ({error.strerror}): write "
                "the path of a file that can be."
            ) from error


def complete(part: dict) -> dict:
    """Return the part of the schema for a noise, with its kinds and all of their parameters."""
    kinds = {**part["properties"]["kind"], "enum": list(KINDS)}
    parameters = {name: own for kind in KINDS.values() for name, own in kind.parameters.items()}
    return {**part, "properties": {**part["properties"], "kind": kinds, **parameters}}
