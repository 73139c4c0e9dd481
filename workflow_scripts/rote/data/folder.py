"""Images of a folder, see ``rote.study.image_folder`` for how they lie there.

Pixels are taken as they are stored, in 256 levels. What would have to be rounded, or mixed with a
background that nobody named, is refused: it would change the data without a word. What is not read
at all is said, with its number.
"""

import logging
from pathlib import Path

import numpy as np

from rote.machine.errors import UserError, brief
from rote.study.image_folder import listing

logger = logging.getLogger(__name__)


def read_folder(root: Path) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[str]]:
    """Return (images, labels) of train and, where there is one, test, and the names of classes.

    Raises:
        UserError: a part or a class is missing, or images are damaged or unlike each other.
    """
    there = listing(root)
    splits: list[tuple[np.ndarray, np.ndarray]] = []
    shape = None
    for classes in there.images.values():
        images, labels = [], []
        for label, paths in enumerate(classes.values()):
            for path in paths:
                images.append(read_image(path))
                labels.append(label)
                shape = shape or images[0].shape
                if images[-1].shape != shape:
                    raise UserError(
                        f"{path} has the shape {images[-1].shape} (channel, row, column), but the "
                        "images before it have another: make all images alike, in size and in "
                        "colour."
                    )
        splits.append((np.stack(images), np.array(labels)))
    for what, count in sorted(there.left_out.items()):
        logger.warning("%s: left out: %s (%d).", root, what, count)
    return splits, [*there.images["train"]]


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
