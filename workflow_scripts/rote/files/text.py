"""Pages for people: text that is whole or absent, and that shows what was meant."""

import re
from pathlib import Path

from rote.files.atomic import replacing


def write(text: str, path: str | Path) -> None:
    """Write a page: afterwards the file is whole, or what was there before.

    Raises:
        UserError: the page cannot be written.
    """
    with replacing(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8")


def plain(text: str) -> str:
    r"""Return text that reStructuredText and Markdown both show as it is.

    Underscores within words, as in fig3_1, are none of their marks.
    """
    return re.sub(r"[\\*`|<]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)
