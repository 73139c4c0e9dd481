"""What variants of models memorise, on runs that are made up, by hand."""

import numpy as np
import pytest
import xarray as xr

from made_up_proxies import EXAMPLES, fair_proxy_runs
from rote.files import netcdf
from rote.machine.errors import UserError
from rote.metrics import fair_proxy

VARIANTS = {
    "nothing": ("nothing", 0),
    "width 12": ("width", 12),
    "epochs 2": ("epochs", 2),
    "epochs 3": ("epochs", 3),
    "dropout 0.2": ("dropout", 0.2),
    "dropout 0.5": ("dropout", 0.5),
    "weight decay 0.01": ("weight_decay", 0.01),
}
RUN = {"width 12": 1, "epochs 2": 2, "epochs 3": 3, "dropout 0.2": 4, "dropout 0.5": 4}


def test_every_variable_says_what_it_is(settings, tmp_path):
    netcdf.write(fair_proxy.metrics(fair_proxy_runs(settings)), tmp_path / "fair_proxy.nc")
    assert netcdf.read(tmp_path / "fair_proxy.nc")["seed"].attrs["units"] == "1"


def test_variants_are_what_differs_and_by_how_much(settings):
    found = fair_proxy.metrics(fair_proxy_runs(settings))
    names = zip(found["varied"].values.tolist(), found["strength"].values.tolist(), strict=True)
    assert dict(zip(found["variant"].values.tolist(), names, strict=True)) == VARIANTS
    assert found["seed"].values.tolist() == [0, 1]
    assert found.attrs["models_per_replicate"] == 8
    assert found.attrs["fraction"] == 0.5
    # What all others differ from in one thing.
    assert "2 hidden layers of 6 units\nSGD, 4 epochs" in found.attrs["protocol"]


@pytest.mark.parametrize("variant", ["nothing", "width 12", "dropout 0.2", "dropout 0.5"])
def test_numbers_are_those_of_the_models_of_a_variant(settings, variant):
    runs = fair_proxy_runs(settings)
    for run in runs:
        run["train_accuracy"].values[:, 0] = np.random.default_rng(2).random(run.sizes["member"])
        run["diverged_epoch"].values[0] = 2
    found, run = fair_proxy.metrics(runs).sel(variant=variant), runs[RUN.get(variant, 0)]
    varied, strength = VARIANTS[variant]
    of_variant = (
        run[varied].values == strength if varied == "dropout" else np.full(len(run.member), True)
    )
    for seed in (0, 1):
        for kind, prefix in (("real", ""), ("randY", "noise_")):
            chosen = of_variant & (run["noise_kind"] == kind).values & (run["seed"] == seed).values
            own = run.isel(member=np.flatnonzero(chosen))
            accuracy = own["train_accuracy"].values[:, -1].mean()
            assert found[f"{prefix}train_accuracy"].sel(seed=seed).item() == pytest.approx(accuracy)
            left = own.isel(member=np.flatnonzero(own["diverged_epoch"].values == 0))
            right, trained = (
                np.unpackbits(left[name].values, axis=1, count=EXAMPLES).astype(bool)
                for name in ("right", "trained_on")
            )
            scores = [
                right[trained[:, i], i].mean() - right[~trained[:, i], i].mean()
                for i in range(EXAMPLES)
                if 0 < trained[:, i].sum() < len(trained)
            ]
            mean = found[f"{prefix}mean_memorization"].sel(seed=seed).item()
            assert mean == pytest.approx(np.mean(scores))
        validation = run["validation_accuracy"].values[
            of_variant & (run["noise_kind"] == "real").values & (run["seed"] == seed).values
        ]
        assert found["validation_accuracy"].sel(seed=seed).item() == pytest.approx(
            validation.mean()
        )


def early_end(accuracy: dict, share: dict) -> xr.DataArray:
    """Return the share of models that end early, by variant, of one seed."""
    varied = [VARIANTS[variant][0] for variant in accuracy]
    table = xr.Dataset(
        {
            "train_accuracy": (("variant", "seed"), [[a] for a in accuracy.values()]),
            "memorized_share": (("variant", "seed"), [[share.get(v, 0.5)] for v in accuracy]),
        },
        coords={"variant": list(accuracy), "varied": ("variant", varied), "seed": [0]},
    )
    return fair_proxy._of_early_end(table).isel(seed=0)


def test_the_early_end_is_interpolated_at_the_same_training_accuracy():
    accuracy = {"nothing": 0.9, "width 12": 0.65, "epochs 2": 0.5, "epochs 3": 0.7}
    share = {"nothing": 0.4, "width 12": 0.9, "epochs 2": 0.1, "epochs 3": 0.2}
    others = {"dropout 0.2": 0.6, "dropout 0.5": 0.85, "weight decay 0.01": 0.95}
    found = early_end(accuracy | others, share)
    # A half of the way from 0.1 to 0.2, and three quarters of that from 0.2 to 0.4.
    assert found.sel(variant="dropout 0.2").item() == pytest.approx(0.15)
    assert found.sel(variant="dropout 0.5").item() == pytest.approx(0.35)
    rest = found.sel(variant=[*accuracy, "weight decay 0.01"])  # no regulariser, or above all
    assert rest.isnull().all()
    below = early_end(accuracy | {"dropout 0.2": 0.49, "dropout 0.5": 0.5}, share)
    assert below.sel(variant="dropout 0.2").isnull()
    assert below.sel(variant="dropout 0.5").item() == pytest.approx(0.1)


def test_without_an_accuracy_nothing_is_interpolated():
    accuracy = {"nothing": np.nan, "epochs 2": np.nan, "dropout 0.2": 0.6}
    assert early_end(accuracy, {}).isnull().all()
    assert early_end({"nothing": 0.9, "epochs 2": 0.5, "dropout 0.2": np.nan}, {}).isnull().all()


@pytest.mark.parametrize("left", [0, 1, 3, 4])
def test_variants_of_which_few_models_are_left(settings, left):
    runs = fair_proxy_runs(settings)
    runs[4]["diverged_epoch"].values[left:8] = 1  # real, seed 0, of the first dropout
    found = fair_proxy.metrics(runs)
    one = found.sel(variant="dropout 0.2", seed=0)
    assert one["memorized_share"].isnull() == (left < 4)  # halves of two
    assert one["noise_mean_memorization"].notnull()
    assert found["memorized_share"].isnull().sum() == (left < 4)


def test_nothing_is_left(settings):
    runs = fair_proxy_runs(settings)
    for run in runs:
        run["diverged_epoch"].values[:] = 1
    with pytest.raises(UserError, match="All models diverged"):
        fair_proxy.metrics(runs)
