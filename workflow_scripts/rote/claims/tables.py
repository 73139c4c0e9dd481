"""The verdicts as tables for people, in Markdown and in HTML."""

import html

import numpy as np
import xarray as xr
import yaml

from rote.files.text import plain

COLOURS = {"supported": "#2e7d32", "not supported": "#c62828", "inconclusive": "#8d6e00"}
HEADERS = "part", "estimate", "interval", "criterion", "verdict"
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; color: #222 }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.5rem }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.7rem }
th, td { border-bottom: 1px solid #ddd }
td.number { white-space: nowrap; font-variant-numeric: tabular-nums }
.verdict { font-weight: 600; white-space: nowrap }
.note, footer { color: #666; font-size: 0.85em }
"""


def number(value: float) -> str:
    """Return a number with three decimals, or two from 1 on."""
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{abs(value):.{2 if abs(value) >= 1 else 3}f}"
    return f"−{text}" if value < 0 and float(text) else text


def parts_of(claims: xr.Dataset) -> list[dict]:
    """Return the words and numbers of every part, as text."""
    parts = []
    columns = {name: column for name, column in claims.variables.items() if "test" in column.dims}
    for i in range(claims.sizes["test"]):
        one = {name: column.values[i] for name, column in columns.items()}
        undecided = np.isnan(one["estimate"])
        stated = "" if one["stated_by"] == "poster" else f" ({one['stated_by']})"
        parts.append(
            {
                **one,
                "part": f"{one['description']}{stated}",
                "estimate": "–" if undecided else number(one["estimate"]),
                "interval": "–"
                if undecided
                else f"[{number(one['lower'])}, {number(one['upper'])}], {one['based_on']}",
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
        "A part is supported if its whole interval of confidence meets the criterion, not "
        "supported if none of it does, and inconclusive otherwise. A claim is supported if all "
        "parts are that the poster states, and not supported if one of them is not.",
        f"Intervals are those of {100 * confidence:g} % confidence. Over seeds they are Student's; "
        "where the best of many strengths is taken (fig5_1), with a simulated quantile. Over "
        "examples and experiments, the variance over examples (bootstrap) is added to that over "
        "experiments (jackknife), and Student's quantile is taken, on the logarithmic scale.",
        "Words in parentheses name the criterion in config.yaml, under claims: "
        f"{', '.join(f'{key} {value:g}' for key, value in settings['claims'].items())}.",
        f"Numbers: results/{preset}/claims.nc, tested by commit {claims.attrs['git_commit']}, from "
        + "; ".join(
            f"results/{preset}/metrics/{{{','.join(figures)}}}.nc of commit {commit}"
            for commit, figures in commits.items()
        )
        + ".",
    ]


def conclusions(claims: xr.Dataset) -> list[tuple[int, str, str]]:
    """Return number, text and verdict of every claim."""
    columns = (claims[name].values for name in ("conclusion", "claim_text", "claim_verdict"))
    return list(zip(*columns, strict=True))


def claims_markdown(claims: xr.Dataset, preset: str) -> str:
    """Return ``claims.md``: the verdict on each claim, and the parts that it rests on."""
    parts = parts_of(claims)
    lines = [
        f"# The claims of the poster, tested: {preset}",
        "",
        "| | claim | verdict |",
        "|-|-|-|",
    ]
    decisions = conclusions(claims)
    lines += [f"| {claim} | {text} | **{decided}** |" for claim, text, decided in decisions]
    for claim, text, decided in decisions:
        lines += ["", f"## {claim}. {text}", "", f"**{decided.capitalize()}.**", ""]
        lines += [f"| {' | '.join((*HEADERS, 'figure'))} |", "|" + "-|" * (len(HEADERS) + 1)]
        for part in parts:
            if part["claim"] == claim:
                reason = f"; {part['reason']}" if part["reason"] else ""
                cells = [plain(part[name]) for name in HEADERS[:-1]]
                cells.append(f"{part['verdict']}{plain(reason)}")
                lines.append(f"| {' | '.join((*cells, part['figure']))} |")
    return "\n".join([*lines, "", *(f"{line}\n" for line in sources(claims, preset))])


def claims_html(claims: xr.Dataset, preset: str) -> str:
    """Return the same as a page for the report, without a reference to any other file."""

    def coloured(decided: str) -> str:
        return f'<span class="verdict" style="color: {COLOURS[decided]}">{decided}</span>'

    body = [f"<h1>The claims of the poster, tested: {html.escape(preset)}</h1>"]
    for claim, text, decided in conclusions(claims):
        body.append(f"<h2>{claim}. {html.escape(text)}</h2><p>{coloured(decided)}</p><table><tr>")
        body += [f"<th>{name}</th>" for name in (*HEADERS, "figure")] + ["</tr>"]
        for part in parts_of(claims):
            if part["claim"] != claim:
                continue
            reason = f'<div class="note">{html.escape(part["reason"])}</div>'
            body.append(
                f"<tr><td>{html.escape(part['part'])}</td>"
                f'<td class="number">{part["estimate"]}</td>'
                f"<td>{html.escape(part['interval'])}</td>"
                f"<td>{html.escape(part['criterion'])}</td>"
                f"<td>{coloured(part['verdict'])}{reason if part['reason'] else ''}</td>"
                f"<td>{part['figure']}</td></tr>"
            )
        body.append("</table>")
    notes = "".join(f"<p>{html.escape(line)}</p>" for line in sources(claims, preset))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Claims, {html.escape(preset)}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(body)}<footer>{notes}</footer></body></html>\n"
    )
