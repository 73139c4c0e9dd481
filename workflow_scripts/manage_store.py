"""What the store of finished models holds, and what of it no study asks for: ``make store``.

Every preset with results in the working folder counts as a study, with the settings that it has
now. ``--prune`` removes what none of them asks for; that costs computing time if it is asked for
later, and nothing else.
"""

import argparse
import contextlib
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from rote.files.pack import Record
from rote.files.store import FINISHED, UNFINISHED, Store
from rote.machine import working_folder
from rote.machine.command_line import print_anywhere
from rote.machine.errors import UserError
from rote.study import configuration, notes
from rote.study.jobs import STORE, Study
from rote.study.schema import Misconfigured

ROOT = Path(__file__).parents[1]


def described(records: Iterable[Record]) -> str:
    """Return how much there is, in words."""
    records = list(records)
    counts = {
        "models": sum(record.epoch == FINISHED for record in records),
        "sets of parameters": sum(record.epoch >= 0 for record in records),
        "checkpoints": sum(record.epoch == UNFINISHED for record in records),
    }
    words = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    return f"{words or 'nothing'}, {sum(record.size for record in records) / 1e6:,.1f} MB"


def studies(files: list[Path]) -> list[Study]:
    """Return the presets that have results in the folder in which this process works.

    Args:
        files: of the configuration, over ``config.yaml``.

    Raises:
        UserError: the configuration lacks one of them, or is wrong.
    """
    found = []
    for results in sorted(Path(STORE).parent.glob("*/")):
        if results.name == Path(STORE).name:
            continue
        try:
            config = configuration.load(ROOT / "config.yaml", files, {"preset": results.name})
        except Misconfigured as error:
            if error.way != ["preset"]:  # another mistake, and none of the folder
                raise
            raise UserError(
                f"{results.absolute()} is of no preset of this configuration: name the file of the "
                "preset by --configfile, or delete the folder."
            ) from error
        found.append(Study(config))
    return found


def main() -> None:
    """Print what is there, and remove what is not asked for if that is wanted."""
    parser = argparse.ArgumentParser(description="What the store of finished models holds.")
    parser.add_argument("--prune", action="store_true", help="remove what no study asks for")
    parser.add_argument(
        "--configfile", type=Path, nargs="+", default=[], help="what differs from config.yaml"
    )
    parser.add_argument(
        "--directory",
        type=Path,
        nargs="+",
        default=[],
        help="the working folders, all of those that share the store (the current one)",
    )
    parser.add_argument(
        "--untold", action="store_true", help="remove also what may be of lacking noised data"
    )
    arguments = parser.parse_args()
    # A folder that is named twice would wait for its own lock.
    folders = [*dict.fromkeys(folder.resolve() for folder in arguments.directory or [Path()])]
    files = [file.absolute() for file in arguments.configfile]
    try:
        for file in files:  # also where no preset has results that ask for it
            configuration.read(file)
        root = the_store(folders, told=bool(arguments.directory) or not arguments.prune)
        with contextlib.ExitStack() as locks:
            if arguments.prune:
                for folder in folders:
                    locks.enter_context(working_folder.alone(folder))
            left = manage(root, folders, files, prune=arguments.prune, untold=arguments.untold)
    except UserError as error:
        sys.exit(f"Error: {error}")
    if left:
        # The same files and folders must count, else others' models would go.
        options = shlex.quote(shlex.join([*sys.argv[1:], "--prune"]))
        print(f"make store OPTIONS={options} removes them.")


def the_store(folders: list[Path], *, told: bool) -> Path:
    """Return the one store of working folders.

    Args:
        folders: that share it.
        told: whether it is said, or does not matter, that no other folder shares it.

    Raises:
        UserError: it is not there, not one, or may be that of others, too.
    """
    root = folders[0] / STORE
    for folder in folders:
        if not (folder / STORE).is_dir():
            raise UserError(f"{folder / STORE} is not there: nothing was computed in that folder.")
        if not root.samefile(folder / STORE):
            raise UserError(f"{folder / STORE} is another store than {root}: name one at a time.")
    if root.is_symlink() and not told:
        raise UserError(
            f"{root} is a link, so other folders may share the store: name all of them by "
            "--directory. Nothing was removed."
        )
    return root


def manage(
    root: Path, folders: list[Path], files: list[Path], *, prune: bool, untold: bool
) -> bool:
    """Print what the store holds, and remove what is not asked for.

    Args:
        root: the store.
        folders: working folders that share it.
        files: of the configuration, over ``config.yaml``.
        prune: whether to remove anything.
        untold: whether to remove also what noised data that is lacking may ask for.

    Returns:
        Whether there is something that could be removed, and was not.

    Raises:
        UserError: it is not sure that nothing is lost, or something cannot be removed.
    """
    from rote.runs.asked_for import asked_for  # which takes a second, and a mistake should not

    store = Store(root)
    records, before = store.records(), old_files(root)
    print(f"{root}: {described(records)}, in {len(store.files()):,} files.")
    wanted: set[str] = set()
    lacking: list[str] = []
    for folder in folders:
        with contextlib.chdir(folder):  # of which paths in a configuration may be parts
            notes.read(notes.PATH)
            for study in studies(files):
                keys, unknown = asked_for(study)
                wanted |= keys
                lacking += unknown
                theirs = [record for record in records if record.key in keys]
                print(f"{folder / 'results' / study.preset} asks for {described(theirs)}.")
    rest = [record for record in records if record.key not in wanted]
    print(f"Not asked for, as far as can be told: {described(rest)}.")
    if before:
        print(f"Of an older version of rote, which this one does not read: {len(before):,} files.")
    if lacking:
        print(
            "What trains on these cannot be told, since they are not there or out of date; "
            f"snakemake makes them:\n  {' '.join(lacking)}"
        )
    if not prune:
        return bool(rest or before)
    if lacking and not untold:
        raise UserError(
            "Models of noised data that is lacking would be removed, too: have it made by the "
            "names above, or say --untold. Nothing was removed."
        )
    try:
        for path in before:
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        store.remove_all_but(wanted)
    except OSError as error:
        raise UserError(
            f"Not all of it could be removed from {root} ({error.strerror}): see to the "
            "permissions, then run the same command again; what is asked for is kept."
        ) from error
    print(f"Removed. {root}: {described(Store(root).records())}.")
    return False


def old_files(root: Path) -> list[Path]:
    """Return the files of format 1, one a model."""
    digits = "[0-9a-f]"
    return sorted(path for path in root.glob(f"{digits * 2}/{digits * 64}*.nc") if path.is_file())


if __name__ == "__main__":
    print_anywhere()
    main()
