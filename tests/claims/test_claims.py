"""The tests of the claims, tested: on studies made up so that the truth is known."""

import json
import re

import numpy as np
import pytest

from made_up_metrics import CRITERIA, HOLDS_IN_REVERSE, HOLDS_WITHOUT, students, study
from rote import claims
from rote.claims import criteria, quantiles, verdicts
from rote.claims.verdicts import CONTRADICTED, INCONCLUSIVE, NOT_TESTED, SUPPORTED
from rote.study import stability
from rote.study.schema import SCHEMA

pytestmark = pytest.mark.usefixtures("few_simulations")


def decided(metrics: dict) -> dict[str, str]:
    result = claims.test_claims(metrics, CRITERIA)
    return dict(zip(result["test"].values.tolist(), result["verdict"].values.tolist(), strict=True))


# The ratio stabilises wherever it goes before.
STABLE_IN_REVERSE = {"ratio_stabilises_randX_digits", "ratio_stabilises_randY_digits"}


@pytest.mark.parametrize(
    ("effect", "expected"), [(1, SUPPORTED), (0, CONTRADICTED), (-1, CONTRADICTED)]
)
def test_effects_that_are_there_or_not_or_reversed_are_told_apart(effect, expected):
    metrics = study(effect, seeds=20, noise=0.005, rng=np.random.default_rng(1))
    found = claims.test_claims(metrics, CRITERIA)
    assert found.sizes["test"] == 61
    for name in found["test"].values:
        wanted = SUPPORTED if name in HOLDS_WITHOUT and effect >= 0 else expected
        if name in HOLDS_IN_REVERSE:
            wanted = SUPPORTED if effect == -1 else CONTRADICTED
        if name in STABLE_IN_REVERSE and effect == -1:
            wanted = SUPPORTED
        if name == "validation_stays" and effect == -1:
            wanted = INCONCLUSIVE  # no regulariser is taken that does harm
        assert found["verdict"].sel(test=name) == wanted, name


def test_what_seeds_cannot_tell_is_inconclusive():
    effect_as_large_as_noise = study(1, seeds=3, noise=0.1, rng=np.random.default_rng(2))
    found = decided(effect_as_large_as_noise)
    # How many examples are extreme is drawn from experiments, and has no part in this noise.
    measured_on_seeds = [name for name in found if not name.startswith("extremes")]
    undecided = [name for name in measured_on_seeds if found[name] == INCONCLUSIVE]
    assert len(undecided) > len(measured_on_seeds) / 2


def test_parts_are_adjusted_for_the_core_of_their_claim_or_for_the_others():
    metrics = study(0, seeds=4, noise=0.02, rng=np.random.default_rng(33))
    result = claims.test_claims(metrics, CRITERIA)
    for claim in (1, 2, 5):  # criteria of one end
        for core in (True, False):
            own = result.isel(
                test=(result["claim"].values == claim)
                & ((result["stated_by"].values == "poster") == core)
            )
            assert set(own["adjusted_for"].values) <= {own.sizes["test"]}
    one = result.sel(test="time_over_size")
    assert one["adjusted_lower"] == pytest.approx(one["lower"].item())
    width = result.sel(test="fitted_width_randX")
    quantile = quantiles.of_mean(4, 1 - 0.05 / 4)  # two parts of either kind of noise
    assert width["adjusted_upper"] == pytest.approx(
        (width["estimate"] + quantile * width["standard_error"]).item()
    )


def test_outside_the_criterion_but_not_by_the_adjusted_interval_is_said():
    confidence = CRITERIA["confidence"]
    part = verdicts.Part(
        "name", "fig1", "", "", (5.0, np.inf),
        lambda: verdicts.over_seeds(np.array([1.0, 2, 3]), CRITERIA, students),
    )  # fmt: skip
    row = claims._row(part, confidence, 1, ())
    assert (row["verdict"], row["reason"]) == (CONTRADICTED, "")
    row = claims._row(part, confidence, 2, ["learning_rate", "width"])
    assert (row["verdict"], row["dependent_on"]) == (INCONCLUSIVE, "learning_rate, width")
    assert row["reason"] == claims.NEARLY


def test_a_claim_depends_on_what_the_parts_depend_on_that_make_its_verdict():
    metrics = study(1, seeds=6, noise=0.005, rng=np.random.default_rng(34))
    on = {
        "fitted_width_randX": ["draw", "learning_rate"],
        "fitted_width_randY": ["learning_rate"],
        "gini_class": ["draw"],
        "memorising_falls_dropout": ["draw"],  # no core part
    }
    result = claims.test_claims(metrics, CRITERIA, on)
    assert result["claim_verdict"].sel(conclusion=1) == SUPPORTED
    assert result["claim_dependent_on"].sel(conclusion=1) == "draw, learning_rate"
    assert result["claim_dependent_on"].sel(conclusion=5) == ""
    assert result["dependent_on"].sel(test="memorising_falls_dropout") == "draw"
    assert result["dependent_on"].sel(test="time_over_size") == ""
    metrics["fig3_3"]["diagonal_share"] *= -1
    result = claims.test_claims(metrics, CRITERIA, {**on, "diagonal_share": ["width"]})
    assert result["claim_verdict"].sel(conclusion=3) == CONTRADICTED
    assert result["claim_dependent_on"].sel(conclusion=3) == "width"


def test_every_criterion_says_why_and_when_it_was_fixed():
    keys = {*SCHEMA["properties"]["claims"]["properties"]}
    assert keys <= {*criteria.CRITERIA}
    assert all(one.reason and one.fixed for one in criteria.CRITERIA.values())


def test_the_record_of_stability_names_settings_by_part_and_preset(tmp_path, monkeypatch):
    assert stability.dependent_on("demo") == json.loads(stability.RECORD.read_text()).get(
        "demo", {}
    )
    monkeypatch.setattr(stability, "RECORD", tmp_path / "stability.json")
    stability.RECORD.write_text('{"demo": {"gini_class": ["draw"]}}')
    assert stability.dependent_on("demo") == {"gini_class": ["draw"]}
    assert stability.dependent_on("poster") == {}


@pytest.mark.parametrize("there", [True, False], ids=["made up", "all missing"])
def test_every_part_has_a_name_of_its_own_a_definition_and_a_criterion_of_the_settings(there):
    metrics = study(1, seeds=3, noise=0.01, rng=np.random.default_rng(35)) if there else {}
    result = claims.test_claims(metrics, CRITERIA)
    names = result["test"].values.tolist()
    assert len(names) == len({*names}) > 40
    figures = {*study(1, seeds=1, noise=0.01, rng=np.random.default_rng(36))}
    for name in names:
        part = result.sel(test=name)
        assert part["figure"].item() in figures, name
        assert len(part["definition"].item().split()) > 20, name
        # "more than 0.02 (margin)": the key in the settings, behind its value.
        number, key = re.search(r"([\d.]+) \((\w+)\)$", part["criterion"].item()).groups()
        assert float(number) == CRITERIA[key], name
        ends = {abs(part[end].item()) for end in ("holds_from", "holds_to")}
        assert ends in ({CRITERIA[key]}, {CRITERIA[key], np.inf}), name


def test_what_the_study_lacks_is_not_tested():
    nothing = claims.test_claims({}, CRITERIA)
    assert set(nothing["verdict"].values) == {NOT_TESTED}
    assert set(nothing["claim_verdict"].values) == {NOT_TESTED}
    assert "no metrics of fig2" in nothing["reason"].sel(test="time_over_size").item()
    words = (nothing[name].values for name in ("description", "criterion", "definition"))
    assert not [text for texts in words for text in texts if re.search(r"\bnan\b", text)]
    metrics = study(1, seeds=3, noise=0.01, rng=np.random.default_rng(8))
    whole = claims.test_claims(metrics, CRITERIA)
    part = claims.test_claims({name: metrics[name] for name in ("fig2", "fig3_1")}, CRITERIA)
    tested = part["figure"].isin(["fig2", "fig3_1"]).values
    assert set(part["verdict"].values[~tested]) == {NOT_TESTED}
    same = part["test"].values[tested]
    assert (part["verdict"].sel(test=same) == whole["verdict"].sel(test=same)).all()
    # Claim 3 rests on two more figures, which leaves it open and no longer untested.
    assert part["claim_verdict"].values.tolist() == [
        *(NOT_TESTED, SUPPORTED, INCONCLUSIVE, NOT_TESTED, NOT_TESTED)
    ]


def test_few_seeds_are_inconclusive_and_say_why():
    few = claims.test_claims(study(1, seeds=2, noise=0.01, rng=np.random.default_rng(8)), CRITERIA)
    assert "2 of 2 seeds" in few["reason"].sel(test="gini_class").item()
    assert few["verdict"].sel(test="gini_class") == INCONCLUSIVE
    assert np.isnan(few["estimate"].sel(test="gini_class"))


@pytest.mark.parametrize(
    ("figure", "dropped", "part", "reason"),
    [
        ("fig1", {"noise_kind": ["randX"]}, "fitted_width_randY", "no randY"),
        ("fig3_1", {"condition": ["real", "randX"]}, "spread_real_less_randY", "no randY"),
        ("fig3_2", {"labelling": ["class"]}, "gini_unique", "no labelling unique"),
        ("fig3_3", {"condition": ["real"]}, "diagonal_share", "lacks real or randX"),
        ("fig3_2", {"norm": ["l1", "l2"]}, "gini_class_linf", "the norm linf"),
        ("fig4_2", {"noise_kind": ["randX"]}, "ratio_randY_over_real_digits", "no randY"),
        ("fig4_2", {"noise_level": [0.2, 1.0]}, "ratio_randY_over_real_digits", "no noise level 0"),
        ("fig4_2", {"noise_level": [0.0, 0.8]}, "ratio_over_level_randX_digits", "noise level 1"),
        ("fig4_2", {"critical_epoch": [1, 20]}, "ratio_rises_randX_digits", "fewer than three"),
        ("fig4_2", {"noise_level": [0.0, 1.0]}, "best_accuracy_falls_randX_digits", "in part"),
        ("fig4_2", {"noise_kind": ["randX"]}, "ratio_after_peak_digits", "no randY"),
        ("fig5_1", {"regularizer": ["hidden_noise"]}, "dropout_most_effective", "no dropout"),
        ("fig5_2", {"regularizer": ["none"]}, "real_stays_fast", "selects no strength"),
    ],
)  # fmt: skip
def test_conditions_that_were_not_trained_are_named(figure, dropped, part, reason):
    metrics = study(1, seeds=3, noise=0.01, rng=np.random.default_rng(9))
    metrics[figure] = metrics[figure].sel(dropped)
    result = claims.test_claims(metrics, CRITERIA).sel(test=part)
    assert result["verdict"] == NOT_TESTED
    assert reason in result["reason"].item()
