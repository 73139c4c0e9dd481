"""Within an update nothing waits for the device: no operation needs a number of it on the host.

On the CPU such operations cost nothing, on CUDA each of them stops the queue of kernels. Here every
operation of an update is watched, on the CPU, for those that would.
"""

import pytest
import torch

from operations import Watch
from rote.runs.device_data import DeviceData
from rote.study import plan
from rote.study.run_settings import of_run

CNN = {"maps": 3, "dense": [4], "padding": "same", "pooling_stride": 2}
REGULARIZED = {
    "weight_decay": 0.1,
    "dropout": 0.5,
    "input_dropout": 0.2,
    "hidden_noise": 0.1,
    "input_noise": 0.1,
}


def watched(noised, settings, strengths, model=None, *, members=2, together=False) -> Watch:
    """Train some members for two epochs, and watch the updates of the second."""
    run = of_run("capacity", settings, "units-6", "float32")
    run["training"] |= {"momentum": 0.9}
    run["model"] = model or run["model"]
    run["adversarial_examples"] = {"alpha": 9.0, "beta": 1.0, "radius": 9.0, "max_iterations": 2}
    chosen = [plan.Member(*member)._replace(**strengths) for member in run["members"][:members]]
    assert len(chosen) == members
    ensemble = DeviceData(noised, run, chosen, "cpu").ensemble(chosen)
    ensemble.regularization.together = together
    ensemble.train_epoch(1)
    watch, update = Watch(), ensemble._update

    def watched_update(*batch: torch.Tensor) -> None:
        with watch:
            update(*batch)

    ensemble._update = watched_update
    ensemble.train_epoch(2)
    assert watch.seen > 50
    return watch


@pytest.mark.parametrize("strengths", [{}, REGULARIZED], ids=["plain", "regularized"])
def test_an_mlp_waits_for_nothing(noised, settings, strengths):
    assert watched(noised, settings, strengths).waited == set()


@pytest.mark.parametrize("strengths", [{}, REGULARIZED], ids=["plain", "regularized"])
def test_a_cnn_waits_for_nothing(noised_digits, settings, strengths):
    assert watched(noised_digits, settings, strengths, CNN).waited == set()


def test_adversarial_training_waits_for_the_search_alone(noised, settings):
    # Which examples are found decides how many go on: the search has to ask.
    assert watched(noised, settings, {"adversarial": 0.5}).waited == {"nonzero"}


@pytest.mark.parametrize("model", [None, CNN], ids=["mlp", "cnn"])
def test_adversarial_training_together_waits_for_nothing(request, settings, model):
    # As on CUDA: one call for all members, but for the noise, which each draws for itself.
    noised = request.getfixturevalue("noised_digits" if model else "noised")
    few, many = (
        watched(noised, settings, {"adversarial": 0.5}, model, members=n, together=True)
        for n in (2, 6)
    )
    assert few.waited == many.waited == set()
    updates = -(-noised.sizes["example"] // settings["training"]["batch_size"])
    # A member more adds a part of the noise, and the draw; for a CNN also parts, a view and the
    # copy of its images.
    assert (many.seen - few.seen) / (4 * updates) == (4 if model else 2)


def test_the_watch_sees_what_waits():
    x = torch.arange(3.0)
    for function, name in (
        (lambda: x.sum().item(), "_local_scalar_dense"),
        (lambda: x[x > 1], "index"),
        (lambda: torch.tensor([1.0, 2.0]), "lift_fresh"),
        (lambda: x.nonzero(), "nonzero"),
    ):
        with Watch() as watch:
            function()
        assert name in watch.waited
