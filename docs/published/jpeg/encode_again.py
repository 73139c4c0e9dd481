"""Encode a folder of JPEGs once more, at the same quality: what does JPEG change?

    python docs/published/jpeg/encode_again.py data/cifar10_jpeg data/cifar10_jpeg_shifted --shift 4

On the same blocks of 8×8 pixels the second encoding rounds what is rounded already, and changes
little. With ``--shift 4`` the blocks lie four pixels further, and what the first encoding has left
is rounded anew: less than it took from the images before, which held more.

    python docs/published/jpeg/encode_again.py data/cifar10_jpeg data/with_noise --noise 6.26

encodes nothing and adds normal noise, so that images have as much again that tells them apart.
"""

import argparse
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image, JpegImagePlugin

SUFFIXES = ".jpg", ".jpeg"


def encode_again(file: Path, shift: int) -> tuple[Image.Image, float]:
    """Return an image after another encoding, and the mean square of what it has changed.

    Args:
        file: a JPEG. Its tables of quantisation and its subsampling are taken again.
        shift: pixels by which the blocks lie further to the right and to the bottom.

    Raises:
        OSError: it is no JPEG, or damaged.
    """
    with Image.open(file, formats=["JPEG"]) as first:
        before = np.asarray(first)
        settings = {
            "qtables": first.quantization,
            "subsampling": JpegImagePlugin.get_sampling(first),
        }
    margin = ((shift, 0), (shift, 0), (0, 0))[: before.ndim]
    coded = io.BytesIO()
    Image.fromarray(np.pad(before, margin, mode="edge")).save(coded, "JPEG", **settings)
    after = np.asarray(Image.open(coded))[shift:, shift:]
    return Image.fromarray(after), ((after.astype(float) - before) ** 2).mean()


def with_noise(file: Path, deviation: float, rng: np.random.Generator) -> tuple[Image.Image, float]:
    """Return an image with normal noise, and the mean square of what that has changed.

    Args:
        file: an image of 8 bits.
        deviation: standard deviation of the noise, in grey levels; the sum is rounded, and cut to
            0 to 255.
        rng: draws the noise, for each pixel and channel.

    Raises:
        OSError: it is no JPEG, or damaged.
    """
    with Image.open(file, formats=["JPEG"]) as image:
        before = np.asarray(image).astype(float)
    noisy = before + rng.normal(scale=deviation, size=before.shape)
    after = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return Image.fromarray(after), ((after - before) ** 2).mean()


def main() -> None:
    """Write all images of a folder as PNG, which loses nothing, into another of the same form."""
    parser = argparse.ArgumentParser(description="Encode a folder of JPEGs once more.")
    parser.add_argument(
        "source", type=Path, help="holds train/<class>/*.jpg and test/<class>/*.jpg"
    )
    parser.add_argument("target", type=Path)
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--shift", type=int, default=0, help="pixels between the two grids (0)")
    change.add_argument(
        "--noise", type=float, help="encode nothing, add normal noise of so many grey levels"
    )
    arguments = parser.parse_args()
    source, target, shift = arguments.source, arguments.target, arguments.shift
    files = sorted(file for file in source.glob("*/*/*") if file.suffix.lower() in SUFFIXES)
    if not files:
        parser.error(f"{source} holds no images train/<class>/*.jpg")
    known = {}
    for file in files:
        if (other := known.setdefault(file.with_suffix(""), file)) != file:
            parser.error(f"{other} and {file} would become one file: rename one of them")
    if target.exists():
        parser.error(f"{target} is there already: remove it, or name another folder")
    if not 0 <= shift < 8:
        parser.error(f"--shift {shift}: blocks have 8 pixels, name 0 to 7")
    if arguments.noise is not None and not 0 < arguments.noise < 256:
        parser.error(f"--noise {arguments.noise:g}: name a number of grey levels from 0 to 255")
    squares, rng = [], np.random.default_rng(0)
    for file in files:
        to = (target / file.relative_to(source)).with_suffix(".png")
        try:
            if arguments.noise is None:
                image, square = encode_again(file, shift)
            else:
                image, square = with_noise(file, arguments.noise, rng)
            to.parent.mkdir(parents=True, exist_ok=True)
            image.save(to)
        except OSError as error:
            sys.exit(f"Error: {file} cannot be read, or {to} not be written: {error}")
        squares.append(square)
    root = np.mean(squares) ** 0.5
    print(f"{len(files):,} images; root mean square of the change: {root:.2f} of 255")


if __name__ == "__main__":
    main()
