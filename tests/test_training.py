import numpy as np
import pytest

from rote import plan, training
from test_ensemble import make_data, make_ensemble

SETTINGS = {"epochs": 5, "learning_rate": 0.1, "halve_every": 2, "evaluate_every": 2}


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
        by_hand.sgd.learning_rate = 0.1 * 0.5 ** ((epoch - 1) // 2)
        by_hand.train_epoch(epoch)
    score = by_hand.evaluate()
    for member in (0, 1):
        for name in training.MEASURES:
            assert results[member][name][-1] == getattr(score, name)[member]
        np.testing.assert_array_equal(results[member]["misclassified"], score.misclassified[member])


def test_a_checkpoint_resumes_to_the_same_result():
    whole, saved = run(make_ensemble([0, 1, 2], momentum=0.9))
    table, rows, labels, validation = make_data(3)
    data = table, rows[[2, 0]], labels[[2, 0]], validation
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


@pytest.mark.parametrize(
    ("every", "rates"), [(None, [8] * 5), (1, [8, 4, 2, 1, 0.5]), (2, [8, 8, 4, 4, 2])]
)
def test_learning_rate_is_halved(every, rates):
    settings = {"learning_rate": 8, "halve_every": every}
    assert [training.learning_rate(settings, epoch) for epoch in range(1, 6)] == rates
