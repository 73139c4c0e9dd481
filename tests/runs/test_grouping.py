import pytest

from rote.runs.grouping import SizeSearch, groups


@pytest.mark.parametrize(
    ("each", "limit", "best"),
    [
        ({1: 10, 2: 6, 4: 4, 8: 3.9, 16: 5}, 100, 8),
        ({1: 1, 2: 1.5}, 100, 1),
        ({1: 4, 2: 3, 4: 2}, 7, 4),  # 8 would not fit
        ({}, 1, 1),
        ({1: 4, 2: 4.2, 4: 3, 8: 5}, 64, 4),  # a little worse is no reason to stop
    ],
)
def test_search_finds_the_least_time_per_member(each, limit, best):
    search = SizeSearch(limit)
    measured = []
    while not search.settled:
        measured.append(search.size)
        search.record(search.size, each[search.size] * search.size)
    assert search.size == best
    assert measured == list(each)


def test_settled_groups_are_few_and_even():
    search = SizeSearch(4)
    search.size, search.settled = 4, True
    assert [len(group) for group in groups(list(range(10)), search)] == [4, 3, 3]


def test_groups_that_grow_hold_every_member_once(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))  # every group takes 1 s
    search = SizeSearch(8)
    split = list(groups(list(range(20)), search))
    assert [len(group) for group in split] == [1, 2, 4, 8, 5]
    assert [i for group in split for i in group] == list(range(20))
    assert search.settled
    assert search.size == 8
