"""What is said when a study is finished: where it is, the verdicts, what to open and to change."""

import re
from pathlib import Path

from rote.study.figures import title
from rote.study.jobs import Study

# Of the targets, those for a whole study.
OF_ALL = {"figures", "claims", "study"}


def words(study: Study, targets: set[str]) -> str:
    """Return the last words of a Snakemake, empty if none of its targets is one for people.

    Args:
        study: what was asked.
        targets: the names of the rules that were asked for. ``{took}`` in what is returned stands
            for the time that it took.
    """
    folder, figures = f"results/{study.preset}", [f for f in study.figures() if f in targets]
    if not targets & OF_ALL:
        return "\n".join(
            f"{title(figure)}: {folder}/figures/{figure}.png and .pdf, its caption in "
            f"{figure}.txt, its numbers in {folder}/metrics/{figure}.nc"
            for figure in figures
        )
    lines = [f"The study {study.preset} is finished{{took}}: {folder}"]
    if not targets & {"claims", "study"}:
        lines += [f"Open  {folder}/figures", "Next  snakemake claims: do the conclusions hold?"]
        return "\n".join(lines)
    return "\n".join(
        [
            *lines,
            "",
            *_verdicts(Path(folder) / "claims.md"),
            "",
            f"Open  {folder}/index.html: figures, verdicts and numbers on one page",
            "Next  change config.yaml (a level of noise, a width) and run the same command again: "
            "it computes only what that touches.",
        ]
    )


def _verdicts(page: Path) -> list[str]:
    """Return a line for each conclusion, from the first table of ``claims.md``."""
    try:
        table = page.read_text("utf-8")
    except OSError:
        return []
    rows = re.findall(r"^\| (\d) \| (.+) \| \*\*(.+)\*\* \|$", table, re.MULTILINE)
    return [f"{number}  {verdict:13}  {text}" for number, text, verdict in rows]
