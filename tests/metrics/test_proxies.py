"""How proxies rank examples, on runs that are made up: by hand, and by scipy on the side."""

import numpy as np
import pytest
from scipy import stats

from made_up_proxies import EXAMPLES, proxies_runs, subsets_settings
from rote.files.sweeps import first_of_each
from rote.measures.memorization import memorization
from rote.metrics import proxies


def bits(run, name):
    return np.unpackbits(run[name].values, axis=1, count=EXAMPLES).astype(bool)


def of_cell(run, kind, level, seed):
    at = (run["noise_kind"] == kind) & (run["noise_level"] == level) & (run["seed"] == seed)
    return run.isel(member=np.flatnonzero(at.values))


def pairs_won(values, changed) -> float:
    """Return the share of pairs that a changed example wins against one that is kept."""
    won = [
        (a > b) + 0.5 * (a == b)
        for a, is_changed in zip(values, changed, strict=True)
        for b, is_other in zip(values, changed, strict=True)
        if is_changed and not is_other and np.isfinite(a + b)
    ]
    return float(np.mean(won))


CELLS = [("real", 0.0), ("randX", 0.4), ("randX", 1.0), ("randY", 0.4)]


@pytest.mark.parametrize(("kind", "level"), CELLS)
def test_values_ranks_and_pairs_are_those_counted_by_hand(settings, kind, level):
    scored, measured = proxies_runs(settings)
    # Not trained on by any model: without a value, and without a place among the ranks.
    everyone = bits(measured, "trained_on")
    everyone[:, 5] = False
    measured["trained_on"].values[:] = np.packbits(everyone, axis=1)
    found = first_of_each(proxies.metrics([scored, measured])).sel(
        condition=kind, noise_level=level
    )
    for seed in (0, 1):
        of_scored, own = (of_cell(run, kind, level, seed) for run in (scored, measured))
        inside, score = (
            bits(own, "trained_on"),
            memorization(bits(of_scored, "right"), bits(of_scored, "trained_on"))[0],
        )
        np.testing.assert_array_equal(
            found["proxy_value"].sel(proxy="memorization", seed=seed), score
        )
        changed = (np.arange(EXAMPLES) < EXAMPLES / 2) & (kind != "real")
        np.testing.assert_array_equal(found["changed"].sel(seed=seed), changed)
        for name, (_, sign) in proxies.PROXIES.items():
            values = own[name].values.astype(float)
            if name == "first_learned":
                values[values == 0] = 5  # after the last of 4 epochs
            expected = np.full(EXAMPLES, np.nan)
            for example in range(EXAMPLES):
                if inside[:, example].any():
                    expected[example] = values[inside[:, example], example].mean()
            one = found.sel(proxy=name, seed=seed)
            np.testing.assert_allclose(one["proxy_value"], expected)
            there = np.isfinite(expected + score)
            assert not there[5]
            ranked = stats.spearmanr(sign * expected[there], score[there]).statistic
            assert one["correlation"].item() == pytest.approx(ranked)
            if kind == "real":
                assert np.isnan(one["auroc"])
            else:
                assert one["auroc"].item() == pytest.approx(pairs_won(sign * expected, changed))
        assert np.isnan(found["correlation"].sel(proxy="memorization", seed=seed))
        assert 0 <= found["ceiling"].sel(seed=seed) <= 1


def test_a_margin_that_falls_with_the_score_correlates_as_it_should(settings):
    scored, measured = proxies_runs(settings)
    values = first_of_each(proxies.metrics([scored, measured]))["proxy_value"].sel(
        proxy="memorization"
    )
    score = values.sel(condition="real", noise_level=0.0, seed=0).values
    measured["area_under_margin"].values[:] = -score
    measured["cumulative_loss"].values[:] = score
    found = first_of_each(proxies.metrics([scored, measured]))["correlation"]
    own = found.sel(condition="real", noise_level=0.0, seed=0)
    for name in ("area_under_margin", "cumulative_loss"):
        assert own.sel(proxy=name) == pytest.approx(1)


def test_what_is_not_measured_or_diverged_is_missing(settings):
    scored, measured = proxies_runs(settings)
    measured["loss_sensitivity"].values[:] = np.nan
    measured["diverged_epoch"].values[:2] = 3
    expected = measured["error_norm"].values[2][bits(measured, "trained_on")[2]]
    found = first_of_each(proxies.metrics([scored, measured]))
    one = found.sel(condition="real", noise_level=0.0, seed=0)
    assert found["correlation"].sel(proxy="loss_sensitivity").isnull().all()
    assert found["auroc"].sel(proxy="loss_sensitivity").isnull().all()
    values = one["proxy_value"].sel(proxy="error_norm").values
    np.testing.assert_array_equal(values[np.isfinite(values)], expected)  # of the third model


@pytest.mark.parametrize("left", [0, 1, 2])
def test_scores_of_few_models_that_are_left_are_missing(settings, left):
    scored, measured = proxies_runs(settings)
    scored["diverged_epoch"].values[left:12] = 3  # of real data, seed 0
    found = first_of_each(proxies.metrics([scored, measured])).sel(
        seed=0, condition="real", noise_level=0
    )
    score = found["proxy_value"].sel(proxy="memorization")
    assert score.notnull().any() == (left == 2)
    assert found["correlation"].notnull().any() == (left == 2)
    assert found["ceiling"].isnull()
    assert found["proxy_value"].sel(proxy="error_norm").notnull().any()


@pytest.mark.parametrize(
    ("kinds", "levels"), [(["randY"], [0, 0.4, 1.0]), (["randY"], [0]), (["randX", "randY"], [1.0])]
)
def test_conditions_are_those_that_there_are(settings, kinds, levels):
    runs = proxies_runs(settings | {"noise_kinds": kinds, "noise_levels": levels})
    found = first_of_each(proxies.metrics(runs))
    there = [*(["real"] if 0 in levels else []), *(kinds if max(levels) else [])]
    assert found["condition"].values.tolist() == there
    assert found["noise_level"].values.tolist() == levels
    assert found.attrs["models_per_replicate"] == subsets_settings({})["proxies"]
    assert found.attrs["scored_models"] == subsets_settings({})["models"]
