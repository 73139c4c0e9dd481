"""Images of a folder: ``train/<class>/*`` and, where there is test data, ``test/<class>/*``.

Pixels are taken as they are stored, in 256 levels. What would have to be rounded, or mixed with a
background that nobody named, is refused: it would change the data without a word. What is not read
at all is said, with its number.
"""

import logging
import os
from collections import Counter
from pathlib import Path

import numpy as np

from rote.machine.errors import UserError, brief

logger = logging.getLogger(__name__)

PARTS = "train", "test"
ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
# Folders that systems and programs put beside images; so are those that begin with a dot.
OF_SYSTEMS = {"__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information"}
FILES_OF_SYSTEMS = {"Thumbs.db", "desktop.ini"}


def read_folder(root: Path) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[str]]:
    """Return (images, labels) of train and, where there is one, test, and the names of classes.

    Raises:
        UserError: a part or a class is missing, or images are damaged or unlike each other.
    """
    if not (root / "train").is_dir():
        raise UserError(
            f"{root / 'train'} is missing: a folder of images holds train/<class>/ and, if there "
            "is test data, test/<class>/, with the images of each class."
        )
    splits: list[tuple[np.ndarray, np.ndarray]] = []
    class_names: list[str] = []
    left_out: Counter[str] = Counter()
    for entry in _listed(root):
        if entry.name not in PARTS and not _of_system(entry.name):
            left_out[f"{entry.name}, which is neither train nor test"] += 1
    for part in PARTS:
        if not (root / part).is_dir():
            continue
        names = _classes(root / part, left_out)
        if not splits:
            class_names = names
        elif names != class_names:
            odd = sorted(set(names) ^ set(class_names))
            raise UserError(
                f"{root}/train and {root}/test must hold the same classes, "
                f"but only one of them has {', '.join(odd)}."
            )
        images, labels = [], []
        for label, name in enumerate(names):
            for path in _files(root / part / name, left_out):
                images.append(read_image(path))
                labels.append(label)
                if images[-1].shape != images[0].shape or (
                    splits and images[0].shape != splits[0][0].shape[1:]
                ):
                    raise UserError(
                        f"{path} has the shape {images[-1].shape} (channel, row, column), but the "
                        "images before it have another: make all images alike, in size and in "
                        "colour."
                    )
        splits.append((np.stack(images), np.array(labels)))
    if len(class_names) < 2:
        raise UserError(
            f"{root} holds one class, {class_names[0]}: there must be two or more to tell apart."
        )
    for what, count in sorted(left_out.items()):
        logger.warning("%s: left out: %s (%d).", root, what, count)
    return splits, class_names


def _of_system(name: str) -> bool:
    return name.startswith(".") or name in OF_SYSTEMS or name in FILES_OF_SYSTEMS


def _listed(folder: Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be read ({error.strerror}): see to its permissions."
        ) from error


def _classes(folder: Path, left_out: Counter) -> list[str]:
    """Return the names of the classes in a part: its folders, but those of systems.

    Raises:
        UserError: there are none, or a name is no text.
    """
    names = []
    for entry in _listed(folder):
        if _of_system(entry.name):
            continue
        if not entry.is_dir():
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
        UserError: there are none.
    """
    # A link may lead back, or up to where other classes are: neither is a folder of this class.
    above = tuple(os.path.realpath(each) for each in (folder, *folder.parents[:2]))
    found, ahead = [], [(str(folder), above)]
    while ahead:
        place, above = ahead.pop()
        for entry in _listed(Path(place)):
            if _of_system(entry.name):
                continue
            if entry.is_dir():
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


def read_image(path: str) -> np.ndarray:
    """Return an image as (channel, row, column): one channel if it is grey, else three.

    Raises:
        UserError: it cannot be read, or says more than 8 bits a channel can hold.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            deep = image.mode[:1] in ("I", "F") or ";16" in str(image.tile)
            frames = getattr(image, "n_frames", 1) if image.format != "MPO" else 1
            image.load()
            if "A" in image.getbands() or "transparency" in image.info:
                alpha = image.convert("RGBA").getchannel("A").getextrema()[0]
            else:
                alpha = 255
            grey = image.mode in ("1", "L", "LA")
            pixels = np.asarray(image.convert("L" if grey else "RGB"))
    except MemoryError:
        raise
    except FileNotFoundError as error:
        raise UserError(
            f"{path} is a link to a file that is not there: mend or remove it."
        ) from error
    except PermissionError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}): see to its permissions."
        ) from error
    except Image.DecompressionBombError as error:
        raise UserError(
            f"{path} has more pixels than Pillow reads ({brief(error)}): make it smaller."
        ) from error
    except UnidentifiedImageError as error:
        raise UserError(
            f"{path} cannot be read as an image: its content is of no kind that Pillow knows, "
            "whatever its name says; mend or remove it."
        ) from error
    except Exception as error:  # each format has its own for a damaged file
        raise UserError(
            f"{path} cannot be read as an image ({brief(error)}): mend or remove it."
        ) from error
    for wrong, remedy in (
        (deep and "has more than 8 bits a channel", "convert it to 8 bits"),
        (alpha < 255 and "is transparent in places", "put it on a background"),
        (frames > 1 and f"holds {frames} images", "keep one of them"),
    ):
        if wrong:
            raise UserError(f"{path} {wrong}: {remedy}, so that its pixels are what you mean.")
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
