"""Consistency scores on runs that are made up: counted by hand, and by scipy on the side."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from made_up_memorization import made_up_memorization
from made_up_proxies import with_measures
from rote.figures import style
from rote.figures.consistency import draw
from rote.files.sweeps import first_of_each
from rote.machine.errors import UserError
from rote.metrics import consistency, proxies

SIZES = 25, 50, 75
EXAMPLES = 24


def made_up(percent=50, **settings) -> xr.Dataset:
    own = {"models": 20, "examples": EXAMPLES, "flipped": 0.3} | settings
    return made_up_memorization(percent=percent, **own)


@pytest.fixture
def runs() -> list[xr.Dataset]:
    return [made_up(percent) for percent in SIZES]


def bits(run, name, seed) -> np.ndarray:
    own = run.isel(member=np.flatnonzero((run["noise_kind"] == "real") & (run["seed"] == seed)))
    return np.unpackbits(own[name].values, axis=1, count=EXAMPLES).astype(bool)


def by_hand(run, seed) -> np.ndarray:
    right, trained = bits(run, "right", seed), bits(run, "trained_on", seed)
    return np.array([right[~trained[:, i], i].mean() for i in range(EXAMPLES)])


def test_scores_are_means_over_sizes_of_what_is_counted_by_hand(runs):
    found = first_of_each(consistency.metrics(runs))
    assert found["fraction"].values.tolist() == [0.25, 0.5, 0.75]
    assert found.attrs["models_per_replicate"] == 20
    assert "noise_level" not in found.dims  # of real data alone
    for seed in (0, 1):
        expected = np.array([by_hand(run, seed) for run in runs])
        own = found.sel(seed=seed)
        np.testing.assert_allclose(own["consistency"], expected, rtol=1e-6)
        np.testing.assert_allclose(own["consistency_score"], expected.mean(0), rtol=1e-6)
        np.testing.assert_allclose(own["mean_consistency"], expected.mean(1))
        errors = own["consistency_error"].transpose("fraction", "example").values
        np.testing.assert_allclose(
            own["consistency_score_error"], np.sqrt((errors**2).sum(0)) / 3, rtol=1e-5
        )
        assert own["label"].values.tolist() == [i % 4 for i in range(EXAMPLES)]
        assert own["index"].values.tolist() == [100 * (seed + 1) + i for i in range(EXAMPLES)]
        assert 0 < own["ceiling"] <= 1


def test_an_example_that_all_models_of_a_size_were_trained_on_has_no_score(runs):
    trained = np.unpackbits(runs[1]["trained_on"].values, axis=1, count=EXAMPLES)
    trained[:, 3] = 1
    runs[1]["trained_on"].values[:] = np.packbits(trained, axis=1)
    found = first_of_each(consistency.metrics(runs))
    score = found["consistency_score"].sel(seed=0)
    assert np.flatnonzero(score.isnull()).tolist() == [3]
    assert found["consistency"].isel(fraction=1, example=3).isnull().all()
    assert found["consistency"].isel(fraction=0, example=3).notnull().all()
    assert 103 not in found["image_index"]


def test_images_are_those_of_the_lowest_scores_of_a_class_each_once(runs):
    for run in runs:  # both seeds draw the same images, as from a small pool
        run["index"].values[:] = np.arange(EXAMPLES)
    found = first_of_each(consistency.metrics(runs))
    score = found["consistency_score"].min("seed").values
    assert found["shown_class"].values.tolist() == [0, 1, 2, 3]
    for label in range(4):
        of_class = np.arange(label, EXAMPLES, 4)
        expected = of_class[np.argsort(score[of_class], kind="stable")]
        own = found.sel(shown_class=label)
        np.testing.assert_allclose(own["image_score"], score[expected])
        assert set(own["image_index"].values) == set(expected)
        for index, image in zip(own["image_index"].values, own["image"].values, strict=True):
            assert (image == index).all()  # every pixel of an image is its place
        seeds = found["consistency_score"].argmin("seed").values[own["image_index"].values]
        np.testing.assert_array_equal(own["image_seed"], seeds)


def test_of_many_classes_those_with_the_lowest_scores_are_shown():
    names = [f"class {k}" for k in range(12)]
    runs = [made_up(percent, classes=names, models=60) for percent in SIZES]
    found = first_of_each(consistency.metrics(runs))
    score, label = (found[name].values for name in ("consistency_score", "label"))
    means = [score[label == k].mean() for k in range(12)]
    assert found["shown_class"].values.tolist() == sorted(np.argsort(means)[:10].tolist())
    assert found["image_score"].isel(rank=5).isnull().all()  # a class has two examples a seed


def test_measures_are_compared_with_the_score_by_rank(runs):
    measured = with_measures(made_up(75, models=12).drop_vars("right"), np.random.default_rng(0))
    found = first_of_each(consistency.metrics([*runs, measured]))
    assert found.attrs["proxy_models"] == 12
    for seed in (0, 1):
        inside, own = bits(measured, "trained_on", seed), found.sel(seed=seed)
        member = np.flatnonzero((measured["noise_kind"] == "real") & (measured["seed"] == seed))
        for name, sign in (("area_under_margin", -1), ("cumulative_loss", 1)):
            values = measured[name].values[member]
            mean = np.array([values[inside[:, i], i].mean() for i in range(EXAMPLES)])
            rank = stats.spearmanr(sign * mean, -own["consistency_score"].values).statistic
            assert own["correlation"].sel(proxy=name) == pytest.approx(rank)
        assert list(own["words"].values) == [words for words, _ in proxies.PROXIES.values()]


def test_models_that_diverged_do_not_count(runs):
    whole = [run.copy(deep=True) for run in runs]
    for run in runs:
        run["diverged_epoch"].values[:3] = 2  # of real data, seed 0
        run["right"].values[:3] = 0
    kept = first_of_each(consistency.metrics(runs))["consistency"].sel(seed=0)
    expected = [
        np.array(
            [
                bits(run, "right", 0)[3:][~bits(run, "trained_on", 0)[3:, i], i].mean()
                for i in range(EXAMPLES)
            ]
        )
        for run in whole
    ]
    np.testing.assert_allclose(kept, expected, rtol=1e-6)


@pytest.mark.parametrize("rates", [(0.1,), (0.5, 0.1)])
@pytest.mark.parametrize("seeds", [1, 2])
def test_dimensions_are_the_same_for_one_seed_and_one_rate(seeds, rates):
    common = {"seeds": seeds, "rates": rates, "models": 12}
    measured = with_measures(made_up(75, **common).drop_vars("right"), np.random.default_rng(0))
    found = consistency.metrics([*(made_up(p, **common) for p in SIZES), measured])
    assert found["correlation"].dims == ("proxy", "learning_rate", "seed")
    assert found["words"].dims == ("proxy",)
    assert found.attrs["models_per_replicate"] == found.attrs["proxy_models"] == 12
    with style.paper():
        draw(first_of_each(found))


def test_sizes_stand_in_order_whatever_the_configuration_says(runs):
    found = consistency.metrics([runs[1], runs[2], runs[0]])
    assert found["fraction"].values.tolist() == [0.25, 0.5, 0.75]
    xr.testing.assert_identical(found["consistency"], consistency.metrics(runs)["consistency"])


@pytest.mark.parametrize("left", [1, 2])
def test_what_few_models_do_not_tell_is_missing(runs, left):
    runs[2]["diverged_epoch"].values[left:20] = 2  # of real data, seed 0, one size
    found = first_of_each(consistency.metrics(runs)).sel(seed=0)
    of_size = found.sel(fraction=0.75)
    assert of_size["mean_consistency"].notnull()
    assert of_size["mean_consistency_error"].isnull()
    assert found["ceiling"].isnull() or left == 2
    assert found["consistency"].sel(fraction=0.5).notnull().all()


def test_a_size_without_models_ends_in_a_sentence(runs):
    runs[2]["diverged_epoch"].values[:] = 2
    with pytest.raises(UserError, match=r"at one size of the subsets.*: lower learning_rate"):
        consistency.metrics(runs)
    runs[2]["diverged_epoch"].values[20:40] = 0  # of real data, seed 1: which has scores
    found = first_of_each(consistency.metrics(runs))["consistency_score"]
    assert found.sel(seed=0).isnull().all()
    assert found.sel(seed=1).notnull().all()


def test_a_study_whose_models_all_diverged_says_so(runs):
    for run in runs:
        run["diverged_epoch"].values[:] = 2
    with pytest.raises(UserError):
        consistency.metrics(runs)


def test_learning_rates_stand_in_the_order_of_the_configuration():
    runs = [made_up(percent, rates=(0.5, 0.1)) for percent in SIZES]
    found = consistency.metrics(runs)
    assert found["learning_rate"].values.tolist() == [0.5, 0.1]
    assert found["consistency_score"].dims == ("learning_rate", "example", "seed")
    assert found["image"].dims[:3] == ("learning_rate", "shown_class", "rank")


def test_every_variable_says_what_it_is(runs):
    measured = with_measures(made_up(75, models=12).drop_vars("right"), np.random.default_rng(0))
    for variable in consistency.metrics([*runs, measured]).variables.values():
        assert variable.attrs["long_name"]
