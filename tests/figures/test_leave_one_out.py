"""What the figure on leaving one out draws and says."""

import numpy as np
import pytest
from scipy import stats

from rote.figures import leave_one_out, style


def points(axis) -> list[np.ndarray]:
    """Return the points of a panel that are full, and those that are hollow."""
    drawn = [line for line in axis.get_lines() if line.get_marker() not in ("None", "")]
    return [line.get_xydata() for line in drawn]


def test_scores_are_drawn_against_scores_and_influences_against_influences(left_out):
    with style.paper():
        figure = leave_one_out.draw(left_out)
    for k, (kind, level) in enumerate((("real", 0.0), ("randY", 0.4))):
        own = left_out.sel(condition=kind, noise_level=level).transpose("seed", ...)
        changed = own["changed"].values
        of_pairs = changed[:, own["pair_train"].values]
        for axis, name, hollow in (
            (figure.axes[k], "score", changed),
            (figure.axes[2 + k], "influence", of_pairs),
        ):
            expected = np.stack([own[f"{way}_{name}"].values for way in ("subset", "left_out")], -1)
            full, empty = points(axis)
            np.testing.assert_array_equal(full, expected[~hollow])
            np.testing.assert_array_equal(empty, expected[hollow])
            assert len(empty) == hollow.sum()
            assert bool(len(empty)) == (kind == "randY")
    assert [axis.get_title() for axis in figure.axes] == ["real", "randY 40 %"] + 4 * [""]


def test_loss_sensitivity_is_compared_by_rank_and_the_others_in_the_caption(left_out):
    with style.paper():
        figure = leave_one_out.draw(left_out)
    own = left_out.sel(condition="randY", noise_level=0.4).transpose("seed", ...)
    sensitivity = own["proxy_value"].sel(proxy="loss_sensitivity").values
    found = sorted(np.concatenate(points(figure.axes[5])).tolist())
    expected = []
    for values, score in zip(sensitivity, own["left_out_score"].values, strict=True):
        there = np.isfinite(values + score)
        expected += np.stack(
            [stats.rankdata(values[there]), stats.rankdata(score[there])], 1
        ).tolist()
    assert found == sorted(expected)
    told = own.sel(proxy="loss_sensitivity", seed=1)
    value, low, high = (
        style.number(told[f"proxy_correlation{end}"].item(), 3) for end in ("", "_low", "_high")
    )
    assert f"/ {value} [{low}, {high}]" in figure.get_supxlabel()
    assert "EL2N" in figure.get_label()
    assert "EL2N" not in figure.get_supxlabel()


def test_what_has_no_loss_sensitivity_is_drawn_without_its_panels(left_out):
    without = left_out.copy(deep=True)
    without["proxy_value"].loc[{"proxy": "loss_sensitivity"}] = np.nan
    without["proxy_correlation"].loc[{"proxy": "loss_sensitivity"}] = np.nan
    with style.paper():
        figure = leave_one_out.draw(without)
    assert len(figure.axes) == 4
    assert "EL2N" in figure.get_label()
    assert "loss-sensitivity" not in figure.get_label()


def test_numbers_are_means_over_seeds_and_the_caption_has_their_intervals(left_out):
    with style.paper():
        figure = leave_one_out.draw(left_out)
    own = left_out.sel(condition="real", noise_level=0, part="all")
    mean = {name: own[name].mean().item() for name in ("pearson", "pearson_ceiling", "slope")}
    error = np.hypot(*own["difference_error"].values) / 2
    said = (
        f"real {mean['pearson']:.2f} ({mean['pearson_ceiling']:.2f}), {mean['slope']:.2f}, "
        f"{own['difference'].mean().item():.3f} ± {error:.3f}"
    )
    assert said in figure.get_label()
    first = own.isel(seed=0)
    low, high = (first[f"pearson_{end}"].item() for end in ("low", "high"))
    assert f"r {first['pearson'].item():.3f} [{low:.3f}, {high:.3f}]" in figure.get_label()
    assert "leaving out: of one set of 28 examples" in figure.get_label()
    assert "60 models on random subsets, 8 without each example, 12 without" in figure.get_label()


def test_without_pairs_there_are_scores_alone_and_one_condition_takes_a_column(left_out):
    scores = left_out.drop_dims(["pair", "proxy"]).sel(noise_level=[0.0])
    with style.paper():
        figure = leave_one_out.draw(scores)
    assert len(figure.axes) == 1
    assert figure.get_figwidth() == style.COLUMN
    assert "influence" not in figure.get_label()


@pytest.mark.parametrize("kind", ["real", "randY"])
def test_a_noise_is_shown_at_its_highest_level(left_out, kind):
    more = left_out.sel(noise_level=[0.0, 0.4]).assign_coords(noise_level=[0.0, 0.7])
    assert ("randY", 0.7) in leave_one_out._conditions(more)
    assert ("real", 0.0) in leave_one_out._conditions(more)
    assert len(leave_one_out._conditions(more.sel(condition=[kind]))) == 1
