"""The digest of code: what a file was computed by, as far as code determines its numbers.

Comments, docstrings and layout do not count, so an edit of them costs nothing. A module counts with
all modules of this package that it imports, but for those that say, wait or stop and compute
nothing, and the table of figures, of which a figure's own entry counts alone. The digest is the
same for every version of Python.
"""

import ast
import hashlib
import io
import json
import tokenize
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from rote.machine.errors import UserError
from rote.study import notes

PACKAGE = Path(__file__).parents[1]
SILENT = {
    f"rote.machine.{name}"
    for name in ("device_claim", "errors", "interruption", "progress", "working_folder")
} | {  # what these say is beside it
    f"rote.study.{name}" for name in ("code", "figures", "notes", "versions")
}
LAYOUT = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}
CLOSING = ")", "]", "}"


def digest(modules: Iterable[str]) -> str:
    """Return the digest of modules, such as ``rote.metrics.fig1``, and of what they import.

    A name of one word is that of a rule's script, which stands beside the package, if it does.

    It is that of the tokens, which say the same however a line is broken; a block counts by what
    begins and ends it, so that what belongs to it makes a difference.
    """
    return _digest(tuple(modules))


@cache
def _digest(modules: tuple[str, ...]) -> str:
    sha = hashlib.sha256()
    for module in sorted(_with_imports(modules)):
        sha.update(f"{module} {_known(module)[0]}\n".encode())
    return sha.hexdigest()[:16]


def _with_imports(modules: Iterable[str]) -> set[str]:
    found, ahead = set(), [*modules]
    while ahead:
        module = ahead.pop()
        if module not in found and module not in SILENT and _path(module):
            found.add(module)
            ahead += [name for name in _known(module)[1] if name.startswith("rote")]
    return found


@cache
def _path(module: str) -> Path | None:
    """Return the file of a module of this package, None if it is none."""
    root, *parts = module.split(".")
    if root != PACKAGE.name:
        script = PACKAGE.with_name(f"{root}.py")
        return script if not parts and script.exists() else None
    place = PACKAGE.joinpath(*parts)
    for path in (place / "__init__.py", place.with_name(f"{place.name}.py")):
        if path.exists():
            return path
    return None


_imported: dict[Path, list[int]] = {}  # the state of a file when this process imported it


def note_imported() -> None:
    """Note how the files of this package are, of which this process imports the code.

    A notebook goes on with that code for days. From now on a digest of a file that was edited since
    is refused: it would be that of other code. What was noted first stays.
    """
    for path in PACKAGE.rglob("*.py"):
        _imported.setdefault(path, notes.state(path))


@cache
def _known(module: str) -> tuple[str, list[str]]:
    """Return the digest of a module alone, and what it imports: names that may be modules.

    Raises:
        UserError: its file was edited since :func:`note_imported`, or is no Python.
    """
    path = _path(module)
    if path in _imported and _imported[path] != notes.state(path):
        raise UserError(f"{path} was edited since rote was imported: restart Python.")
    try:
        return _of_file(path)
    except (SyntaxError, ValueError) as error:  # in a noise, a measure or a figure of the user's
        raise _no_python(path, error) from error


def _of_file(path: Path) -> tuple[str, list[str]]:
    """Return the same of a file, which is read again only if its state changed."""
    state = notes.state(path)
    if notes.known.get(str(path), [None])[0] != state:
        source, names = path.read_bytes(), []
        for node in ast.walk(ast.parse(source, path.name)):
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                dot = "." if node.module else ""
                names += [module, *(f"{module}{dot}{alias.name}" for alias in node.names)]
        notes.known[str(path)] = [state, of_source(source), names]
    return notes.known[str(path)][1:]


def of_own_file(path: Path) -> str:
    """Return the digest of a Python file of the user's, with the files beside it that it imports.

    Where they lie makes no difference. What is installed goes by no digest.

    Raises:
        UserError: one of them cannot be read, or is no Python.
    """
    own, *others = [(name, _of_file(file)[0]) for name, file in own_files(path).items()]
    return hashlib.sha256(json.dumps([own[1], sorted(others)]).encode()).hexdigest()[:16]


def own_files(path: Path) -> dict[str, Path]:
    """Return a Python file and those that it imports from its own folder, by their places in it.

    Raises:
        UserError: one of them cannot be read, or is no Python.
    """
    path = path.resolve()
    found, ahead = {}, [path]
    while ahead:
        file = ahead.pop()
        name = file.relative_to(path.parent).as_posix()
        if name not in found:
            found[name] = file
            try:
                for module in _of_file(file)[1]:
                    ahead += _beside(path.parent, file, module)
            except OSError as error:
                raise UserError(
                    f"{error.filename} cannot be read ({error.strerror}): see to its permissions."
                ) from error
            except (SyntaxError, ValueError) as error:
                raise _no_python(file, error) from error
    return found


def _no_python(file: Path, error: Exception) -> UserError:
    return UserError(f"{file} is no Python ({error}): mend it.")


def _beside(root: Path, importing: Path, module: str) -> list[Path]:
    """Return the files below ``root`` that the import of a module executes, if there are any."""
    names = module.lstrip(".")
    level = len(module) - len(names)
    start = importing.parents[level - 1] if level else root
    if not start.is_relative_to(root):
        return []
    places = [start]
    for name in filter(None, names.split(".")):
        places.append(places[-1] / name)
    files = [place / "__init__.py" for place in places if place != root]
    files.append(places[-1].with_name(f"{places[-1].name}.py"))
    return [file for file in files if file.is_file()]


@cache
def first_words(module: str) -> str:
    """Return the first line of the docstring of a module, for those who show it."""
    return (ast.get_docstring(ast.parse(_path(module).read_bytes())) or "").partition("\n")[0]


def of_source(source: bytes) -> str:
    """Return the digest of the code of a file."""
    sha, tokens = hashlib.sha256(), _significant(source)
    for token in tokens:
        sha.update(f"{token}\0".encode())
    return sha.hexdigest()


def _significant(source: bytes) -> list[str]:
    """Return the tokens that say what is done, and where blocks begin and end."""
    lines = io.BytesIO(source).readlines()
    tokens = list(tokenize.tokenize(iter([*lines, b""]).__next__))
    tuples = _ends_of_tuples_of_one(source)
    found, statement, i, end = [], [], 0, (0, 0)

    def end_statement() -> None:
        # A statement that is one piece of text is a docstring, or does nothing.
        text = len(statement) == 1 and statement[0].lstrip("rRbBuUfF")[:1] in ("'", '"')
        if statement and not text:
            found.extend([*statement, ";"])
        statement.clear()

    while i < len(tokens):
        token = tokens[i]
        if token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            end_statement()
        elif token.type == tokenize.INDENT:
            found.append("{")
        elif token.type == tokenize.DEDENT:
            found.append("}")
        elif tokenize.tok_name[token.type] in ("FSTRING_START", "TSTRING_START"):
            # From Python 3.12 on an f-string is many tokens, before it was one.
            last = _end_of_text(tokens, i)
            statement.append(_between(lines, token.start, tokens[last].end))
            i = last
        elif token.type not in LAYOUT:
            before, end = end, _end(token, lines)
            if token.string in CLOSING and statement[-1:] == [","] and not {before, end} & tuples:
                statement.pop()  # a comma that only the layout of a line asks for
            statement.append(token.string)
        i += 1
    return found


def _ends_of_tuples_of_one(source: bytes) -> set[tuple[int, int]]:
    """Return where tuples of one element end, as (row, byte): the comma makes them, as in (a,)."""
    return {
        (node.end_lineno, node.end_col_offset)
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Tuple) and len(node.elts) == 1)
        or (isinstance(node, ast.MatchSequence) and len(node.patterns) == 1)
    }


def _end(token: tokenize.TokenInfo, lines: list[bytes]) -> tuple[int, int]:
    """Return where a token ends, as (row, byte)."""
    row, column = token.end
    return row, len(lines[row - 1].decode()[:column].encode())


def _end_of_text(tokens: list, first: int) -> int:
    depth = 0
    for i in range(first, len(tokens)):
        name = tokenize.tok_name[tokens[i].type]
        depth += name.endswith("STRING_START") - name.endswith("STRING_END")
        if not depth:
            return i
    raise SyntaxError("a text has no end")


def _between(lines: list[bytes], start: tuple[int, int], end: tuple[int, int]) -> str:
    rows = [line.decode() for line in lines[start[0] - 1 : end[0]]]
    rows[-1] = rows[-1][: end[1]]
    rows[0] = rows[0][start[1] :]
    return "".join(rows)
