import numpy as np
import pytest
import xarray as xr

from rote.files.arrays import decode, encode


def test_a_dataset_comes_back_as_it_was():
    rng = np.random.default_rng(0)
    named = {"long_name": "with ü", "units": "1", "levels": [0.1, 2]}
    variables = {
        kind: (["a", "b"], (100 * rng.standard_normal((3, 4))).astype(kind), named)
        for kind in ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u8", ">f4", ">i4")
    }
    dataset = xr.Dataset(
        variables
        | {
            "mask": ("b", [True, False, True, True], named),
            "number": ((), np.int32(7), named),
            "words": ("a", ["real", "", "日本"], named),
            "nothing": (["none", "b"], np.empty((0, 4)), named),
            "odd": ("a", [np.nan, np.inf, -0.0], named),
            "turned": (["c", "a"], rng.standard_normal((3, 5)).T, {}),
        },
        coords={"b": ("b", [1, 2, 3, 5], named), "along_a": ("a", [1.0, 2.0, 3.0], named)},
        attrs={"epoch": 3, "of_numpy": np.int64(3), "text": "é", "rate": 0.1},
    )
    back = decode(encode(dataset))
    xr.testing.assert_identical(back, dataset)
    for name, variable in dataset.variables.items():
        if variable.dtype.kind in "biuf":
            assert back[name].dtype == variable.dtype.newbyteorder("=")
    back["number"].values[...] = 8  # what is read can be written to
    assert np.signbit(back["odd"].values[2])


def test_what_cannot_be_kept_is_refused():
    with pytest.raises(TypeError):
        encode(xr.Dataset({"when": ("a", np.array(["2026-01-01"], "M8[ns]"))}))
    with pytest.raises(TypeError):
        encode(xr.Dataset({"x": ("a", np.array([1 + 2j]))}))
