"""A style of the user's own changes how figures look, and nothing else."""

import matplotlib
import pytest
from matplotlib.colors import to_hex

from rote.figures import fig3_1, looks, style
from rote.machine.errors import UserError

OWN = """
# a look for slides
font.size: 11
axes.grid: False
axes.facecolor: "#eeeeee"  # light
lines.linewidth: 3
"""


def is_real(line) -> bool:
    return line.get_color() == looks.CONDITIONS["real"].colour


def test_a_style_comes_on_top_of_the_look_of_a_paper(difficulty, tmp_path):
    path = tmp_path / "own.mplstyle"
    path.write_text(OWN)
    with style.paper(path):
        (axis,) = fig3_1.draw(difficulty).axes
        assert matplotlib.rcParams["pdf.fonttype"] == 42  # that of the paper
    assert axis.xaxis.label.get_fontsize() == 11
    assert to_hex(axis.get_facecolor()) == "#eeeeee"
    assert not any(line.get_visible() for line in axis.get_xgridlines())
    widths = {line.get_linewidth() for line in axis.get_lines() if is_real(line)}
    assert widths == {0.5, 3}  # 0.5 of each draw, in the figure's own words
    with style.paper():
        assert matplotlib.rcParams["font.size"] == 8


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"font.size: large\n", "large.*: correct the line"),
        (b"# mine\nfont.siez: 9\n", "line 2: font.siez is no setting of matplotlib"),
        (b"axes.grid\n", "line 1: axes.grid is no setting"),
        (b": 3\n", "line 1: nothing is no setting"),
        (b"text.usetex: True\n", "line 1: text.usetex cannot be set here"),
        (b"\xff\xfe", "cannot be read .it is no text"),
        (None, "cannot be read .No such file"),
    ],
)
def test_a_style_that_is_none_is_said_in_a_sentence(content, said, tmp_path):
    path = tmp_path / "own.mplstyle"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said) as error, style.paper(path):
        pass
    assert "\n" not in str(error.value)
