"""The verdicts as tables for people, in Markdown and in HTML."""

import html
from collections.abc import Iterable

import numpy as np
import xarray as xr
import yaml

from rote.claims import draws
from rote.claims.criteria import CRITERIA
from rote.claims.methods import METHODS
from rote.claims.verdicts import CORE
from rote.files.text import plain

COLOURS = {
    "supported": "#2e7d32",
    "contradicted": "#c62828",
    "inconclusive": "#8d6e00",
    "not tested": "#666666",
}
NONE = "–"  # in the place of a number
SMALLEST = "smallest effect found 4 times in 5"
HEADERS = (
    *("part", "estimate", "interval", "adjusted interval"),
    *("criterion", SMALLEST, "verdict", "figure"),
)
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; color: #222 }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.5rem }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.7rem }
th, td { border-bottom: 1px solid #ddd }
td.number { white-space: nowrap; font-variant-numeric: tabular-nums }
td:nth-child(3), td:nth-child(4) { min-width: 8rem }
.verdict { font-weight: 600 }
.note, footer { color: #666; font-size: 0.85em }
"""


def number(value: float) -> str:
    """Return a number with three decimals, or two from 1 on; a dash where there is none."""
    if np.isnan(value):
        return NONE
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{abs(value):.{2 if abs(value) >= 1 else 3}f}"
    return f"−{text}" if value < 0 and float(text) else text


def _between(lower: float, upper: float) -> str:
    return f"[{number(lower)}, {number(upper)}]"


def decided(verdict: str, dependent_on: str) -> str:
    """Return a verdict in words, with the settings on which it depends."""
    return f"{verdict}, dependent on {dependent_on}" if dependent_on else verdict


def parts_of(claims: xr.Dataset) -> list[dict]:
    """Return the words and numbers of every part, as text."""
    parts = []
    columns = {name: column for name, column in claims.variables.items() if "test" in column.dims}
    for i in range(claims.sizes["test"]):
        one = {name: column.values[i] for name, column in columns.items()}
        undecided = np.isnan(one["estimate"])
        stated = "" if one["stated_by"] in CORE else f" ({one['stated_by']})"
        parts.append(
            {
                **one,
                "part": f"{one['description']}{stated}",
                "decided": decided(one["verdict"], one["dependent_on"]),
                SMALLEST: number(one["detectable"]),
                "estimate": number(one["estimate"]),
                "interval": NONE
                if undecided
                else f"{_between(one['lower'], one['upper'])}, {one['based_on']}",
                "adjusted interval": NONE
                if undecided
                else f"{_between(one['adjusted_lower'], one['adjusted_upper'])}, "
                f"k = {one['adjusted_for']}",
            }
        )
    return parts


def sources(claims: xr.Dataset, preset: str) -> list[str]:
    """Return where the numbers of the claims come from, a sentence each."""
    settings = yaml.safe_load(claims.attrs["settings"])
    commits: dict[str, list[str]] = {}
    for figure, commit in settings["metrics_of_commit"].items():
        commits.setdefault(commit, []).append(figure)
    confidence = settings["claims"]["confidence"]
    return [
        f"A part is supported if its whole interval of {100 * confidence:g} % confidence meets the "
        "criterion, contradicted if nothing does of an interval that is wider, adjusted for the "
        "number of parts of the claim, not tested if the study lacks its figure or what is "
        "compared in it, and inconclusive otherwise. A claim is supported if all parts are that "
        "the poster states, and contradicted if one of them is. The smallest effect found 4 times "
        "in 5 is the distance beyond the criterion.",
        "Words in parentheses name the criterion in config.yaml, under claims: "
        f"{', '.join(f'{key} {value:g}' for key, value in settings['claims'].items())}.",
        f"Numbers: results/{preset}/claims.nc, tested by commit {claims.attrs['git_commit']}, from "
        + "; ".join(
            f"results/{preset}/metrics/{{{','.join(figures)}}}.nc of commit {commit}"
            for commit, figures in commits.items()
        )
        + ".",
    ]


def conclusions(claims: xr.Dataset) -> list[dict]:
    """Return number, text, verdict, on which settings that depends, and whose it is, of claims."""
    names = {
        "number": "conclusion",
        "text": "claim_text",
        "verdict": "claim_verdict",
        "dependent_on": "claim_dependent_on",
        "stated_by": "claim_stated_by",
    }
    columns = [claims[name].values for name in names.values()]
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    return [{**row, "decided": decided(row["verdict"], row["dependent_on"])} for row in rows]


def shared_examples(claims: xr.Dataset) -> list[str]:
    """Return which examples the replicates behind each figure have in common, a sentence each."""
    drawn = yaml.safe_load(claims.attrs["settings"]).get("draws", {})
    return [f"{draws.words(figure, one)}." for figure, one in drawn.items()]


def claims_markdown(claims: xr.Dataset, preset: str) -> str:
    """Return ``claims.md``: each verdict, the parts it rests on, and how they are computed."""
    parts, decisions = parts_of(claims), conclusions(claims)
    own_claims = [one for one in decisions if one["stated_by"] == "rote"]
    lines = [
        f"# The claims of the poster, tested: {preset}",
        "",
        *_verdicts(one for one in decisions if one["stated_by"] == "poster"),
    ]
    if own_claims:
        lines += ["", "Claims of our own, which have no say in those:", "", *_verdicts(own_claims)]
    for one in decisions:
        decision = one["decided"][:1].upper() + one["decided"][1:]
        lines += ["", f"## {one['number']}. {one['text']}", "", f"**{decision}.**", ""]
        lines += row(HEADERS), "|" + "-|" * len(HEADERS)
        own = [part for part in parts if part["claim"] == one["number"]]
        lines += [row(plain(cell) for cell in _cells(part)) for part in own]
        defined = [part for part in own if part["definition"]]
        if defined:
            lines += ["", "How the estimates are computed, from the files under metrics:", ""]
        lines += [f"- **{plain(part['part'])}.** {plain(_definition(part))}" for part in defined]
    lines += ["", "## From the values of the seeds to a verdict", ""]
    lines += [f"- **{plain(name)}.** {plain(text)}" for name, text in METHODS.items()]
    if shared := shared_examples(claims):
        lines += ["", "## What replicates have in common", ""]
        lines += [f"- {plain(line)}" for line in shared]
    lines += ["", "## Criteria", "", *_criteria(claims)]
    return "\n".join([*lines, "", *(f"{plain(line)}\n" for line in sources(claims, preset))])


def _verdicts(conclusions: Iterable[dict]) -> list[str]:
    """Return a table of claims and the verdicts on them."""
    rows = [f"| {one['number']} | {one['text']} | **{one['decided']}** |" for one in conclusions]
    return ["| | claim | verdict |", "|-|-|-|", *rows]


def row(cells: Iterable[str]) -> str:
    """Return a row of a table in Markdown."""
    return f"| {' | '.join(cells)} |"


def _cells(part: dict) -> list[str]:
    """Return the cells of a part's row, in the order of ``HEADERS``."""
    reason = f"; {part['reason']}" if part["reason"] else ""
    cells = {**part, "verdict": f"{part['decided']}{reason}"}
    return [cells[name] for name in HEADERS]


def _definition(part: dict) -> str:
    return f"{part['figure']}.nc. {part['definition']}"


def _criteria(claims: xr.Dataset) -> list[str]:
    """Return a table of the criteria: value, reason, and when each was fixed."""
    headers = "criterion", "value", "what it is, and why", "when it was fixed"
    lines = [row(headers), "|" + "-|" * len(headers)]
    for name, value in yaml.safe_load(claims.attrs["settings"])["claims"].items():
        lines.append(row(map(plain, (name, f"{value:g}", *CRITERIA[name]))))
    return lines


def claims_html(claims: xr.Dataset, preset: str) -> str:
    """Return the same as a page for the report, without a reference to any other file."""

    def coloured(one: dict) -> str:
        colour, words = COLOURS[one["verdict"]], html.escape(one["decided"])
        return f'<span class="verdict" style="color: {colour}">{words}</span>'

    body = [f"<h1>The claims of the poster, tested: {html.escape(preset)}</h1>"]
    for one in conclusions(claims):
        ours = " (a claim of our own)" if one["stated_by"] == "rote" else ""
        body.append(f"<h2>{one['number']}. {html.escape(one['text'])}{ours}</h2>")
        body.append(f"<p>{coloured(one)}</p>")
        body += ["<table><tr>", *(f"<th>{name}</th>" for name in HEADERS), "</tr>"]
        own = [part for part in parts_of(claims) if part["claim"] == one["number"]]
        for part in own:
            reason = f'<div class="note">{html.escape(part["reason"])}</div>'
            body.append(
                f"<tr><td>{html.escape(part['part'])}</td>"
                f'<td class="number">{part["estimate"]}</td>'
                f"<td>{html.escape(part['interval'])}</td>"
                f"<td>{part['adjusted interval']}</td>"
                f"<td>{html.escape(part['criterion'])}</td>"
                f'<td class="number">{part[SMALLEST]}</td>'
                f"<td>{coloured(part)}{reason if part['reason'] else ''}</td>"
                f"<td>{part['figure']}</td></tr>"
            )
        body.append("</table>")
        defined = [
            f"<li>{html.escape(part['part'])}: {html.escape(_definition(part))}</li>"
            for part in own
            if part["definition"]
        ]
        body.append(f'<ul class="note">{"".join(defined)}</ul>' if defined else "")
    methods = [f"{name}. {text}" for name, text in METHODS.items()]
    lines = *methods, *shared_examples(claims), *sources(claims, preset)
    notes = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Claims, {html.escape(preset)}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(body)}<footer>{notes}</footer></body></html>\n"
    )
