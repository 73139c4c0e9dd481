"""What is swept: a dimension of its own, of which figures and claims show the first value."""

import json

import numpy as np
import pytest
import xarray as xr

from made_up_runs import convergence_runs, made_up_complexity, made_up_run, regularization_runs
from rote.files.sweeps import first_of_each
from rote.machine.errors import UserError
from rote.metrics import fig1, fig2, fig3_1, fig4_1, fig4_2, fig5_1, fig5_2, filters
from rote.study import plan


def test_figures_and_claims_see_the_first_value_of_what_is_swept():
    ratios = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], dims=("radius", "seed"))
    metrics = xr.Dataset({"ratio": ratios}, coords={"radius": [1.0, 0.3], "seed": [0, 1]})
    shown = first_of_each(metrics)
    assert shown["ratio"].dims == ("seed",)
    assert shown["ratio"].values.tolist() == [1.0, 2.0]
    assert shown["radius"].item() == 1.0
    assert metrics["ratio"].dims == ("radius", "seed")


RATES = [0.3, 0.1, 0.2]  # in no order, which is kept


def swept(run: xr.Dataset, rates: list[float]) -> xr.Dataset:
    """Return the members of ``run`` at each of ``rates``, with other numbers for each of them."""

    def changed(variable: xr.DataArray, rank: int) -> xr.DataArray:
        match variable.dtype.kind:
            case "f":
                return variable + rank
            case "b":  # fewer are true
                return variable & (np.arange(variable.sizes["example"]) % (rank + 1) == 0)
        return variable

    parts = []
    for rank, rate in enumerate(rates):
        part = run.assign_coords(learning_rate=("member", [rate] * run.sizes["member"]))
        parts.append(part.map(changed, keep_attrs=True, rank=rank))
    named = {"long_name": "learning rate at the beginning of the training", "units": "1"}
    whole = xr.concat(parts, "member", combine_attrs="override")
    whole["learning_rate"].attrs = named
    settings = json.loads(run.attrs["settings"])
    settings["training"]["learning_rate"] = rates
    return whole.assign_attrs(settings=json.dumps(settings))


def capacity() -> list[xr.Dataset]:
    members = [
        plan.Member(kind, level, 0, seed, 0.1, 0.0)
        for kind, level in (("real", 0.0), ("randX", 0.4), ("randY", 0.4))
        for seed in (0, 1)
    ]
    return [made_up_run(members, units) for units in (4, 8)]


def difficulty() -> list[xr.Dataset]:
    members = [
        plan.Member(kind, float(kind != "real"), 0, seed, 0.1, 0.0, experiment=experiment)
        for kind in ("real", "randX", "randY")
        for seed in (0, 1)
        for experiment in (0, 1)
    ]
    wrong = np.random.default_rng(0).random((len(members), 30)) < 0.4
    return [made_up_run(members, 8, misclassified=wrong)]


def complexity() -> list[xr.Dataset]:
    return [made_up_complexity("digits_cnn", cnn=True)]


@pytest.mark.parametrize("module", [fig1, fig2, fig3_1, fig4_1, fig4_2, fig5_1, fig5_2, filters])
def test_every_learning_rate_has_the_metrics_that_it_has_alone(module, regularization_settings):
    runs = {
        fig1: capacity,
        fig2: convergence_runs,
        fig3_1: difficulty,
        fig5_1: lambda: regularization_runs(regularization_settings),
        fig5_2: lambda: regularization_runs(regularization_settings),
    }.get(module, complexity)()
    whole = module.metrics([swept(run, RATES) for run in runs])
    assert whole.sizes["learning_rate"] == 3
    assert {name for name in whole.data_vars if "learning_rate" not in whole[name].dims} <= {
        "strength",  # of a regulariser
        "dropout",
    }
    if module is fig4_2:
        assert whole["rate"].values.tolist() == [RATES]
    else:
        assert whole["learning_rate"].values.tolist() == RATES
        assert whole["learning_rate"].attrs["units"] == "1"
    for rank, rate in enumerate(RATES):
        own = []
        for run in runs:
            part = swept(run, RATES)
            own.append(part.isel(member=part["learning_rate"].values == rate))
        alone = module.metrics(own)
        xr.testing.assert_equal(whole.isel(learning_rate=[rank]), alone)
    xr.testing.assert_equal(
        first_of_each(whole), first_of_each(module.metrics([swept(run, RATES[:1]) for run in runs]))
    )


def test_cases_may_have_learning_rates_of_their_own():
    cases = {"mlp": [0.3, 0.1], "cnn": [0.01]}
    runs = [
        swept(made_up_complexity(case, cnn=case == "cnn"), rates) for case, rates in cases.items()
    ]
    metrics = fig4_2.metrics(runs)
    assert metrics["train_accuracy"].dims == (
        "dataset",
        "learning_rate",
        "noise_kind",
        "noise_level",
        "epoch",
        "seed",
    )
    np.testing.assert_array_equal(metrics["rate"], [[0.3, 0.1], [0.01, np.nan]])
    shown = first_of_each(metrics)
    assert shown["rate"].values.tolist() == [0.3, 0.01]
    assert shown["train_accuracy"].notnull().all()
    assert metrics["train_accuracy"].isel(learning_rate=1).sel(dataset="cnn").isnull().all()
    assert "learning rate 0.3 (first of 0.3, 0.1), " in metrics.attrs["protocol"]
    assert "learning rate 0.01, " in metrics.attrs["protocol"]


def test_only_those_of_the_first_learning_rate_are_said_to_have_diverged():
    (run,) = (swept(run, [0.1, 9.0]) for run in complexity())
    run["diverged_epoch"][run["learning_rate"] == 9] = 1
    assert fig4_2.metrics([run]).attrs["diverged_members"] == 0
    run["diverged_epoch"][0] = 2
    assert fig4_2.metrics([run]).attrs["diverged_members"] == 1
    run["diverged_epoch"][run["learning_rate"] == 9] = 0
    run["diverged_epoch"][run["learning_rate"] == 0.1] = 1
    with pytest.raises(UserError, match=r"All models diverged, .*: lower learning_rate \(of sever"):
        fig4_2.metrics([run])
