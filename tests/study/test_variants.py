"""Variants of a preset: what each changes, and nothing else."""

import copy
from itertools import pairwise

import pytest
import yaml

from conftest import ROOT
from rote.study import configuration, variants
from rote.study.schema import SCHEMA

PLAN = {
    "grid": {"first_seed": [0, 6], "learning_rate": [1, 0.7]},
    "alone": {"width": [1, 0.5, 2], "products": ["openblas", "torch"]},
}


@pytest.fixture(scope="module")
def config() -> dict:
    return configuration.load(ROOT / "config.yaml")


def test_of_the_grid_every_combination_and_of_the_others_one_at_a_time():
    found = variants.combinations(PLAN)
    assert [tuple(one.values()) for one in found] == [
        (0, 1, 1, "openblas"),
        (0, 0.7, 1, "openblas"),
        (6, 1, 1, "openblas"),
        (0, 1, 0.5, "openblas"),
        (0, 1, 2, "openblas"),
        (0, 1, 1, "torch"),
        (6, 0.7, 1, "openblas"),
    ]
    names = [variants.name(one) for one in found]
    assert len(set(names)) == len(names)


def test_the_first_variant_is_the_preset_itself(config):
    demo = config["presets"]["demo"]
    first, *others = variants.combinations(PLAN)
    assert variants.preset(demo, PLAN, first) == demo
    for other in others:
        changed = variants.preset(demo, PLAN, other)
        assert (changed == demo) == (other["products"] == "torch")


def test_rates_and_widths_are_multiplied_wherever_they_stand(config):
    demo, before = config["presets"]["demo"], copy.deepcopy(config["presets"]["demo"])
    variant = {"first_seed": 12, "learning_rate": 0.7, "width": 0.5, "products": "torch"}
    found = variants.preset(demo, PLAN, variant)
    assert demo == before
    assert {one["first_seed"] for one in found.values()} == {12}
    assert found["capacity"]["model"]["hidden_units"] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert found["convergence"]["capacity_units"] == [24, 32]
    assert found["complexity"]["cases"]["digits_cnn"]["cnn"]["maps"] == 4
    assert found["complexity"]["cases"]["digits_cnn"]["cnn"]["dense"] == [128, 64]
    assert found["sensitivity"]["labellings"]["unique"]["learning_rate"] == pytest.approx(0.21)
    assert found["complexity"]["cases"]["digits_mlp"]["training"]["learning_rate"] == 0.021
    # A learning rate is no strength, and the search for critical samples has no width.
    for name in ("strengths", "adversarial_examples"):
        assert found["regularization"][name] == demo["regularization"][name]
    assert found["complexity"]["critical_samples"] == demo["complexity"]["critical_samples"]


@pytest.mark.parametrize("folder", ["stability", "variance"])
def test_the_variants_of_the_docs_are_presets_that_can_be_computed(config, folder, tmp_path):
    plan = yaml.safe_load((ROOT / "docs" / folder / "variants.yaml").read_text())
    experiments = config["presets"][plan["preset"]]
    presets = {
        variants.name(one): variants.preset(experiments, plan, one)
        for one in variants.combinations(plan)
    }
    (tmp_path / "variants.yaml").write_text(yaml.safe_dump({"presets": presets}))
    loaded = configuration.load(ROOT / "config.yaml", [tmp_path / "variants.yaml"])["presets"]
    assert {name: loaded[name] for name in presets} == presets
    values = {**plan["grid"], **plan["alone"]}.get("products", [])
    assert set(values) <= set(SCHEMA["properties"]["products"]["enum"])


def test_sets_of_seeds_share_no_seed(config):
    plan = yaml.safe_load((ROOT / "docs" / "stability" / "variants.yaml").read_text())
    firsts = sorted(plan["grid"]["first_seed"])
    most = max(one["seeds"] for one in config["presets"][plan["preset"]].values())
    assert len(firsts) >= 8
    assert all(after - before >= most for before, after in pairwise(firsts))
