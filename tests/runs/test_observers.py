"""Observers of a training against a plain loop of torch.nn, with counting in Python."""

import copy

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

import small_cnns
from rote.files.store import Store
from rote.machine.randomness import generator
from rote.measures.forgetting import Forgetting
from rote.measures.observer import Observer
from rote.measures.records import NAMES, Records, unpacked
from rote.runs import complexity, epochs, sensitivity, training
from rote.runs.observers import observers_of
from rote.study import code
from rote.study.run_settings import of_run
from small_mlps import make_data, make_ensemble, of_members, sequential

SETTINGS = {
    "epochs": 9,
    "learning_rate": 0.3,
    "decay_factor": 0.5,
    "decay_every": None,
    "evaluate_every": 2,
}
SCORED = [2, 4, 6, 8, 9]


def watched(seeds, data=None, settings=SETTINGS, **options):
    """Return an ensemble that is watched by all observers."""
    ensemble = make_ensemble(seeds, data=data, **options)
    group = *ensemble.rows.shape, epochs.evaluated_epochs(settings), ensemble.rows.device
    ensemble.observers = [Records(NAMES, *group), Forgetting(*group)]
    return ensemble


def run(ensemble, settings=SETTINGS, checkpoints=None):
    """Return what was observed of each member, and the checkpoints after each epoch."""
    results, saved = {}, {}
    for now in epochs.train(ensemble, settings, checkpoints or [None] * len(ensemble)):
        results |= {
            position: {name: values for name, (_, values) in found.items()}
            for position, found in now.observed.items()
        }
        saved[now.epoch] = dict(now.unfinished())
    return results, saved


def plainly(ensemble, member: int) -> dict[str, list]:
    """Return what is to be counted, by a plain loop over batches and examples."""
    model = sequential(ensemble.seeds[member]).double()
    optimizer = torch.optim.SGD(model.parameters(), SETTINGS["learning_rate"])
    inputs = ensemble.table[ensemble.rows[member], :12].cpu()
    labels = ensemble.labels[member].cpu()
    presentations = [[] for _ in labels]
    rows = []
    for epoch in range(1, SETTINGS["epochs"] + 1):
        order = generator("shuffle", ensemble.seeds[member], epoch).permutation(len(labels))
        for start in range(0, len(labels), 20):
            batch = order[start : start + 20]
            optimizer.zero_grad()
            logits = model(inputs[batch])
            for example, greatest in zip(batch, logits.argmax(1).tolist(), strict=True):
                presentations[example].append(greatest == labels[example])
            nn.functional.cross_entropy(logits, labels[batch]).backward()
            optimizer.step()
        if epoch in SCORED:
            with torch.no_grad():
                rows.append(model(inputs))
    logits = torch.stack(rows)
    correct = (logits.argmax(2) == labels).numpy()
    loss = torch.stack([nn.functional.cross_entropy(r, labels, reduction="none") for r in rows])
    return {
        "forgetting_events": [_forgotten(seen) for seen in presentations],
        "first_learned": [_first(seen, range(1, 10)) for seen in presentations],
        "forgetting_events_scored": [_forgotten(seen) for seen in correct.T],
        "first_learned_scored": [_first(seen, SCORED) for seen in correct.T],
        "right": correct,
        "loss": loss.numpy(),
    }


def _forgotten(seen) -> int:
    count = 0
    for i in range(1, len(seen)):
        if seen[i - 1] and not seen[i]:
            count += 1
    return count


def _first(seen, epochs) -> int:
    for right, epoch in zip(seen, epochs, strict=True):
        if right:
            return epoch
    return 0


def test_examples_are_forgotten_as_a_plain_loop_counts_it(device):
    ensemble = watched([0, 3, 5], rate=0.3, device=device)
    plain = [plainly(ensemble, member) for member in range(3)]
    found, _ = run(ensemble)
    for member, expected in enumerate(plain):
        ours = found[member]
        for name in ("forgetting_events", "first_learned"):
            for counted in ("", "_scored"):
                assert ours[name + counted].tolist() == expected[name + counted]
        np.testing.assert_array_equal(unpacked(ours["right"], 50), expected["right"])
        np.testing.assert_allclose(ours["loss"], expected["loss"], rtol=1e-5)
        np.testing.assert_allclose(ours["loss_mean"], expected["loss"].mean(0), rtol=1e-5)
    counts = np.array([one["forgetting_events"] for one in plain])
    assert counts.max() > 1
    assert (counts == 0).any()
    scored = np.array([one["forgetting_events_scored"] for one in plain])
    assert (counts != scored).any()  # the two are not the same


def assert_equal(ours: dict, theirs: dict) -> None:
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        np.testing.assert_array_equal(values, theirs[name], err_msg=name)


def test_who_is_watched_is_trained_as_ever():
    plain, _ = make_ensemble([0, 1], rate=0.3), watched([0, 1], rate=0.3)
    seen = watched([0, 1], rate=0.3)
    for ensemble in (plain, seen):
        for _ in epochs.train(ensemble, SETTINGS, [None, None]):
            pass
    for ours, theirs in zip(plain.model.parameters, seen.model.parameters, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.cpu("groups of other sizes are rounded alike there alone")
def test_a_checkpoint_holds_what_was_observed():
    whole, saved = run(watched([0, 1, 2], rate=0.3))
    assert whole[0]["forgetting_events"].any()
    for at in (3, 4):  # between two scores, and just after one
        data = of_members(make_data(3), [2, 0])
        resumed, _ = run(
            watched([2, 0], data=data, rate=0.3), checkpoints=[saved[at][2], saved[at][0]]
        )
        assert_equal(resumed[0], whole[2])
        assert_equal(resumed[1], whole[0])


@pytest.mark.cpu("groups of other sizes are rounded alike there alone")
def test_who_leaves_takes_along_what_was_observed_of_it():
    table, rows, _, validation = make_data(3)
    data = table, rows, rows % 5, validation
    settings = SETTINGS | {"epochs": 70, "evaluate_every": 1, "threshold": 0.7}
    together, saved = run(watched([0, 1, 2], data, settings, rate=0.1, momentum=0.8), settings)
    ends = [max(e for e in saved if m in saved[e]) + 1 for m in range(3)]
    assert len(set(ends)) > 1
    for member, end in enumerate(ends):
        own = of_members(data, [member])
        alone, _ = run(watched([member], own, settings, rate=0.1, momentum=0.8), settings)
        assert_equal(alone[0], together[member])
        assert np.isfinite(together[member]["loss"]).all(1).sum() == end


def test_a_cnn_hands_out_the_logits_of_its_loss(device):
    ensemble = small_cnns.make_ensemble(small_cnns.GREY, [0, 4], device=device)
    inputs = ensemble._gather(ensemble.rows[:, :20])
    labels = ensemble.labels[:, :20]
    plain = [small_cnns.sequential(small_cnns.GREY, seed).double() for seed in (0, 4)]
    with torch.no_grad():  # normalised by the batch, and before the update
        expected = [model(own.cpu()).mT for model, own in zip(plain, inputs, strict=True)]
    ours = ensemble.model.step(inputs, labels, ensemble.optimizer)
    torch.testing.assert_close(ours.cpu(), torch.stack(expected), rtol=1e-9, atol=1e-10)


class Batches(Observer):
    """Keeps what it is shown."""

    def __init__(self, *group):
        super().__init__(*group)
        self.seen = []

    def presented(self, epoch, examples, logits, labels):
        self.seen.append((epoch, examples.clone(), logits.clone(), labels.clone()))


@pytest.mark.parametrize("adversarial", [0.0, 0.5])
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_every_example_is_presented_once_an_epoch(
    noised, regularization_settings, model, adversarial
):
    if model == "cnn":
        del regularization_settings["mlp"]
        cnn = {"maps": 3, "dense": [4], "padding": "same", "pooling_stride": 2}
        regularization_settings["cnn"] = cnn
    settings = of_run("regularization", regularization_settings, "adversarial_dropout", "float32")
    member = training.Member(*settings["members"][-1])
    data = training.DeviceData(noised, settings, [member._replace(adversarial=adversarial)])
    ensemble = data.ensemble([member._replace(adversarial=adversarial)])
    ensemble.observers = [Batches(1, 100, [2, 4], data.device)]
    ensemble.train_epoch(3)
    seen = ensemble.observers[0].seen
    assert [epoch for epoch, *_ in seen] == [3] * 4
    assert torch.cat([examples for _, examples, *_ in seen], 1).sort().values.tolist() == [
        list(range(100))
    ]
    for _, examples, logits, labels in seen:
        assert logits.shape == (1, 5, examples.shape[1])
        assert torch.equal(labels, ensemble.labels.gather(1, examples))


RECORD = ["right", "loss", "margin", "moments"]


@pytest.mark.parametrize(
    ("block", "experiment", "name", "kind"),
    [
        ("settings", "capacity", "units-6", training),
        ("regularization_settings", "regularization", "dropout", training),
        ("complexity_settings", "complexity", "synthetic_cnn", complexity),
    ],
)
def test_a_run_holds_what_its_experiment_records(
    request, noised, block, experiment, name, kind, tmp_path
):
    own = request.getfixturevalue(block)
    plain = of_run(experiment, own, name, "float32")
    asked = of_run(experiment, {**own, "record": RECORD}, name, "float32")
    assert {key: value for key, value in asked.items() if key != "record"} == plain
    assert not {*kind.member_keys(noised, plain)} & {*kind.member_keys(noised, asked)}
    store = Store(tmp_path)
    before = kind.compute_run(noised, plain, store, name="test")
    after = kind.compute_run(noised, asked, store, name="test")
    new = {"right", "loss", "margin", "loss_mean", "loss_variance"}
    assert {*after.data_vars} - {*before.data_vars} >= new
    xr.testing.assert_equal(after[list(before.data_vars)], before)
    assert all({"long_name", "units"} <= after[name].attrs.keys() for name in new)
    epochs, members = after.sizes["epoch"], after.sizes["member"]
    assert after["right"].shape == (members, epochs, 13)
    right = unpacked(after["right"], 100)
    np.testing.assert_allclose(right.mean(2), after["train_accuracy"], atol=1e-6)
    np.testing.assert_allclose(after["loss"].mean("example"), after["train_loss"], rtol=1e-4)
    replaced = after["replaced"].mean("example")
    np.testing.assert_allclose(replaced, after["noise_level"], atol=0.005)


def test_edited_measures_measure_anew(noised, settings, monkeypatch):
    plain = of_run("capacity", settings, "units-6", "float32")
    own = {**plain, "observer": "forgetting.Forgetting"}
    keys = [training.member_keys(noised, one) for one in (plain, own)]
    digest = code.digest
    monkeypatch.setattr(
        code,
        "digest",
        lambda modules: digest(modules) + "!" * (modules == ["rote.measures.forgetting"]),
    )
    again = [training.member_keys(noised, one) for one in (plain, own)]
    assert keys[0] == again[0]  # which nobody watches
    assert not {*keys[0]} & {*keys[1]}
    assert not {*keys[1]} & {*again[1]}


def test_names_in_another_order_are_the_same_record(settings):
    one, other = (
        of_run("capacity", {**settings, "record": names}, "units-6", "float32")
        for names in (["right", "loss"], ["loss", "right"])
    )
    assert one == other
    nothing = of_run("capacity", {**settings, "record": []}, "units-6", "float32")
    assert nothing == of_run("capacity", settings, "units-6", "float32")


def test_an_observer_is_found_by_its_name(settings):
    own = {**copy.deepcopy(settings), "record": ["loss"], "observer": "forgetting.Forgetting"}
    records, forgetting = (kind(2, 10, [1], torch.device("cpu")) for kind in observers_of(own))
    assert isinstance(records, Records)
    assert isinstance(forgetting.own, Forgetting)


@pytest.mark.parametrize("labelling", ["class", "unique"])
def test_sensitivity_records_over_its_updates(noised, sensitivity_settings, labelling, tmp_path):
    plain = of_run("sensitivity", sensitivity_settings, labelling, "float32")
    asked = of_run("sensitivity", {**sensitivity_settings, "record": RECORD}, labelling, "float32")
    before, after = (
        sensitivity.compute_run(noised, own, Store(tmp_path), name="test") for own in (plain, asked)
    )
    xr.testing.assert_equal(after[list(before.data_vars)].drop_vars("replaced"), before)
    right = unpacked(after["right"], 100)
    assert after["right"].dims == ("member", "update", "byte")
    np.testing.assert_allclose(right.mean(2), after["train_accuracy"], atol=1e-6)
    np.testing.assert_allclose(after["loss"].mean("example"), after["train_loss"], rtol=1e-4)
    assert (after["margin"].values > 0).tolist() == right.tolist()
    replaced = after["replaced"].mean("example")
    np.testing.assert_allclose(replaced, after["noise_level"], atol=0.005)
