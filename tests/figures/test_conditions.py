"""Figures draw all that their metrics hold, or say what they leave out."""

import re

import pytest
import xarray as xr
from matplotlib.text import Text

from rote.figures import (
    fig1,
    fig3_1,
    fig3_2,
    fig3_3,
    fig4_1,
    fig4_2,
    fig5_1,
    fig5_2,
    filters,
    forgetting,
    style,
)


def test_figure_3_3_says_what_it_leaves_out(classes):
    with style.paper():
        figure = fig3_3.draw(classes)
        assert "halfX is left out here" in figure.get_label()
        assert "halfX" not in figure.get_supxlabel()
        figure = fig3_3.draw(classes.sel(condition=["real", "randX"]))
    assert "left out" not in figure.get_label()


def test_figure_4_2_says_what_it_leaves_out(levels):
    with style.paper():
        assert "Level 100 % is left out here: Figure 4.1" in fig4_2.draw(levels).get_label()
        without = levels.sel(noise_level=[0, 0.4])
        assert "left out" not in fig4_2.draw(without).get_label()


OTHERS = ["gaussX", "permuted", "$shuffled$"]


def with_others(metrics, dim) -> xr.Dataset:
    """Return metrics that hold conditions without a colour of the poster, too."""
    more = [metrics.isel({dim: [-1]}).assign_coords({dim: [name]}) for name in OTHERS]
    joined = xr.concat(
        [metrics, *more], dim, data_vars="minimal", coords="minimal", compat="override"
    )
    return joined.assign_attrs(metrics.attrs)


@pytest.mark.parametrize(
    ("module", "metrics", "dim"),
    [
        (fig1, "capacity", "noise_kind"),
        (fig3_1, "difficulty", "condition"),
        (forgetting, "forgotten", "condition"),
        (fig3_2, "inequality", "condition"),
        (fig3_2, "inequality", "labelling"),
        (fig3_3, "classes", "condition"),
        (fig4_1, "complexity", "condition"),
        (fig4_2, "levels", "noise_kind"),
        (fig5_1, "regularizers", "regularizer"),
        (fig5_2, "curves", "regularizer"),
        (fig5_2, "curves", "condition"),
        (filters, "learned", "condition"),
    ],
)
def test_every_condition_of_the_metrics_is_drawn(module, metrics, dim, request):
    with style.paper():
        figure = module.draw(with_others(request.getfixturevalue(metrics), dim))
        labels = {text.get_text() for text in figure.findobj(Text)}
        figure.draw_without_rendering()
    for name in OTHERS:
        assert any(re.match(rf"{re.escape(name)}(:|, kept| \d|$)", label) for label in labels)
    assert dim == "labelling" or figure.get_figwidth() < 8.5


def test_filters_of_one_condition_are_drawn(learned):
    with style.paper():
        assert len(filters.draw(learned.sel(condition=["real"])).axes) == 1
