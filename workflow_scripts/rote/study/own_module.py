"""A model of the user's own, as its settings name it: a function that makes a ``torch.nn.Module``.

Read by the rules: nothing is imported or run here, source is but read. ``rote.models.made_module``
makes the module.
"""

import ast
from functools import cache
from importlib import metadata
from pathlib import Path

from rote.machine.errors import UserError
from rote.study import code
from rote.study.own_data import expanded

# Settings that tell no two modules apart beside those that stand for them.
BESIDE = "from", "multiply_adds"


def parted(module: str) -> tuple[str, str]:
    """Return file or package, and function, of ``my_models.py:vit`` or ``torchvision.models:vit``.

    Raises:
        UserError: the path has a variable without a value.
    """
    where, _, function = module.rpartition(":")
    return (expanded(where) if of_file(where) else where), function


def of_file(where: str) -> bool:
    """Return whether a file is meant, and not a package that is installed."""
    return where.endswith(".py")


def with_source(settings: dict) -> dict:
    """Return the settings of a module with ``source``: what tells its code apart.

    That is a digest of the file and of the files beside it that it imports, or the version of the
    package.

    Raises:
        UserError: there is no such file, function or package, a file is no Python, or a name among
            the arguments is no text.
    """
    _check_names(settings.get("arguments", {}))
    where, function = parted(settings["from"])
    own = {key: value for key, value in settings.items() if value != {}}
    if not of_file(where):
        return {**own, "source": _version(where)}
    path = Path(where)
    if not {function, "*"} & _names(_tree(path).body):
        raise UserError(
            f"{where} defines no {function} at its top level: write the name of a function or a "
            "class of this file behind the colon."
        )
    return {**own, "source": code.of_own_file(path)}


def _check_names(arguments: object) -> None:
    """Check that keys are text, as deep as they stand: no others can be sorted, or be names."""
    if isinstance(arguments, dict):
        for key in arguments:
            if not isinstance(key, str):
                raise UserError(f"arguments hold the key {key!r}, which is no text: quote it.")
    if isinstance(arguments, dict | list):
        for own in arguments.values() if isinstance(arguments, dict) else arguments:
            _check_names(own)


def determining(model: dict) -> dict:
    """Return of the settings of any model what tells it apart from others."""
    if "from" not in model:
        return model
    own = {key: value for key, value in model.items() if key not in BESIDE}
    where, function = parted(model["from"])
    # Of a file its code is known, wherever it lies; of a package the version alone.
    return {**own, "function": function if of_file(where) else f"{where}:{function}"}


def in_words(model: dict) -> str:
    """Return what captions call a module: vit (d 32, heads 2)."""
    arguments = [f"{key} {value}" for key, value in model.get("arguments", {}).items()]
    name = model["from"].rpartition(":")[2]
    return f"{name} ({', '.join(arguments)})" if arguments else name


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), path.name)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}): write the path of a Python file before "
            "the colon."
        ) from error
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{path} is no Python ({error}): mend it.") from error


def _names(statements: list[ast.stmt]) -> set[str]:
    """Return what statements define, or import, for whoever imports their file."""
    found = set()
    for node in statements:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Import() | ast.ImportFrom():
                found |= {alias.asname or alias.name for alias in node.names}
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.If() | ast.Try() | ast.With():
                parts = [node.body, getattr(node, "orelse", []), getattr(node, "finalbody", [])]
                parts += [handler.body for handler in getattr(node, "handlers", [])]
                found |= set().union(*map(_names, parts))
    return found


@cache
def _version(package: str) -> str:
    """Return name and version of what a package was installed by."""
    first = package.partition(".")[0]
    # The two names are mostly one; to look through all that is installed takes long.
    try:
        return f"{first} {metadata.version(first)}"
    except metadata.PackageNotFoundError:
        names = metadata.packages_distributions().get(first)
    if not names:
        raise UserError(
            f"There is no package {first} installed: install it, or write the path of a Python "
            "file, which ends in .py, before the colon."
        )
    return f"{names[0]} {metadata.version(names[0])}"
