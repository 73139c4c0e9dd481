"""The figures, drawn from their metrics alone: one module a figure, with ``draw(metrics)``.

``looks`` is the colour, marker and line of each condition, the same in all figures; ``style`` holds
the sizes and the words that all share, ``labels`` finds room beside points, ``fonts`` finds letters
for names of any script, ``captions`` is what stands below each of them in the report and in the
gallery. What claims test is drawn too; the criteria for it are arguments of ``draw``.

A figure is the same on every machine: a user's matplotlibrc must not change it, only the style
that the configuration names, which ``own_style`` reads. So ``style.paper`` puts matplotlib's own
settings in the place of the user's, and matplotlib is imported here, before any figure, without
reading them, since a broken file stops the import itself. No figure uses pyplot, which would also
read the user's styles and start a backend.
"""

import contextlib
import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path


def _import_matplotlib() -> None:
    """Import matplotlib with the settings that it comes with."""
    backend = os.environ.pop("MPLBACKEND", None)  # an unknown one stops the import
    # matplotlib looks for a matplotlibrc in the working folder first. Its own is in this one.
    defaults = Path(find_spec("matplotlib").origin).parent / "mpl-data"
    try:
        with contextlib.chdir(defaults):
            import_module("matplotlib")
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend


_import_matplotlib()
