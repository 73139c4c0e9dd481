"""The examples under docs: their configuration is valid, and their pages quote their numbers."""

import re

import pytest

from conftest import ROOT
from rote.claims.tables import number
from rote.files import netcdf
from rote.study import configuration
from rote.study.jobs import Study

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*/config.yaml"))
TESTED = [path for path in EXAMPLES if path.with_name("claims.nc").exists()]


def of(path):
    return path.parent.name


@pytest.mark.parametrize("path", EXAMPLES, ids=of)
def test_an_example_is_short_and_draws_figures(path):
    assert len(path.read_text().splitlines()) <= 20
    assert Study(configuration.load(ROOT / "config.yaml", [path])).figures()


def test_the_demo_on_other_images_is_whole_and_of_equal_size_but_for_four_replicates():
    path = ROOT / "docs" / "verdicts" / "fashion_mnist" / "config.yaml"
    config = configuration.load(ROOT / "config.yaml", [path])
    whole, demo = Study(config), Study({**config, "preset": "demo"})
    assert whole.figures() == demo.figures()
    presets = config["presets"]
    assert presets["fashion_demo"].keys() == presets["demo"].keys()
    for name, own in presets["fashion_demo"].items():
        changed = {key for key in own if own[key] != presets["demo"][name][key]}
        fewer = {"seeds"} if name == "regularization" else set()
        assert changed - fewer <= {"data", "training", "labellings", "cases"}, name
    pair = [presets[name]["regularization"]["seeds"] for name in ("fashion_demo", "demo")]
    assert pair == [4, 8]


@pytest.mark.parametrize("path", TESTED, ids=of)
def test_what_its_page_names_can_be_drawn(path):
    study = Study(configuration.load(ROOT / "config.yaml", [path]))
    page = (path.parent / "README.md").read_text()
    ((targets, file),) = re.findall(r"^snakemake (.*) --configfile (\S+)$", page, re.M)
    figures = [word for word in targets.split() if word != "claims"]
    assert figures == study.figures()
    assert ROOT / file == path
    assert f"results/{study.preset}/claims.md" in page
    for figure in figures:
        assert (path.parent / f"{figure}.png").exists()


@pytest.mark.parametrize("path", TESTED, ids=of)
def test_its_page_quotes_its_claims(path):
    page = " ".join((path.parent / "README.md").read_text().split())
    claims = netcdf.read(path.parent / "claims.nc")
    rows = zip(*(claims[name].values for name in ("estimate", "lower", "upper")), strict=True)
    known = [f"{number(estimate)} [{number(low)}, {number(high)}]" for estimate, low, high in rows]
    decided = dict(zip(known, claims["verdict"].values, strict=True))
    quoted = re.findall(r"[−\d.]+ \[[^\]]+\](?: \| \w+)?", page)
    assert quoted
    for words in quoted:
        estimate, _, verdict = words.partition(" | ")
        assert estimate in decided
        assert verdict in ("", decided[estimate])
