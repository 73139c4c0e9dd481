"""A study on one page for a browser: verdicts, figures with captions and numbers, configuration."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path

import jinja2
import xarray as xr
import yaml
from PIL import Image

from rote.claims.tables import SMALLEST, conclusions, parts_of, sources
from rote.claims.verdicts import SYMBOLS
from rote.study.figures import EXPERIMENT_OF_FIGURE, title

SEQUENCE = "tag:yaml.org,2002:seq"


class _Readable(yaml.SafeDumper):
    """Writes a list in a line, as people do."""


_Readable.add_representer(
    list, lambda dumper, values: dumper.represent_sequence(SEQUENCE, values, flow_style=True)
)


def page(
    captions: Mapping[str, str],
    pictures: Mapping[str, Path],
    claims: xr.Dataset,
    config: dict,
    made_by: str,
    embedded: bool,
) -> str:
    """Return a page in HTML that needs no network.

    Args:
        captions: of each figure, those of ``rote.figures.captions``.
        pictures: the PNG file of each figure.
        claims: what ``claims.nc`` holds.
        config: what ``config.yaml`` of the results holds.
        made_by: the last words of the page.
        embedded: whether the page holds its pictures, and links to no other file: it can be sent.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # names of data sets and of classes are text of the user's
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    preset, parts = config["preset"], parts_of(claims)
    return environment.get_template("page.html.jinja").render(
        preset=preset,
        embedded=embedded,
        symbols=SYMBOLS,
        smallest=SMALLEST,
        made_by=made_by,
        claims=[
            {
                **one,
                "figures": list(
                    dict.fromkeys(
                        part["figure"]
                        for part in parts
                        if part["claim"] == one["number"] and part["figure"] in captions
                    )
                ),
            }
            for one in conclusions(claims)
        ],
        figures=[
            {
                "name": figure,
                "title": title(figure),
                **_paragraphs(caption),
                **_picture(pictures[figure], embedded),
                "parts": [part for part in parts if part["figure"] == figure],
            }
            for figure, caption in captions.items()
        ],
        rest=[part for part in parts if part["figure"] not in captions],
        experiments=EXPERIMENT_OF_FIGURE,
        titles={figure: title(figure) for figure in captions},
        settings=_settings(config),
        sources=sources(claims, preset),
    )


def _paragraphs(caption: str) -> dict:
    """Return what a figure shows, its numbers and protocol, and where they come from."""
    shows, *read, numbers, _ = map(_text, caption.strip().split("\n\n"))
    words = shows.partition(": ")[2] or shows
    return {"shows": words[:1].upper() + words[1:], "read": read, "origin": numbers}


def _text(plain: str) -> str:
    """Return text that ``rote.files.text.plain`` made, as it was before."""
    return re.sub(r"\\([\\*`|<_])", r"\1", plain)


def _picture(path: Path, embedded: bool) -> dict:
    with Image.open(path) as image:
        width, height = image.size
    source = f"figures/{path.name}"
    if embedded:
        source = f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
    return {"source": source, "width": width, "height": height}


def _settings(config: dict) -> list[tuple[str, str]]:
    """Return the configuration in parts: the experiments of the preset, and what all share."""
    experiments = config["presets"][config["preset"]]
    shared = {key: value for key, value in config.items() if key not in ("presets", "defaults")}
    parts = {**experiments, "all": shared}
    return [
        (name, yaml.dump(part, Dumper=_Readable, sort_keys=False, allow_unicode=True))
        for name, part in parts.items()
    ]
