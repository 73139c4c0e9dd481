import numpy as np
import pytest

from rote.measures.plateau import levelled_off
from rote.runs import epochs as training
from rote.study import plan
from small_mlps import make_data, make_ensemble, of_members

SETTINGS = {
    "epochs": 5,
    "learning_rate": 0.1,
    "decay_factor": 0.5,
    "decay_every": 2,
    "evaluate_every": 2,
}


def run(ensemble, settings=SETTINGS, checkpoints=None):
    checkpoints = checkpoints or [None] * len(ensemble)
    results, saved = {}, {}
    for now in training.train(ensemble, settings, checkpoints):
        results |= now.finished
        saved[now.epoch] = dict(now.unfinished())
    return results, saved


def test_scores_are_taken_every_few_epochs_and_at_the_end():
    assert plan.evaluated_epochs(SETTINGS) == [2, 4, 5]
    results, _ = run(make_ensemble([0, 1]))
    assert sorted(results) == [0, 1]
    assert np.isfinite(results[0]["train_loss"]).all()
    by_hand = make_ensemble([0, 1])
    for epoch in range(1, 6):
        by_hand.optimizer.decay(0.5 ** ((epoch - 1) // 2))
        by_hand.train_epoch(epoch)
    score = by_hand.evaluate()
    for member in (0, 1):
        for name in training.MEASURES:
            assert results[member][name][-1] == getattr(score, name)[member]
        np.testing.assert_array_equal(results[member]["misclassified"], score.misclassified[member])


def test_a_checkpoint_resumes_to_the_same_result():
    whole, saved = run(make_ensemble([0, 1, 2], momentum=0.9))
    data = of_members(make_data(3), [2, 0])
    checkpoints = [saved[3][2], saved[3][0]]
    assert checkpoints[0].attrs["epoch"] == 3
    resumed, epochs = run(make_ensemble([2, 0], momentum=0.9, data=data), checkpoints=checkpoints)
    assert list(epochs) == [4, 5]
    for ours, theirs in ((0, 2), (1, 0)):
        for name, value in resumed[ours].items():
            np.testing.assert_array_equal(value, whole[theirs][name])


def test_a_member_that_diverges_is_recorded_and_stops_nobody():
    table, rows, labels, validation = make_data(3)
    table[7] = 1e200  # whoever trains on this row overflows
    rows[rows == 7] = 8
    clean, _ = run(make_ensemble([0, 1, 2], data=(table, rows, labels, validation)))
    rows = rows.clone()
    rows[1, 0] = 7
    results, saved = run(make_ensemble([0, 1, 2], data=(table, rows, labels, validation)))
    assert [int(results[m]["diverged_epoch"]) for m in range(3)] == [0, 2, 0]
    assert np.isnan(results[1]["train_loss"]).all()
    assert np.isnan(results[1]["train_accuracy"]).all()
    assert sorted(saved[2]) == [0, 2]
    for member in (0, 2):
        for name, value in results[member].items():
            np.testing.assert_array_equal(value, clean[member][name])


EVERY = {
    "epochs": 70,
    "learning_rate": 0.1,
    "decay_every": None,
    "decay_factor": 0.5,
    "evaluate_every": 1,
}


def learnable(members):
    """Return data whose labels go with the inputs, so that all of it can be fitted."""
    table, rows, _, validation = make_data(members)
    return table, rows, rows % 5, validation


def training_of(members, data=None):
    return make_ensemble(members, momentum=0.8, data=data or learnable(len(members)))


def reached(accuracies, threshold):
    """Return the first epoch, counted from 1, of at least this accuracy; 0 if there is none."""
    return int(np.argmax(accuracies >= threshold)) + 1 if (accuracies >= threshold).any() else 0


@pytest.mark.parametrize("threshold", [1.0, 0.9, 0.5])
def test_a_member_leaves_once_it_has_converged(threshold):
    whole, _ = run(training_of([0, 1, 2]), EVERY)
    ours, saved = run(training_of([0, 1, 2]), EVERY | {"threshold": threshold})
    assert sorted(ours) == [0, 1, 2]
    expected = [reached(whole[m]["train_accuracy"], threshold) for m in range(3)]
    assert len(set(expected)) > 1
    assert [int(ours[m]["converged_epoch"]) for m in range(3)] == expected
    for member, epoch in enumerate(expected):
        for name in training.MEASURES:
            np.testing.assert_array_equal(ours[member][name][:epoch], whole[member][name][:epoch])
            assert np.isnan(ours[member][name][epoch:]).all()
        assert sum(member in present for present in saved.values()) == epoch - 1
        assert ours[member]["misclassified"].mean() <= 1 - threshold + 1e-12


def test_who_does_not_converge_is_trained_to_the_end():
    few = EVERY | {"epochs": 3}
    whole, _ = run(training_of([0, 1]), few)
    ours, _ = run(training_of([0, 1]), few | {"threshold": 1.0})
    for member in (0, 1):
        assert ours[member].pop("converged_epoch") == 0
        for name, value in ours[member].items():
            np.testing.assert_array_equal(value, whole[member][name])
    assert "converged_epoch" not in training.as_dataset(whole[0], few)


def test_converged_at_the_last_epoch_is_converged():
    whole, _ = run(training_of([0]), EVERY)
    last = reached(whole[0]["train_accuracy"], 1.0)
    ours, _ = run(training_of([0]), EVERY | {"epochs": last, "threshold": 1.0})
    assert int(ours[0]["converged_epoch"]) == last


def test_an_accuracy_of_exactly_the_threshold_suffices():
    for errors, examples in ((1, 50), (200, 4000), (7, 70), (3, 1000), (29, 100)):
        record = training._empty(EVERY | {"threshold": 0.9}, examples)
        wrong = np.arange(examples)[None] < errors
        score = training.Score(np.ones(1), 1 - wrong.mean(1), np.ones(1), wrong)
        exact = (examples - errors) / examples
        training._note(record, score, 0, 5, 4, exact)
        assert record["converged_epoch"] == 5
        record["converged_epoch"] = np.array(0)
        training._note(record, score, 0, 5, 4, exact + 0.5 / examples)
        assert record["converged_epoch"] == 0


def test_convergence_does_not_depend_on_company():
    settings = EVERY | {"threshold": 0.9}
    group, _ = run(training_of([0, 1, 2, 3, 4]), settings)
    for member in range(5):
        data = of_members(learnable(5), [member])
        alone, _ = run(training_of([member], data), settings)
        for name, value in alone[0].items():
            np.testing.assert_array_equal(value, group[member][name])


def test_a_checkpoint_resumes_after_others_have_left():
    settings = EVERY | {"threshold": 0.9}
    whole, saved = run(training_of([0, 1, 2]), settings)
    first = min(int(record["converged_epoch"]) for record in whole.values())
    left = sorted(saved[first])
    assert 0 < len(left) < 3
    data = of_members(learnable(3), left)
    resumed, _ = run(training_of(left, data), settings, [saved[first][m] for m in left])
    for ours, theirs in enumerate(left):
        for name, value in resumed[ours].items():
            np.testing.assert_array_equal(value, whole[theirs][name])


def test_a_member_that_diverges_has_not_converged():
    table, rows, labels, validation = learnable(2)
    table[7] = 1e200
    rows[rows == 7] = 8
    rows[1, 0] = 7
    data = table, rows, labels, validation
    ours, _ = run(training_of([0, 1], data), EVERY | {"threshold": 0.5})
    assert ours[0]["converged_epoch"] > 0
    assert (int(ours[1]["converged_epoch"]), int(ours[1]["diverged_epoch"])) == (0, 1)
    member = training.as_dataset(ours[1], EVERY)
    assert member["converged_epoch"] == 0


LEVELLING = EVERY | {"epochs": 40, "threshold": 1.0, "plateau": {"epochs": 5, "gain": 0.05}}


def levelling(accuracies, settings=LEVELLING):
    """Return the epoch at which a whole training would have ended, and which of its ends it is."""
    for epoch in range(1, len(accuracies) + 1):
        if accuracies[epoch - 1] >= settings["threshold"]:
            return epoch, "converged_epoch"
        so_far = accuracies[:epoch]
        if levelled_off(so_far, np.arange(1, epoch + 1), **PLATEAU):
            return epoch, "plateau_epoch"
    return 0, None


PLATEAU = {"window": 5, "gain": 0.05}


def hard(members):
    """Return data of which some can be fitted and some has random labels: some level off."""
    table, rows, labels, validation = make_data(members)
    learned = rows % 5
    labels = labels.clone()
    labels[::2] = learned[::2]
    return table, rows, labels, validation


def test_a_member_leaves_once_it_has_converged_or_levelled_off():
    members = [0, 1, 2, 3, 4]
    whole, _ = run(training_of(members, hard(5)), EVERY | {"epochs": 40})
    ours, saved = run(training_of(members, hard(5)), LEVELLING)
    expected = [levelling(whole[m]["train_accuracy"]) for m in members]
    assert {end for _, end in expected} >= {"plateau_epoch"}
    assert len({epoch for epoch, _ in expected}) > 1
    for member, (epoch, end) in enumerate(expected):
        for name in ("converged_epoch", "plateau_epoch"):
            assert int(ours[member][name]) == (epoch if name == end else 0)
        last = epoch or 40
        for name in training.MEASURES:
            np.testing.assert_array_equal(ours[member][name][:last], whole[member][name][:last])
            assert np.isnan(ours[member][name][last:]).all()
        assert sum(member in present for present in saved.values()) == last - 1


def test_levelling_off_does_not_depend_on_company():
    group, _ = run(training_of([0, 1, 2, 3, 4], hard(5)), LEVELLING)
    assert len({int(record["plateau_epoch"]) for record in group.values()}) > 1
    for member in range(5):
        data = of_members(hard(5), [member])
        alone, _ = run(training_of([member], data), LEVELLING)
        for name, value in alone[0].items():
            np.testing.assert_array_equal(value, group[member][name])


def test_a_checkpoint_resumes_to_the_same_plateau():
    whole, saved = run(training_of([0, 1, 2, 3, 4], hard(5)), LEVELLING)
    ends = [int(whole[m]["plateau_epoch"] or whole[m]["converged_epoch"] or 40) for m in range(5)]
    for at in (min(ends), max(ends) - 1):  # after some have left, and just before the last one
        left = sorted(saved[at])
        assert 0 < len(left) < 5
        own = of_members(hard(5), left)
        resumed, _ = run(training_of(left, own), LEVELLING, [saved[at][m] for m in left])
        for ours, theirs in enumerate(left):
            for name, value in resumed[ours].items():
                np.testing.assert_array_equal(value, whole[theirs][name])


def test_a_training_without_a_plateau_has_none_in_its_record():
    ours, _ = run(training_of([0]), EVERY | {"epochs": 3, "threshold": 1.0})
    assert "plateau_epoch" not in ours[0]


@pytest.mark.parametrize(
    ("asked", "taken", "expected"),
    [(300, 0.1, 300), (300, 10, 300), (300, 40, 800), (0.001, 0.9, 0.001), (0.001, 2, 40)],
)
def test_checkpoints_are_due_by_the_clock_unless_they_take_long(
    monkeypatch, asked, taken, expected
):
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    clock = training.CheckpointClock(asked)
    for interval in (asked, expected, expected):
        now[0] += 0.99 * interval
        assert not clock.due()
        now[0] += 0.02 * interval
        assert clock.due()
        with clock.writing():
            now[0] += taken
