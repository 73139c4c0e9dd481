"""What a study's claims.md says: its claims, the rows of their parts, and the criteria."""

import re
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """A part, as its row says; numbers are strings as printed, ends are (lower, upper)."""

    claim: int
    name: str
    figure: str
    criterion: str
    estimate: str
    interval: tuple[str, str]
    seeds: int
    adjusted: tuple[str, str]
    adjusted_for: int
    detectable: str
    verdict: str

    @property
    def is_core(self) -> bool:
        """Whether the part makes the verdict: it is marked neither paper nor ours."""
        return not self.name.endswith((" (paper)", " (ours)"))

    @property
    def holds(self) -> tuple[float, float]:
        """Between which ends the part holds: “one for more than, or less than, two for between”."""
        words = self.criterion
        if found := re.search(r"between (\S+) and (\S+)", words):
            return number(found[1]), number(found[2])
        if found := re.search(r"more than (\S+)", words):
            return number(found[1]), inf
        if found := re.search(r"less than (\S+)", words):
            return -inf, number(found[1])
        raise ValueError(f"no criterion: {words}")

    @property
    def named(self) -> str:
        """The criterion in the table at the end that the row's criterion names, or nothing."""
        found = re.search(r"\((?:1 − )?(\w+)\)$", self.criterion)
        return found[1] if found else ""

    def ends_at(self, criteria: dict[str, float]) -> float | None:
        """Return the number that the criterion names, or 1 less it; 0 if it names none."""
        value = criteria.get(self.named) if self.named else 0.0
        return 1 - value if value is not None and "(1 − " in self.criterion else value


@dataclass(frozen=True)
class Page:
    """Claims of a study: verdicts by number, rows in order, criteria by name."""

    verdicts: dict[int, str]
    headings: dict[int, str]
    rows: list[Row]
    criteria: dict[str, float]
    simulations: int


def number(text: str) -> float:
    """Return a printed number, “−0.063”, “1,000” or “∞”, or NaN of “–”, none."""
    if text == "–":
        return nan
    return float(text.replace("−", "-").replace("∞", "inf").replace(",", ""))


def read(path: str | Path) -> Page:
    """Return what a claims.md says; a ValueError tells what it lacks."""
    text = Path(path).read_text()
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    # Claims of our own have a table of their own, behind that of the poster's.
    told = [cells for cells in _rows(parts[0]) if cells[0].isdecimal()]
    verdicts = {int(cells[0]): _word(cells[2]) for cells in told}
    sections = [part for part in parts if re.match(r"\d+\. ", part)]
    rows = [row for section in sections for row in _parts(section)]
    headings = {int(one.split(".")[0]): _heading(one) for one in sections}
    criteria = next((part for part in parts if part.startswith("Criteria")), None)
    simulations = re.search(r"over ([\d,]+) simulated studies", text)
    if not rows or criteria is None or simulations is None:
        raise ValueError(f"{path} has no parts, no criteria or no number of simulated studies")
    values = {cells[0]: number(cells[1]) for cells in _rows(criteria)}
    return Page(verdicts, headings, rows, values, int(number(simulations[1])))


def _rows(text: str) -> list[list[str]]:
    """Return the cells of the first table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def _word(verdict: str) -> str:
    return re.match(r"\**(not tested|\w+)", verdict, re.I)[1].lower()


def _heading(section: str) -> str:
    return _word(re.search(r"^\*\*\w.*$", section, re.MULTILINE)[0])


def _parts(section: str) -> list[Row]:
    defined = re.findall(r"^- \*\*(.+?)\.\*\* .+$", section, re.MULTILINE)
    rows = [_part(int(section.split(".")[0]), cells) for cells in _rows(section)]
    if defined != [row.name for row in rows]:
        raise ValueError(f"claim {section[0]} has other parts than definitions")
    return rows


def _part(claim: int, cells: list[str]) -> Row:
    if len(cells) != 8:
        raise ValueError(f"a part of claim {claim} has {len(cells)} cells, not 8: {cells[0]}")
    name, estimate, interval, adjusted, criterion, detectable, verdict, figure = cells
    ends = re.match(r"\[(\S+), (\S+)\], (\d+) seeds", interval) or ("", "–", "–", "0")
    wide = re.match(r"\[(\S+), (\S+)\], k = (\d+)", adjusted) or ("", "–", "–", "0")
    return Row(
        claim=claim,
        name=name,
        figure=figure,
        criterion=criterion,
        estimate=estimate,
        interval=(ends[1], ends[2]),
        seeds=int(ends[3]),
        adjusted=(wide[1], wide[2]),
        adjusted_for=int(wide[3]),
        detectable=detectable,
        verdict=_word(verdict),  # ", dependent on" may follow, or a reason
    )
