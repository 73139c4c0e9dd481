"""A look of one's own: a style file of matplotlib, on top of the settings of a paper."""

from pathlib import Path

import matplotlib

from rote.machine.errors import UserError

# Figures are written to files, and their texts have % and _ that TeX would take for its own.
REFUSED = "backend", "text.usetex"


def settings(path: str | Path) -> dict:
    """Return the settings of a style file.

    Raises:
        UserError: it cannot be read, or a line of it is no setting of matplotlib.
    """
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UserError(f"The style {path} cannot be read ({why}): name another file.") from error
    for number, line in enumerate(lines, 1):
        name, colon, _ = line.partition("#")[0].partition(":")
        name = name.strip()
        if name in REFUSED:
            raise UserError(f"{path}, line {number}: {name} cannot be set here: delete the line.")
        if (name or colon) and (not colon or name not in matplotlib.rcParamsDefault):
            raise UserError(
                f"{path}, line {number}: {name or 'nothing'} is no setting of matplotlib, as are "
                "font.size: 9 and axes.grid: False: correct or delete the line."
            )
    try:
        return dict(matplotlib.rc_params_from_file(path, True, use_default_template=False))
    except ValueError as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}: correct the line.") from error
