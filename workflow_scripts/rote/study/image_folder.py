"""What a folder of images holds: ``train/<class>/*`` and, where there is test data, ``test/…``.

Images stand class by class, in the order of the names of the classes; within a class by folder,
then by name. Names are compared as text: ``10.png`` comes before ``2.png``, ``Z`` before ``a``.
"""

import os
import stat
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from rote.machine.errors import UserError

PARTS = "train", "test"
ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
# Folders that systems and programs put beside images; so are those that begin with a dot.
OF_SYSTEMS = {"__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information"}
FILES_OF_SYSTEMS = {"Thumbs.db", "desktop.ini"}


class Listing(NamedTuple):
    """The images of a folder, and what else is there."""

    images: dict[str, dict[str, list[str]]]  # their paths, of each part and each class
    left_out: Counter  # what is not read


def listing(root: Path) -> Listing:
    """Return what a folder of images holds.

    Raises:
        UserError: a part or a class is missing, or cannot be read.
    """
    if not _is_folder(root / "train"):
        raise UserError(
            f"{root / 'train'} is missing: a folder of images holds train/<class>/ and, if there "
            "is test data, test/<class>/, with the images of each class."
        )
    left_out: Counter[str] = Counter()
    for entry in _listed(root):
        if entry.name not in PARTS and not _of_system(entry.name):
            left_out[f"{entry.name}, which is neither train nor test"] += 1
    images = {
        part: {
            name: _files(root / part / name, left_out) for name in _classes(root / part, left_out)
        }
        for part in PARTS
        if _is_folder(root / part)
    }
    train, *test = ([*classes] for classes in images.values())
    if test and test[0] != train:
        odd = sorted({*train} ^ {*test[0]})
        raise UserError(
            f"{root}/train and {root}/test must hold the same classes, "
            f"but only one of them has {', '.join(odd)}."
        )
    if len(train) < 2:
        raise UserError(
            f"{root} holds one class, {train[0]}: there must be two or more to tell apart."
        )
    return Listing(images, left_out)


def _of_system(name: str) -> bool:
    return name.startswith(".") or name in OF_SYSTEMS or name in FILES_OF_SYSTEMS


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except PermissionError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}): see to its permissions."
        ) from error
    except (OSError, ValueError):
        return False


def _listed(folder: Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be read ({error.strerror}): see to its permissions."
        ) from error


def _is_folder_or_link(entry: os.DirEntry) -> bool:
    """Return whether an entry of a folder is one itself, or a link to one.

    Raises:
        UserError: it is a link that leads to itself, or into a folder that cannot be read.
    """
    try:
        return entry.is_dir()
    except OSError as error:
        raise UserError(
            f"{entry.path} cannot be read ({error.strerror}): see to where this link leads, or "
            "remove it."
        ) from error


def _classes(folder: Path, left_out: Counter) -> list[str]:
    """Return the names of the classes in a part: its folders, but those of systems.

    Raises:
        UserError: there are none, a name is no text, or a link leads nowhere.
    """
    names = []
    for entry in _listed(folder):
        if _of_system(entry.name):
            continue
        if not _is_folder_or_link(entry):
            left_out[f"{folder.name}/{entry.name}, which is in no folder of a class"] += 1
        elif not entry.name.isprintable():  # which also holds for bytes that are no UTF-8
            raise UserError(f"The class {entry.name!a} of {folder} is no readable name: rename it.")
        else:
            names.append(entry.name)
    if not names:
        raise UserError(f"{folder} holds no class: put the images of each class into a folder.")
    return names


def _files(folder: Path, left_out: Counter) -> list[str]:
    """Return the images of a class, also those in folders below, each once.

    Raises:
        UserError: there are none, or a link leads nowhere.
    """
    # A link may lead back, or up to where other classes are: neither is a folder of this class.
    above = tuple(os.path.realpath(each) for each in (folder, *folder.parents[:2]))
    found, ahead = [], [(str(folder), above)]
    while ahead:
        place, above = ahead.pop()
        for entry in _listed(Path(place)):
            if _of_system(entry.name):
                continue
            if _is_folder_or_link(entry):
                real = os.path.realpath(entry.path)
                if real not in above:
                    ahead.append((entry.path, (*above, real)))
            elif entry.name.lower().endswith(ENDINGS):
                found.append((place, entry.name))
            else:
                kind = Path(entry.name).suffix or entry.name
                left_out[f"*{kind}, which is no kind that is read"] += 1
    if not found:
        raise UserError(
            f"{folder.parent} holds no images of some class: {folder.name} has none that ends in "
            f"{', '.join(ENDINGS)}; add some, or remove its folder."
        )
    return [os.path.join(place, name) for place, name in sorted(found)]  # noqa: PTH118
