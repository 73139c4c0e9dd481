"""What a kind of noise returns, which may be a user's own: checked before models train on it.

What does not fit would be cast or broadcast, and nobody would see it in a figure.
"""

import numpy as np

from rote.machine.errors import UserError

LARGEST = float(np.finfo(np.float32).max)


def labels(found: object, kind: str, examples: int, classes: int) -> np.ndarray:
    """Return labels (examples,), int16.

    Args:
        found: what the function ``labels`` of a kind of noise returns.
        kind: of the noise.
        examples: how many there are.
        classes: how many there are; labels count from 0.

    Raises:
        UserError: it is something else.
    """
    remedy = f"a whole number from 0 to {classes - 1} for each example, an array ({examples},)"
    # Whole numbers may be written as others, as those of a file may.
    if not _is_array(found, "iuf", (examples,)):
        raise _refused("labels", kind, _said(found), remedy)
    right = (found >= 0) & (found < classes) & (found == np.round(found))  # no NaN is
    if not right.all():
        first = np.flatnonzero(~right)[0]
        raise _refused("labels", kind, f"the label {found[first]:g} in place {first}", remedy)
    return found.astype(np.int16)


def inputs(
    found: object, kind: str, shape: tuple[int, ...], each_image: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return inputs (examples, channels, rows, columns), float32, and what a grey level is in each.

    Args:
        found: what the function ``inputs`` of a kind of noise returns.
        kind: of the noise.
        shape: of the real inputs.
        each_image: whether each image is scaled by itself: then there are levels (examples,).

    Raises:
        UserError: it is something else.
    """
    if not isinstance(found, tuple | list) or len(found) != 2:
        remedy = "a pair, images and what a grey level is in each (or None), as examples.levels is"
        raise _refused("inputs", kind, _said(found), remedy)
    images, levels = found
    if not _is_array(images, "f", shape):
        remedy = f"images of shape {shape} and type float32"
        raise _refused("inputs", kind, f"{_said(images)} for images", remedy)
    low, high = float(images.min()), float(images.max())
    if not -LARGEST <= low <= high <= LARGEST:  # NaN is not
        raise _refused("inputs", kind, f"images from {low:g} to {high:g}", "finite numbers")
    if each_image:
        remedy = f"a positive number for each image as its grey level, an array {shape[:1]}"
        if not _is_array(levels, "f", shape[:1]):
            raise _refused("inputs", kind, f"{_said(levels)} for grey levels", remedy)
        if not (np.isfinite(levels) & (levels > 0)).all():
            what = f"grey levels from {levels.min():g} to {levels.max():g}"
            raise _refused("inputs", kind, what, remedy)
    elif levels is not None:
        remedy = "None for them, since no image is scaled by itself"
        raise _refused("inputs", kind, f"{_said(levels)} for grey levels", remedy)
    return images.astype(np.float32, copy=False), levels


def _is_array(found: object, kinds: str, shape: tuple[int, ...]) -> bool:
    """Return whether something is an array of this shape and one of these kinds of numbers."""
    return isinstance(found, np.ndarray) and found.dtype.kind in kinds and found.shape == shape


def _said(found: object) -> str:
    if isinstance(found, np.ndarray):
        return f"an array {found.shape} of type {found.dtype}"
    return "None" if found is None else type(found).__name__


def _refused(function: str, kind: str, what: str, remedy: str) -> UserError:
    return UserError(
        f"The function {function} of the noise {kind} returns {what}: have it return {remedy}."
    )
