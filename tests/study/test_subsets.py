"""Experiments on subsets: what cannot be, and what they take."""

import copy
from functools import partial

import pytest

from conftest import ROOT
from rote.machine.errors import UserError
from rote.study import check, configuration, plan, run_settings, work
from rote.study.jobs import Study

load = partial(configuration.load, ROOT / "config.yaml")

MEMORIZATION, FAIR = "presets.demo.memorization", "presets.demo.fair_proxy"
CNN = {"maps": 8, "dense": [], "padding": "same", "pooling_stride": 2}


@pytest.fixture(scope="module")
def checked() -> dict:
    """The configuration that ships, with both experiments in the preset demo."""
    config = load()
    own = copy.deepcopy(load(given={"preset": "fair_proxy"})["presets"]["fair_proxy"])
    config["presets"]["demo"]["fair_proxy"] = own["fair_proxy"]
    check.validate(config)
    return config


def changed(config: dict, changes: dict) -> dict:
    config = copy.deepcopy(config)
    for place, value in changes.items():
        *blocks, key = place.split(".")
        block = config
        for name in blocks:
            block = block[name]
        if value is None:
            del block[key]
        else:
            block[key] = value
    return config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"percent": [0]}, f"{MEMORIZATION}.percent[0] is 0: write whole numbers from 1 to 99"),
        ({"percent": [70, 100]}, f"{MEMORIZATION}.percent[1] is 100: write whole numbers from 1"),
        ({"percent": []}, f"{MEMORIZATION}.percent is empty"),
        ({"percent": [70, 70]}, "percent names a value twice: [70, 70]"),
        ({"models": 1}, f"{MEMORIZATION}.models is 1: write a number of 2 or more"),
        ({"modls": 10}, f"unknown key modls under {MEMORIZATION}: did you mean models?"),
        (
            {"data.train_examples": 40, "percent": [1, 99]},
            f"{MEMORIZATION}.percent is 1, and 1 % of 40 training examples are none, so that no",
        ),
        (
            {"data.train_examples": 40, "percent": [99]},
            f"{MEMORIZATION}.percent is 99, and 99 % of 40 training examples are all of them, so",
        ),
        (
            {"data.train_examples": 40, "percent": [3], "left_out": 2},
            f"{MEMORIZATION} leaves out one example of a single one, so that models are trained on",
        ),
        (
            {"model": None, "cnn": CNN, "training.batch_size": 699},
            "With batch_size 699 the last batch of 700 training examples holds 1, but batch norm",
        ),
        (
            {"model": None, "cnn": CNN, "training.batch_size": 698, "left_out": 2},
            "With batch_size 698 the last batch of 699 training examples holds 1, but batch norm",
        ),
        (
            {"model": None, "cnn": CNN, "data.train_examples": 40, "percent": [3]},
            "the last batch of 1 training examples holds 1, but batch normalisation needs 2",
        ),
    ],
)
def test_mistakes_in_memorization_get_one_sentence(checked, changes, message):
    own = {f"{MEMORIZATION}.{place}": value for place, value in changes.items()}
    with pytest.raises(UserError) as error:
        check.validate(changed(checked, own))
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"percent": 100}, f"{FAIR}.percent is 100: write a whole number from 1 to 99"),
        ({"percent": [70]}, f"{FAIR}.percent is [70]: write a whole number from 1 to 99"),
        ({"models": 3}, f"{FAIR}.models is 3: write a number of 4 or more"),
        ({"strengths.droput": [0.1]}, "did you mean dropout?"),
        (
            {"data.train_examples": 40, "percent": 1},
            f"{FAIR}.percent is 1, and 1 % of 40 training examples are none, so that no model is",
        ),
        (
            {"model": None, "cnn": CNN},
            f"{FAIR}.hidden_units names widths, which an MLP alone has: set it to [], or write",
        ),
        (
            {"model": None, "module": {"from": "mine.py:make"}},
            f"{FAIR}.hidden_units names widths, which an MLP alone has: set it to [], or write",
        ),
    ],
)
def test_mistakes_in_fair_proxy_get_one_sentence(checked, changes, message):
    own = {f"{FAIR}.{place}": value for place, value in changes.items()}
    with pytest.raises(UserError) as error:
        check.validate(changed(checked, own | {"preset": "poster"}))
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_cnn_has_no_widths_and_is_trained_on_the_subset(checked):
    own = {f"{FAIR}.model": None, f"{FAIR}.cnn": CNN, f"{FAIR}.hidden_units": []}
    own |= {f"{FAIR}.training.batch_size": 999}  # of 1000 examples, of which 700 are trained on
    config = changed(checked, own)
    check.validate(config)
    fair = config["presets"]["demo"]["fair_proxy"]
    assert plan.trained_on(fair) == [700]
    assert plan.trained_on(fair | {"percent": [70, 30], "left_out": 1}) == [700, 300, 699]


def test_proxies_are_counted(checked):
    """By hand, of an MLP of 4 → 3 → 2: 18 multiply-adds forward, 12 + 18 of an update."""
    settings = copy.deepcopy(checked["presets"]["demo"]["memorization"])
    settings["data"]["train_examples"] = 10
    settings |= {"model": {"hidden_layers": 1, "hidden_units": 3}, "percent": [50], "seeds": 1}
    settings |= {"proxies": 2, "noise_levels": [0]}
    settings["training"] |= {"epochs": 4, "batch_size": 5}
    data = {"train_examples": 10, "validation_examples": 6, "classes": 2}

    def counted(**training):
        own = {**settings, "training": settings["training"] | training}
        run = run_settings.of_run("memorization", own, "proxies", "float32")
        assert run["training"]["epochs"] == 4
        return work.of_run(run, (1, 2, 2), data) / len(run["members"])

    update, forward = 2 * 12 + 3 * 6, 18
    trained = 4 * 5 * update + 2 * 16 * forward  # scored after the first epoch, and the last
    gradients = 5 * (3 + 3 * (1 + 2)) * forward
    through = 5 * (4 * 12 + 6 * 6)
    swept = 4 * 5 * update + (0 + 1 + 2 + 3 + 4) * through
    assert counted() == trained + gradients + swept
    assert counted(momentum=0.5) == trained + gradients


def test_memory_grows_with_models_and_examples(checked):
    run = run_settings.of_run("memorization", checked["presets"]["demo"]["memorization"],
                              "percent-70", "float32")  # fmt: skip
    members = [list(plan.Member("real", 0.0, 0, 0, 0.1, 0.0, percent=70))] * 200
    data = {"train_examples": 60_000, "validation_examples": 10_000}
    whole = work.subsets_bytes(run | {"members": members}, (1, 28, 28), data)
    bits = 200 * (60_000 + 130_000 / 8)
    assert whole == bits + 18 * 60_000 + 9 * 70_000 * 784
    proxies = run | {"members": members, "observer": work.PROXIES}
    assert work.subsets_bytes(proxies, (1, 28, 28), data) == whole + 200 * 48 * 60_000
    everything = [member[:-2] for member in members]  # on all examples
    assert work.subsets_bytes(run | {"members": everything}, (1, 28, 28), data) == 0


def test_the_memory_of_a_job_holds_what_it_keeps(checked):
    class Job:
        preset, experiment, run = "demo", "memorization", "percent-70"

    more = changed(checked, {f"{MEMORIZATION}.models": 10_000})
    few, many = (Study(config).memory_of_run(Job, attempt=1) for config in (checked, more))
    members = 10_000 * 4 * 3  # of 4 seeds, real data and two levels of random labels
    assert many - few == pytest.approx(2 * members * (1000 + 3000 / 8) / 10**6, rel=0.01)
