"""Figures are fit for print: their width, the size of their letters, numbers, and no collisions."""

import re
from itertools import combinations

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from rote.figures import (
    consistency,
    fig1,
    fig2,
    fig3_1,
    fig3_2,
    fig3_3,
    fig4_1,
    fig4_2,
    fig5_1,
    fig5_2,
    filters,
    forgetting,
    labels,
    leave_one_out,
    looks,
    memorization,
    memorized_examples,
    style,
)

EVERY = [
    (fig1, "capacity"),
    (fig2, "convergence"),
    (fig3_1, "difficulty"),
    (forgetting, "forgotten"),
    (memorization, "memorized"),
    (memorized_examples, "memorable"),
    (consistency, "consistent"),
    (fig3_2, "inequality"),
    (fig3_3, "classes"),
    (leave_one_out, "left_out"),
    (fig4_1, "complexity"),
    (fig4_2, "levels"),
    (fig5_1, "regularizers"),
    (fig5_2, "curves"),
    (filters, "learned"),
]
OF_CONDITIONS = [
    (fig3_1, "difficulty", {"real", "randX", "randY"}),
    (forgetting, "forgotten", {"real", "randX", "randY"}),
    (fig3_2, "inequality", {"real", "randX", "halfX"}),
    (leave_one_out, "left_out", {"real", "randY"}),
    (fig4_1, "complexity", {"real", "randX", "randY"}),
]


@pytest.mark.parametrize(("module", "metrics"), EVERY)
def test_figures_are_as_wide_as_a_column_or_a_page_and_legible(module, metrics, request):
    with style.paper():
        figure = module.draw(request.getfixturevalue(metrics))
        figure.draw_without_rendering()
    assert figure.get_figwidth() in (style.COLUMN, 2 * style.COLUMN, style.PAGE)
    assert figure.get_figheight() < 9.5  # a page
    shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in shown) >= style.SMALL
    for text in shown:
        assert not re.search(r"(^|[ (])-\d", text.get_text())  # a hyphen is no minus


@pytest.mark.parametrize(("module", "metrics", "conditions"), OF_CONDITIONS)
def test_a_condition_has_one_colour_in_all_figures(module, metrics, conditions, request):
    with style.paper():
        figure = module.draw(request.getfixturevalue(metrics))
    drawn = {(line.get_color(), line.get_marker()) for ax in figure.axes for line in ax.get_lines()}
    for name, look in looks.CONDITIONS.items():
        assert ((look.colour, look.marker) in drawn) == (name in conditions)


def test_numbers_are_as_people_write_them():
    def written(*values, digits=2):
        return style.mean_and_spread(xr.DataArray(list(values), dims="seed"), digits)

    assert written(-0.04, -0.06) == "−0.05 ± 0.01"
    assert written(0.154, 0.156) == "0.155 ± 0.001"  # not ± 0.00
    assert written(0.2, 0.2) == "0.20 ± 0.00"  # which is true
    assert written(0.1, 0.1, 0.1) == "0.10 ± 0.00"  # whose standard deviation is not quite 0
    assert written(-0.001) == "0.00"
    assert style.number(-1.5, 1) == "−1.5"


def boxes(figure) -> list:
    return [text.get_window_extent() for text in figure.findobj(Annotation)]


def test_labels_of_a_crowd_do_not_run_into_each_other():
    rng = np.random.default_rng(0)
    points = rng.random((25, 2)) * [1, 0.3]
    texts = [f"{i / 100:g}" for i in range(25)]
    with style.paper():
        figure = Figure(figsize=(7.2, 4))
        axis = figure.subplots()
        axis.plot(*points.T)
        figure.draw_without_rendering()
        labels.beside(axis, points, texts, [points], size=6, colours=["k"] * 25)
        figure.draw_without_rendering()
        # The box of a text is a little higher than its letters.
        drawn = [box.padded(-1) for box in boxes(figure)]
    assert len(drawn) == 25
    assert not any(a.overlaps(b) for a, b in combinations(drawn, 2))
    assert all(axis.bbox.contains(*corner) for box in drawn for corner in box.corners())


def test_labels_stand_off_curves_where_there_is_room():
    with style.paper():
        figure = Figure(figsize=(4, 3))
        axis = figure.subplots()
        curve = np.array([[0, 0], [1, 1], [2, 0]])
        axis.plot(*curve.T)
        figure.draw_without_rendering()
        labels.beside(axis, curve[1:2], ["0.25"], [curve], size=6, colours=["k"])
        figure.draw_without_rendering()
        (box,) = boxes(figure)
    path = axis.get_lines()[0].get_path().transformed(axis.transData)
    assert not path.intersects_bbox(box.padded(-1), filled=False)


def test_strengths_in_figure_5_1_do_not_collide(regularizers):
    with style.paper():
        figure = fig5_1.draw(regularizers)
        figure.draw_without_rendering()
        drawn = [box.padded(-1) for box in boxes(figure)]
    strengths = regularizers["strength"].isel(seed=0, missing_dims="ignore")
    assert len(drawn) == (strengths > 0).sum()
    assert not any(a.overlaps(b) for a, b in combinations(drawn, 2))
