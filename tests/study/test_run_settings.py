"""What a run depends on beside its data."""

from rote.study import plan
from rote.study.mlp import DEFAULTS
from rote.study.run_settings import of_run
from rote.study.schema import SCHEMA


def test_complexity_keeps_the_parameters_that_are_searched(complexity_settings):
    run = of_run("complexity", complexity_settings, "synthetic_mlp", "tf32")
    assert run["keep_epochs"] == run["critical_samples"]["epochs"] == [2, 6]
    assert run["model"] == {"hidden_layers": 2, "hidden_units": 6}
    assert run["training"]["precision"] == "tf32"
    assert len(run["members"]) == 2 + 2 * 2 * 2


def test_runs_of_convergence_differ_in_width_alone(convergence_settings):
    runs = {
        name: of_run("convergence", convergence_settings, name, "float32")
        for name in ("examples-50", "examples-100", "units-12", "units-6")
    }
    assert runs["examples-50"] == runs["examples-100"] == runs["units-6"]
    assert runs["units-12"]["model"] == {"hidden_layers": 2, "hidden_units": 12}
    run = runs["examples-50"]
    assert run["training"]["threshold"] == 0.8
    assert run["training"]["evaluate_every"] == 1
    members = [plan.Member(*member) for member in run["members"]]
    assert {m.noise_kind for m in members} == {"real", "randX"}
    assert len(members) == 3 * 2


def test_only_convergence_has_a_threshold(settings):
    assert "threshold" not in of_run("capacity", settings, "units-6", "float32")["training"]


def test_sensitivity_has_a_member_for_each_condition_and_seed(sensitivity_settings):
    runs = {
        labelling: of_run("sensitivity", sensitivity_settings, labelling, "float32")
        for labelling in ("class", "unique")
    }
    members = [plan.Member(*member) for member in runs["unique"]["members"]]
    assert [(m.noise_kind, m.noise_level, m.seed) for m in members] == [
        (kind, level, seed)
        for kind, level in (("real", 0.0), ("randX", 0.5), ("randX", 1.0))
        for seed in (0, 1)
    ]
    assert runs["unique"]["class_evaluations"] == 0
    assert runs["class"]["class_evaluations"] == 2
    assert runs["unique"]["training"]["epochs"] == 4


def test_sensitivity_is_always_measured_in_float32(sensitivity_settings):
    exact, fast = (
        of_run("sensitivity", sensitivity_settings, "class", precision)
        for precision in ("float32", "tf32")
    )
    assert exact == fast


def test_regularization_has_a_member_for_each_strength_label_and_seed(regularization_settings):
    run = of_run("regularization", regularization_settings, "dropout", "float32")
    members = [plan.Member(*member) for member in run["members"]]
    assert [(m.dropout, m.noise_kind, m.noise_level, m.seed) for m in members] == [
        (p, kind, level, seed)
        for p in (0.2, 0.8)
        for kind, level in (("real", 0.0), ("randY", 1.0))
        for seed in (0, 1)
    ]
    assert run["selected"] == 0.8
    assert "adversarial_examples" not in run
    none = of_run("regularization", regularization_settings, "none", "float32")
    assert len(none["members"]) == 4
    assert not any(any(plan.Member(*m).strengths().values()) for m in none["members"])


def test_a_sweep_has_the_members_of_each_learning_rate_in_every_run(
    complexity_settings, regularization_settings, convergence_settings
):
    for experiment, settings, training, run in (
        ("complexity", complexity_settings, None, "synthetic_mlp"),
        ("regularization", regularization_settings, "training", "dropout"),
        ("convergence", convergence_settings, "training", "examples-50"),
    ):
        single = of_run(experiment, settings, run, "float32")["members"]
        block = settings[training] if training else settings["cases"][run]["training"]
        rate = block["learning_rate"]
        block["learning_rate"] = [7, rate]
        both = [plan.Member(*member) for member in of_run(experiment, settings, run, "")["members"]]
        assert [list(member) for member in both if member.learning_rate == rate] == single
        assert [m.learning_rate for m in both] == [7.0] * len(single) + [rate] * len(single)


def test_sensitivity_has_one_learning_rate_a_labelling(sensitivity_settings):
    sensitivity_settings["labellings"]["unique"]["learning_rate"] = 0.7
    for labelling, rate in (("class", 0.2), ("unique", 0.7)):
        run = of_run("sensitivity", sensitivity_settings, labelling, "float32")
        assert {plan.Member(*member).learning_rate for member in run["members"]} == {rate}


def test_strengths_of_adversarial_training_with_dropout_are_pairs(regularization_settings):
    run = of_run("regularization", regularization_settings, "adversarial_dropout", "float32")
    member = plan.Member(*run["members"][0])
    assert (member.adversarial, member.dropout) == (0.5, 0.4)
    assert run["adversarial_examples"]["radius"] == 16.0


def test_what_a_model_is_by_default_is_what_the_schema_says():
    assert {name: SCHEMA["$defs"][name]["default"] for name in DEFAULTS} == DEFAULTS
