"""What an archive holds: results that belong together, and the workflow that computed them.

A path in the archive is that in the checkout, so an unpacked archive is a checkout with results.
Runs, the store of models and noised images are left out: they are large, and are computed again
from the configuration.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from rote.files.made_by import stale
from rote.machine.errors import UserError
from rote.study import code, noises, own_data, own_module
from rote.study.jobs import PICTURES, Study

# Of a checkout, what computes a study; beside these it holds tests and documentation.
WORKFLOW = (
    "CITATION.cff",
    "LICENSE",
    "Makefile",
    "Snakefile",
    "config.yaml",
    "envs",
    "profiles",
    "pyproject.toml",
    "report",
    "rules",
    "workflow_scripts",
)
PAGES = "claims.nc", "claims.md", "config.yaml", "gallery.md", "paper.md"
ELSEWHERE = PurePosixPath("own_files")  # what lies outside of the working folder, by its whole path
SHOWN = 3  # of many files that are wrong


def metrics(study: Study) -> dict[str, str]:
    """Return the file of metrics of each figure, by the figure."""
    return {figure: study.page(f"metrics/{figure}.nc") for figure in study.figures()}


def results(study: Study) -> list[str]:
    """Return the paths of all results that belong to the archive."""
    pictures = [
        study.page(f"figures/{figure}.{kind}") for figure in study.figures() for kind in PICTURES
    ]
    return sorted([*metrics(study).values(), *pictures, *map(study.page, PAGES)])


def check(study: Study, folder: Path) -> None:
    """Check that a study is finished, by its own settings and the code that is here now.

    Args:
        study: by its own ``config.yaml`` among the results.
        folder: in which Snakemake worked.

    Raises:
        UserError: results are missing or empty, or were made by other settings or other code.
    """
    paths = results(study)
    again = f"call `make archive PRESET={study.preset}`, which computes what is needed for that."
    if missing := [path for path in paths if not (folder / path).is_file()]:
        raise UserError(f"The study {study.preset} lacks {_named(missing)}: {again}")
    if empty := [path for path in paths if not (folder / path).stat().st_size]:
        raise UserError(f"Nothing is in {_named(empty)}: delete that, and {again}")
    expected = study.made_by.everything()
    if old := stale({path: expected[path] for path in paths if path in expected}, folder):
        raise UserError(
            f"Other settings or other code than those of today made {_named(old)}: {again}"
        )


def _named(paths: list[str]) -> str:
    more = len(paths) - SHOWN
    return ", ".join(paths[:SHOWN]) + (f" and {more} more files" if more > 0 else "")


def collected(study: Study, folder: Path, checkout: Path) -> dict[str, bytes]:
    """Return the content of all files that are copied into the archive, by their paths in it.

    Args:
        study: that is finished.
        folder: in which Snakemake worked.
        checkout: of rote.

    Raises:
        UserError: a file cannot be read.
    """
    files = {path: folder / path for path in results(study)}
    files |= {path.relative_to(checkout).as_posix(): path for path in _workflow(checkout)}
    files |= own_code(study, folder)
    return {name: _content(files[name]) for name in sorted(files)}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}): see to its permissions, then run the same "
            "command again."
        ) from error


def _workflow(checkout: Path) -> Iterator[Path]:
    """Return the files of the workflow, without those that Python and editors leave behind."""
    for name in WORKFLOW:
        path = checkout / name
        if path.is_file():
            yield path
        for file in path.rglob("*"):
            parts = file.relative_to(checkout).parts
            hidden = any(part.startswith(".") for part in parts) or file.name.endswith("~")
            if file.is_file() and not hidden and "__pycache__" not in parts:
                yield file


def own_code(study: Study, folder: Path) -> dict[str, Path]:
    """Return the user's own files, beside data, that results depend on, by their archived paths.

    These are models with the files that they import, matrices of noises, and a style.
    """
    found: list[Path] = []
    for module in _modules(study.presets[study.preset]):
        where, _ = own_module.parted(module)
        if own_module.of_file(where):
            found += code.own_files(folder / where).values()
    for definition in study.config.get("noises", {}).values():
        found += [folder / own_data.expanded(path) for path in noises.paths(definition).values()]
    if style := study.drawing.style(None):
        found.append(folder / style)
    return {_place(path.resolve(), folder.resolve()): path for path in found}


def _modules(settings: object) -> Iterator[str]:
    """Return what the settings of all models of the user's own name as ``from``."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if key == "from" and isinstance(value, str):
                yield value
            yield from _modules(value)
    elif isinstance(settings, list):
        for value in settings:
            yield from _modules(value)


def _place(path: Path, folder: Path) -> str:
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    return str(ELSEWHERE / path.relative_to(path.anchor))
