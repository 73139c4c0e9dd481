"""The form that images are read into, wherever they come from: its variables, and their check."""

import numpy as np
import xarray as xr

from rote.machine.errors import UserError

VARIABLES = {  # its dimensions and its attributes
    "image": (
        ("example", "channel", "row", "column"),
        {"long_name": "grey level, 0 black to 255 white", "units": "1"},
    ),
    "label": (
        ("example",),
        {"long_name": "class of the image, an index into class_name", "units": "1"},
    ),
    "split": (
        ("example",),
        {
            "long_name": "part of the data set",
            "units": "1",
            "flag_values": np.array([0, 1], np.int8),
            "flag_meanings": "train test",
        },
    ),
    "index": (
        ("example",),
        {"long_name": "position in this part of the source", "units": "1"},
    ),
    "class_name": (("class",), {"long_name": "name of the class"}),
}


def dataset(**content: np.ndarray) -> xr.Dataset:
    """Return a dataset of the five variables, each with its dimensions and attributes."""
    variables = {name: (VARIABLES[name][0], content[name], VARIABLES[name][1]) for name in content}
    return xr.Dataset(variables).set_coords("class_name")


def check(source: xr.Dataset, name: str) -> None:
    """Check that a dataset, wherever it comes from, is of this form.

    Args:
        source: a dataset.
        name: what the sentence calls it: a data set's name, or a file's path.

    Raises:
        UserError: a variable is missing or has other dimensions, or holds what it must not.
    """
    for variable, (dimensions, _) in VARIABLES.items():
        there = source.variables.get(variable)
        if there is None or there.dims != dimensions:
            wrong = "" if there is None else f", but has one ({', '.join(there.dims)})"
            raise UserError(
                f"{name} lacks a variable {variable} ({', '.join(dimensions)}){wrong}: add it."
            )
    if source["image"].dtype != np.uint8:
        raise UserError(
            f"{name} has images of type {source['image'].dtype}, but must have grey levels from 0 "
            "to 255, of type uint8: convert them."
        )
    if not source["image"].size:
        raise UserError(f"{name} has no images: add some.")
    if source.sizes["class"] < 2:
        raise UserError(f"{name} has fewer than two classes, so none to tell apart: add some.")
    for variable, values in {
        "label": range(source.sizes["class"]),
        "split": range(2),
        "index": range(2**62),
    }.items():
        found = source[variable]
        if found.dtype.kind not in "iu":
            raise UserError(
                f"{name} has a {variable} of type {found.dtype}, but must have whole numbers: "
                "convert them."
            )
        least, most = found.values.min().item(), found.values.max().item()
        if least not in values or most not in values:
            raise UserError(
                f"{name} has a {variable} from {least} to {most}, but must have one from 0 to "
                f"{values[-1]}: mend it."
            )
    if not all(isinstance(text, str) for text in source["class_name"].values.tolist()):
        raise UserError(f"{name} has class names that are no text: write them as strings.")
