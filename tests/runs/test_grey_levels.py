"""Lengths in grey levels are those of the inputs' own scale, which is not 1/255 if standardized."""

import pytest
import xarray as xr

from rote.data import noising
from rote.files.store import Store
from rote.runs import complexity, device_data
from rote.study import plan
from rote.study.plan import Member
from rote.study.run_settings import of_run


@pytest.fixture(params=["unit", "standardized"])
def noised(request, source, settings) -> xr.Dataset:
    data = plan.data_settings(settings) | {"scaling": request.param}
    dataset = noising.noise_dataset(source, data).assign_attrs(dataset="Synthetic", settings="{}")
    return xr.decode_cf(dataset).load()


def grey_level(noised: xr.Dataset, source: xr.Dataset) -> float:
    """Return what a grey level is in inputs: from two images that were read, not from a number."""
    blocks = source["image"].values[:, 0].astype(float).reshape(len(source.example), 4, 2, 4, 2)
    grey = blocks.mean((2, 4))[noised["index"].values]
    inputs = noised["image"].values[:, 0]
    return (inputs.max() - inputs.min()) / (grey.max() - grey.min())


def test_the_search_for_critical_samples(
    noised, source, complexity_settings, tmp_path, monkeypatch
):
    searched, original = [], complexity.critical_samples

    def spy(logits, inputs, **lengths):
        searched.append([lengths[name] for name in ("alpha", "beta", "radius")])
        return original(logits, inputs, **lengths)

    monkeypatch.setattr(complexity, "critical_samples", spy)
    settings = of_run("complexity", complexity_settings, "synthetic_mlp", "float32")
    settings["members"] = settings["members"][:1]
    complexity.compute_run(noised, settings, Store(tmp_path), name="test", device="cpu")
    scale = grey_level(noised, source)
    assert searched[0] == pytest.approx([10 * scale, 4 * scale, 20 * scale])


def test_adversarial_training(noised, source, run_settings):
    lengths = {"alpha": 8.0, "beta": 0.2, "radius": 16.0}
    settings = run_settings | {"adversarial_examples": lengths | {"max_iterations": 2}}
    members = [Member("real", 0.0, 0, 0, 0.1, 0.0, adversarial=0.5)]
    data = device_data.DeviceData(noised, settings, members, "cpu")
    search, scale = data.ensemble(members).regularization.search, grey_level(noised, source)
    assert {name: search[name] for name in lengths} == pytest.approx(
        {name: length * scale for name, length in lengths.items()}
    )
