"""What replicates have in common is told from the metrics, and stands on the pages."""

import numpy as np
import pytest
import xarray as xr
import yaml

from made_up_metrics import CRITERIA, study
from rote.claims import draws, tables, test_claims

DATA = {
    "train_examples": 1000,
    "validation_examples": 2000,
    "validation_from": "train",
    "data_seeds": [0, 1, 2, 3],
}


def metrics(data: dict, runs: tuple = (), pool: int | None = 5000) -> xr.Dataset:
    settings = {"data": data} | ({"runs": list(runs)} if runs else {})
    attrs = {"settings": yaml.safe_dump(settings)} | ({"drawn_from": pool} if pool else {})
    return xr.Dataset(attrs=attrs)


def said(of: xr.Dataset) -> str:
    return draws.words("fig1", draws.of_figures({"fig1": of})["fig1"])


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (
            metrics(DATA),
            "Figure 1: each replicate draws 1,000 training and 2,000 validation examples of "
            "5,000; two share 20 % of the training examples",
        ),
        (
            metrics(
                {**DATA, "validation_examples": 0, "train_examples": None},
                [{"data": {"train_examples": size}} for size in (4000, 250, 500)],
            ),
            "Figure 1: each replicate draws 250 to 4,000 training examples of 5,000; two share "
            "5 to 80 % of the training examples",
        ),
        (
            metrics({**DATA, "validation_from": "test"}, pool=50000),
            "Figure 1: each replicate draws 1,000 training examples of 50,000, and 2,000 "
            "validation examples; two share 2 % of the training examples",
        ),
        (
            metrics({**DATA, "train_examples": 100, "validation_examples": 0}, pool=50000),
            "Figure 1: each replicate draws 100 training examples of 50,000; two share 0.2 % of "
            "the training examples",
        ),
        (
            metrics({**DATA, "data_seeds": [3]}),
            "Figure 1: all replicates have the same 1,000 training and 2,000 validation examples "
            "of 5,000: the intervals say nothing about others",
        ),
        (
            metrics({**DATA, "data_seeds": [3]} | {"seed": 0}, pool=None),
            "Figure 1: all replicates have the same 1,000 training and 2,000 validation "
            "examples: the intervals say nothing about others",
        ),
        (
            metrics(DATA, pool=None),
            "Figure 1: each replicate draws 1,000 training and 2,000 validation examples; how "
            "many examples two share is not recorded",
        ),
    ],
    ids=["pool", "sizes", "validation of its own", "few", "one draw", "one, old", "old"],
)
def test_what_is_in_common_is_told_in_a_sentence(of, words):
    assert said(of) == words


def test_files_with_a_seed_of_the_data_have_one_draw():
    old = {key: value for key, value in DATA.items() if key != "data_seeds"} | {"seed": 0}
    assert said(metrics(old)).startswith("Figure 1: all replicates have the same 1,000")


@pytest.mark.parametrize("differ", [True, False])
def test_cases_that_differ_in_their_data_are_told_apart(differ):
    runs = (
        {"data": {"train_examples": 1000}},
        {"data": {"train_examples": 5000 if differ else 1000}},
    )
    data = {key: value for key, value in DATA.items() if key != "train_examples"}
    pools = [5000, 50000] if differ else [5000, 5000]
    of = metrics(data, runs, pool=None if differ else 5000).assign_coords(
        title=("dataset", ["MNIST digits, MLP", "CIFAR-10, CNN"]), drawn_from=("dataset", pools)
    )
    first = "each replicate draws 1,000 training and 2,000 validation examples of 5,000"
    share = "share 20 % of the training examples"
    if not differ:
        assert said(of) == f"Figure 1: {first}; two {share}"
        return
    assert said(of) == (
        f"Figure 1: MNIST digits, MLP: {first}; two {share}; "
        "CIFAR-10, CNN: each replicate draws 5,000 training and 2,000 validation examples of "
        "50,000; two share 10 % of the training examples"
    )
    (drawn,) = draws.of_figures({"fig1": of}).values()
    assert draws.in_common(drawn) == (
        f"MNIST digits, MLP: two replicates {share}; "
        "CIFAR-10, CNN: two replicates share 10 % of the training examples"
    )


def test_metrics_that_name_no_examples_say_nothing():
    assert draws.of_figures({"fig1": xr.Dataset()}) == {}


def test_two_replicates_share_as_many_examples_as_is_said():
    rng = np.random.default_rng(4)
    pairs = [(rng.permutation(500)[:100], rng.permutation(500)[:100]) for _ in range(400)]
    shared = np.mean([np.isin(one, other).mean() for one, other in pairs])
    assert abs(shared - 0.2) < 0.01
    assert "share 20 %" in said(metrics({**DATA, "train_examples": 100}, pool=500))


def test_the_claims_hold_what_their_pages_say_about_draws():
    made_up = study(1, seeds=6, noise=0.005, rng=np.random.default_rng(32))
    made_up["fig1"] = made_up["fig1"].assign_attrs(metrics(DATA).attrs)
    claims = test_claims(made_up, CRITERIA)
    sentence = said(metrics(DATA))
    assert tables.shared_examples(claims) == [f"{sentence}."]
    assert f"\n- {sentence}.\n" in tables.claims_markdown(claims, "demo")
    assert f"<p>{sentence}.</p>" in tables.claims_html(claims, "demo")
    without = test_claims({"fig2": made_up["fig2"]}, CRITERIA)
    assert "in common" not in tables.claims_markdown(without, "demo")
