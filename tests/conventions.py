"""The rules of the CF conventions that files of a study can break, without a checker's libraries.

compliance-checker (cf:1.11) finds no error where these hold.
"""

import re
from pathlib import Path

import netCDF4
import numpy as np

NAMED = "title", "Conventions", "references", "settings", "software", "git_commit", "device"
NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


def violations(path: str | Path) -> list[str]:
    """Return what is wrong with a NetCDF file, a line each."""
    found = []
    with netCDF4.Dataset(path) as file:
        there = file.ncattrs()
        found += [f"the file lacks {name}" for name in NAMED if not str(getattr(file, name, ""))]
        found += [f"the attribute {name} is no name" for name in there if not NAME.fullmatch(name)]
        if "history" in there:
            found.append("a history has dates, so that the same results would be other files")
        if not set(file.variables) - set(file.dimensions):
            found.append("there are coordinates and no data")
        for name, variable in file.variables.items():
            found += [f"{name}: {wrong}" for wrong in _wrong(name, variable, file)]
    return found


def _wrong(name: str, variable: netCDF4.Variable, file: netCDF4.Dataset) -> list[str]:
    attrs = variable.ncattrs()
    text = variable.dtype is str
    wrong = [] if NAME.fullmatch(name) else ["it is no name"]
    if not getattr(variable, "long_name", ""):
        wrong.append("it lacks a long_name")
    if text and "units" in attrs:
        wrong.append("it is text with units")
    if not text and getattr(variable, "units", None) != "1":
        wrong.append("its units are not 1, the only ones that a study has")
    named = getattr(variable, "coordinates", "").split()
    wrong += [f"it has no coordinate {one}" for one in named if one not in file.variables]
    if name in file.dimensions:
        if variable.dimensions != (name,):
            wrong.append("it is called as a dimension and is no coordinate of it")
        elif "_FillValue" in attrs:
            wrong.append("it is a coordinate that could be missing")
        elif not text and not (np.diff(variable[:].astype(float)) > 0).all():
            wrong.append("it is a coordinate that does not increase")
        elif text and len(set(variable[:])) < len(variable):
            wrong.append("it is a coordinate that has a name twice")
    return wrong
