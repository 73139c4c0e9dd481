import logging
import shutil

import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text

from rote.figures import fonts, style

NOWHERE = "\U0010fffd\U0010fffe"  # of no script
MATHEMATICAL = "\ue000"  # of STIXNonUnicode, which comes with matplotlib, and not of DejaVu Sans


@pytest.fixture(autouse=True)
def fresh():
    """Look for families anew in each test, and leave no fonts behind."""
    caches = fonts._found, fonts._families, fonts._font, fonts._charmap
    before = list(font_manager.fontManager.ttflist)
    for cache in caches:
        cache.cache_clear()
    yield
    font_manager.fontManager.ttflist[:] = before
    font_manager.fontManager._findfont_cached.cache_clear()
    for cache in caches:
        cache.cache_clear()


def drawn(text: str, tmp_path, label: str = "") -> Text:
    """Return the title of a figure that was written."""
    with style.paper():
        figure = Figure()
        figure.set_label(label or text)
        title = figure.suptitle(text)
        style.save(figure, tmp_path / "f.png", tmp_path / "f.pdf")
    return title


@pytest.mark.parametrize("text", ["", "plain", "Größe: 3 × 4 ± 1 → α", "عربي", "two\nlines", "😀"])
def test_the_own_font_suffices(text, tmp_path, caplog):
    assert fonts.families(text) == []
    assert fonts.lacking(text) == set()
    title = drawn(text, tmp_path)
    assert title.get_text() == text
    assert title.get_fontfamily() == ["sans-serif"]
    assert b"/Type3" not in (tmp_path / "f.pdf").read_bytes()
    assert not caplog.records


def test_another_font_is_taken_where_it_has_the_letters(tmp_path, caplog, recwarn):
    (family,) = fonts.families(f"a{MATHEMATICAL}")
    assert "STIX" in family
    title = drawn(f"a{MATHEMATICAL}", tmp_path)
    assert title.get_text() == f"a{MATHEMATICAL}"
    assert title.get_fontfamily() == ["sans-serif", family]
    # As another type, letters of a font with PostScript outlines would be missing.
    assert b"/Type3" in (tmp_path / "f.pdf").read_bytes()
    assert not caplog.records
    assert not recwarn.list


def test_what_no_font_has_is_replaced_by_words_and_said_once(tmp_path, caplog, recwarn):
    text = f"{NOWHERE} {NOWHERE}, 28×28 pixels ($x$)"
    with caplog.at_level(logging.WARNING):
        title = drawn(text, tmp_path, label=f"{text} {NOWHERE}")
    assert title.get_text() == "[see caption], 28×28 pixels ($x$)"
    assert title.figure.get_label() == f"{text} {NOWHERE}"
    (record,) = caplog.records
    said = record.getMessage()
    assert said.startswith(f"No font of this system has {NOWHERE[0]} {NOWHERE[1]}: ")
    assert f"delete {tmp_path / 'f.png'} to draw it again." in said
    assert not recwarn.list


def test_tabs_are_no_boxes(tmp_path, recwarn):
    assert drawn("a\tb", tmp_path).get_text() == "a[see caption]b"
    assert not recwarn.list


def test_a_font_that_was_installed_later_is_found(tmp_path, monkeypatch):
    stix = font_manager.findfont("STIXNonUnicode").path
    manager = font_manager.fontManager
    manager.ttflist[:] = [entry for entry in manager.ttflist if "STIX" not in entry.name]
    manager._findfont_cached.cache_clear()
    monkeypatch.setattr(fonts, "findSystemFonts", list)
    assert fonts.lacking(MATHEMATICAL)
    fonts._found.cache_clear()
    fonts._families.cache_clear()
    shutil.copy(stix, tmp_path / "new.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    found = [str(tmp_path / name) for name in ("broken.ttf", "new.ttf")]
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: found)
    assert fonts.families(MATHEMATICAL) == ["STIXNonUnicode"]


def test_lines_are_wrapped_at_spaces_or_else_anywhere():
    assert fonts.wrapped("one two\n$x$", 8, 200) == "one two\n$x$"
    assert fonts.wrapped("one two three", 8, 40) == "one two\nthree"
    assert fonts.wrapped("one 0.12 ± 0.34", 8, 60) == "one\n0.12 ± 0.34"
    assert fonts.wrapped("one two 20 %", 8, 50) == "one two\n20 %"
    assert fonts.wrapped("one two ≤ 16", 8, 50) == "one two\n≤ 16"
    pieces = fonts.wrapped("wide " + "W" * 30, 8, 100).split("\n")
    assert "".join(pieces) == "wide " + "W" * 30
    assert all(fonts.width(piece, 8) <= 100 for piece in pieces)


@pytest.mark.parametrize(
    "text", ["one two three four five", "one", "", "one 0.12 ± 0.34 two three", "W" * 60]
)
def test_lines_are_balanced_and_no_more(text):
    for widest in range(20, 200, 7):
        lines = fonts.balanced(text, 8, widest).split("\n")
        greedy = fonts.wrapped(text, 8, widest).split("\n")
        assert len(lines) == len(greedy)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        longest = [max(fonts.width(line, 8) for line in each) for each in (lines, greedy)]
        assert longest[0] <= longest[1] <= widest


def test_no_line_is_left_with_a_word():
    assert fonts.wrapped("one two three four", 8, 65) == "one two three\nfour"
    assert fonts.balanced("one two three four", 8, 65) == "one two\nthree four"
