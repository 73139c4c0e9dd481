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
    mean = sizes.get_lines()[0]
    np.testing.assert_allclose(mean.get_ydata(), consistent["mean_consistency"].mean("seed"))
    (bars,) = (
        lines.get_segments() for lines in sizes.collections if hasattr(lines, "get_segments")
    )
    error = np.hypot(*consistent["mean_consistency_error"].transpose("seed", ...).values) / 2
    np.testing.assert_allclose([bar[1, 1] - bar[0, 1] for bar in bars], 2 * error)
    assert len(scores.get_lines()) == 4  # of three sizes, and the score
    order = [" ".join(text.get_text().split()) for text in ranks.get_yticklabels()]
    (ceiling,) = (line for line in ranks.get_lines() if line.get_marker() == "None")
    assert ceiling.get_xdata()[0] == pytest.approx(consistent["ceiling"].mean().item())
    correlation = consistent["correlation"].mean("seed").dropna("proxy").sortby("words")
    by_words = dict(
        zip(correlation["words"].values.tolist(), correlation.values.tolist(), strict=True)
    )
    assert sorted(order) == sorted(by_words)
    assert [by_words[words] for words in order] == sorted(by_words.values(), reverse=True)
    shown = [image.get_array() for image in images.get_images()]
    there = consistent["image_score"].notnull().values
    np.testing.assert_array_equal(shown, consistent["image"].mean("channel").values[there])
    with style.paper():
        figure.draw_without_rendering()
    widths = [axis.get_window_extent().width / figure.dpi for axis in (sizes, scores, ranks)]
    assert min(widths) > 1.2  # inches
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
