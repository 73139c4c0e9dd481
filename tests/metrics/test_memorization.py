"""The numbers of the figure on memorisation, against a direct computation."""

import json

import numpy as np
import pytest

from conventions import violations
from made_up_memorization import changed_bits, made_up_memorization
from rote.files import netcdf
from rote.files.sweeps import first_of_each
from rote.machine.errors import UserError
from rote.measures.memorization import share_above
from rote.metrics import memorization


def bits(run, name, **at) -> np.ndarray:
    """Return whether each member of a condition is right, or trained on each example."""
    own = np.logical_and.reduce([run[key].values == value for key, value in at.items()])
    packed = run[name].values[own]
    return np.unpackbits(packed, axis=1, count=run.sizes["example"]).astype(bool)


def scores(right, trained) -> list[float]:
    """Return the scores by their definition, one example after the other."""
    found = []
    for r, t in zip(right.T, trained.T, strict=True):
        inside, outside = r[t], r[~t]
        found.append(np.mean(inside) - np.mean(outside) if len(inside) and len(outside) else np.nan)
    return found


@pytest.fixture
def run():
    run = made_up_memorization(models=40)
    rng = np.random.default_rng(0)
    for member in range(run.sizes["member"]):  # whatever they are right about
        changed_bits(run, "right", member, rng.random(run.sizes["example"]) < rng.random(12))
    return run


@pytest.fixture
def metrics(run):
    return first_of_each(memorization.metrics([run])).isel(fraction=0)


@pytest.mark.parametrize("condition", [("real", 0.0), ("randY", 0.4), ("randY", 1.0)])
def test_scores_are_those_of_their_definition(run, metrics, condition):
    kind, level = condition
    for seed in (0, 1):
        at = {"noise_kind": kind, "noise_level": level, "seed": seed}
        right, trained = bits(run, "right", **at), bits(run, "trained_on", **at)
        own = metrics.sel(condition=kind, noise_level=level, seed=seed)
        np.testing.assert_allclose(own["memorization"], scores(right, trained), atol=1e-6)
        without = [np.mean(r[~t]) for r, t in zip(right.T, trained.T, strict=True)]
        np.testing.assert_allclose(own["consistency"], without, atol=1e-6)
        of_all = own.sel(part="all")
        assert of_all["mean_memorization"] == pytest.approx(np.nanmean(scores(right, trained)))
        measured = np.mean(np.array(scores(right, trained)) > 0.25)
        assert of_all["memorized_share_measured"] == pytest.approx(measured)


def test_shares_of_parts_are_those_of_their_examples(run, metrics):
    at = {"noise_kind": "randY", "noise_level": 0.4, "seed": 1}
    right, trained = bits(run, "right", **at), bits(run, "trained_on", **at)
    own = metrics.sel(condition="randY", noise_level=0.4, seed=1)
    assert own["replaced"].values.tolist() == [1, 1, 1, 1, 1] + [0] * 7
    assert own["changed"].values.tolist() == [1, 0, 1, 0, 1] + [0] * 7  # every second is the true
    for part, chosen in (("kept", ~own["changed"].values), ("changed", own["changed"].values)):
        of_part = own.sel(part=part)
        assert of_part["part_examples"] == chosen.sum()
        expected = share_above(right, trained, 0.25, chosen)
        assert of_part["memorized_share"] == pytest.approx(expected.corrected)
        mean = np.mean(np.array(scores(right, trained))[chosen])
        assert of_part["mean_memorization"] == pytest.approx(mean)
        assert of_part["memorized_share_error"] > 0


def test_real_data_has_no_changed_examples_and_stands_at_every_level(metrics):
    real = metrics.sel(condition="real")
    names = "memorization", "memorized_share", "memorized_share_error", "reliability", "label"
    for name in names:
        for level in metrics["noise_level"].values:
            np.testing.assert_array_equal(
                real[name].sel(noise_level=level), real[name].sel(noise_level=0.0)
            )
        # Noise of level 0 is real data.
        of_noise = metrics[name].sel(condition="randY", noise_level=0.0)
        np.testing.assert_array_equal(of_noise, real[name].sel(noise_level=0.0))
    assert real["memorized_share"].sel(part="changed").isnull().all()
    assert (real["part_examples"].sel(part="changed") == 0).all()
    kept, every = (real["memorized_share"].sel(part=part) for part in ("kept", "all"))
    np.testing.assert_array_equal(kept, every)
    assert not real["replaced"].any()


def test_members_that_diverged_are_left_out_and_counted(run):
    kept = memorization.metrics([run])
    at = (run["noise_kind"] == "randY") & (run["noise_level"] == 0.4) & (run["seed"] == 0)
    members = np.flatnonzero(at)
    run["diverged_epoch"][members[:10]] = 3
    metrics = memorization.metrics([run])
    one = {"condition": "randY", "noise_level": 0.4, "seed": 0}
    assert metrics["diverged_models"].sel(one).item() == 0.25
    assert metrics["diverged_models"].sum() == 0.25
    assert metrics.attrs["diverged_members"] == 10
    left = {"noise_kind": "randY", "noise_level": 0.4, "seed": 0, "diverged_epoch": 0}
    expected = scores(bits(run, "right", **left), bits(run, "trained_on", **left))
    found = metrics["memorization"].sel(one).squeeze()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    others = metrics["memorization"].sel(condition="real")
    np.testing.assert_array_equal(others, kept["memorization"].sel(condition="real"))
    run["diverged_epoch"][members] = 3  # none is left
    metrics = memorization.metrics([run])
    assert metrics["memorization"].sel(one).isnull().all()
    assert metrics["memorized_share"].sel(one).isnull().all()
    run["diverged_epoch"][:] = 1
    with pytest.raises(UserError, match="All models diverged"):
        memorization.metrics([run])


def test_inputs_that_noise_replaces_are_changed_and_keep_their_labels():
    run = made_up_memorization(kinds=("randX", "randY"), levels=(0.0, 0.4))
    metrics = first_of_each(memorization.metrics([run])).sel(noise_level=0.4)
    assert metrics["condition"].values.tolist() == ["real", "randX", "randY"]
    of_inputs, real = metrics.sel(condition="randX"), metrics.sel(condition="real")
    np.testing.assert_array_equal(of_inputs["changed"], of_inputs["replaced"])
    np.testing.assert_array_equal(of_inputs["label"], real["label"])
    assert (metrics["label"].sel(condition="randY") != real["label"]).any()


def test_sizes_and_rates_are_dimensions_and_the_file_is_written(tmp_path):
    rates = (0.2, 0.1)
    runs = [made_up_memorization(percent=percent, rates=rates) for percent in (50, 75)]
    for run in runs:
        settings = json.loads(run.attrs["settings"])
        settings["training"]["learning_rate"] = list(rates)
        run.attrs["settings"] = json.dumps(settings)
    metrics = memorization.metrics(runs)
    assert metrics["learning_rate"].values.tolist() == [0.2, 0.1]
    assert metrics["fraction"].values.tolist() == [0.5, 0.75]
    assert metrics.attrs["models_per_replicate"] == 8
    # A score needs all sizes.
    both = metrics["consistency"].mean("fraction", skipna=False)
    np.testing.assert_allclose(metrics["consistency_score"], both, atol=1e-6)
    alone = memorization.metrics(runs[1:])
    np.testing.assert_array_equal(
        metrics["memorization"].isel(fraction=1), alone["memorization"].isel(fraction=0)
    )
    path = tmp_path / "memorization.nc"
    netcdf.write(metrics.sel(learning_rate=[0.2]), path)
    assert violations(path) == []
