"""Configurations with one thing changed, and files of a user's own over the one that ships."""

import copy
import tempfile
from pathlib import Path

import yaml

from conftest import ROOT
from rote.study import configuration

SHIPPED = ROOT / "config.yaml"
CAPACITY = "presets.demo.capacity"
CONVERGENCE = "presets.demo.convergence"
CASE = "presets.demo.complexity.cases.digits_cnn"
FOLDER = {"title": "Mine", "source": "folder", "path": "mine"}  # a data set of one's own


def changed(config: dict, place: str, value: object) -> dict:
    config = copy.deepcopy(config)
    *way, last = place.split(".")
    block = config
    for key in way:
        block = block[key]
    block[last] = value
    return config


def nested(place: str, value: object) -> dict:
    """Return what a file of the user's says to set one value."""
    for key in reversed(place.split(".")):
        value = {key: value}
    return value


def load(*contents: dict, given: dict | None = None, **options) -> dict:
    """Merge files of these contents over config.yaml, and check them."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{'abcdefg'[i]}.yaml" for i in range(len(contents))]
        for file, content in zip(files, contents, strict=True):
            file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return configuration.load(SHIPPED, files, given, **options)
