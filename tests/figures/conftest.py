"""Metrics of every figure, of runs that are made up."""

import numpy as np
import pytest
import xarray as xr

from made_up_memorization import made_up_memorization
from made_up_proxies import fair_proxy_runs, proxies_runs, with_measures
from made_up_runs import (
    convergence_runs,
    made_up_complexity,
    made_up_forgetting,
    made_up_run,
    made_up_sensitivity,
    regularization_runs,
)
from neighbour_runs import runs_of
from rote.files.sweeps import first_of_each
from rote.metrics import consistency as consistency_metrics
from rote.metrics import fair_proxy as fair_proxy_metrics
from rote.metrics import fig1 as fig1_metrics
from rote.metrics import fig2 as fig2_metrics
from rote.metrics import fig3_1 as fig3_1_metrics
from rote.metrics import fig3_2 as fig3_2_metrics
from rote.metrics import fig3_3 as fig3_3_metrics
from rote.metrics import fig4_1 as fig4_1_metrics
from rote.metrics import fig4_2 as fig4_2_metrics
from rote.metrics import fig5_1 as fig5_1_metrics
from rote.metrics import fig5_2 as fig5_2_metrics
from rote.metrics import filters as filters_metrics
from rote.metrics import forgetting as forgetting_metrics
from rote.metrics import leave_one_out as leave_one_out_metrics
from rote.metrics import memorization as memorization_metrics
from rote.metrics import memorized_examples as memorized_examples_metrics
from rote.metrics import proxies as proxies_metrics
from rote.study import plan


@pytest.fixture
def capacity(settings) -> xr.Dataset:
    runs = [made_up_run(plan.members(settings), units) for units in (8, 32)]
    metrics = first_of_each(fig1_metrics.metrics(runs))
    accuracies = ("validation_accuracy", "train_accuracy")
    return metrics.assign({name: metrics[name] / 1000 for name in accuracies})


@pytest.fixture
def convergence() -> xr.Dataset:
    return first_of_each(fig2_metrics.metrics(convergence_runs()))


@pytest.fixture
def difficulty() -> xr.Dataset:
    rng = np.random.default_rng(0)
    members = [
        plan.Member(kind, 1.0, 0, seed, 0.1, 0.0, data_seed=seed, experiment=experiment)
        for kind in ("real", "randX", "randY")
        for seed in range(2)
        for experiment in range(20)
    ]
    # The rates of real examples are those of an example, or of its label, in each of two draws.
    label = np.tile(np.arange(200) % 4, (120, 1))
    real = rng.random((2, 200)) / 2 + label[0] / 8
    p = np.concatenate([np.repeat(real, 20, axis=0), np.full((80, 200), 0.7)])
    run = made_up_run(members, 64, misclassified=rng.random((120, 200)) < p, labels=label)
    return first_of_each(fig3_1_metrics.metrics([run]))


@pytest.fixture
def forgotten() -> xr.Dataset:
    rng = np.random.default_rng(3)
    members = [
        plan.Member(kind, 0.4 * (kind != "real"), 0, seed, 0.1, 0.0, experiment=experiment)
        for kind in ("real", "randX", "randY")
        for seed in range(2)
        for experiment in range(3)
    ]
    noisy = np.repeat([False, True, True], 6)[:, None]
    replaced = noisy & (np.arange(50) < 20)
    events, first = rng.poisson(1 + 4 * replaced), rng.integers(0, 5, (18, 50))
    run = made_up_forgetting(members, events, first, replaced)
    return first_of_each(forgetting_metrics.metrics([run]))


@pytest.fixture
def memorized() -> xr.Dataset:
    common = {"kinds": ("randX", "randY"), "models": 40, "flipped": 0.3}
    runs = [made_up_memorization(percent=percent, **common) for percent in (50, 75)]
    return first_of_each(memorization_metrics.metrics(runs))


@pytest.fixture
def consistent() -> xr.Dataset:
    sizes = [made_up_memorization(percent=p, models=40, flipped=0.2) for p in (25, 50, 75)]
    proxies = made_up_memorization(percent=75, models=5).drop_vars("right")
    runs = [*sizes, with_measures(proxies, np.random.default_rng(2))]
    return first_of_each(consistency_metrics.metrics(runs))


@pytest.fixture
def memorable(monkeypatch) -> xr.Dataset:
    monkeypatch.setattr("rote.measures.influence.MINIMUM_MODELS", 100)
    run = made_up_memorization(kinds=("randX", "randY"), models=100)
    return first_of_each(memorized_examples_metrics.metrics([run]))


@pytest.fixture
def inequality() -> xr.Dataset:
    runs = [made_up_sensitivity("class"), made_up_sensitivity("unique", times=(0, 10, 20, 30))]
    runs[1]["sensitivity"][3, :, 2:] = 5000.0  # real, seed 1, explodes
    return first_of_each(fig3_2_metrics.metrics(runs))


@pytest.fixture
def classes() -> xr.Dataset:
    return first_of_each(fig3_3_metrics.metrics([made_up_sensitivity("class")]))


@pytest.fixture
def complexity() -> xr.Dataset:
    return first_of_each(fig4_1_metrics.metrics([made_up_complexity("digits_cnn", cnn=True)]))


@pytest.fixture
def levels() -> xr.Dataset:
    runs = [
        made_up_complexity("digits_mlp", cnn=False),
        made_up_complexity("digits_cnn", cnn=True, epochs=(1, 2, 3)),
    ]
    runs[1] = runs[1].assign_coords(critical_epoch=[1, 3])
    return first_of_each(fig4_2_metrics.metrics(runs))


@pytest.fixture
def regularizers(regularization_settings) -> xr.Dataset:
    return first_of_each(fig5_1_metrics.metrics(regularization_runs(regularization_settings)))


@pytest.fixture
def curves(regularization_settings) -> xr.Dataset:
    return first_of_each(fig5_2_metrics.metrics(regularization_runs(regularization_settings)))


@pytest.fixture
def learned() -> xr.Dataset:
    return first_of_each(filters_metrics.metrics([made_up_complexity("digits_cnn", cnn=True)]))


@pytest.fixture(scope="session")
def left_out() -> xr.Dataset:
    return first_of_each(leave_one_out_metrics.metrics(runs_of("leave_one_out")))


@pytest.fixture
def ranked(settings) -> xr.Dataset:
    return first_of_each(proxies_metrics.metrics(proxies_runs(settings)))


@pytest.fixture
def variants(settings) -> xr.Dataset:
    return first_of_each(fair_proxy_metrics.metrics(fair_proxy_runs(settings)))
