"""The report says what claims, metrics and configuration say, whatever that is."""

import re

import numpy as np
import pytest
import xarray as xr
import yaml

from conftest import ROOT
from made_up_metrics import CRITERIA, study
from rote.claims import CLAIMS, tables, test_claims
from rote.claims.paper import paper
from rote.files.text import plain
from rote.study import configuration

HOSTILE = "*a* | <b> _c_"
DATA = {"train_examples": 1000, "validation_examples": 0, "data_seeds": [0, 1]}


def described(figure: str, one: xr.Dataset) -> xr.Dataset:
    """Metrics with what those of a study say about data and models."""
    software = {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6"}
    origin = {"device": "cpu", "software": software, "git_commit": "abc"}
    count = 30 if figure == "fig4_2" else 12
    return one.assign_attrs(
        dataset=HOSTILE,
        drawn_from=5000,
        protocol=f"{HOSTILE}, 1,000 examples; MLP\nSGD, 5 epochs",
        models=yaml.safe_dump([{**origin, "models": count - 2}, {**origin, "models": 2}]),
        settings=yaml.safe_dump({"data": DATA}),
        git_commit="abc",
    )


@pytest.fixture(scope="module")
def config() -> dict:
    loaded = configuration.load(ROOT / "config.yaml", [], {"preset": "demo"})
    return {**loaded, "presets": {"demo": loaded["presets"]["demo"]}}


def written(config: dict, metrics: dict, claims: xr.Dataset) -> str:
    return paper(metrics, claims, config, list(metrics))


@pytest.fixture(scope="module", params=[1, 0, -1], ids=["present", "absent", "reversed"])
def results(request) -> tuple[dict, xr.Dataset]:
    made_up = study(request.param, seeds=6, noise=0.005, rng=np.random.default_rng(40))
    metrics = {figure: described(figure, one) for figure, one in made_up.items()}
    return metrics, test_claims(metrics, CRITERIA)


def test_every_part_has_its_estimate_interval_criterion_and_verdict(config, results):
    core, further = written(config, *results).split("\n## 5 ")
    for part in tables.parts_of(results[1]):
        begins = f"| {plain(part['description'])} | "
        lines = core.splitlines()
        if part["stated_by"] != "poster":
            begins = f"| {part['claim']} | {part['stated_by']} {begins}"
            lines = further.splitlines()
        rows = [line.removeprefix(begins) for line in lines if line.startswith(begins)]
        ends = part["interval"].partition("],")[0] + "]" * (part["interval"] != "–")
        reason = f"; {plain(part['reason'])}" if part["reason"] else ""
        cells = part["estimate"], ends, plain(part["criterion"]), f"{part['decided']}{reason}"
        assert f"{' | '.join(cells)} |" in rows


def test_every_claim_has_its_verdict_and_how_many_parts_have_which(config, results):
    claims = results[1]
    page = written(config, *results)
    for claim, verdict in zip(
        claims["conclusion"].values, claims["claim_verdict"].values, strict=True
    ):
        text = CLAIMS[claim][0]
        (line,) = re.findall(rf"^{claim}\. {re.escape(text)} \*\*(.*)\.$", page, re.M)
        assert line.startswith(f"{verdict.capitalize()}**: ")
        own = (claims["claim"] == claim) & (claims["stated_by"] == "poster")
        verdicts = claims["verdict"].values[own].tolist()
        for one in {*verdicts}:
            many = f"{verdicts.count(one)} (is |are )?{one}|(only|all).* (is|are) {one}"
            assert re.search(many, line)
        assert not re.search(r"\b0 ", line)
        assert f"### 4.{claim} {text.rstrip('.')}\n\n**{verdict.capitalize()}**" in page


def test_no_other_verdict_stands_in_the_report_than_those_of_the_claims(config, results):
    metrics, claims = results
    open_ = claims.assign(
        verdict=("test", ["inconclusive"] * claims.sizes["test"]),
        claim_verdict=("conclusion", ["inconclusive"] * claims.sizes["conclusion"]),
    )
    page = written(config, metrics, open_)
    assert not re.search(r"\| (supported|contradicted)|\*\*(Supported|Contradicted)", page)
    assert page.count("**Inconclusive**") == 2 * claims.sizes["conclusion"]


def test_tables_are_tables_and_text_is_text(config, results):
    metrics, claims = results
    named = claims["description"].astype(object) + f": {HOSTILE}"
    page = written(config, metrics, claims.assign_coords(description=named))
    for table in re.findall(r"(?:^\|.*\n)+", page, re.M):
        head, line, *rows = table.splitlines()
        assert re.fullmatch(r"\|(-\|)+", line)
        assert rows
        columns = len(re.findall(r"(?<!\\)\|", head))
        assert all(len(re.findall(r"(?<!\\)\|", row)) == columns for row in (line, *rows))
    assert plain(HOSTILE) in page
    assert HOSTILE not in page
    assert "\n\n\n" not in page


def test_models_are_counted_once_and_data_are_told(config, results):
    page = written(config, *results)
    # Six experiments: five of 12 models, and the one of which a figure shows 30.
    assert "90 models\nwere trained" in page
    assert "| 90 | cpu | python 3.11.7, torch 2.13.0, numpy 2.4.6 | abc |" in page
    assert "has 5,000 images in its training part" in page
    assert page.count("Two replicates share 20 % of the training examples.") == 6


def test_hyperparameters_are_those_of_the_configuration(config, results):
    page = written(config, *results)
    experiments = config["presets"]["demo"]
    for name in experiments:
        assert re.search(rf"^\| {name}\b", page, re.M)
    training = experiments["capacity"]["training"]
    row = next(line for line in page.splitlines() if line.startswith("| capacity"))
    rate = f"{training['learning_rate']:g}"
    assert f"| {training['epochs']:,} | {training['batch_size']} | {rate} | 0 |" in row
    assert "| 0.02; times 0.5 every 10 epochs | 0.9 |" in page
    assert "SGD" not in page
    widths = ", ".join(map(str, experiments["capacity"]["model"]["hidden_units"]))
    assert f"hidden units: {widths}" in row
    assert (
        f"\n{experiments['capacity']['seeds']} replicates, which differ in examples, noise, "
        in page
    )


def test_settings_that_a_verdict_depends_on_are_told(config, results):
    metrics, claims = results
    assert "names no part of this study" in written(config, metrics, claims)
    part = str(claims["test"].values[0])
    dependent = test_claims(metrics, CRITERIA, {part: ["products"]})
    page = written(config, metrics, dependent)
    assert "names no part of this study" not in page
    one = dependent.sel(test=part)
    words = plain(one["description"].item())
    assert f"| {one['claim'].item()} | {words} | {one['verdict'].item()} | products |" in page


def test_a_study_of_one_experiment_has_a_report(config):
    made_up = study(1, seeds=6, noise=0.005, rng=np.random.default_rng(41))
    metrics = {"fig1": described("fig1", made_up["fig1"])}
    experiments = {"capacity": config["presets"]["demo"]["capacity"]}
    small = {**config, "presets": {"demo": experiments}}
    page = written(small, metrics, test_claims(metrics, CRITERIA))
    assert "there are no metrics of fig2" in page
    assert re.findall(r"\(figures/(\w+)\.png\)", page) == ["fig1"]
    assert "| convergence" not in page
