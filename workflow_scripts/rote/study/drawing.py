"""How figures are drawn, beside their metrics: the criteria in them, and a style of one's own."""

from pathlib import Path

from rote.machine.errors import UserError
from rote.study import notes, own_data
from rote.study.figures import FIGURES
from rote.study.schema import Misconfigured


class Drawing:
    """What a configuration says about drawing; methods take the ``wildcards`` of a job.

    Args:
        config: what ``rote.study.configuration.load`` returned.
    """

    def __init__(self, config: dict):
        self._criteria, self._style = config["claims"], config.get("style")

    def criteria(self, wildcards) -> dict[str, float]:
        """Return the criteria that a figure draws, by name."""
        return {name: self._criteria[name] for name in FIGURES[wildcards.figure].criteria}

    def style(self, wildcards: object) -> str | None:
        """Return the matplotlib style file with which all figures are drawn, if there is one."""
        return own_data.expanded(self._style) if self._style else None

    def made_by(self, wildcards) -> list:
        """Return what a digest of a figure must hold: a style counts by its content."""
        style = self.style(wildcards)
        return [self.criteria(wildcards), *([notes.of_content(Path(style))] if style else [])]


def check(config: dict) -> None:
    """Check that a style of the user's own is there.

    Raises:
        Misconfigured: it is not, or it cannot be read.
    """
    style = config.get("style")
    try:
        there = not style or Path(own_data.expanded(style)).is_file()
    except UserError as error:
        raise Misconfigured(str(error), ["style"]) from error
    except OSError as error:  # a closed folder, or a link to itself
        raise Misconfigured(
            f"style is {style}, which cannot be read ({error.strerror}): see to where it leads.",
            ["style"],
        ) from error
    if not there:
        raise Misconfigured(
            f"style is {style}, which is no file: name a style file of matplotlib (.mplstyle), or "
            "null for the figures' own look.",
            ["style"],
        )
