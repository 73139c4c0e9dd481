import pytest

from rote.models.regularization import KINDS
from rote.runs.device_data import trained_on
from rote.study import plan, run_settings
from rote.study.figures import FIGURES, impossible
from rote.study.schema import SCHEMA


def replicated(kind: str, level: float, seed: int) -> plan.Member:
    """Return a member of which a replicate draws everything anew."""
    draws = {"data_seed": seed, "initial_seed": seed, "order_seed": seed}
    return plan.Member(kind, level, seed, seed, 0.1, 0.0, **draws)


def test_real_data_is_trained_once_a_seed(settings):
    members = plan.members(settings)
    assert len(members) == len(set(members)) == 2 + 2 * 2 * 2  # real + levels × kinds × seeds
    assert [m for m in members if m.noise_level == 0] == [
        replicated("real", 0.0, seed) for seed in (0, 1)
    ]


def test_members_of_one_learning_rate_stand_together(settings):
    single = plan.members(settings)
    settings["training"]["learning_rate"] = [0.3, 0.1]
    both = plan.members(settings)
    assert both[len(single) :] == single
    assert both[: len(single)] == [member._replace(learning_rate=0.3) for member in single]


def test_a_member_has_a_strength_of_each_regulariser():
    member = plan.Member("real", 0.0, 0, 0, 0.1, 0.1, dropout=0.5)
    assert member.strengths() == {
        "weight_decay": 0.1,
        "dropout": 0.5,
        "input_dropout": 0.0,
        "hidden_noise": 0.0,
        "input_noise": 0.0,
        "adversarial": 0.0,
    }
    assert set(plan.REGULARIZERS) == {"weight_decay", *KINDS}


def test_a_new_level_or_seed_adds_members_and_changes_none(settings):
    before = set(plan.members(settings))
    settings["noise_levels"] = [0, 0.2, 0.4, 1.0]
    settings["seeds"] = 3
    after = set(plan.members(settings))
    assert before < after
    assert len(after - before) == 4 + 7  # two kinds × two seeds; all seven of the third seed


FIELDS = {
    "data": "data_seed",
    "noise": "noise_seed",
    "initialization": "initial_seed",
    "order": "order_seed",
}


@pytest.mark.parametrize("vary", [[], ["data"], ["noise", "order"], list(FIELDS)])
def test_replicates_draw_what_they_vary_by_their_own_seed_and_the_rest_by_the_first(settings, vary):
    settings |= {"vary": vary, "first_seed": 5, "seeds": 3}
    for seed in plan.replicates(settings):
        for member in (m for m in plan.members(settings) if m.seed == seed):
            for factor, field in FIELDS.items():
                assert getattr(member, field) == (seed if factor in vary else 5)
    assert plan.replicates(settings) == range(5, 8)
    data = plan.data_settings(settings)
    for factor in ("data", "noise"):
        assert data[f"{factor}_seeds"] == ([5, 6, 7] if factor in vary else [5])


@pytest.fixture
def repeated(settings) -> dict:
    """An experiment like ``difficulty``, as it stands in config.yaml."""
    del settings["noise_levels"]
    return settings | {"noise_level": 1.0, "experiments": 5}


def test_repeated_experiments_share_the_data_of_their_replicate(repeated):
    members = plan.members(repeated)
    assert len(members) == len(set(members)) == 3 * 2 * 5  # conditions × replicates × experiments
    for seed in (0, 1):
        own = [m for m in members if (m.noise_kind, m.seed) == ("randX", seed)]
        assert {(m.noise_seed, m.data_seed) for m in own} == {(seed, seed)}
        assert [m.experiment for m in own] == [0, 1, 2, 3, 4]
    for kind in ("real", "randX", "randY"):
        own = [m for m in members if m.noise_kind == kind]
        for field in ("initial_seed", "order_seed"):
            assert len({getattr(m, field) for m in own}) == 10


def test_without_noise_repeated_experiments_are_of_real_data_alone(repeated):
    members = plan.members(repeated | {"noise_level": 0})
    assert [m.experiment for m in members] == [0, 1, 2, 3, 4] * repeated["seeds"]
    assert {m.noise_kind for m in members} == {"real"}


def test_repeated_experiments_differ_among_each_other_where_replicates_do_not(repeated):
    own = [m for m in plan.members(repeated | {"vary": ["data"]}) if m.noise_kind == "real"]
    assert [m.data_seed for m in own] == [0] * 5 + [1] * 5
    for field in ("initial_seed", "order_seed"):
        assert len({getattr(m, field) for m in own[:5]}) == 5
        assert [getattr(m, field) for m in own[:5]] == [getattr(m, field) for m in own[5:]]


def test_more_experiments_than_the_schema_allows_would_meet_those_of_another_replicate():
    assert SCHEMA["$defs"]["repetitions"]["maximum"] <= plan.EXPERIMENTS


def test_studies_of_other_seeds_share_no_draw(repeated):
    fields = ["data_seed", "noise_seed", "initial_seed", "order_seed", "seed"]
    one, other = (plan.members(repeated | {"first_seed": first}) for first in (0, 2))
    assert len(one) == len(other)
    for field in fields:
        assert not {getattr(m, field) for m in one} & {getattr(m, field) for m in other}
    both = plan.members(repeated | {"seeds": 4})
    assert {*one, *other} == {*both}


def test_what_the_data_depends_on_leaves_out_levels_and_training(settings):
    before = plan.data_settings(settings)
    settings["noise_levels"].append(0.9)
    settings["training"]["epochs"] = 99
    settings["model"]["hidden_units"].append(7)
    assert plan.data_settings(settings) == before


def test_each_figure_names_the_runs_that_it_needs(settings, sensitivity_settings):
    settings["model"]["hidden_units"] = [4, 8]
    assert FIGURES["fig1"].runs(settings) == ["units-4", "units-8"]
    assert FIGURES["fig3_1"].runs({"model": {"hidden_units": 64}}) == ["units-64"]
    assert FIGURES["fig3_2"].runs(sensitivity_settings) == ["class", "unique"]
    assert FIGURES["fig3_3"].runs(sensitivity_settings) == ["class"]


def test_the_noise_of_sensitivity_and_regularization_is_of_one_kind(
    sensitivity_settings, regularization_settings
):
    assert plan.data_settings(sensitivity_settings | {"data": {}})["noise_kinds"] == ["randX"]
    noised = plan.noised_datasets({"regularization": regularization_settings})
    assert plan.data_settings(noised["regularization"])["noise_kinds"] == ["randY"]


def test_evaluation_times_are_even_and_end_with_training():
    assert plan.evaluation_times(1000, 4) == [0, 250, 500, 750, 1000]
    assert plan.evaluation_times(10, 3) == [0, 3, 7, 10]
    assert plan.evaluation_times(2, 5) == [0, 1, 2]
    assert plan.evaluation_times(10, 0) == []


def test_each_case_of_complexity_has_its_own_data(complexity_settings, settings):
    experiments = {"capacity": settings, "complexity": complexity_settings}
    noised = plan.noised_datasets(experiments)
    assert list(noised) == ["capacity", "complexity/synthetic_mlp", "complexity/synthetic_cnn"]
    data = plan.data_settings(noised["complexity/synthetic_cnn"])
    assert data["noise_seeds"] == [0, 1]
    assert FIGURES["fig4_2"].runs(complexity_settings) == ["synthetic_mlp", "synthetic_cnn"]
    assert FIGURES["fig4_1"].runs(complexity_settings) == ["synthetic_cnn"]
    assert FIGURES["filters"].runs(complexity_settings) == ["synthetic_cnn"]
    assert plan.settings_key("complexity/synthetic_cnn") == "complexity.cases.synthetic_cnn"
    assert plan.settings_key("complexity") == "complexity"


def test_convergence_has_a_run_for_each_size_and_each_other_width(convergence_settings):
    # Width 6 at the largest size is the run examples-100.
    assert FIGURES["fig2"].runs(convergence_settings) == ["examples-50", "examples-100", "units-12"]
    noised = plan.noised_datasets({"convergence": convergence_settings})
    assert list(noised) == ["convergence/examples-50", "convergence/examples-100"]
    for name, size in zip(noised, (50, 100), strict=True):
        data = plan.data_settings(noised[name])
        assert data["train_examples"] == size
        assert data["noise_kinds"] == ["randX"]
        assert plan.settings_key(name) == "convergence"
    assert [
        plan.noised_of_run("convergence", convergence_settings, run)
        for run in ("examples-50", "units-12")
    ] == [
        "convergence/examples-50",
        "convergence/examples-100",
    ]


def test_filters_need_a_cnn_and_random_labels(complexity_settings):
    experiments = {"complexity": complexity_settings}
    assert impossible(experiments) == {}
    complexity_settings["noise_kinds"] = ["randX"]
    assert impossible(experiments) == {
        "filters": "filters shows randY: add it to complexity.noise_kinds."
    }
    del complexity_settings["cases"]["synthetic_cnn"]
    assert "ends with synthetic_mlp" in impossible(experiments)["filters"]


def test_regularization_has_a_run_for_each_regulariser(regularization_settings):
    assert FIGURES["fig5_1"].runs(regularization_settings) == [
        "none",
        "dropout",
        "weight_decay",
        "adversarial_dropout",
    ]


@pytest.fixture
def memorization_settings(settings) -> dict:
    """An experiment ``memorization``, as it stands in config.yaml, of 10 training examples."""
    own = {
        "percent": [70, 30],
        "models": 5,
        "left_out": 3,
        "left_out_more": {"models": 4, "pairs": [[6, 0], [2, 8], [6, 1]]},
        "memorized_above": 0.25,
        "noise_levels": [0, 0.5],
        "noise_kinds": ["randY"],
    }
    settings["model"]["hidden_units"] = 6
    return settings | own | {"data": {**settings["data"], "train_examples": 10}}


def members_of(settings: dict, run: str) -> list[plan.Member]:
    whole = run_settings.of_run("memorization", settings, run, "float32")
    return [plan.Member(*member) for member in whole["members"]]


def test_each_of_as_many_examples_as_a_subset_has_is_left_out(memorization_settings):
    members = members_of(memorization_settings, "left-out")
    assert len(members) == len(set(members)) == 2 * 2 * 3 * 7  # condition, seed, replicate, example
    first = set(range(7))
    for member in members:
        trained = set(trained_on(member, 10).tolist())
        assert trained == first - {member.left_out - 1}
        assert len(trained) == 6
    for condition in ("real", "randY"):
        for seed in (0, 1):
            own = [m for m in members if (m.noise_kind, m.seed) == (condition, seed)]
            left = [(m.experiment, m.left_out) for m in own]
            assert sorted(left) == [(k, i) for k in range(3) for i in range(1, 8)]
            # A replicate shares weights and order, whatever its models leave out.
            for field in ("initial_seed", "order_seed"):
                of_replicate = {(m.experiment, getattr(m, field)) for m in own}
                assert len(of_replicate) == len({value for _, value in of_replicate}) == 3
    assert {len(trained_on(m, 10)) for m in members_of(memorization_settings, "percent-70")} == {7}


def test_examples_of_pairs_are_left_out_more_often_by_the_same_models_and_more(
    memorization_settings,
):
    members = members_of(memorization_settings, "left-out-more")
    assert len(members) == 2 * 2 * 4 * 2
    assert {m.left_out for m in members} == {3, 7}  # counted from 1
    of_both = {m for m in members_of(memorization_settings, "left-out") if m.left_out in (3, 7)}
    assert of_both == {m for m in members if m.experiment < 3}


def test_leave_one_out_has_runs_if_anything_is_left_out(memorization_settings):
    experiments = {"memorization": memorization_settings}
    runs = FIGURES["leave_one_out"].runs
    assert runs(memorization_settings) == ["percent-70", "left-out", "left-out-more"]
    measured = {**memorization_settings, "proxies": 3}
    assert runs(measured) == ["percent-70", "left-out", "left-out-more", "proxies"]
    assert "leave_one_out" not in impossible(experiments)
    del memorization_settings["left_out_more"]
    assert runs(memorization_settings) == ["percent-70", "left-out"]
    memorization_settings["left_out"] = 0
    assert runs(memorization_settings) == ["percent-70"]
    assert "raise memorization.left_out" in impossible(experiments)["leave_one_out"]
    assert FIGURES["leave_one_out"].optional


def test_consistency_needs_several_sizes_of_real_data(memorization_settings):
    figure, experiments = FIGURES["consistency"], {"memorization": memorization_settings}
    assert "consistency" not in impossible(experiments)
    assert figure.runs(memorization_settings) == ["percent-70", "percent-30"]
    memorization_settings["noise_levels"] = [0.4]
    assert "the real data" in impossible(experiments)["consistency"]
    memorization_settings["percent"] = [70]
    assert "name several for" in impossible(experiments)["consistency"]
    assert figure.optional


def test_proxies_are_of_the_largest_subsets(memorization_settings):
    memorization_settings |= {"percent": [30, 70], "proxies": 2, "models": 4}
    assert FIGURES["proxies"].runs(memorization_settings) == ["percent-70", "proxies"]
    largest, measured = (
        members_of(memorization_settings, run) for run in ("percent-70", "proxies")
    )
    assert {member.percent for member in measured} == {70}
    assert set(measured) <= set(largest)
