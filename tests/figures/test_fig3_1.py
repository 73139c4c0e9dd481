"""Figure 3.1 draws the rates of what has not diverged, and says how far they spread."""

import re

import numpy as np
import pytest

from figure_text import all_text
from made_up_runs import made_up_run
from rote.figures import fig3_1, looks, style
from rote.files.sweeps import first_of_each
from rote.metrics import fig3_1 as fig3_1_metrics
from rote.study import plan


def test_figure_3_1_draws_sorted_rates_in_the_colours_of_the_poster(difficulty):
    with style.paper():
        (axis,) = fig3_1.draw(difficulty).axes
        lines = {line.get_label().split(":")[0]: line for line in axis.get_lines()}
    for condition in ("real", "randX", "randY"):
        rates = difficulty["misclassification_rate"].sel(condition=condition)
        each = np.sort(rates.transpose("seed", "example"), axis=1)
        np.testing.assert_allclose(lines[condition].get_ydata(), each.mean(0))
        colour = looks.CONDITIONS[condition].colour
        assert lines[condition].get_color() == colour
        thin = [line for line in axis.get_lines() if line.get_color() == colour]
        thin.remove(lines[condition])
        np.testing.assert_allclose([line.get_ydata() for line in thin], each)
    binomial = np.sort(difficulty["binomial_reference"].transpose("seed", "example"), axis=1)
    np.testing.assert_allclose(lines["binomial, mean of randX"].get_ydata(), binomial.mean(0))


def test_figure_3_1_says_how_far_true_rates_spread_and_how_far_the_measured_ones(difficulty):
    at = {"condition": "real"}
    difficulty["spread"].loc[at] = [0.25, 0.35]
    difficulty["spread_within_label"].loc[at] = [0.1, 0.1]
    difficulty["diverged"].loc[{**at, "seed": 1, "experiment": [0, 1]}] = True
    ratios = []
    for seed, experiments in ((0, 20), (1, 18)):
        rates = difficulty["misclassification_rate"].sel(condition="real", seed=seed)
        ratios.append(rates.var(ddof=1) / (rates.mean() * (1 - rates.mean()) / experiments))
    with style.paper():
        text = all_text(fig3_1.draw(difficulty)).replace("\n", " ")
    assert "real: 0.300 ± 0.071 (0.100 ± 0.000)" in text
    assert f"experiments: real {np.mean(ratios):.2f}, randX" in text
    assert "20 experiments in each of 2 draws of examples and noise" in text


def test_figure_3_1_says_what_its_noise_and_its_training_are(difficulty):
    with style.paper():
        text = all_text(fig3_1.draw(difficulty))
    assert "binomial, mean of randX" in text
    assert "misclassification rate after 2 epochs" in text
    assert "noise level 100 %" in text
    members = [plan.Member("randY", 0.4, 0, 0, 0.1, 0.0, experiment=i) for i in range(3)]
    run = made_up_run(members, 8, epochs=1, misclassified=np.eye(3, dtype=bool))
    with style.paper():
        text = all_text(fig3_1.draw(first_of_each(fig3_1_metrics.metrics([run]))))
    assert "binomial, mean of randY" in text
    assert "randX" not in text
    assert "misclassification rate after 1 epoch\n" in text + "\n"
    assert "noise level 40 %" in text


def figure_3_1_of(misclassified: np.ndarray, diverged: list[int]):
    """Return the figure of real data and randX, two draws of two experiments each."""
    members = [
        plan.Member(kind, 1.0, 0, seed, 0.1, 0.0, data_seed=seed, experiment=i)
        for kind in ("real", "randX")
        for seed in range(2)
        for i in range(2)
    ]
    run = made_up_run(members, 8, misclassified=misclassified)
    run["diverged_epoch"][diverged] = 1
    with style.paper():
        figure = fig3_1.draw(first_of_each(fig3_1_metrics.metrics([run])))
        figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize(
    ("diverged", "gone", "rest"), [([0, 1, 2, 3], "real", "randX"), ([4, 5, 6, 7], "randX", "real")]
)
def test_figure_3_1_draws_what_has_not_diverged(diverged, gone, rest):
    wrong = np.random.default_rng(0).random((8, 20)) < 0.5
    figure = figure_3_1_of(wrong, diverged)
    text = all_text(figure).replace("\n", " ")
    assert f"{gone}: diverged in every draw" in text
    assert f"{gone}: diverged in every draw." in figure.get_label()
    assert "4 models diverged and are left out" in text
    assert re.search(rf"number of experiments: {rest} \d\.\d\d noise level", text)
    assert "nan" not in text
    labels = [line.get_label() for line in figure.axes[0].get_lines() if len(line.get_xdata())]
    assert any(label.startswith(f"{rest}: ") for label in labels)
    assert not any(label.startswith(f"{gone}: ") for label in labels)
    assert any(label.startswith("binomial") for label in labels) == (gone != "randX")


def test_figure_3_1_draws_the_draws_that_have_not_diverged():
    wrong = np.random.default_rng(0).random((8, 20)) < 0.5
    figure = figure_3_1_of(wrong, [4, 5])
    lines = {line.get_label().split(":")[0]: line for line in figure.axes[0].get_lines()}
    np.testing.assert_allclose(lines["randX"].get_ydata(), np.sort(wrong[6:].mean(0)))
    binomial = lines["binomial, mean of randX"].get_ydata()
    assert 0.2 < binomial.mean() < 0.8


@pytest.mark.parametrize("value", [False, True])
def test_figure_3_1_of_examples_that_are_all_right_or_all_wrong_knows_no_ratio(value):
    wrong = np.random.default_rng(0).random((8, 20)) < 0.5
    wrong[4:] = value
    text = all_text(figure_3_1_of(wrong, [])).replace("\n", " ")
    assert re.search(r"experiments: real \d\.\d\d, randX unknown", text)
