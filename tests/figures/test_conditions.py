"""Figures draw all that their metrics hold, or say what they leave out."""

import re

import pytest
import xarray as xr
import yaml
from matplotlib.text import Text

from rote.figures import (
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
    leave_one_out,
    memorization,
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


DRAWN = [
    (fig1, "capacity", "noise_kind"),
    (fig3_1, "difficulty", "condition"),
    (forgetting, "forgotten", "condition"),
    (memorization, "memorized", "condition"),
    (fig3_2, "inequality", "condition"),
    (fig3_2, "inequality", "labelling"),
    (fig3_3, "classes", "condition"),
    (leave_one_out, "left_out", "condition"),
    (fig4_1, "complexity", "condition"),
    (fig4_2, "levels", "noise_kind"),
    (fig5_1, "regularizers", "regularizer"),
    (fig5_2, "curves", "regularizer"),
    (fig5_2, "curves", "condition"),
    (filters, "learned", "condition"),
]


@pytest.mark.parametrize(("module", "metrics", "dim"), DRAWN)
def test_every_condition_of_the_metrics_is_drawn(module, metrics, dim, request):
    with style.paper():
        figure = module.draw(with_others(request.getfixturevalue(metrics), dim))
        labels = {text.get_text() for text in figure.findobj(Text)}
        figure.draw_without_rendering()
    for name in OTHERS:
        assert any(re.match(rf"{re.escape(name)}(:|, kept| \d|\n|$)", label) for label in labels)
    assert dim == "labelling" or figure.get_figwidth() < 8.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "metrics", "dim"), [*DRAWN, (fig2, "convergence", "noise_level")]
)
def test_a_curve_without_any_number_leaves_the_others(module, metrics, dim, request):
    """As where all models of a condition diverged."""
    own = request.getfixturevalue(metrics)
    given = own[dim] != own[dim].values[-1]
    numbers = [x for x in own.data_vars if own[x].dtype.kind == "f" and dim in own[x].dims]
    own = own.assign({name: own[name].where(given).transpose(*own[name].dims) for name in numbers})
    with style.paper():
        figure = module.draw(own)
        figure.draw_without_rendering()
    assert not re.search(r"\bnan\b", figure.get_label())


NOISES = {
    "flips": {"kind": "transitionY", "matrix": [[1, 0], [0, 1]]},
    "human": {"kind": "fileY", "path": "labels.npz", "title": "labels that people gave"},
}
SAID = [
    "randX: noise in the inputs",
    "randY: noise in the labels",
    "pairY: label of the next class",
    "flips: labels by a transition matrix",
    "human: labels that people gave",
]


def with_noises(metrics, dim) -> xr.Dataset:
    """Return metrics of other noises than the poster's beside them, some under other names."""
    parts = [metrics]
    for name in ("human", "pairY", "flips"):
        parts.append(metrics.isel({dim: [-1]}).assign_coords({dim: [name]}))
    joined = xr.concat(parts, dim, data_vars="minimal", coords="minimal", compat="override")
    settings = yaml.safe_load(metrics.attrs["settings"])
    settings["data"] = settings.get("data", {}) | {"noises": NOISES}
    return joined.assign_attrs(metrics.attrs | {"settings": yaml.safe_dump(settings)})


@pytest.mark.parametrize(("module", "metrics"), [(fig1, "capacity"), (fig4_2, "levels")])
def test_panels_say_what_their_noise_is(module, metrics, request):
    with style.paper():
        figure = module.draw(with_noises(request.getfixturevalue(metrics), "noise_kind"))
    titles = list(dict.fromkeys(axis.get_title() for axis in figure.axes if axis.get_title()))
    assert titles[:3] == SAID[:3]  # those of the poster, then the other kinds, then by name
    assert sorted(titles) == sorted(SAID)


@pytest.mark.parametrize(("module", "metrics"), [(fig3_1, "difficulty"), (fig4_1, "complexity")])
def test_captions_say_what_noise_is(module, metrics, request):
    with style.paper():
        figure = module.draw(with_noises(request.getfixturevalue(metrics), "condition"))
    (line,) = [line for line in figure.get_label().split("\n") if SAID[0] in line]
    assert sorted(line.removesuffix(".").split("; ")) == sorted(SAID)
    assert SAID[0] not in figure.get_supxlabel()  # that is for the caption alone


def test_filters_of_one_condition_are_drawn(learned):
    with style.paper():
        assert len(filters.draw(learned.sel(condition=["real"])).axes) == 1
