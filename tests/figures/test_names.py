"""Names of classes and titles of data sets are drawn as they are written, and fit."""

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from matplotlib.image import imread

from rote.figures import fig3_3, fig4_2, style


def named(classes, names) -> xr.Dataset:
    """Return metrics of Figure 3.3 with as many classes as names."""
    cells = np.random.default_rng(0).lognormal(size=(3, len(names), len(names), 2))
    dims = classes["class_share"].dims
    own = {"loss_class", "example_class"}
    others = classes.drop_vars([v for v in classes.variables if own & set(classes[v].dims)])
    others["class_share"] = others["class_sensitivity"] = dims, cells
    return others.assign_coords(loss_class=names, example_class=names)


CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (CIFAR, CIFAR),
        ([f"class_{i}" for i in range(100)], [str(i) for i in range(0, 100, 10)]),
        (["a", "\U0010ffff", "c"], ["0", "1", "2"]),  # a letter that no font has
    ],
)
def test_names_of_classes_do_not_run_into_each_other(classes, names, shown, tmp_path):
    with style.paper():
        figure = fig3_3.draw(named(classes, names))
        style.save(figure, tmp_path / "f.png", tmp_path / "f.pdf")
        drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        assert min(drawn.x0, drawn.y0, width - drawn.x1, height - drawn.y1) >= -0.02
        rows = imread(tmp_path / "f.png")
        assert (rows[[0, -1]] == 1).all()  # nothing is cut off there either
        for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
            labels = axis.get_ticklabels()
            assert [label.get_text() for label in labels] == shown
            boxes = [label.get_window_extent() for label in labels]
            assert not any(a.overlaps(b) for a, b in pairwise(boxes))
    assert max(width, height) < 8.5
    said = "Classes: 0 " + ", 1 ".join(names[:2])
    assert (said in figure.get_label()) == (shown != names)
    assert ("by number" in figure.get_supxlabel()) == (shown != names)


@pytest.mark.parametrize(
    ("names", "shown", "turned"),
    [
        (list("0123456789"), list("0123456789"), False),
        (["healthy", "diseased"], ["healthy", "diseased"], False),
        ([f"animal {i}" for i in range(22)], [f"animal {i}" for i in range(22)], True),
        ([f"a long name, which is that of class {i}" for i in range(7)], list("0123456"), False),
        (list("abcdefghijklmnopqrstuvwxyz" * 2), [str(i) for i in range(0, 52, 5)], False),
    ],
)
def test_labels_of_classes_fit(names, shown, turned):
    labels = fig3_3.class_labels(names)
    assert list(labels.labels.values()) == shown
    assert labels.turned == turned
    assert fig3_3.SMALLEST <= labels.size <= fig3_3.SIZE


def test_class_names_are_no_formulas(classes, tmp_path):
    names = ["a$_$", "b_", "$c$", r"\d", "e"]
    with style.paper():
        figure = fig3_3.draw(classes.assign_coords(loss_class=names))
        style.save(figure, tmp_path / "f.png", tmp_path / "f.pdf")
        assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == names


@pytest.mark.slow
def test_titles_are_no_formulas(levels, tmp_path):
    title = r"a $\nothing$ b_c \d"
    metrics = levels.assign_coords(title=("dataset", [title, "e"]))
    metrics.attrs["protocol"] = f"{title}, CNN\n{title * 20}"
    with style.paper():
        figure = fig4_2.draw(metrics)
        style.save(figure, tmp_path / "f.png", tmp_path / "f.pdf")
        assert figure.axes[0].get_ylabel() == f"{title}\naccuracy"
        assert f"\n{title}, CNN\n" in figure.get_supxlabel()
        assert figure.get_tightbbox().x0 >= -0.02
