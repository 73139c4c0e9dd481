"""What is swept: figures and claims show the first value."""

import xarray as xr

from rote.metrics.sweeps import first_of_each


def test_figures_and_claims_see_the_first_value_of_what_is_swept():
    ratios = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], dims=("radius", "seed"))
    metrics = xr.Dataset({"ratio": ratios}, coords={"radius": [1.0, 0.3], "seed": [0, 1]})
    shown = first_of_each(metrics)
    assert shown["ratio"].dims == ("seed",)
    assert shown["ratio"].values.tolist() == [1.0, 2.0]
    assert shown["radius"].item() == 1.0
    assert metrics["ratio"].dims == ("radius", "seed")
