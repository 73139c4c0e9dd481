"""A line of xarray plots any of a study's numbers."""

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.lines import Line2D

from conftest import ROOT
from rote.files.sweeps import first_of_each

METRICS = ROOT / "docs" / "demo" / "metrics"


@pytest.fixture
def no_window():
    with plt.rc_context({"backend": "agg"}):
        yield
        plt.close("all")


@pytest.mark.parametrize(
    ("figure", "name", "chosen", "x", "curves"),
    [
        ("fig1", "validation_accuracy", {"noise_kind": "randY"}, "hidden_units", 6),
        ("fig2", "epochs_to_convergence", {"noise_level": [0, 0.8]}, "dataset_size", 2),
        ("fig3_1", "misclassification_rate", {"condition": "real"}, "example", 1),
        ("fig3_2", "gini", {"labelling": "class"}, "update", 3),
        ("fig3_3", "class_sensitivity", {"condition": "real"}, "example_class", 10),
        ("fig4_1", "critical_sample_ratio", {"condition": ["real", "randY"]}, "critical_epoch", 2),
        ("fig4_1", "train_accuracy", {}, "epoch", 3),
        (
            "fig4_2",
            "critical_sample_ratio",
            {"dataset": "digits_cnn", "noise_kind": "randY"},
            "critical_epoch",
            6,
        ),
        ("fig5_1", "noise_train_accuracy", {"regularizer": "dropout"}, "strength_index", 1),
        ("fig5_2", "train_accuracy", {"condition": "randY"}, "epoch", 8),
    ],
)
def test_the_mean_over_seeds_is_a_curve_without_gaps(figure, name, chosen, x, curves, no_window):
    metrics = first_of_each(xr.load_dataset(METRICS / f"{figure}.nc"))
    lines = metrics[name].mean("seed").sel(chosen).dropna(x).plot.line(x=x)
    assert len(lines) == curves
    assert all(isinstance(line, Line2D) for line in lines)
    assert all(len(line.get_ydata()) > 3 for line in lines)
    assert all(np.isfinite(line.get_ydata()).all() for line in lines)


def test_classes_are_named_beside_their_matrix(no_window):
    metrics = first_of_each(xr.load_dataset(METRICS / "fig3_3.nc"))
    one = metrics["class_sensitivity"].mean("seed").sel(condition="real")
    assert one.sel(loss_class="3", example_class="8") == one[3, 8]
    axis = one.plot().axes
    axis.figure.canvas.draw()
    names = [label.get_text() for label in axis.get_xticklabels()]
    assert names == metrics["example_class"].values.tolist()


def test_filters_are_a_grid_of_images(no_window):
    filters = first_of_each(xr.load_dataset(METRICS / "filters.nc"))["filter"]
    assert filters.dims == ("condition", "map", "channel", "row", "column")
    grid = filters.sel(condition="real").isel(channel=0).plot(col="map", col_wrap=4)
    assert len(grid.name_dicts.ravel()) == filters.sizes["map"]
