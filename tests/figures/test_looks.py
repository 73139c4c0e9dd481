"""Whatever is drawn together is told apart, also in grey and by the colour-blind."""

from itertools import combinations, pairwise

import pytest

from colour_vision import VISIONS, difference, lightness
from rote.figures import looks

LEVELS = [0, 0.2, 0.4, 0.6, 0.8, 1]
OTHERS = looks.looks([f"kind {i}" for i in range(5)], looks.CONDITIONS)
FAMILIES = {
    "conditions": looks.CONDITIONS,
    "levels": looks.of_levels(LEVELS),
    "regularisers": looks.REGULARIZERS,
    "conditions and others": {**looks.CONDITIONS, **OTHERS},
}
# Two colours of L* 4 apart are told apart side by side, and those of ΔE 8 on thin lines.
SEEN_IN_GREY, SEEN = 4, 8


@pytest.mark.parametrize("family", ["conditions", "levels", "regularisers"])
def test_looks_differ_in_grey(family):
    colours = sorted(lightness(look.colour) for look in FAMILIES[family].values())
    assert min(b - a for a, b in pairwise(colours)) > SEEN_IN_GREY


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("family", FAMILIES)
def test_looks_differ_to_the_colour_blind(family, vision):
    for (one, a), (other, b) in combinations(FAMILIES[family].items(), 2):
        assert difference(a.colour, b.colour, vision) > SEEN, (one, other)


@pytest.mark.parametrize("family", FAMILIES)
def test_looks_differ_without_colour(family):
    known = FAMILIES[family].values()
    assert len({(look.marker, look.line) for look in known}) == len(known)


def test_the_vision_of_the_tests_is_that_of_the_literature():
    assert lightness("white") == pytest.approx(100, abs=0.01)
    assert lightness("#777777") == pytest.approx(50, abs=0.1)
    # The classic pair: as different as can be, but not to everyone.
    red, green = "#b04020", "#607000"
    assert difference(red, green, "all cones") > 60
    assert difference(red, green, "deuteranopia") < 15


def test_conditions_without_a_look_get_one():
    names = [f"kind {i}" for i in range(12)]
    found = looks.looks(["randX", *names, "real"], looks.CONDITIONS)
    assert list(found) == ["real", "randX", *names]  # those of the poster first
    assert found["randX"] == looks.CONDITIONS["randX"]
    assert len({(look.colour, look.line) for look in found.values()}) == len(found)
    assert not {found[name].line for name in names} & {"-"}
