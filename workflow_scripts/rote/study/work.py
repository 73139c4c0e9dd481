"""The multiply-adds of a run, counted from its sizes alone before anything runs.

They rank jobs, so that the longest one does not start last, and weigh them against each other where
progress is reported. They are no time: how fast a device is depends on the shapes. Not counted:
what regularisers draw, and what is read and written. Counted to its limit, though it may end
before: the search for critical samples and, but for :func:`expected_of_run`, training to a
threshold.
"""

import math
from itertools import pairwise
from typing import NamedTuple

from rote.study import noises, plan, sizes
from rote.study.architecture import Architecture
from rote.study.figures import EXPERIMENTS
from rote.study.mlp import widths

# Of the epochs of a training to a threshold, what its members use in the mean: .05 to .15 in the
# runs of the demo. With a plateau, too, the limit is far off, for those that fit slowly: .05 to
# .09 where models are wide, and the work is, up to .41 where they are narrow.
USED, USED_WITH_PLATEAU = 0.1, 0.06
MODULE = 10_000_000  # multiply-adds of a module that does not say how many it has
RECORDED = {"right": 1 / 8, "loss": 4, "margin": 4}  # bytes of an example at a time
_, PROXIES = EXPERIMENTS["memorization"].computed_by("proxies")  # the observer of that run
MEASURED, OF_PROXY = 3, 12  # epochs whose models are measured, and measures of each example
CLASSES = 10  # assumed of data sets that rote does not know by name


class Layer(NamedTuple):
    """A layer of a model, as the numbers of one example in it."""

    inputs: int  # of each of its products
    outputs: int
    positions: int = 1  # at which the weights are applied: 1 if it is dense

    @property
    def multiply_adds(self) -> int:
        """Those of the forward pass of one example."""
        return self.inputs * self.outputs * self.positions


def image(source: dict, data: dict) -> tuple[int, int, int]:
    """Return (channels, rows, columns) of an experiment's inputs, those of CIFAR-10 if unknown.

    Args:
        source: the data set's block under ``datasets`` in the configuration.
        data: the settings ``data`` of whoever trains on it.
    """
    known = sizes.published(source) or sizes.PUBLISHED["CIFAR10"]
    # Images of a folder, whose size is not known yet, are larger than what is cut off them.
    rows = max(1, (data["image_size"] or known.rows) - 2 * data["crop"])
    return known.channels, rows, rows


def classes_of(source: dict) -> int:
    """Return the number of classes of a data set, by its block under ``datasets``."""
    known = sizes.published(source)
    return known.classes if known else CLASSES


def layers(model: dict, shape: tuple[int, int, int], classes: int = CLASSES) -> list[Layer]:
    """Return the layers of a model for inputs of ``shape`` (channels, rows, columns).

    ``model`` holds ``hidden_layers`` and ``hidden_units`` of an MLP, or the settings of a CNN; or
    those of a module, which stands there as one layer.
    """
    if "from" in model:
        return [Layer(model.get("multiply_adds", MODULE), 1)]
    if "maps" not in model:
        units = [math.prod(shape), *widths(model), classes]
        return [Layer(*pair) for pair in pairwise(units)]
    architecture = Architecture.of(model, shape, classes)
    # Images of a folder, whose size is not known yet, are at least as large as they must be.
    sides = [max(side, architecture.smallest) for side in shape[1:]]
    architecture = architecture._replace(image=(shape[0], *sides))
    positions = [math.prod(plane.convolved[1:]) for plane in architecture.planes()]
    products = architecture.products()
    positions += [1] * (len(products) - len(positions))
    return [Layer(*product, times) for product, times in zip(products, positions, strict=True)]


def of_run(run: dict, shape: tuple[int, int, int], data: dict) -> int:
    """Return the multiply-adds of all members of a run.

    Args:
        run: its settings, those of ``rote.study.run_settings``.
        shape: (channels, rows, columns) of the inputs.
        data: ``train_examples`` and ``validation_examples`` and, if they are known, ``classes``.
    """
    if "labelling" in run:
        return _sensitivity(run, shape, data)
    training = run["training"]
    own = layers(run["model"], shape, data.get("classes", CLASSES))
    forward = sum(layer.multiply_adds for layer in own)
    examples, epochs = data["train_examples"], training["epochs"]
    scored = len(plan.evaluated_epochs({"evaluate_every": 1, **training}))
    passes = (
        1 if "hidden_units" in run["model"] else 2
    )  # the other is for the statistics of normalisation
    seen = scored * (passes * examples + data["validation_examples"])
    total = 0
    for member in map(plan.Member._make, run["members"]):
        each = _update(own)
        trained_on = plan.subset_size(examples, member.percent) - bool(member.left_out)
        if member.adversarial:  # the search, and an update on twice the examples
            each = 2 * each + run["adversarial_examples"]["max_iterations"] * 2 * forward
        total += epochs * trained_on * each + seen * forward
        if run.get("observer") == PROXIES:
            total += _proxies(run, own, trained_on, data.get("classes", CLASSES))
        if search := run.get("critical_samples"):
            inputs = search["examples"] * (
                1 + (noises.replaces(member.noise_kind, data) == "image")
            )
            inputs += search["train_examples"]
            searches = len(search["radius"]) * len(search["epochs"])
            total += searches * inputs * search["max_iterations"] * 2 * forward
    return total


def _proxies(run: dict, own: list[Layer], examples: int, classes: int) -> int:
    """Return, roughly, the multiply-adds of what is measured of a model that is trained by then.

    That is a gradient of each example by the parameters, once, and of each logit by its input; and,
    after plain SGD, the sweep back through the training, for which it is trained once more.
    """
    training, forward = run["training"], sum(layer.multiply_adds for layer in own)
    total = examples * (3 + MEASURED * (1 + classes)) * forward
    plain = training.get("optimizer", "sgd") == "sgd" and not training["momentum"]
    if not plain or "maps" in run["model"]:
        return total
    updates = training["epochs"] * -(-examples // training["batch_size"])
    passed = sum(plan.evaluation_times(updates, plan.PROXY_TIMES))
    return total + _swept(own, training["batch_size"], updates, passed)


def expected_of_run(run: dict, shape: tuple[int, int, int], data: dict) -> int:
    """Return the multiply-adds that a run will probably need, see :func:`of_run`.

    Members that train to a threshold leave long before the limit.
    """
    whole = of_run(run, shape, data)
    if "plateau" in run["training"]:
        return round(USED_WITH_PLATEAU * whole)
    return round(USED * whole) if "threshold" in run["training"] else whole


def recorded_bytes(run: dict, examples: int) -> int:
    """Return the bytes of what a run records of its examples, see ``rote.measures.records``."""
    training, record = run["training"], run.get("record", ())
    scored = run.get("evaluations", 0) + 1
    if "evaluate_every" in training:
        scored = len(plan.evaluated_epochs(training))
    of_example = scored * sum(RECORDED[name] for name in record if name in RECORDED)
    return round(len(run["members"]) * examples * (of_example + 16 * ("moments" in record)))


def subsets_bytes(run: dict, shape: tuple[int, int, int], data: dict) -> int:
    """Return the bytes of what a run keeps of models on subsets, and of their examples.

    Args:
        run: its settings.
        shape: (channels, rows, columns) of the inputs.
        data: ``train_examples`` and ``validation_examples``.
    """
    members = [plan.Member(*member) for member in run["members"]]
    if all(member.percent == 100 and not member.left_out for member in members):
        return 0
    examples = data["train_examples"]
    every = examples + data["validation_examples"]
    # What is trained on is booleans before it is bits.
    of_members = examples + (examples + every) / 8
    of_members += 4 * OF_PROXY * examples * (run.get("observer") == PROXIES)
    draws = len({(m.noise_kind, m.noise_level, m.seed) for m in members})
    of_draws = 2 * (8 + 1) * examples  # label and index, two booleans
    # Pictures are bytes, those of one seed at a time float64 before.
    images = (len({m.seed for m in members}) + 8) * every * math.prod(shape)
    return round(len(members) * of_members + draws * of_draws + images)


def _update(own: list[Layer]) -> int:
    """Return the multiply-adds of an update, an example: nothing is passed on to the inputs."""
    first, *others = (layer.multiply_adds for layer in own)
    return 2 * first + 3 * sum(others)


def _sensitivity(run: dict, shape: tuple[int, int, int], data: dict) -> int:
    training, examples = run["training"], data["train_examples"]
    classes = data.get("classes", CLASSES)
    own = layers(run["model"], shape, examples if run["labelling"] == "unique" else classes)
    updates = training["epochs"] * -(-examples // training["batch_size"])
    times = plan.evaluation_times(updates, run["evaluations"])
    class_times = plan.evaluation_times(updates, run["class_evaluations"])
    passed = sum(times) + classes * sum(class_times)  # updates that losses go back through
    return len(run["members"]) * _swept(own, training["batch_size"], updates, passed)


def _swept(own: list[Layer], batch_size: int, updates: int, passed: int) -> int:
    """Return the multiply-adds of a training, and of losses that go back through its updates."""
    # Of each layer: two products forward and two backward, one for the weights' adjoint, and
    # another for it; on the first layer nothing enters that has moved.
    first, *others = (layer.multiply_adds for layer in own)
    through = batch_size * (4 * first + 6 * sum(others))
    return updates * batch_size * _update(own) + passed * through
