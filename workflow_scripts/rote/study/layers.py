"""A preset from its layers: ``defaults``, the presets that it is like, and what it says itself.

See ``rote.study.configuration`` for what may stand where.
"""

from collections.abc import Iterator
from copy import deepcopy

from rote.study.schema import SCHEMA, Misconfigured, dotted, resolved, unknown

# Blocks, and values, that may stand above the experiments.
SHARED = "data", "training", "seeds", "first_seed", "vary", "record"
# Stands for a key that a later file has taken out of a preset: of what that one is like, too.
TAKEN_OUT = ...


def _nullable(schema: object) -> set[str]:
    """Return the keys of which null is a value."""
    found = set()
    for key, part in schema.items() if isinstance(schema, dict) else ():
        if key == "properties":
            found |= {name for name, own in part.items() if "null" in own.get("type", "")}
        found |= _nullable(part)
    return found


NULLABLE = _nullable(SCHEMA)
PRESET = SCHEMA["properties"]["presets"]["additionalProperties"]["properties"]


def merged(base: object, over: object, trace: bool = False) -> object:
    """Return ``base`` with the values of ``over``, key by key; neither is changed.

    Null takes out a key of ``base``, where it is not a value as others are. Where it takes nothing
    out it stays, for the check to find. Keys of ``base`` come first, those that are new behind.
    With a ``trace``, a key that is taken out is ``TAKEN_OUT``; without, what is so is away.
    """
    if not isinstance(over, dict):
        return deepcopy(over)
    result = dict(base) if isinstance(base, dict) else {}
    for key, value in over.items():
        if value is TAKEN_OUT or (value is None and key in result and key not in NULLABLE):
            result.pop(key, None)
            if trace:
                result[key] = TAKEN_OUT
        else:
            result[key] = merged(result.get(key), value, trace)
    return result


def merged_files(base: object, over: object) -> object:
    """Return the content of a file with that of a later one, :func:`merged`.

    What is taken out of a preset that is like another leaves a trace for :func:`whole_preset`, or
    the other one would bring it back.
    """
    result = merged(base, over)
    there, presets = (one.get("presets") if isinstance(one, dict) else None for one in (base, over))
    for name, own in presets.items() if isinstance(presets, dict) else ():
        known = there.get(name) if isinstance(there, dict) else None
        if isinstance(own, dict) and isinstance(known, dict) and "like" in {**known, **own}:
            result["presets"][name] = merged(known, own, trace=True)
    return result


def lineage(name: str, presets: dict) -> list[str]:
    """Return a preset and those that it is like, the most general one first.

    Raises:
        Misconfigured: one of them is not there, or a preset is like itself.
    """
    names = [name]
    while isinstance(own := presets[names[0]], dict) and "like" in own:
        like, way = own["like"], ["presets", names[0], "like"]
        if not isinstance(like, str) or like not in presets:
            raise unknown("preset", like, way, sorted(map(str, presets)))
        if like in names:
            raise Misconfigured(
                f"{dotted(way)} leads back to {like}: let one of the presets "
                f"{', '.join(map(str, names))} stand for itself.",
                way,
            )
        names.insert(0, like)
    return names


def whole_preset(name: str, presets: dict, defaults: dict) -> object:
    """Return all experiments of a preset with all of their values."""
    if not isinstance(presets[name], dict):
        return presets[name]
    own = [deepcopy(presets[each]) for each in lineage(name, presets)]
    own = [layer for layer in own if isinstance(layer, dict)]
    for layer in own:
        layer.pop("like", None)
    blocks = list(_blocks(own))
    experiments = {way[0] for way in blocks}
    shared = {key: deepcopy(defaults[key]) for key in defaults if key in {*experiments, *SHARED}}
    whole: object = {}
    for layer in (shared, *own):
        whole = merged(whole, _spread(layer, blocks))
    return whole


def _blocks(layers: list[dict]) -> Iterator[tuple[str, ...]]:
    """Yield the keys that lead to each experiment, or each of its cases, that ``layers`` have."""
    for experiment, part in PRESET.items():
        settings = [layer[experiment] for layer in layers if layer.get(experiment) is not None]
        if "cases" not in resolved(part)["properties"]:
            yield from [(experiment,)] if settings else []
            continue
        for own in settings:
            cases = own.get("cases") if isinstance(own, dict) else None
            for case, values in cases.items() if isinstance(cases, dict) else ():
                if values is not None:
                    yield experiment, "cases", case


def _spread(layer: dict, blocks: list[tuple[str, ...]]) -> dict:
    """Return a layer with what is ``SHARED`` in each of the experiments and their cases."""
    shared = {name: layer.pop(name) for name in SHARED if name in layer}
    shared = {name: own for name, own in shared.items() if own is not TAKEN_OUT}
    ways = dict.fromkeys(way for block in blocks for way in (block[:1], block))
    for way in ways if shared else ():
        block: object = layer
        for key in way:
            block = block.setdefault(key, {}) if isinstance(block, dict) else None
        for name, values in shared.items():
            if isinstance(block, dict) and _belongs(name, way):
                block[name] = merged(values, block[name]) if name in block else deepcopy(values)
    return layer


def _belongs(name: str, way: tuple[str, ...]) -> bool:
    """Return whether the schema knows a block of this name there."""
    part = resolved(PRESET[way[0]])["properties"]
    if len(way) > 1:
        part = part["cases"]["additionalProperties"]["properties"]
    return name in part
