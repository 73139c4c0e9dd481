"""From members to tables: what members differ in becomes dimensions."""

import numpy as np
import xarray as xr

from rote.metrics import join_runs, real_as_every_kind, unstack_conditions, unstack_members

NAMED = {"long_name": "made up", "units": "1"}
MEMBERS = [  # in no order
    ("randY", 1.0, 1),
    ("real", 0.0, 1),
    ("randX", 1.0, 0),
    ("real", 0.0, 0),
    ("randX", 1.0, 1),
    ("randY", 1.0, 0),
]


def made_up(offset: int = 0, epochs=(1, 2)) -> xr.Dataset:
    """Return a run whose ``number`` counts its members from ``offset`` on."""
    kinds, levels, seeds = zip(*MEMBERS, strict=True)
    numbers = offset + np.arange(len(MEMBERS), dtype=np.int32)
    return xr.Dataset(
        {
            "number": ("member", numbers, NAMED),
            "odd": ("member", numbers % 2 == 1, NAMED),
            "accuracy": (("member", "epoch"), np.add.outer(numbers, epochs) / 8, NAMED),
        },
        coords={
            "noise_kind": ("member", list(kinds), NAMED),
            "noise_level": ("member", list(levels), NAMED),
            "seed": ("member", list(seeds), NAMED),
            "dropout": ("member", np.zeros(len(MEMBERS)), NAMED),
            "epoch": ("epoch", list(epochs), NAMED),
        },
        attrs={"train_examples": 100},
    )


def test_members_become_a_table_of_the_same_types():
    table = unstack_members(made_up(), "noise_kind", "seed")
    assert table["number"].dims == ("noise_kind", "seed")
    assert table["noise_kind"].values.tolist() == ["randX", "randY", "real"]
    assert table["number"].values.tolist() == [[2, 4], [5, 0], [3, 1]]
    assert (table["number"].dtype, table["odd"].dtype) == (np.int32, bool)
    assert table["seed"].attrs == table["number"].attrs == NAMED
    assert set(table.coords) == {"noise_kind", "seed", "epoch"}
    assert not table.attrs


def test_a_member_that_is_not_there_is_missing():
    table = unstack_members(made_up().isel(member=slice(1, None)), "noise_kind", "seed")
    accuracy = table["accuracy"].sel(epoch=1)
    assert accuracy.isnull().sum() == 1
    assert accuracy.sel(noise_kind="randY", seed=1).isnull()


def test_real_data_is_level_0_of_every_kind():
    members = real_as_every_kind(made_up())
    table = unstack_members(members, "noise_kind", "noise_level", "seed")["number"]
    assert table["noise_kind"].values.tolist() == ["randX", "randY"]
    assert table.dtype == np.int32
    assert table.sel(noise_level=0).values.tolist() == [[3, 1], [3, 1]]
    assert table.sel(noise_level=1).values.tolist() == [[2, 4], [5, 0]]


def test_conditions_stand_in_the_order_of_the_members():
    table = unstack_conditions(made_up())
    assert table["condition"].values.tolist() == ["randY", "real", "randX"]
    assert table["accuracy"].dims == ("condition", "epoch", "seed")
    assert table["number"].values.tolist() == [[5, 0], [3, 1], [2, 4]]


def test_what_runs_differ_in_is_a_coordinate_of_their_members():
    runs = [made_up().assign_coords(units=8), made_up(10, epochs=(2, 4)).assign_coords(units=4)]
    table = unstack_members(join_runs(runs), "noise_kind", "units", "seed")
    assert table["units"].values.tolist() == [4, 8]
    assert table["number"].sel(noise_kind="real").values.tolist() == [[13, 11], [3, 1]]
    assert table["epoch"].values.tolist() == [1, 2, 4]
    real = table["accuracy"].sel(noise_kind="real", seed=0, units=8)
    np.testing.assert_array_equal(real, [4 / 8, 5 / 8, np.nan])
    alone = unstack_members(join_runs(runs[:1]), "noise_kind", "units", "seed")
    assert alone["number"].sel(noise_kind="real").values.tolist() == [[3, 1]]
