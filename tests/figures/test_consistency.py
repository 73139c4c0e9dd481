"""What the figure on consistency draws and says."""

import numpy as np
import pytest
import xarray as xr

from rote.figures import consistency, style


def test_shares_are_those_counted_one_by_one():
    scores = xr.DataArray(
        np.array([[0.0, 0.5], [0.25, np.nan], [0.25, 1.0], [1.0, 1.0]], np.float32),
        dims=("example", "seed"),
        coords={"seed": [0, 1]},
    )
    found = consistency.at_most(scores)
    assert found.sel(score=0.0).values.tolist() == [0.25, 0]
    assert found.sel(score=0.25).values.tolist() == [0.75, 0]
    assert found.sel(score=0.5).values.tolist() == pytest.approx([0.75, 1 / 3])
    assert found.sel(score=1.0).values.tolist() == [1, 1]
    assert consistency.at_most(scores * np.nan).isnull().all()


def test_all_is_drawn(consistent):
    with style.paper():
        figure = consistency.draw(consistent)
    sizes, scores, ranks, images = figure.axes
    mean, always = (line for line in sizes.get_lines() if line.get_linestyle() != "None")
    np.testing.assert_allclose(mean.get_ydata(), consistent["mean_consistency"].mean("seed"))
    np.testing.assert_allclose(always.get_ydata(), consistent["always_right"].mean("seed"))
    assert len(scores.get_lines()) == 4  # of three sizes, and the score
    order = [text.get_text() for text in ranks.get_yticklabels()]
    correlation = consistent["correlation"].mean("seed").dropna("proxy").sortby("words")
    by_words = dict(
        zip(correlation["words"].values.tolist(), correlation.values.tolist(), strict=True)
    )
    assert sorted(order) == sorted(by_words)
    assert [by_words[words] for words in order] == sorted(by_words.values(), reverse=True)
    assert len(images.get_images()) == consistent["image_score"].notnull().sum()
    below = {text.get_text() for text in images.texts}
    lowest = consistent["image_score"].min().item()
    assert {style.number(lowest, 3), *consistent["class_name"].values} <= below


def test_without_measures_their_panel_is_left_out(consistent):
    with style.paper():
        figure = consistency.draw(consistent.drop_dims("proxy"))
    assert len(figure.axes) == 3
    assert "cheap" not in figure.get_label()


def test_of_many_sizes_some_are_drawn(consistent):
    many = xr.concat(
        [consistent.sel(fraction=[0.5]).assign_coords(fraction=[f / 10]) for f in range(1, 10)],
        "fraction",
        data_vars="minimal",
        coords="minimal",
        compat="override",
    ).assign_attrs(consistent.attrs)
    with style.paper():
        figure = consistency.draw(many)
    words = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert len(words) == consistency.CURVES + 1
    assert (words[0], words[-2], words[-1]) == ("10 %", "90 %", "score")
    assert "10 %, 20 %, 30 %" in figure.get_label()


def test_of_one_seed_no_spread_is_said(consistent):
    with style.paper():
        figure = consistency.draw(consistent.isel(seed=[0]))
    assert "deviation" not in figure.get_label()
    assert "1 seed" in figure.get_label()
