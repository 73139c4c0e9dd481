"""What training and measuring cost, counted before anything runs.

Of every run: the operations of its matrix products (a multiplication and an addition are two), the
bytes that go between the memory of the device and its processor, and the calls of kernels. They are
counted from the sizes alone, after the code of :mod:`rote.models.mlp`, :mod:`rote.models.cnn` and
:mod:`rote.measures.sensitivity`. With the rates of a device they become a time, from which the rules derive
what a job asks for.

Not counted: what regularisers draw, the search for the best group size, data that is read and
written. Counted to its limit, though it may end before: training to a threshold, and the search for
critical samples. Imports nothing but the standard library: the rules are read on every SLURM job.
"""

import math
from itertools import pairwise
from typing import NamedTuple

from rote.study import batches, plan, sizes
from rote.study.architecture import Architecture

NUMBER = 4  # bytes of a float32
CLASSES = 10  # of all data sets that rote knows by name, and assumed of others


class Work(NamedTuple):
    """An amount of work; it can be added, and multiplied by a number."""

    operations: float = 0.0
    bytes: float = 0.0
    calls: float = 0.0

    def __add__(self, other):
        """Return the work of both."""
        return Work(*(a + b for a, b in zip(self, other, strict=True)))

    def __mul__(self, factor):
        """Return the work of as many times the same."""
        return Work(*(a * factor for a in self))

    __rmul__ = __mul__


class Device(NamedTuple):
    """Rates that a device reaches."""

    name: str
    operations: dict[str, float]  # of matrix products, a second, by the precision of their factors
    bytes: float  # of memory traffic, a second
    call: float  # seconds from one kernel to the next, however small
    asynchronous: bool  # kernels are handed over while earlier ones still run

    def seconds(self, work: Work, precision: str = "float32") -> float:
        """Return the time of ``work`` if products and memory traffic never overlap."""
        busy = work.operations / self.operations[precision] + work.bytes / self.bytes
        calls = work.calls * self.call
        return max(busy, calls) if self.asynchronous else busy + calls

    def floor(self, work: Work, precision: str = "float32") -> float:
        """Return the time of ``work`` if they overlap perfectly, and calls cost nothing."""
        return max(work.operations / self.operations[precision], work.bytes / self.bytes)


def _hopper(name: str, bandwidth: float) -> Device:
    """Return a Hopper GPU: NVIDIA's data sheet, dense products, and what of it is assumed."""
    sheet = {"float32": 66.9e12, "tf32": 494.7e12, "bf16": 989.4e12}
    rates = {precision: MATRIX_EFFICIENCY * rate for precision, rate in sheet.items()}
    return Device(name, rates, BANDWIDTH_EFFICIENCY * bandwidth, CALL, asynchronous=True)


# Assumptions that nobody has measured for this study: the fractions of the data sheet's peaks that
# are reached, and the seconds from one small kernel to the next when Python hands them over.
MATRIX_EFFICIENCY, BANDWIDTH_EFFICIENCY, CALL = 0.6, 0.7, 8e-6
DEVICES = {"h100": _hopper("H100 SXM", 3.35e12), "h200": _hopper("H200 SXM", 4.8e12)}
# A slow core, also assumed: requests that are derived from it should rather be too long.
SLOW_CORE = Device("CPU core", {"float32": 2e10}, 5e9, 1e-5, asynchronous=False)


class Layer(NamedTuple):
    """A layer of a model, as the numbers of one example in it."""

    entering: int  # numbers that enter it
    inputs: int  # of each of its products
    outputs: int
    positions: int  # at which the weights are applied: 1 if it is dense
    leaving: int  # numbers that leave it, after the pooling

    @property
    def weights(self) -> int:
        """The number of weights, biases not counted."""
        return self.inputs * self.outputs

    @property
    def operations(self) -> int:
        """Operations of the forward pass of one example."""
        return 2 * self.weights * self.positions


def image(source: dict, data: dict) -> tuple[int, int, int]:
    """Return (channels, rows, columns) of an experiment's inputs, counted on as colour if unknown.

    Args:
        source: the data set's block under ``datasets`` in the configuration.
        data: the settings ``data`` of whoever trains on it.
    """
    known = sizes.published(source) or sizes.PUBLISHED["CIFAR10"]
    rows = data["image_size"] or known.rows
    return known.channels, rows, rows


def sources(experiment: str, settings: dict, datasets: dict) -> dict:
    """Return the block under ``datasets`` of an experiment; for ``complexity``, one a case."""
    if experiment == "complexity":
        return {case: datasets[own["data"]["dataset"]] for case, own in settings["cases"].items()}
    return datasets[settings["data"]["dataset"]]


def layers(model: dict, shape: tuple[int, int, int]) -> list[Layer]:
    """Return the layers of a model for inputs of ``shape`` (channels, rows, columns).

    ``model`` holds ``hidden_layers`` and ``hidden_units`` of an MLP, or ``maps``, ``dense`` and
    ``crop`` of a CNN.
    """
    if "maps" not in model:
        units = [math.prod(shape), *[model["hidden_units"]] * model["hidden_layers"], CLASSES]
        return [Layer(a, a, b, 1, b) for a, b in pairwise(units)]
    architecture = Architecture.of(model, shape, CLASSES)
    # Images of a folder, whose size is not known yet, are at least as large as they must be.
    sides = [max(side, architecture.smallest) for side in shape[1:]]
    architecture = architecture._replace(image=(shape[0], *sides))
    planes, products = architecture.planes(), architecture.products()
    convolutions = [
        Layer(math.prod(p.entering), *product, math.prod(p.convolved[1:]), math.prod(p.pooled))
        for p, product in zip(planes, products, strict=False)
    ]
    dense = [Layer(inputs, inputs, units, 1, units) for inputs, units in products[len(planes) :]]
    return convolutions + dense


def _evaluated(model: list[Layer]) -> int:
    """Return how many examples share a look at the weights in an evaluation."""
    return batches.EVALUATED_BY_CNN if model[0].positions > 1 else batches.EVALUATED


def evaluation(model: list[Layer], examples: float, batch: int) -> Work:
    """Return the work of the forward pass of one member on ``examples``, in batches."""
    # Products are written, read and written by the ReLU, and read by the next layer; the patches of
    # a convolution are read, written and read, and what is pooled passes about four times more.
    numbers = sum(
        4 * layer.positions * layer.outputs
        + (3 * layer.positions * layer.inputs + 4 * layer.leaving if layer.positions > 1 else 0)
        for layer in model
    )
    weights = sum(layer.weights for layer in model)
    return Work(
        operations=examples * sum(layer.operations for layer in model),
        bytes=NUMBER * (examples * (2 * model[0].entering + numbers) + examples / batch * weights),
    )


def update(model: list[Layer], batch: int, momentum: float, weight_decay: bool = False) -> Work:
    """Return the work of one update of one member; its calls are those of any number of members."""
    normalised = any(layer.positions > 1 for layer in model)
    # The optimizer reads and writes the parameter; with momentum, the velocity is read and written
    # twice and then read, with the parameter read and written. See rote.models.sgd.
    passes = (7 if momentum else 2) + (0 if not weight_decay else 3 if momentum else 2)
    operations, calls, numbers, weights = 0, 6, 4 * model[0].entering, 0
    for k, layer in enumerate(model):
        products = layer.positions * layer.outputs
        operations += layer.operations * (3 if k else 2)  # nothing is passed on to the inputs
        weights += layer.weights * (1 + (k > 0) + passes)
        calls += 2 * passes + 4
        if layer.positions > 1:
            patches = layer.positions * layer.inputs
            # Forward and for the gradient of the weights: copied from the planes, then multiplied;
            # for what is passed on: written, and added to the planes.
            numbers += (10 if k else 6) * patches + (12 if k else 11) * products
            numbers += 22 * layer.leaving
            rows = math.isqrt(layer.positions)
            strips = min(rows, -(-patches * batch // batches.STRIP))
            strips = -(-rows // -(-rows // strips))
            calls += strips * (4 + (27 if k else 0)) + 40
        else:
            # Written, the ReLU, read twice; the gradient: written, cut, read three times.
            numbers += 12 * products
            if normalised and k < len(model) - 1:
                numbers += 20 * products
                calls += 30
    return Work(batch * operations, NUMBER * (batch * numbers + weights), calls)


def search(model: list[Layer], examples: float, iterations: int, batch: int) -> Work:
    """Return the work of LASS for one member, if no example is found before the last iteration."""
    forward = evaluation(model, examples, batch)
    calls = math.ceil(examples / batch) * iterations * (20 + 12 * len(model))
    return (3 * iterations + 1) * forward._replace(
        operations=forward.operations * (2 * iterations + 1) / (3 * iterations + 1)
    ) + Work(calls=calls)


def training(run: dict, shape: tuple[int, int, int], data: dict) -> Work:
    """Return the work of a run of members that are trained as one group, from the first epoch on.

    Args:
        run: the settings of ``rote.study.plan.run_settings`` and its like.
        shape: (channels, rows, columns) of the inputs.
        data: ``train_examples`` and ``validation_examples``.
    """
    model, settings = layers(run["model"], shape), run["training"]
    members = [plan.Member(*member) for member in run["members"]]
    examples, batch = data["train_examples"], settings["batch_size"]
    adversarial = any(member.adversarial for member in members)
    decay = any(member.weight_decay for member in members)
    size = min(batch, examples) * (2 if adversarial else 1)
    one = update(model, size, settings["momentum"], decay)
    if adversarial:
        own = search(model, size // 2, run["adversarial_examples"]["max_iterations"], size // 2)
        one += own._replace(calls=own.calls * len(members))  # members are searched one by one
    updates = settings["epochs"] * -(-examples // batch)
    scored = len(plan.evaluated_epochs({"evaluate_every": 1, **settings}))
    seen = examples + data["validation_examples"]
    scores = scored * evaluation(model, seen, _evaluated(model))
    calls = scored * math.ceil(seen / _evaluated(model)) * (4 * len(model) + 6)
    together = updates * one + scores
    return (len(members) * together)._replace(calls=updates * one.calls + calls)


def sensitivity(run: dict, shape: tuple[int, int, int], data: dict) -> Work:
    """Return the work of a run of ``rote.measures.sensitivity``; arguments as those of :func:`training`."""
    settings, examples, members = run["training"], data["train_examples"], len(run["members"])
    classes = examples if run["labelling"] == "unique" else CLASSES
    *hidden, last = layers(run["model"], shape)
    model = [*hidden, last._replace(outputs=classes, leaving=classes)]
    batch = settings["batch_size"]
    updates = settings["epochs"] * -(-examples // batch)
    times = plan.evaluation_times(updates, run["evaluations"])
    class_times = plan.evaluation_times(updates, run["class_evaluations"])
    passed = sum(times) + classes * sum(class_times)  # updates that losses go back through
    # Of each layer, with the adjoint: two products forward and two backward, one for the weights'
    # adjoint, and another for it; on the first layer nothing enters that has moved.
    products = sum(layer.operations * (6 if k else 4) for k, layer in enumerate(model))
    weights = sum(layer.weights for layer in model)
    numbers = batch * (8 * model[0].entering + 12 * sum(layer.outputs for layer in model))
    through = Work(batch * products, NUMBER * (6 * weights + numbers))
    evaluated = evaluation(model, 2 * examples, _evaluated(model))
    joined = (len(times) + classes * len(class_times)) * evaluated
    # Losses are swept together as far as their gradients by all inputs fit 20 MiB.
    together = max(1, 20 * 2**20 // (NUMBER * examples * model[0].entering))
    sweeps = math.ceil(len(times) / together) + math.ceil(len(class_times) * classes / together)
    calls = updates * 25 + sweeps * updates / 2 * (60 + members)
    whole = updates * update(model, batch, 0.0) + passed * through + joined
    return (members * whole)._replace(calls=calls)


def runs(experiment: str, settings: dict, source: dict, precision: str) -> dict[str, Work]:
    """Return the work of every run of an experiment.

    Args:
        experiment: its name.
        settings: its block under ``presets`` in the configuration.
        source: the data set's block under ``datasets``; for ``complexity``, one for each case.
        precision: that of the configuration.
    """
    figures = [f for f, name in plan.EXPERIMENT_OF_FIGURE.items() if name == experiment]
    names = dict.fromkeys(run for figure in figures for run in plan.runs(figure, settings))
    return {name: run_work(experiment, name, settings, source, precision) for name in names}


def run_work(experiment: str, run: str, settings: dict, source: dict, precision: str) -> Work:
    """Return the work of one run; the arguments are those of :func:`runs`, and the run's name."""
    data = settings["cases"][run]["data"] if experiment == "complexity" else settings["data"]
    if experiment == "complexity":
        source = source[run]
    shape = image(source, data)
    if experiment == "sensitivity":
        return sensitivity(plan.sensitivity_settings(settings, run), shape, data)
    if experiment == "convergence":
        size = plan.convergence_data(settings, run).rpartition("-")[2]
        data = {**data, "train_examples": int(size)}
        return training(plan.convergence_settings(settings, run, precision), shape, data)
    if experiment == "regularization":
        return training(plan.regularization_settings(settings, run, precision), shape, data)
    if experiment == "complexity":
        own = plan.complexity_settings(settings, run, precision)
        found = own["critical_samples"]
        searched = sum(1 + (member[0] == "randX") for member in own["members"])
        model = layers(own["model"], shape)
        once = search(model, found["examples"], found["max_iterations"], batches.SEARCHED)
        return training(own, shape, data) + len(found["epochs"]) * searched * once
    units = int(run.removeprefix("units-"))
    return training(plan.run_settings(settings, units, precision), shape, data)


def data_bytes(data: dict, shape: tuple[int, int, int]) -> int:
    """Return the bytes of a noised data set in the memory of the host.

    Args:
        data: the settings of ``rote.study.plan.data_settings``.
        shape: (channels, rows, columns) of the inputs.
    """
    drawn = len(data["noise_seeds"]) if "randX" in data["noise_kinds"] else 0
    # Real inputs are unpacked to float64, noise is kept in float32.
    real = 8 * (data["train_examples"] + data["validation_examples"])
    return math.prod(shape) * (real + NUMBER * drawn * data["train_examples"])


def minutes(work: Work, device: str, precision: str, attempt: int = 1) -> int:
    """Return the time limit of a job: generous, but a day at most, and half an hour at least.

    What goes on from a checkpoint loses little at the limit, what waits in the queue for a long
    slot may lose hours. So it is four times the estimate by assumed rates, more with each attempt.

    Args:
        work: of the run.
        device: that of the configuration; ``auto`` counts as a GPU.
        precision: that of the configuration.
        attempt: 1 for the first.
    """
    assumed = SLOW_CORE if device == "cpu" else DEVICES["h100"]
    return min(max(30, math.ceil(4 * assumed.seconds(work, precision) / 60)) * attempt, 24 * 60)
