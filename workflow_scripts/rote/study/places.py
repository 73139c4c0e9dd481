"""Where a value of the merged configuration was written: which file, which line."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rote.study.layers import SHARED, lineage
from rote.study.schema import Misconfigured, dotted


class Source(NamedTuple):
    """What the configuration is merged from."""

    name: str  # for people: a file's path, or the option of the command line
    content: dict
    path: Path | None = None
    under: tuple[str, ...] = ()  # where the content of the file stands in the configuration


def where(way: list[str | int], sources: list[Source], presets: object) -> str:
    """Return where the value that stands at ``way`` in the merged configuration comes from.

    Args:
        way: keys.
        sources: what the configuration was merged from.
        presets: as they are merged from the sources, each without what it is like.

    Returns:
        Words for people; none if no source says anything there.
    """
    for end in range(len(way), 0, -1):  # what is lacking is looked for where it should stand
        for candidate in _candidates(way[:end], presets):
            for source in reversed(sources):
                line = _line(source, candidate)
                if line is None:
                    continue
                place = f"{source.name}, line {line}" if line else source.name
                moved = candidate != way[:end]
                return f"{dotted(candidate)} in {place}" if moved else place
    return ""


def _candidates(way: list[str | int], presets: object) -> Iterator[list[str | int]]:
    """Yield the places at which a value of the merged configuration may have been written."""
    if way[0] != "presets" or len(way) < 3 or not isinstance(presets, dict):
        yield way
        return
    try:
        layers = [["presets", name] for name in reversed(lineage(way[1], presets))]
    except Misconfigured:
        layers = [way[:2]]
    for layer in (*layers, ["defaults"]):
        yield [*layer, *way[2:]]
        for name in SHARED:
            if name in way[3:]:
                yield [*layer, *way[way.index(name) :]]


def _line(source: Source, way: list[str | int]) -> int | None:
    """Return the line of a source at which ``way`` leads to a value; 0 if it is no file."""
    content, under = source.content, len(source.under)
    for key in way:
        inside = isinstance(content, list) and isinstance(key, int) and key < len(content)
        if inside or (isinstance(content, dict) and key in content):
            content = content[key]
        else:
            return None
    if source.path is None:
        return 0
    import yaml

    line, node = 1, yaml.compose(source.path.read_text(encoding="utf-8"), yaml.SafeLoader)
    for key in way[under:]:
        if isinstance(node, yaml.SequenceNode):
            node = node.value[key]
            line = node.start_mark.line + 1
            continue
        for one, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if one.value == str(key):
                line, node = one.start_mark.line + 1, value
    return line
