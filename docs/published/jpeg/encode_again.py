"""Encode a folder of JPEGs once more, at the same quality: what does JPEG change?

    python docs/published/jpeg/encode_again.py data/cifar10_jpeg data/cifar10_jpeg_shifted --shift 4

On the same blocks of 8×8 pixels the second encoding rounds what is rounded already, and changes
little. With ``--shift 4`` the blocks lie four pixels further, at the corners of the first ones, and
as much is lost anew as on images that were never encoded, or somewhat less.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image, JpegImagePlugin


def encode_again(file: Path, shift: int) -> tuple[Image.Image, float]:
    """Return an image after another encoding, and the mean square of what it has changed.

    Args:
        file: a JPEG. Its tables of quantisation and its subsampling are taken again.
        shift: pixels by which the blocks lie further to the right and to the bottom.
    """
    with Image.open(file) as first:
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


def main() -> None:
    """Write all images of a folder as PNG, which loses nothing, into another of the same form."""
    parser = argparse.ArgumentParser(description="Encode a folder of JPEGs once more.")
    parser.add_argument(
        "source", type=Path, help="holds train/<class>/*.jpg and test/<class>/*.jpg"
    )
    parser.add_argument("target", type=Path)
    parser.add_argument("--shift", type=int, default=0, help="pixels between the two grids (0)")
    arguments = parser.parse_args()
    files = sorted(arguments.source.glob("*/*/*.jpg"))
    if not files:
        parser.error(f"{arguments.source} holds no images train/<class>/*.jpg")
    squares = []
    for file in files:
        image, square = encode_again(file, arguments.shift)
        squares.append(square)
        to = (arguments.target / file.relative_to(arguments.source)).with_suffix(".png")
        to.parent.mkdir(parents=True, exist_ok=True)
        image.save(to)
    change = np.mean(squares) ** 0.5
    print(f"{len(files):,} images; root mean square of the change: {change:.2f} of 255")


if __name__ == "__main__":
    main()
