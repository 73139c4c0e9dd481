"""What is measured: for each job the sides that do the same work, rote's among them."""

import tempfile
from collections.abc import Callable
from typing import NamedTuple

import critical_samples as lass
import ensemble_against_loop as loops
import numpy as np
import sensitivity_against_unrolled as unrolled
import torch
import xarray as xr
from sides import torch_func

from rote.files.store import Store
from rote.measures.critical_samples import critical_samples
from rote.measures.sensitivity import class_sensitivity, loss_sensitivity
from rote.runs.device_data import DeviceData
from rote.runs.training import compute_run
from rote.study import work

ROTE, STORED, LOOP, FUNC = "rote", "rote, stored", "usual loop", "torch.func"
JAX, COMPILED = "JAX", "JAX with compiling"
COLD = LOOP, COMPILED, JAX  # those that no turn before makes faster: JAX compiles in each


class Job(NamedTuple):
    """Work that several sides do: each returns an array, and all arrays must be about equal."""

    name: str
    units: int
    sides: dict[str, Callable[[], np.ndarray]]
    equal: float = 0.0  # the least share of entries that must be rote's
    tolerance: float = 0.0  # relative, within which entries are equal


# (case of ensemble_against_loop, members that JAX trains at a time, the best of some that were
# tried: all, a half, a quarter and so on; share of misclassifications that must be equal).
TRAININGS = [
    (("Figure 3.1, 100 models", "difficulty", 64, 14, 100), 25, 0.995),
    *[
        (("Figure 1, a run of 10 epochs", "capacity", units, 14, 27), together, 0.98)
        for units, together in ((16, 27), (64, 27), (256, 9))
    ],
    (("Figure 3.1, 10 models", "difficulty", 1024, 14, 10), 2, 0.995),
    (("Figure 3.1, 2 models", "difficulty", 4096, 14, 2), 2, 0.995),
]
# (name, (classes, updates, times) of sensitivity_against_unrolled, whether by classes, times that
# JAX takes together).
SENSITIVITIES = [
    ("loss-sensitivity, 10 times", (10, 1000, 10), False, 1),
    ("loss-sensitivity, 100 times", (10, 1000, 100), False, 2),
    ("loss-sensitivity, by classes", (10, 1000, 10), True, 1),
]
# (name, whether with noise).
SEARCHES = [("LASS, without noise", False), ("LASS, with noise", True)]
ITERATIONS = 20


def training(digits: xr.Dataset, config: dict, case: tuple, device, has_jax: bool) -> Job:
    """Return the training of a case of ``TRAININGS``, of models that start alike."""
    case, together, equal = case
    noised, run, members = loops.prepared(digits, config, case)
    widths, schedule = loops.widths_of(noised, run), run["training"]

    def begun(some: list):
        return DeviceData(noised, run, members, device.type).ensemble(some)

    def rates(some: list) -> list[float]:
        return [member.learning_rate for member in some]

    def stored() -> np.ndarray:
        own = {**run, "members": [list(m) for m in members], "keep_misclassified": True}
        with tempfile.TemporaryDirectory() as folder:
            named = noised.assign_attrs(dataset="digits", settings="")
            result = compute_run(named, own, Store(folder), name=case[0], device=device.type)
        return result["misclassified"].values

    def by_jax() -> np.ndarray:
        from sides import jax_training

        data, parts = DeviceData(noised, run, members, device.type), []
        for first in range(0, len(members), together):
            some = members[first : first + together]
            parts.append(jax_training.train(data.ensemble(some), rates(some), schedule))
        return np.concatenate(parts)

    def by_func() -> np.ndarray:
        model = loops.sequential(widths).to(device)
        return torch_func.train(model, begun(members), rates(members), schedule).cpu().numpy()

    sides = {
        ROTE: lambda: loops.ensemble(noised, run, members, device),
        STORED: stored,
        LOOP: lambda: loops.usual_loop(noised, run, members, device, begun(members)),
        FUNC: by_func,
    }
    jax_sides = {COMPILED: by_jax, JAX: by_jax} if has_jax else {}
    return Job(case[0], case[2], sides | jax_sides, equal)


def sensitivity(case: tuple, device) -> Job:
    """Return a case of ``SENSITIVITIES``, against JAX."""
    name, sizes, classes, together = case
    layers, inputs, labels, batches, rate, times = unrolled.prepared(sizes, device)
    measure = class_sensitivity if classes else loss_sensitivity
    terms = np.ones((len(labels), 1), np.float32)
    if classes:
        terms = np.eye(sizes[0], dtype=np.float32)[labels.cpu().numpy()]
    parameters = [p.cpu().numpy() for weight, bias in layers for p in (weight.mT, bias)]
    given = inputs.cpu().numpy(), labels.cpu().numpy().astype(np.int32)
    updates = np.stack([batch.cpu().numpy().astype(np.int32) for batch in batches])

    def by_rote() -> np.ndarray:
        return measure(layers, inputs, labels, batches, rate, times).cpu().numpy()

    def by_jax() -> np.ndarray:
        from sides import jax_measures

        arguments = parameters, *given, updates, rate, times, terms, together
        norms = jax_measures.sensitivity(*arguments)
        return norms.mean(0) @ terms / terms.sum(0) if classes else norms[:, 0]

    sides = {ROTE: by_rote, COMPILED: by_jax, JAX: by_jax}
    # Rounding alone can switch a ReLU, and then examples differ by per cents.
    return Job(name, unrolled.UNITS, sides, 0.8, 0.01)


def search(case: tuple, device) -> Job:
    """Return a case of ``SEARCHES`` against JAX: critical samples, which half of the inputs are.

    Where there is noise, each side draws its own.
    """
    noised, (images, labels, others) = lass.digits(device)
    name, examples, radius = lass.CASES[0]
    model = lass.trained(name, images, labels)
    lengths = lass.lengths_of(radius, noised.attrs["inputs_per_grey_level"])
    usual = lass.usual_search(model, others, **lengths, max_iterations=ITERATIONS, generator=None)
    chosen = lass.with_critical(others, usual, 0.5, examples)
    parameters = [(p.mT if p.ndim > 1 else p).detach().cpu().numpy() for p in model.parameters()]
    inputs, own = chosen.flatten(1).cpu().numpy(), lass.own(model)
    given = {**lengths, "max_iterations": ITERATIONS}
    if case[1]:
        given["beta"] = lengths["alpha"] * lass.NOISE

    def by_rote() -> np.ndarray:
        generator = torch.Generator(device).manual_seed(0)
        return critical_samples(own, chosen, **given, generator=generator).cpu().numpy()

    def by_jax() -> np.ndarray:
        from sides import jax_measures

        return jax_measures.critical_samples(parameters, inputs, **given)

    return Job(case[0], 128, {ROTE: by_rote, COMPILED: by_jax, JAX: by_jax}, 0.98)


class Step(NamedTuple):
    """The training step of a width: an epoch of a group."""

    units: int
    members: int
    run: Callable[[], None]
    multiply_adds: int


# (units, most members). Fewer of the wide ones: larger groups are slower anyway.
STEPS = [(16, 128), (64, 128), (256, 64), (1024, 8), (4096, 2)]


def step(digits: xr.Dataset, config: dict, units: int, most: int, device) -> Step:
    """Return an epoch of Figure 3.1's data in batches of 100, in the group size that is best."""
    case = "step", "difficulty", units, 14, most
    noised, run, members = loops.prepared(digits, config, case)
    data = DeviceData(noised, run, members, device.type)
    size = data.size_search(members, trial=True).size
    ensemble = data.ensemble(members[:size])
    first, *others = (layer.multiply_adds for layer in work.layers(run["model"], (1, 14, 14)))
    # Forward and to the weights' gradients; on to the inputs of hidden layers as well.
    each = 2 * first + 3 * sum(others)
    return Step(units, size, lambda: ensemble.train_epoch(1), size * noised.sizes["example"] * each)
