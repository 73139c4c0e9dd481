"""Which members a number of a figure is of: the selected strength, the condition that is alike."""

import numpy as np
import pytest

from made_up_runs import made_up_run, regularization_runs
from rote.files.sweeps import first_of_each
from rote.metrics import fig3_1, fig5_2
from rote.study import plan


@pytest.mark.parametrize(("selected", "first"), [(0.2, 0), (0.8, 4)])
def test_figure_5_2_shows_the_selected_strength_and_no_other(
    regularization_settings, selected, first
):
    regularization_settings["selected"] = {"dropout": selected}
    runs = regularization_runs(regularization_settings)
    metrics = first_of_each(fig5_2.metrics(runs))
    assert metrics["regularizer"].values.tolist() == ["none", "dropout"]
    assert metrics["strength"].values.tolist() == [0, selected]
    shown = metrics["train_accuracy"].sel(regularizer="dropout")
    for k, condition in enumerate(("real", "randY")):
        expected = runs[1]["train_accuracy"].isel(member=[first + 2 * k, first + 2 * k + 1])
        np.testing.assert_array_equal(shown.sel(condition=condition), expected.values.T)


def test_figure_5_2_tells_strengths_by_both_numbers_of_a_pair(regularization_settings):
    pairs = [[0.5, 0.2], [0.9, 0.4], [0.5, 0.4], [0.9, 0.2]]
    regularization_settings["strengths"] = {"adversarial_dropout": pairs}
    regularization_settings["selected"] = {"adversarial_dropout": pairs[2]}
    runs = regularization_runs(regularization_settings)
    metrics = first_of_each(fig5_2.metrics(runs)).sel(regularizer="adversarial_dropout")
    assert (metrics["strength"], metrics["dropout"]) == (0.5, 0.4)
    shown = metrics["train_accuracy"].sel(condition="randY")
    np.testing.assert_array_equal(shown, runs[1]["train_accuracy"][10:12].values.T)


def of_conditions(chances: dict[str, float]) -> list:
    """Return a run of ``difficulty``: each condition is right with a mean chance of its own."""
    rng, experiments, examples = np.random.default_rng(0), 200, 500
    members = [
        plan.Member(kind, 1.0, 0, 0, 0.1, 0.0, experiment=i)
        for kind in chances
        for i in range(experiments)
    ]
    # A quarter of the examples are hard: what most of them have is not the mean.
    ease = np.where(np.arange(examples) % 4 == 0, 0.4, 1.2)
    chance = np.repeat([*chances.values()], experiments)[:, None] * ease
    wrong = rng.random((len(members), examples)) >= chance
    return [made_up_run(members, 8, misclassified=wrong)]


@pytest.mark.parametrize(
    ("chances", "alike"),
    [
        ({"real": 0.9, "randX": 0.3, "randY": 0.6}, "randX"),
        ({"real": 0.9, "randY": 0.6, "randX": 0.3}, "randX"),
        ({"real": 0.9, "randY": 0.6}, "randY"),  # without randX the last kind of noise
    ],
)
def test_the_binomial_has_the_mean_of_one_condition(chances, alike):
    metrics = first_of_each(fig3_1.metrics(of_conditions(chances)))
    assert metrics.attrs["reference"] == alike
    mean = metrics["binomial_reference"].mean().item()
    assert mean == pytest.approx(1 - chances[alike], abs=0.02)
