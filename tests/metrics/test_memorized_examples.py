"""Which images are shown, and which pairs of examples, of a run that is made up."""

import json

import numpy as np
import pytest

from conventions import violations
from made_up_memorization import changed_bits, made_up_memorization
from rote.files import netcdf
from rote.files.sweeps import first_of_each
from rote.machine.errors import UserError
from rote.measures import influence, memorization
from rote.metrics import memorized_examples


def metrics_of(run):
    return first_of_each(memorized_examples.metrics([run]))


def of_condition(run, kind="real", level=0.0, seed=0) -> np.ndarray:
    """Return the members of a condition and a seed."""
    same = (run["noise_kind"] == kind) & (run["noise_level"] == level) & (run["seed"] == seed)
    return np.flatnonzero(same)


def set_accuracies(run, members, inside, outside) -> None:
    """Let models be right on so large shares of those that were trained on each example, or not."""
    examples = run.sizes["example"]
    trained = np.unpackbits(run["trained_on"].values[members], axis=1, count=examples).astype(bool)
    right = np.zeros_like(trained)
    for example in range(examples):
        for of, share in ((trained[:, example], inside), (~trained[:, example], outside)):
            places = np.flatnonzero(of)
            right[places[: round(share[example] * len(places))], example] = True
    for member, row in zip(members, right, strict=True):
        changed_bits(run, "right", member, row)


@pytest.fixture
def run():
    return made_up_memorization(models=40)


def test_extreme_scores_are_shown_of_all_seeds(run):
    for seed in (0, 1):
        # Examples 0 to 3 are known anyway, 4 is never learned; others are the harder, the later.
        outside = np.array([1, 1, 1, 1, 0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.1 * seed])
        inside = np.array([1, 1, 1, 1, 0] + [1] * 7)
        set_accuracies(run, of_condition(run, seed=seed), inside, outside)
    metrics = metrics_of(run)
    most, least = (metrics.sel(panel=f"real 0 all {order}") for order in ("most", "least"))
    # Images of seed s are 100·(s + 1) and so on.
    assert most["index"].values[:2].tolist() == [111, 211]
    assert most["example_seed"].values[:2].tolist() == [0, 1]
    assert most["memorization"].values[0] == 1
    assert (np.diff(most["memorization"]) <= 0).all()
    # Not the one that is never learned; those that are known least without training are last.
    assert (least["index"].values % 100).tolist()[8:] == [5, 5]
    assert {*(least["index"].values[:8] % 100)} == {0, 1, 2, 3}
    assert (least["memorization"][:8] == 0).all()
    assert (least["consistency"][:8] == 1).all()
    assert most["candidates"] == 24
    for panel in (most, least):
        for rank in range(
            panel["memorization"].notnull().sum().item()
        ):  # the pixels of image i of a seed are i
            one = panel.isel(rank=rank)
            assert (one["image"] == one["index"] % 100).all()
            assert one["label"] == one["true_label"] == one["index"] % 100 % 4


def test_scores_are_those_of_the_measures(run):
    members = of_condition(run, seed=1)
    right, trained = (
        np.unpackbits(run[name].values[members], axis=1, count=12).astype(bool)
        for name in ("right", "trained_on")
    )
    score, error = memorization.memorization(right, trained)
    most = metrics_of(run).sel(panel="real 0 all most")
    own = most.isel(rank=np.flatnonzero(most["example_seed"] == 1))
    places = own["index"].values - 200
    assert len(places)
    np.testing.assert_allclose(own["memorization"], score[places])
    np.testing.assert_allclose(own["memorization_error"], error[places])


def test_equal_scores_are_ordered_by_what_is_known_without_training(run):
    for seed in (0, 1):
        outside = np.array([1] * 6 + [0.4, 0.2, 0, 0, 0, 0.3])
        inside = outside + np.array([0] * 6 + [0.5] * 6)
        set_accuracies(run, of_condition(run, seed=seed), inside, outside)
        # Every model was trained on half of the examples, but not each example by half the models.
    most = metrics_of(run).sel(panel="real 0 all most")
    order = np.lexsort([most["memorization_error"], most["consistency"], -most["memorization"]])
    assert order.tolist() == list(range(10))


def test_kept_and_changed_examples_of_the_middle_level(run):
    metrics = metrics_of(run)
    assert metrics["panel"].values.tolist() == [
        "real 0 all most",
        "real 0 all least",
        "randY 0.4 kept most",
        "randY 0.4 changed most",
    ]
    kept, changed = metrics.isel(panel=2), metrics.isel(panel=3)
    assert (kept["label"] == kept["true_label"]).all()
    there = changed.dropna("rank", subset=["memorization"])
    # Of 12 examples the first 5 are replaced, of which 0, 2 and 4 get another label: two seeds.
    assert sorted(there["index"].values) == [100, 102, 104, 200, 202, 204]
    np.testing.assert_array_equal(there["label"], (there["true_label"] + 1) % 4)
    assert changed["label"].values[6:].tolist() == [-1] * 4
    assert not changed["image"].values[6:].any()
    assert not {*kept["index"].values} & {*there["index"].values}
    five = made_up_memorization(levels=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    assert metrics_of(five)["panel_noise_level"].values.tolist() == [0, 0, 0.6, 0.6]


def test_images_that_noise_has_replaced_are_not_shown():
    names = metrics_of(made_up_memorization(kinds=("randX", "randY")))["panel"].values
    assert "randX 0.4 kept most" in names
    assert "randX 0.4 changed most" not in names
    only = made_up_memorization(kinds=("randX",), levels=(0.0, 1.0))
    assert metrics_of(only)["panel_condition"].values.tolist() == ["real", "real"]


def test_an_own_noise_in_the_labels_is_shown():
    run = made_up_memorization(kinds=("flips", "frames"))
    noises = {"flips": {"kind": "pairY"}, "frames": {"kind": "gaussX"}}
    run.attrs["data"] = json.dumps({"noises": noises})
    names = metrics_of(run)["panel"].values.tolist()
    assert names[2:] == ["flips 0.4 kept most", "flips 0.4 changed most", "frames 0.4 kept most"]


def test_an_image_in_the_draws_of_several_seeds_is_shown_once(run):
    run["index"][:] = np.arange(12)
    metrics = metrics_of(run)
    for panel in metrics["panel"].values:
        own = metrics.sel(panel=panel).dropna("rank", subset=["memorization"])
        assert len({*own["index"].values}) == own.sizes["rank"] > 2
    assert metrics["candidates"].values.tolist()[0] == 12


def test_members_that_diverged_show_nothing(run):
    real = np.concatenate([of_condition(run, seed=seed) for seed in (0, 1)])
    run["diverged_epoch"][real] = 2
    metrics = metrics_of(run)
    assert metrics["memorization"].sel(panel=["real 0 all most", "real 0 all least"]).isnull().all()
    assert metrics["memorization"].sel(panel="randY 0.4 kept most").notnull().all()
    alone = made_up_memorization(kinds=("randX",), levels=(0.0, 1.0))
    alone["diverged_epoch"][alone["noise_kind"] == "real"] = 2
    with pytest.raises(UserError, match=r"too few are left.*lower learning_rate"):
        metrics_of(alone)


def test_pairs_are_told_from_noise_where_there_are_enough_models(monkeypatch, tmp_path):
    monkeypatch.setattr(influence, "MINIMUM_MODELS", 100)
    run = made_up_memorization(models=100)
    run["index"][:] = np.arange(12) + 20 * run["draw_seed"].values[:, None]
    run["validation_index"][1] += 100
    members = of_condition(run, "randY", 0.4, 1)
    run["diverged_epoch"][members[0]] = 2  # 99 are left
    for seed in (0, 1):  # some know all on real data, where influences are smaller for it
        run["validation_right"].values[of_condition(run, seed=seed)[:5]] = 255
    metrics = metrics_of(run)
    found = {
        (kind, level, seed)
        for kind, level, seed in zip(
            metrics["pair_noise_kind"].values,
            metrics["pair_noise_level"].values,
            metrics["pair_seed"].values,
            strict=True,
        )
    }
    every = {(kind, level, seed) for kind, level in CONDITIONS for seed in (0, 1)}
    assert found == every - {("randY", 0.4, 1)}
    # A model is right on validation example j if it was trained on training example j.
    largest = metrics.isel(pair=np.flatnonzero(metrics["influence"] == 1))
    np.testing.assert_array_equal(largest["train_example"], largest["validation_example"])
    assert (largest["pair_noise_kind"] != "real").sum() == 3 * 10
    assert (largest["p_value"] < 1e-20).all()
    places = metrics["shown_pair"].values
    shown = metrics.isel(pair=places)
    assert (shown["pair_noise_kind"] == "real").all()
    assert (shown["influence"] > 0.8).all()
    assert len({*shown["train_index"].values}) == len(places) == memorized_examples.PAIRS
    for rank in range(len(places)):
        for prefix, first in (("", 0), ("validation_", 100)):
            image = metrics[f"pair_{prefix}image"].isel(pair_rank=rank)
            assert (image == first + shown["train_example"].values[rank]).all()
    np.testing.assert_array_equal(shown["pair_label"], shown["train_example"] % 4)
    path = tmp_path / "memorized_examples.nc"
    netcdf.write(memorized_examples.metrics([run]), path)
    assert violations(path) == []
    monkeypatch.setattr(influence, "MINIMUM_MODELS", 101)
    assert "pair" not in metrics_of(run).sizes


CONDITIONS = [("real", 0.0), ("randY", 0.4), ("randY", 1.0)]


def test_where_no_influence_is_seen_there_are_no_pairs(monkeypatch, tmp_path):
    monkeypatch.setattr(influence, "MINIMUM_MODELS", 100)
    run = made_up_memorization(models=100, seeds=1)
    run["validation_right"][:] = 255
    metrics = metrics_of(run)
    assert metrics.sizes["pair"] == 0
    assert (metrics["shown_pair"] == -1).all()
    netcdf.write(memorized_examples.metrics([run]), tmp_path / "memorized_examples.nc")
    assert violations(tmp_path / "memorized_examples.nc") == []


def test_images_of_pairs_are_distinct(monkeypatch):
    monkeypatch.setattr(influence, "MINIMUM_MODELS", 100)
    run = made_up_memorization(models=100, levels=(0.0,), seeds=1)
    # All validation examples depend on training example 3.
    trained = np.unpackbits(run["trained_on"].values, axis=1, count=12)
    run["validation_right"].values[:] = np.packbits(np.tile(trained[:, [3]], 10), axis=1)
    metrics = metrics_of(run)
    assert (metrics["influence"] == 1).sum() == 10
    first, second = metrics["shown_pair"].values[:2]
    assert metrics["influence"].values[first] == 1
    assert second == -1 or metrics["train_example"].values[second] != 3


def test_every_learning_rate_has_images_of_its_own():
    run = made_up_memorization(rates=(0.2, 0.1), models=40)
    settings = json.loads(run.attrs["settings"])
    settings["training"]["learning_rate"] = [0.2, 0.1]
    run.attrs["settings"] = json.dumps(settings)
    both = memorized_examples.metrics([run])
    assert both["learning_rate"].values.tolist() == [0.2, 0.1]
    assert both.attrs["models_per_replicate"] == 40
    one = run.isel(member=np.flatnonzero(run["learning_rate"] == 0.1))
    np.testing.assert_array_equal(metrics_of(one)["index"], both["index"].sel(learning_rate=0.1))
