"""The figures of proxies and of variants draw what their metrics hold."""

import numpy as np
import pytest

from rote.figures import fair_proxy, proxies, style


def marks(axis) -> dict:
    """Return the marks of an axis: across by height, rounded."""
    return {
        round(float(y), 6): float(x)
        for line in axis.get_lines()
        if line.get_marker() not in ("None", None, "|")
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }


def test_measures_are_ordered_by_their_correlation_on_real_data(ranked):
    with style.paper():
        figure = proxies.draw(ranked)
    left, right = figure.axes
    real = ranked["correlation"].sel(condition="real", noise_level=0.0).mean("seed")
    names = real.dropna("proxy").sortby(real.dropna("proxy"), ascending=False)["proxy"].values
    words = ranked["words"].sel(proxy=[*names, "memorization"]).values.tolist()
    assert [label.get_text() for label in left.get_yticklabels()] == words
    # Real data, then two kinds at two levels, of which only one is neither 0 nor 1.
    at = marks(left)
    for row, name in enumerate(names):
        height = round(row + proxies.APART * (0 - 2), 6)
        assert at[height] == pytest.approx(real.sel(proxy=name).item())
    auroc = ranked["auroc"].sel(condition="randX", noise_level=0.4).mean("seed")
    height = round(len(names) - proxies.APART / 2, 6)
    assert marks(right)[height] == pytest.approx(auroc.sel(proxy="memorization").item())
    said = figure.get_label()
    assert "randY 40 %" in said


def test_what_was_not_measured_is_no_row(ranked):
    ranked["correlation"].loc[{"proxy": "loss_sensitivity"}] = np.nan
    with style.paper():
        figure = proxies.draw(ranked)
        labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert "loss-sensitivity" not in labels
    assert len(labels) == ranked.sizes["proxy"] - 1


def test_real_data_alone_has_one_panel(ranked):
    with style.paper():
        figure = proxies.draw(ranked.sel(condition=["real"], noise_level=[0.0], seed=[0]))
    assert len(figure.axes) == 1


def test_curves_go_through_the_model_of_which_all_others_differ(variants):
    with style.paper():
        left, right = fair_proxy.draw(variants).axes
    mean = variants.mean("seed").set_index(variant="variant")
    order = {"dropout": ["nothing", "dropout 0.2", "dropout 0.5"]}
    for axis, across in ((left, "noise_train_accuracy"), (right, "train_accuracy")):
        curves = [np.stack([line.get_xdata(), line.get_ydata()]) for line in axis.get_lines()]
        own = mean.sel(variant=order["dropout"])
        expected = np.stack([own[across], own["memorized_share"]])
        assert any(c.shape == expected.shape and np.allclose(c, expected) for c in curves)
        plain = mean.sel(variant="nothing")
        ringed = np.array([[plain[across]], [plain["memorized_share"]]])
        assert any(c.shape == ringed.shape and np.allclose(c, ringed) for c in curves)


def test_variants_of_a_single_seed_are_drawn(variants):
    with style.paper():
        fair_proxy.draw(variants.isel(seed=[0]))
