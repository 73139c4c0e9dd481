import pytest

from rote.machine import device as devices
from rote.runs import device_data
from rote.runs.device_data import DeviceData
from rote.runs.grouping import SizeSearch, groups
from rote.study.plan import Member


@pytest.mark.parametrize(
    ("each", "limit", "best"),
    [
        ({1: 10, 2: 6, 4: 4, 8: 3.9, 16: 5}, 100, 8),
        ({1: 1, 2: 1.5}, 100, 1),
        ({1: 4, 2: 3, 4: 2, 7: 3}, 7, 4),
        ({1: 4, 2: 3, 4: 2, 7: 1}, 7, 7),  # 8 would not fit
        ({}, 1, 1),
        ({1: 4, 2: 4.2, 4: 3, 8: 5}, 64, 4),  # a little worse is no reason to stop
        ({1: 4, 2: 3, 4: 2.95, 8: 2.93}, 64, 8),  # a little better, twice, is one
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


def test_small_models_are_not_measured_in_small_groups():
    search = SizeSearch(27, 6)
    measured = []
    while not search.settled:
        measured.append(search.size)
        search.record(search.size, 1.0)
    assert measured == [6, 12, 24, 27]
    assert SizeSearch(5, 6).settled
    assert SizeSearch(5, 6).size == 5


def test_settled_groups_are_few_and_even():
    search = SizeSearch(4)
    search.size, search.settled = 4, True
    assert [len(group) for group in groups(list(range(10)), search)] == [4, 3, 3]


def test_groups_that_grow_hold_every_member_once(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr("time.process_time", lambda: next(clock))  # every group takes 1 s
    search = SizeSearch(8)
    split = list(groups(list(range(20)), search))
    assert [len(group) for group in split] == [1, 2, 4, 8, 5]
    assert [i for group in split for i in group] == list(range(20))
    assert search.settled
    assert search.size == 8


@pytest.mark.parametrize(("members_that_fit", "size"), [(0.5, 1), (4.9, 4), (100, 10)])
def test_where_nothing_is_timed_groups_take_the_memory_they_may(
    noised, run_settings, monkeypatch, members_that_fit, size
):
    members = [Member(*member) for member in run_settings["members"]]
    assert len(members) == 10
    run_settings["training"]["epochs"] = 1000  # so long that the CPU would make a trial
    data = DeviceData(noised, run_settings, members)
    memory = members_that_fit * data._bytes_of_member(members[0])[0]
    monkeypatch.setattr(devices, "bytes_of_group", lambda device: int(memory))
    monkeypatch.setattr(data, "seconds_of_update", None)
    data.timed = False  # as on CUDA
    search = data.size_search(members)
    assert search.settled
    assert search.size == size


def test_groups_are_timed_on_the_cpu_alone(noised, run_settings, device, monkeypatch):
    monkeypatch.setattr(device_data, "SMALL_BYTES", 0)  # even models as small as these
    members = [Member(*member) for member in run_settings["members"]]
    data = DeviceData(noised, run_settings, members)
    assert data.timed == (device.type == "cpu")
    assert data.size_search(members).settled == (device.type == "cuda")
