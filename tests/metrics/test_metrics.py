"""Measures against hand-worked runs, and against the poster's own definitions."""

import json
from itertools import product

import numpy as np
import pytest

from made_up_runs import (
    convergence_runs,
    made_up_complexity,
    made_up_run,
    made_up_sensitivity,
    regularization_runs,
)
from rote.files.sweeps import first_of_each
from rote.machine.errors import UserError
from rote.measures.gini import gini
from rote.metrics import (
    fig1,
    fig2,
    fig3_1,
    fig3_2,
    fig3_3,
    fig4_1,
    fig4_2,
    fig5_1,
    fig5_2,
    filters,
)
from rote.study import plan


def test_figure_1_puts_every_member_at_its_place(settings):
    members = plan.members(settings)
    runs = [made_up_run(members, units) for units in (32, 8)]
    metrics = first_of_each(fig1.metrics(runs))
    assert metrics["validation_accuracy"].dims == (
        "noise_kind",
        "noise_level",
        "hidden_units",
        "seed",
    )
    assert metrics["hidden_units"].values.tolist() == [8, 32]
    assert metrics["noise_level"].values.tolist() == [0, 0.4, 1]
    for kind in ("randX", "randY"):
        for level in (0, 0.4, 1.0):
            for units in (8, 32):
                for seed in (0, 1):
                    value = metrics.sel(
                        noise_kind=kind, noise_level=level, hidden_units=units, seed=seed
                    )
                    letters = len("real" if level == 0 else kind)
                    expected = seed + 10 * level + 100 * letters + units
                    assert value["validation_accuracy"] == expected
                    assert value["train_accuracy"] == 2 * expected
    assert metrics.attrs["train_examples"] == 100
    assert metrics.attrs["dataset"] == "Synthetic"


def test_figure_1_takes_the_last_score_of_each_model(settings):
    settings["noise_levels"] = [0, 1.0]
    members = plan.members(settings)  # real, randX and randY, two seeds each
    run = made_up_run(members, 8, epochs=3).assign_coords(epoch=[5, 10, 15])
    accuracy = np.arange(18.0).reshape(6, 3)
    # One converged at 5, one levelled off at 10, one was stopped; and one diverged after a score.
    converged, levelled, diverged = (np.zeros(6, int) for _ in range(3))
    converged[0], levelled[1], diverged[3] = 5, 10, 10
    accuracy[0, 1:] = accuracy[1, 2:] = accuracy[3, 1:] = np.nan
    for name in ("train_accuracy", "validation_accuracy"):
        run[name][:] = accuracy + (name == "train_accuracy")
    run["diverged_epoch"][:] = diverged
    run["converged_epoch"], run["plateau_epoch"] = ("member", converged), ("member", levelled)
    metrics = first_of_each(fig1.metrics([run])).isel(hidden_units=0)
    assert metrics.attrs["diverged_members"] == 1

    def of(kind, level):
        names = "validation_accuracy", "train_accuracy", "epochs_trained", "plateau"
        one = metrics.sel(noise_kind=kind, noise_level=level)
        return [one[name].values.tolist() for name in names]

    for kind in ("randX", "randY"):
        assert of(kind, 0) == [[0, 4], [1, 5], [5, 10], [True, True]]
    np.testing.assert_equal(
        of("randX", 1), [[8, np.nan], [9, np.nan], [15, np.nan], [False, False]]
    )
    assert of("randY", 1) == [[14, 17], [15, 18], [15, 15], [False, False]]


def test_figure_2_puts_every_time_at_its_place():
    metrics = first_of_each(fig2.metrics(convergence_runs()))
    assert metrics["epochs_to_convergence"].dims == ("noise_level", "dataset_size", "seed")
    assert metrics["dataset_size"].values.tolist() == [100, 200, 400]
    epochs, relative = (
        {
            level: metrics[name].sel(noise_level=level, seed=0).values.tolist()
            for level in (0, 0.4, 1)
        }
        for name in ("epochs_to_convergence", "normalized_time")
    )
    assert epochs == {0: [10, 10, 5], 0.4: [10, 20, 40], 1: [5, 30, 50]}
    assert relative == {0: [1, 1, 0.5], 0.4: [1, 2, 4], 1: [1, 6, 10]}
    # One run is that of the largest size and the usual width: it is in both panels.
    assert metrics["hidden_units"].values.tolist() == [8, 16]
    capacity = metrics["capacity_epochs_to_convergence"]
    assert capacity.dims == ("noise_level", "hidden_units", "seed")
    assert capacity.sel(noise_level=1, hidden_units=8).values.tolist() == [50, 20]
    assert capacity.sel(noise_level=0, hidden_units=16).values.tolist() == [2, 4]
    assert "train_examples" not in metrics.attrs
    assert metrics.attrs["capacity_size"] == 400
    assert metrics.attrs["epoch_limit"] == 50
    assert metrics.attrs["threshold"] == 0.95
    assert "100 to 400 training examples; MLP, 2 hidden layers of 8 to 16" in metrics.protocol
    assert "SGD, up to 50 epochs" in metrics.attrs["protocol"]


def test_what_did_not_converge_holds_the_limit_and_says_so():
    metrics = first_of_each(fig2.metrics(convergence_runs()))
    assert metrics["converged"].dtype == bool
    assert (~metrics["converged"]).sum() == 1
    assert not metrics["converged"].sel(noise_level=1, dataset_size=400, seed=0)
    place = {"noise_level": 1, "hidden_units": 16, "seed": 1}
    assert metrics["capacity_epochs_to_convergence"].sel(place) == 50
    assert not metrics["capacity_converged"].sel(place)
    assert metrics["capacity_diverged"].sel(place)
    assert metrics["capacity_diverged"].sum() == 1
    assert metrics["diverged"].sum() == 0
    assert metrics.attrs["diverged_members"] == 1


def test_the_slope_is_that_of_the_logarithms():
    runs = convergence_runs()
    slope = first_of_each(fig2.metrics(runs))["slope"]
    assert slope.dims == ("noise_level", "seed")
    assert slope.sel(noise_level=0.4, seed=0).item() == pytest.approx(1)  # 10, 20, 40
    assert slope.sel(noise_level=0.4, seed=1).item() == pytest.approx(0)
    assert slope.sel(noise_level=0, seed=0).item() == pytest.approx(-0.5)  # 10, 10, 5
    assert slope.sel(noise_level=1, seed=1).item() == pytest.approx(1)


def of_difficulty(kinds, seeds: int, experiments: int) -> list[plan.Member]:
    """Return the members of the experiment, which has data of its own for each seed."""
    return [
        plan.Member(kind, float(kind != "real"), seed, seed, 0.1, 0.0, data_seed=seed, experiment=i)
        for kind in kinds
        for seed in range(seeds)
        for i in range(experiments)
    ]


def test_figure_3_1_is_the_fraction_of_experiments_that_are_wrong():
    members = of_difficulty(("real", "randX", "randY"), 2, 4)
    wrong = np.zeros((24, 3), bool)
    wrong[:4] = [[1, 0, 0], [1, 0, 1], [1, 0, 0], [1, 0, 1]]
    wrong[4:8] = [[1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1]]
    wrong[8:12] = [[1, 1, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]]
    labels = np.repeat(np.arange(6), 4)[:, None] * 10 + np.arange(3)  # condition, seed and example
    run = made_up_run(members, 8, misclassified=wrong, labels=labels)
    metrics = first_of_each(fig3_1.metrics([run]))
    rate = metrics["misclassification_rate"].transpose("condition", "seed", "example")
    assert rate.sel(condition="real").values.tolist() == [[1, 0, 0.5], [0.75, 0.25, 0.25]]
    assert rate.sel(condition="randX", seed=0).values.tolist() == [0.75, 0.75, 0.75]
    assert rate.sel(condition="randY").values.tolist() == [[0, 0, 0], [0, 0, 0]]
    # Each seed has examples of its own, and labels of its own for each condition.
    assert metrics["index"].dims == ("seed", "example")
    assert metrics["index"].values.tolist() == [[100, 101, 102], [200, 201, 202]]
    assert metrics["label"].dims == ("condition", "seed", "example")
    assert metrics["label"].values[..., 0].tolist() == [[0, 10], [20, 30], [40, 50]]
    assert metrics["label"].values[2, 1].tolist() == [50, 51, 52]
    assert metrics.attrs["experiments"] == 4
    assert (metrics.attrs["epochs"], metrics.attrs["noise_level"]) == (2, 1)
    assert metrics.attrs["reference"] == "randX"
    np.testing.assert_array_equal(
        metrics["misclassified"].mean("experiment"),
        rate.transpose(*(dim for dim in metrics["misclassified"].dims if dim != "experiment")),
    )


def test_spread_is_the_root_of_the_covariance_of_two_experiments():
    # Two experiments, so a single pair: the covariance of the two rows over the four examples.
    pairs = {
        "real": [[1, 1, 0, 0], [1, 1, 0, 0]],  # covariance 1/3; none within the labels
        "randX": [[1, 0, 1, 0], [1, 0, 0, 1]],  # 0; within the labels (1/2 − 1/2)/2
        "randY": [[1, 0, 1, 0], [0, 1, 0, 1]],  # −1/3; within (−1/2 − 1/2)/2
    }
    # The second seed is that of the next condition.
    order = ["real", "randX", "randX", "randY", "randY", "real"]
    wrong = np.concatenate([pairs[name] for name in order]).astype(bool)
    members = of_difficulty(("real", "randX", "randY"), 2, 2)
    labels = np.tile([3, 3, 7, 7], (12, 1))
    run = made_up_run(members, 8, misclassified=wrong, labels=labels)
    metrics = first_of_each(fig3_1.metrics([run]))
    assert metrics["spread"].dims == metrics["spread_within_label"].dims == ("condition", "seed")
    third, half = np.sqrt(1 / 3), np.sqrt(1 / 2)
    np.testing.assert_allclose(
        metrics["spread"], [[third, 0], [0, -third], [-third, third]], atol=1e-12
    )
    np.testing.assert_allclose(
        metrics["spread_within_label"], [[0, 0], [0, -half], [-half, 0]], atol=1e-12
    )
    # The label is that trained on in the condition: with others, the groups are others.
    run["label"][2:4] = [3, 7, 3, 7]  # real, seed 1
    run["label"][8:10] = [3, 7, 3, 7]  # randY, seed 0
    within = first_of_each(fig3_1.metrics([run]))["spread_within_label"]
    np.testing.assert_allclose(within, [[0, 0], [0, -half], [0, 0]], atol=1e-12)


def test_diverged_experiments_do_not_count():
    members = of_difficulty(["real"], 2, 3)
    wrong = np.array([[1, 0], [0, 0], [1, 1], [1, 0], [1, 0], [1, 1]], bool)
    run = made_up_run(members, 8, misclassified=wrong)
    run["diverged_epoch"][2] = 1
    metrics = first_of_each(fig3_1.metrics([run])).isel(condition=0)
    rate = metrics["misclassification_rate"].transpose("seed", "example")
    np.testing.assert_allclose(rate, [[0.5, 0], [1, 1 / 3]])
    assert metrics["diverged"].sel(seed=0).values.tolist() == [False, False, True]
    assert not metrics["diverged"].sel(seed=1).any()
    assert metrics.attrs["diverged_members"] == 1
    # Of the two that are left, one is the same for both examples: they do not vary together.
    assert metrics["spread"].sel(seed=0) == 0
    # Of three pairs, that of (1, 0) and (1, 0) has the covariance 1/2, the others none.
    assert metrics["spread"].sel(seed=1).item() == pytest.approx(np.sqrt(1 / 6))


def test_a_replicate_of_which_all_experiments_diverged_has_no_rate_and_no_spread():
    run = made_up_run(
        of_difficulty(["real", "randX"], 2, 2), 8, misclassified=np.eye(8, dtype=bool)
    )
    run["diverged_epoch"][6:] = 1  # randX, seed 1
    metrics = first_of_each(fig3_1.metrics([run]))
    for name in ("misclassification_rate", "spread", "spread_within_label"):
        lacking = metrics[name].isnull()
        assert lacking.sel(condition="randX", seed=1).all()
        assert lacking.sum() == lacking.sel(condition="randX", seed=1).size
    reference = metrics["binomial_reference"]  # of randX, which has no mean in seed 1
    assert reference.sel(seed=0).notnull().all() and reference.sel(seed=1).isnull().all()


def test_binomial_reference_has_the_mean_and_spread_of_randx():
    rng = np.random.default_rng(0)
    experiments, examples, chances = 100, 2000, (0.3, 0.6)
    members = of_difficulty(("real", "randX"), 2, experiments)
    p = np.repeat([0.9, 0.9, *chances], experiments)[:, None]
    right = rng.random((4 * experiments, examples)) < p
    metrics = first_of_each(fig3_1.metrics([made_up_run(members, 8, misclassified=~right)]))
    for seed, chance in enumerate(chances):
        reference = metrics["binomial_reference"].sel(seed=seed)
        error = np.sqrt(chance * (1 - chance) / experiments)
        within = 5 * error / np.sqrt(examples)
        assert reference.mean().item() == pytest.approx(1 - chance, abs=within)
        assert reference.std().item() == pytest.approx(error, rel=0.08)
        # Here randX is binomial by construction, and the reference agrees with it.
        randx = metrics["misclassification_rate"].sel(condition="randX", seed=seed)
        assert randx.std().item() == pytest.approx(reference.std().item(), rel=0.1)
    both = metrics["binomial_reference"]
    assert abs(np.corrcoef(both.sel(seed=0), both.sel(seed=1))[0, 1]) < 4 / np.sqrt(examples)


def test_figure_3_2_is_the_gini_of_the_mean_so_far():
    runs = [made_up_sensitivity("class"), made_up_sensitivity("unique", times=(0, 10, 20, 30))]
    metrics = fig3_2.metrics(runs)
    assert metrics["gini"].dims == ("labelling", "condition", "norm", "update", "seed")
    assert metrics["train_accuracy"].dims == ("labelling", "condition", "update", "seed")
    assert metrics["norm"].values.tolist() == ["l1", "linf"]
    assert metrics["update"].values.tolist() == [0, 5, 10, 20, 30]
    assert metrics["condition"].values.tolist() == ["real", "halfX", "randX"]
    assert metrics["seed"].values.tolist() == [0, 1]
    place = {"condition": "halfX", "seed": 1}  # member 2
    for norm, (t, until) in product((0, 1), ((0, 1), (5, 2), (10, 3))):
        g = runs[0]["sensitivity"].values[2, norm]
        at = metrics.sel(labelling="class", update=t, **place).isel(norm=norm)
        assert at["gini"].item() == pytest.approx(gini(g[:until].mean(0)))
        assert at["mean_sensitivity"].item() == pytest.approx(g[:until].mean())
        assert at["train_accuracy"] == runs[0]["train_accuracy"].sel(update=t)[2]
    assert metrics["gini"].sel(labelling="class", update=[20, 30]).isnull().all()
    assert metrics["gini"].sel(labelling="unique", update=5).isnull().all()
    assert "SGD, 5 and 6 epochs, batch 5, learning rate 0.1" in metrics.attrs["protocol"]


def test_growth_is_the_largest_so_far():
    run = made_up_sensitivity("class")
    run["sensitivity"][3] = 2.0  # real, seed 1
    run["sensitivity"][3, 1, 1] = 7.0  # in one of the norms, and at t = 5 alone
    metrics = fig3_2.metrics([run])
    assert metrics["growth"].dims == ("labelling", "condition", "norm", "update", "seed")
    own = metrics["growth"].sel(condition="real", seed=1, labelling="class")
    assert own.values.tolist() == [[1, 1, 1], [1, 3.5, 3.5]]


def test_every_update_counts_alike_by_hand():
    run = made_up_sensitivity("class")
    # Of four examples; the first update is even, the second is another's, and a million times so.
    run["sensitivity"][3, 0] = [[1, 1, 1, 1], [0, 0, 0, 1e6], [5, 0, 0, 0]]
    own = fig3_2.metrics([run]).sel(condition="real", seed=1, labelling="class", norm="l1")
    shares = [[1 / 4] * 4, [1 / 8, 1 / 8, 1 / 8, 5 / 8], [5 / 12, 1 / 12, 1 / 12, 5 / 12]]
    assert own["share_gini"].values == pytest.approx([gini(share) for share in shares])
    run["sensitivity"][3, 0, 1] = 0  # shares of nothing are unknown
    own = fig3_2.metrics([run]).sel(condition="real", seed=1, labelling="class", norm="l1")
    assert own["share_gini"].isnull().values.tolist() == [False, True, True]
    run["sensitivity"][3, 0, 1] = [1, np.inf, 1, 1]
    own = fig3_2.metrics([run]).sel(condition="real", seed=1, labelling="class", norm="l1")
    assert own["share_gini"].isnull().values.tolist() == [False, True, True]


def test_what_has_diverged_is_missing_from_there_on():
    run = made_up_sensitivity("class")
    run["sensitivity"][3, :, 1] = np.nan  # real, seed 1, at t = 5
    run["diverged_epoch"][3] = 1
    metrics = fig3_2.metrics([run])
    own = metrics.sel(condition="real", seed=1, labelling="class", norm="l1")
    for name in ("gini", "share_gini", "mean_sensitivity", "growth"):
        assert own[name].isnull().values.tolist() == [False, True, True]
        assert metrics[name].isnull().sum() == 2 * 2
    run["diverged_epoch"][:] = 1
    with pytest.raises(UserError, match="All models diverged, so there is nothing to draw"):
        fig3_2.metrics([run])


def test_figure_3_3_measures_the_diagonal_and_the_rest():
    run = made_up_sensitivity("class")
    run["class_sensitivity"][1] = np.ones((5, 5))  # real, seed 0: all cells are equal
    run["class_sensitivity"][3] = np.eye(5)  # real, seed 1: nothing off the diagonal
    run["class_sensitivity"][3, 1] *= 100
    run["class_sensitivity"][3, 1, 0] = 1.0  # by another norm all are equal at the first update
    metrics = fig3_3.metrics([run])
    assert metrics["class_sensitivity"].dims == (
        "condition",
        "norm",
        "loss_class",
        "example_class",
        "seed",
    )
    real = metrics.sel(condition="real", norm="l1")
    assert real["diagonal_share"].values.tolist() == pytest.approx([1 / 5, 1])
    assert real["off_diagonal_gini"].values.tolist() == [0, 0]
    cell = {"condition": "randX", "seed": 1, "loss_class": "e", "example_class": "c"}
    mean = run["class_sensitivity"][0, :, :, 4, 2].mean("class_update")
    np.testing.assert_allclose(metrics["class_sensitivity"].sel(cell), mean)
    # Every update counts alike: half of the diagonal's share is 1/5, half is 1.
    assert metrics["diagonal_share"].sel(condition="real", norm="linf", seed=1).item() == (
        pytest.approx((1 / 5 + 1) / 2)
    )
    each = run["class_sensitivity"][5, 1].values  # halfX, seed 0
    other = (each / each.sum((1, 2), keepdims=True)).mean(0)
    found = metrics["class_share"].sel(condition="halfX", seed=0, norm="linf")
    np.testing.assert_allclose(found, other)
    accuracy = metrics["train_accuracy"].sel(condition="halfX", seed=0)
    assert accuracy == run["train_accuracy"][5, -1]
    rest = other[~np.eye(5, dtype=bool)]
    at = metrics.sel(condition="halfX", seed=0, norm="linf")
    assert at["diagonal_share"].item() == pytest.approx(1 - rest.sum() / other.sum())
    assert at["off_diagonal_gini"].item() == pytest.approx(gini(rest))
    assert metrics["loss_class"].values.tolist() == list("abcde")


def test_figure_4_1_takes_the_highest_level():
    run = made_up_complexity("digits_cnn", cnn=True)
    metrics = fig4_1.metrics([run])
    dims = "condition", "learning_rate", "radius", "critical_epoch", "seed"
    assert metrics["train_critical_sample_ratio"].dims == dims
    assert metrics["critical_sample_ratio"].dims == dims
    assert metrics["commonest_class_share"].dims == tuple(d for d in dims if d != "radius")
    assert metrics["radius"].values.tolist() == [0.3, 0.1]
    metrics = metrics.isel(learning_rate=0)
    assert metrics["train_accuracy"].dims == ("condition", "epoch", "seed")
    assert metrics["critical_sample_ratio"].notnull().all()
    assert set(metrics["condition"].values) == {"real", "randX", "randY"}
    assert metrics.attrs["noise_level"] == 1
    place = {"condition": "randX", "seed": 0}  # member 8
    ratio = run["critical_sample_ratio"][8]
    ours = metrics.sel(place)
    assert ours["critical_epoch"].values.tolist() == [2, 4]
    share = run["commonest_class_share"][8]
    for i, prefix in enumerate(("", "noise_", "train_")):
        np.testing.assert_array_equal(ours[f"{prefix}critical_sample_ratio"], ratio[..., i])
        np.testing.assert_array_equal(ours[f"{prefix}commonest_class_share"], share[..., i])
    np.testing.assert_array_equal(ours["train_accuracy"], run["train_accuracy"][8])
    real = metrics.sel(condition="real", seed=1)
    np.testing.assert_array_equal(real["validation_accuracy"], run["validation_accuracy"][1])
    assert metrics["noise_critical_sample_ratio"].sel(condition=["real", "randY"]).isnull().all()
    without = fig4_1.metrics([run.sel(critical_inputs=["real", "noise"])])
    assert {*metrics} - {*without} == {"train_critical_sample_ratio", "train_commonest_class_share"}
    assert "CNN, 2 convolutions of 6 maps, dense layers of 8 and 4 units" in metrics.protocol
    assert "momentum 0.9" in metrics.attrs["protocol"]


def test_figure_4_2_puts_every_member_of_every_case_at_its_place():
    runs = [
        made_up_complexity("digits_mlp", cnn=False),
        made_up_complexity("cnn", cnn=True, epochs=(2, 4, 6), critical=(6,)),
    ]
    swept = fig4_2.metrics(runs)
    assert swept["critical_sample_ratio"].dims[-3:] == ("radius", "critical_epoch", "seed")
    metrics = swept.isel(learning_rate=0)
    assert metrics["train_accuracy"].dims == (
        "dataset",
        "noise_kind",
        "noise_level",
        "epoch",
        "seed",
    )
    assert metrics["dataset"].values.tolist() == ["digits_mlp", "cnn"]
    assert metrics["title"].values.tolist() == ["Synthetic, MLP", "Synthetic, CNN"]
    assert metrics["epoch"].values.tolist() == [1, 2, 3, 4, 6]
    for case, run in zip(metrics["dataset"].values, runs, strict=True):
        for i in range(10):
            kind, level, _, seed, *_ = (run[name][i].item() for name in plan.Member._fields)
            for shown in ("randX", "randY") if kind == "real" else (kind,):
                ours = metrics.sel(dataset=case, noise_kind=shown, noise_level=level, seed=seed)
                there = ours["train_accuracy"].sel(epoch=run["epoch"])
                np.testing.assert_array_equal(there, run["train_accuracy"][i])
                searched = ours["critical_sample_ratio"].sel(critical_epoch=run["critical_epoch"])
                np.testing.assert_array_equal(searched, run["critical_sample_ratio"][i, :, :, 0])
    assert metrics["train_accuracy"].sel(dataset="cnn", epoch=[1, 3]).isnull().all()
    assert metrics["train_commonest_class_share"].dims[-2:] == ("critical_epoch", "seed")
    assert metrics["critical_epoch"].values.tolist() == [2, 4, 6]


def test_what_differs_between_cases_is_along_them():
    runs = [made_up_complexity(case, cnn=False) for case in ("large", "small")]
    runs[1].attrs |= {"train_examples": 20, "drawn_from": 80, "image_size": "2×2"}
    metrics = first_of_each(fig4_2.metrics(runs))
    small = metrics.sel(dataset="small")
    assert (small["train_examples"], small["image_size"]) == (20, "2×2")
    assert metrics.sel(dataset="large")["train_examples"] == 100
    assert metrics["drawn_from"].values.tolist() == [400, 80]
    assert not {"train_examples", "drawn_from", "image_size"} & metrics.attrs.keys()
    assert metrics.attrs["validation_examples"] == 50


def test_cases_that_are_alike_are_named():
    cases = {"wide": False, "narrow": False, "cnn": True}
    runs = [made_up_complexity(case, cnn=cnn) for case, cnn in cases.items()]
    titles = ["Synthetic, MLP (wide)", "Synthetic, MLP (narrow)", "Synthetic, CNN"]
    assert first_of_each(fig4_2.metrics(runs))["title"].values.tolist() == titles


@pytest.mark.parametrize(
    ("decay_every", "words"),
    [
        (2, "rate 0.1 halved every 2 epochs, momentum 0.9"),
        (1, "rate 0.1 halved every 1 epoch, momentum 0.9"),
        (None, "rate 0.1, momentum 0.9"),
    ],
)
def test_the_protocol_says_that_the_learning_rate_is_halved(decay_every, words):
    run = made_up_complexity("digits_cnn", cnn=True)
    settings = json.loads(run.attrs["settings"])
    settings["training"] |= {"decay_every": decay_every, "decay_factor": 0.5}
    metrics = first_of_each(fig4_1.metrics([run.assign_attrs(settings=json.dumps(settings))]))
    assert metrics.attrs["protocol"].endswith(words)


def test_filters_are_those_of_the_first_seed():
    run = made_up_complexity("digits_cnn", cnn=True)
    metrics = first_of_each(filters.metrics([run]))
    assert metrics["filter"].dims == ("condition", "map", "channel", "row", "column")
    np.testing.assert_array_equal(metrics["filter"].sel(condition="real"), run["filter"][6])
    np.testing.assert_array_equal(metrics["filter"].sel(condition="randY"), run["filter"][5])
    assert metrics["seed"] == 0


def test_figure_5_1_pairs_noise_with_real_data_at_each_strength(regularization_settings):
    none, dropout, decay, both = runs = regularization_runs(regularization_settings)
    metrics = first_of_each(fig5_1.metrics(runs))
    assert metrics["noise_train_accuracy"].dims == ("regularizer", "strength_index", "seed")
    assert metrics["regularizer"].values.tolist() == [
        "dropout",
        "weight_decay",
        "adversarial_dropout",
    ]
    np.testing.assert_array_equal(
        metrics["strength"], [[0, 0.2, 0.8], [0, 0.01, np.nan], [0, 0.5, np.nan]]
    )
    np.testing.assert_array_equal(metrics["dropout"][2], [0, 0.4, np.nan])
    # Members: strengths, in each real and randY, in each the seeds 0 and 1.
    cases = [("dropout", 1, dropout, 0), ("dropout", 2, dropout, 4), ("weight_decay", 1, decay, 0)]
    cases += [("adversarial_dropout", 1, both, 0)]
    cases += [(name, 0, none, 0) for name in metrics["regularizer"].values]
    for name, index, run, first in cases:
        for seed in (0, 1):
            at = metrics.sel(regularizer=name, strength_index=index, seed=seed)
            noise, real = run.isel(member=first + 2 + seed), run.isel(member=first + seed)
            assert at["noise_train_accuracy"] == noise["train_accuracy"][-1]
            assert at["real_validation_accuracy"] == real["validation_accuracy"].max()
    assert metrics["noise_train_accuracy"].isnull().sum() == 2 * 2


@pytest.mark.parametrize("everywhere", [0.0005, 0.01, 0.1])
def test_models_without_a_regulariser_may_have_some_weight_decay(
    regularization_settings, everywhere
):
    regularization_settings["training"]["weight_decay"] = everywhere
    regularization_settings["selected"]["weight_decay"] = 0.01
    none, _, decay, _ = runs = regularization_runs(regularization_settings)
    metrics = first_of_each(fig5_1.metrics(runs)).sel(regularizer="weight_decay")
    np.testing.assert_array_equal(metrics["strength"], [0, 0.01, np.nan])
    for index, run in enumerate((none, decay)):  # members: real and randY, in each two seeds
        at = metrics["noise_train_accuracy"].sel(strength_index=index)
        np.testing.assert_array_equal(at, run["train_accuracy"][2:, -1])
    curves = first_of_each(fig5_2.metrics(runs))["train_accuracy"].sel(condition="randY")
    for name, run in (("none", none), ("weight_decay", decay)):
        at = curves.sel(regularizer=name).transpose("seed", "epoch")
        np.testing.assert_array_equal(at, run["train_accuracy"][2:])


def test_figure_5_2_takes_the_selected_strengths(regularization_settings):
    none, dropout, _, both = runs = regularization_runs(regularization_settings)
    metrics = first_of_each(fig5_2.metrics(runs))
    assert metrics["train_accuracy"].dims == ("condition", "regularizer", "epoch", "seed")
    assert metrics["regularizer"].values.tolist() == ["none", "dropout", "adversarial_dropout"]
    assert metrics["strength"].values.tolist() == [0, 0.8, 0.5]
    assert metrics["dropout"].values.tolist() == [0, 0, 0.4]
    for name, run, first in (
        ("none", none, 0),
        ("dropout", dropout, 4),
        ("adversarial_dropout", both, 0),
    ):
        for k, condition in enumerate(("real", "randY")):
            for seed in (0, 1):
                at = metrics["train_accuracy"].sel(condition=condition, regularizer=name, seed=seed)
                expected = run["train_accuracy"].isel(member=first + 2 * k + seed)
                np.testing.assert_array_equal(at, expected)
