"""The numbers of the figure on forgetting, of runs that are worked by hand."""

import numpy as np
import pytest

from made_up_runs import made_up_forgetting
from rote.files.sweeps import first_of_each
from rote.metrics import forgetting
from rote.study import plan


def of_replicates(kinds=("real", "randY"), seeds: int = 2, experiments: int = 1) -> list:
    return [
        plan.Member(kind, 0.5 * (kind != "real"), seed, seed, 0.1, 0.0, experiment=experiment)
        for kind in kinds
        for seed in range(seeds)
        for experiment in range(experiments)
    ]


EVENTS = np.array([[0, 0, 2, 0], [0, 1, 1, 0], [0, 3, 0, 0], [5, 0, 0, 1]])
FIRST = np.array([[1, 2, 3, 0], [1, 1, 1, 1], [2, 2, 4, 0], [3, 0, 0, 1]])
REPLACED = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 1]])


@pytest.fixture
def metrics():
    run = made_up_forgetting(of_replicates(), EVENTS, FIRST, REPLACED)
    return first_of_each(forgetting.metrics([run]))


def shares(metrics, name, **at) -> list:
    return metrics[name].sel(counted="presented", **at).values.tolist()


def test_never_learned_is_forgotten_infinitely_often(metrics):
    assert metrics["events"].values.tolist() == [1, 2, 3, 4, 5, 6, 7]  # scored: one more each
    at = {"part": "all", "condition": "real"}
    forgotten = metrics["forgotten_share"].sel(counted="presented", **at).transpose("seed", ...)
    # Seed 0: events 0, 0, 2, ∞; seed 1: 0, 1, 1, 0.
    assert forgotten.values.tolist() == [[0.5, 0.5, *[0.25] * 5], [0.5, *[0] * 6]]
    assert shares(metrics, "unforgettable_share", **at) == [0.5, 0.5]
    assert shares(metrics, "never_learned_share", **at) == [0.25, 0]
    assert shares(metrics, "learned_epoch", **at) == [2, 1]


def test_kept_and_replaced_examples_are_told_apart(metrics):
    kept, replaced = ({"part": part, "condition": "randY"} for part in ("kept", "replaced"))
    # Seed 0 keeps examples 0 and 3, of which 3 is never learned; seed 1 keeps 0 and 2.
    assert shares(metrics, "unforgettable_share", **kept) == [0.5, 0]
    assert shares(metrics, "never_learned_share", **kept) == [0.5, 0.5]
    assert shares(metrics, "learned_epoch", **kept) == [2, 3]
    assert shares(metrics, "unforgettable_share", **replaced) == [0.5, 0]
    assert shares(metrics, "never_learned_share", **replaced) == [0, 0.5]
    assert np.isnan(shares(metrics, "unforgettable_share", part="replaced", condition="real")).all()


def test_between_scores_it_is_counted_by_itself(metrics):
    scored = metrics.sel(counted="scored", part="all", condition="real")
    assert scored["unforgettable_share"].values.tolist() == [0, 0]
    assert scored["learned_epoch"].values.tolist() == [3, 2]
    events = metrics["forgetting_events"].sel(condition="real", experiment=0)
    events = events.squeeze("noise_level")
    np.testing.assert_array_equal(events.sel(counted="scored") - 1, events.sel(counted="presented"))
    assert events.sel(counted="presented", seed=0).values.tolist() == EVENTS[0].tolist()


def test_experiments_that_diverged_do_not_count():
    run = made_up_forgetting(of_replicates(experiments=2), [[0], [0], [3], [0]] * 2, 1)
    run["diverged_epoch"][2] = 1
    metrics = first_of_each(forgetting.metrics([run]))
    shares = metrics["unforgettable_share"].sel(counted="presented", part="all")
    assert shares.sel(condition="real").values.tolist() == [1, 1]
    assert shares.sel(condition="randY").values.tolist() == [1, 0.5]
    assert metrics.attrs["diverged_members"] == 1


def test_who_an_example_is_stands_beside_it(metrics):
    assert metrics["replaced"].sel(condition="randY", seed=1).values.tolist() == [0, 1, 0, 1]
    assert metrics["index"].dims == ("seed", "example")
    assert metrics["label"].dims == ("condition", "seed", "example")
    assert (metrics.attrs["noise_level"], metrics.attrs["experiments"]) == (0.5, 1)
    for name in metrics.variables:
        assert "long_name" in metrics[name].attrs, name


def test_real_data_alone_has_its_shares():
    members = of_replicates(kinds=("real",), seeds=2)
    metrics = first_of_each(
        forgetting.metrics([made_up_forgetting(members, EVENTS[:2], FIRST[:2])])
    )
    assert metrics.attrs["noise_level"] == 0
    assert metrics["condition"].values.tolist() == ["real"]
    assert shares(metrics, "unforgettable_share", part="all", condition="real") == [0.5, 0.5]
