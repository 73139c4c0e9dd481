"""Lengths in grey levels are those of the pixels, however these are scaled to inputs."""

import numpy as np
import pytest
import torch
import xarray as xr

from rote.data import noising
from rote.files import netcdf
from rote.files.store import Store
from rote.models.ensemble import epoch_order
from rote.runs import complexity, device_data, members
from rote.study import plan
from rote.study.plan import Member
from rote.study.run_settings import of_run

LENGTHS = {"alpha": 40.0, "beta": 0.0, "radius": 16.0}


@pytest.fixture(scope="session")
def colour(source) -> xr.Dataset:
    """Images whose channels, and which themselves, differ in contrast."""
    image = source["image"].values
    contrast = np.random.default_rng(0).uniform(0.3, 1, (len(image), 1, 1, 1))
    channels = [image * contrast, 120 + image / 3 * contrast, 255 - image / 5 * contrast]
    names = "example", "channel", "row", "column"
    return source.assign(image=(names, np.concatenate(channels, 1).astype(np.uint8)))


def scaled(colour, settings, folder, scaling: str) -> xr.Dataset:
    """Return the noised data set of these images, as it is read from its file."""
    data = plan.data_settings(settings) | {"scaling": scaling, "image_size": None, "crop": 2}
    dataset = noising.noise_dataset(colour, data).assign_attrs(dataset="Colour", settings="{}")
    netcdf.write(dataset, folder / f"{scaling}.nc")
    return netcdf.read(folder / f"{scaling}.nc")


@pytest.fixture(params=["unit", "standardized", "per_channel", "per_image"])
def noised(request, colour, settings, tmp_path) -> xr.Dataset:
    return scaled(colour, settings, tmp_path, request.param)


@pytest.fixture
def unit(colour, settings, tmp_path) -> xr.Dataset:
    """The same examples and noise in [0, 1]."""
    return scaled(colour, settings, tmp_path, "unit")


def grey_level(inputs: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return what a grey level is in each number of inputs (images, features), by their ranges.

    ``unit`` is the same in [0, 1]. Each channel of an image has a range of its own.
    """
    inputs, unit = (part.reshape(len(part), 3, -1) for part in (inputs, unit))
    level = np.ptp(inputs, 2) / (255 * np.ptp(unit, 2))
    return np.repeat(level, inputs.shape[2], 1)


def test_the_search_for_critical_samples(noised, unit, complexity_settings, tmp_path, monkeypatch):
    searched, original = [], complexity.critical_samples

    def spy(logits, inputs, **settings):
        lengths = [settings[name] for name in ("alpha", "beta", "radius")]
        shape = inputs.shape
        searched.append(
            (inputs.cpu().numpy(), [torch.as_tensor(x).cpu().expand(shape) for x in lengths])
        )
        return original(logits, inputs, **settings)

    monkeypatch.setattr(complexity, "critical_samples", spy)
    settings = of_run("complexity", complexity_settings, "synthetic_mlp", "float32")
    settings["members"] = [list(Member("randX", 0.4, 1, 1, 0.1, 0.0))]
    settings["critical_samples"] |= {"epochs": [6]}
    settings["keep_epochs"] = [6]
    complexity.compute_run(noised, settings, Store(tmp_path / "own"), name="test", device="auto")
    complexity.compute_run(unit, settings, Store(tmp_path / "unit"), name="test", device="auto")
    for (inputs, lengths), (in_unit, _) in zip(searched[:2], searched[2:], strict=True):
        level = grey_level(inputs, in_unit)
        for length, grey_levels in zip(lengths, (10, 4, 20), strict=True):
            np.testing.assert_allclose(length, grey_levels * level, rtol=1e-4)
    assert not np.allclose(searched[0][0], searched[1][0])  # real inputs, and noise


def test_adversarial_training(noised, unit, run_settings):
    settings = run_settings | {"adversarial_examples": LENGTHS | {"max_iterations": 2}}
    trained = [
        Member("real", 0.0, 0, 0, 0.1, 0.0, adversarial=0.5),
        Member("randX", 1.0, 1, 1, 0.1, 0.0, adversarial=0.5),
        Member("randX", 0.4, 0, 2, 0.1, 0.0, adversarial=0.5),
    ]
    ensemble, as_unit = (
        device_data.DeviceData(data, settings, trained).ensemble(trained) for data in (noised, unit)
    )
    ensemble.select([0, 2])
    as_unit.select([0, 2])
    moved, original = [], ensemble.model.step

    def spy(inputs, *arguments):
        half = inputs.shape[1] // 2
        moved.append((inputs[:, half:] - inputs[:, :half]).cpu().numpy())
        return original(inputs, *arguments)

    ensemble.model.step = spy
    order = epoch_order(ensemble.seeds, 1, 100).to(ensemble.rows.device)
    ensemble.train_epoch(1)
    moved = np.concatenate(moved, 1)
    for member in range(2):
        rows = ensemble.rows[member, order[member]]
        level = grey_level(
            *(e.table[rows, : e.model.features].cpu().numpy() for e in (ensemble, as_unit))
        )
        distance = np.abs(moved[member]) / level
        assert distance.max() <= 16 * (1 + 1e-3)
        # As steps are larger than the box, whatever moves ends on its border.
        np.testing.assert_allclose(distance[distance > 0.1], 16, rtol=1e-3)
        assert (distance > 0.1).mean() > 0.9


def test_fingerprints_tell_scalings_apart_and_hold_the_lengths(colour, settings, tmp_path):
    contents = {}
    for kind in ("real", "randX", "randY"):
        member = Member(kind, 0.0 if kind == "real" else 0.4, 0, 0, 0.1, 0.0)
        for scaling in ("unit", "standardized", "per_channel", "per_image"):
            noised = scaled(colour, settings, tmp_path, scaling)
            content = members.DataContent(noised).determinants(member)
            assert content not in contents.values()
            contents[kind, scaling] = content
            for name in noised.data_vars:
                if not name.endswith("inputs_per_grey_level"):
                    continue
                other = noised.assign({name: noised[name] * 2})
                changed = members.DataContent(other).determinants(member) != content
                assert changed == (kind == "randX" or not name.startswith("noise"))
    per_channel = contents["real", "per_channel"]["scale"]
    assert [len(value) for value in per_channel] == [3, 3, 3]
