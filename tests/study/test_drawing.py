"""What the configuration says about drawing: the criteria in figures, and a style of one's own."""

from importlib import import_module
from inspect import signature
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import ROOT
from rote.study import check, configuration, drawing, notes
from rote.study.figures import FIGURES
from rote.study.jobs import Study
from rote.study.schema import Misconfigured


def study(**content) -> Study:
    return Study(configuration.load(ROOT / "config.yaml", given=content))


def drawn_by(one: Study) -> dict[str, str]:
    """Return the digest of each figure."""
    return {
        figure: one.made_by.figure(SimpleNamespace(preset="demo", figure=figure))
        for figure in one.figures()
    }


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_takes_the_criteria_that_it_is_given(figure):
    given = study(claims={"margin": 0.03}).drawing.criteria(SimpleNamespace(figure=figure))
    takes = signature(import_module(f"rote.figures.{figure}").draw).parameters
    assert list(takes) == ["metrics", *given]
    assert given.get("margin", 0.03) == 0.03


def test_figures_without_a_criterion_are_not_drawn_again_for_it():
    before, after = drawn_by(study()), drawn_by(study(claims={"fitted": 0.8}))
    assert {figure for figure in before if before[figure] != after[figure]} == {"fig1", "fig4_1"}


def test_figures_are_drawn_again_when_the_style_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKS", str(tmp_path))
    path = tmp_path / "own.mplstyle"
    path.write_text("font.size: 9\n")
    one = study(style="$LOOKS/own.mplstyle")
    check.validate(one.config)
    assert one.drawing.style(SimpleNamespace()) == str(path)
    none, first = drawn_by(study()), drawn_by(one)
    path.write_text("font.size: 10.5\n")
    notes.of_content.cache_clear()  # in a process of its own it is read again
    second = drawn_by(study(style=str(path)))
    for figure in none:
        assert len({none[figure], first[figure], second[figure]}) == 3


@pytest.mark.parametrize(
    ("style", "said"),
    [
        ("missing.mplstyle", "style is missing.mplstyle, which is no file: name a style file"),
        (".", "style is ., which is no file"),
        ("$NOT_SET/x", "NOT_SET, which has no value"),
        (3, "style"),
    ],
)
def test_a_style_that_is_not_there_is_said_before_anything_runs(style, said):
    config = configuration.load(ROOT / "config.yaml") | {"style": style}
    with pytest.raises(Misconfigured) as error:
        check.validate(config)
    assert said in str(error.value)


def test_a_style_in_a_closed_folder_gets_a_sentence(monkeypatch):
    def closed(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", closed)
    with pytest.raises(Misconfigured, match="closed/own.mplstyle, which cannot be read"):
        drawing.check({"style": "closed/own.mplstyle"})
